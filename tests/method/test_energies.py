"""Energies: minimal at equality, right gradients, and falling along them."""

import pytest
import torch

from dragondiffusion.core.geometry import Affine, Correspondence
from dragondiffusion.method.energies import Contrast, GlobalSimilarity, LocalSimilarity, vectors
from dragondiffusion.method.similarity import c01, closeness_energy, cosine

REGION = torch.zeros(8, 12, dtype=torch.bool)
REGION[2:6, 3:9] = True
SHIFTED = Correspondence.along(Affine.about((0, 0), (2.0, 1.0)), REGION, (8, 12))
TERMS = {
    "local": LocalSimilarity("edit", 2.0, 0, SHIFTED),
    "raw": LocalSimilarity("edit", 2.0, 0, Correspondence.same(REGION), raw=True),
    "global": GlobalSimilarity("inpaint", 0.5, 0, REGION, ~REGION),
    "contrast": Contrast("contrast", 0.3, 0, Correspondence.same(REGION)),
}


def maps(seed, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    shapes = [(1, 6, 2, 3), (1, 4, 4, 6)]
    return tuple(torch.randn(shape, generator=generator, dtype=dtype) + 0.5 for shape in shapes)


def wanted(term, f_gud):
    """Features that hold exactly what a local term asks for, at the resolution of the energy grid."""
    return tuple(term.match.carry(f, torch.zeros(1, f.shape[1], *REGION.shape)) for f in f_gud)


def test_similarity_ranges():
    f, g = torch.randn(2, 5, 40, generator=torch.Generator().manual_seed(0))
    assert float(cosine(f, g).abs().max()) <= 1
    torch.testing.assert_close(cosine(f, f), torch.ones(40))
    torch.testing.assert_close(c01(cosine(f, -f)), torch.zeros(40), atol=1e-6, rtol=0)
    assert cosine(f.half(), g.half()).dtype == torch.float32


def test_closeness_energy_falls_with_similarity():
    s = torch.linspace(0, 1, 11)
    assert bool((closeness_energy(s).diff() < 0).all())
    assert float(closeness_energy(torch.tensor(1.0))) == pytest.approx(0.2)


@pytest.mark.parametrize("name", ["local", "raw"])
def test_local_similarity_is_least_at_equality(name):
    term, f_gud = TERMS[name], maps(0)
    least = float(term(wanted(term, f_gud), f_gud))
    assert least == pytest.approx(term.weight * len(f_gud) * 0.2, rel=1e-5)
    if name == "local":
        assert all(least < float(term(maps(seed), f_gud)) for seed in range(1, 6))


def test_global_similarity_is_least_where_means_agree():
    term = TERMS["global"]
    even = tuple(torch.ones_like(f) for f in maps(0))
    assert float(term(even, even)) == pytest.approx(term.weight * 2 * 0.2)
    assert float(term(even, even)) < float(term(maps(1), even))


def test_contrast_is_greatest_at_equality():
    term, f = TERMS["contrast"], maps(0)
    assert float(term(f, f)) == pytest.approx(term.weight * 2, rel=1e-5)
    assert float(term(tuple(-x for x in f), f)) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("name", list(TERMS))
def test_energy_falls_along_its_gradient(name):
    term, f_gud = TERMS[name], maps(0)
    f_gen = tuple(f.requires_grad_() for f in maps(3))
    before = term(f_gen, f_gud)
    gradients = torch.autograd.grad(before, f_gen)
    after = term(tuple(f - 0.05 * g for f, g in zip(f_gen, gradients, strict=True)), f_gud)
    assert after.item() < before.item()


@pytest.mark.parametrize("name", list(TERMS))
def test_gradient_is_the_derivative(name):
    """Against central differences; energies are single precision by design, so the step is wide."""
    term, f_gud = TERMS[name], maps(0)
    f_gen = tuple(f.requires_grad_() for f in maps(3))
    gradients = torch.autograd.grad(term(f_gen, f_gud), f_gen)
    direction = tuple(torch.randn(f.shape, generator=torch.Generator().manual_seed(7)) for f in f_gen)
    slope = sum(float((g * d).sum()) for g, d in zip(gradients, direction, strict=True))
    with torch.no_grad():
        up, down = (tuple(f + h * d for f, d in zip(f_gen, direction, strict=True)) for h in (5e-3, -5e-3))
        measured = float(term(up, f_gud) - term(down, f_gud)) / 1e-2
    assert measured == pytest.approx(slope, rel=2e-2, abs=2e-4)


def test_nothing_outside_the_region_counts():
    f_gud, f_gen = maps(0), tuple(f.requires_grad_() for f in maps(3))
    term = LocalSimilarity("content", 1.0, 0, Correspondence.same(REGION))
    for f, g in zip(f_gen, torch.autograd.grad(term(f_gen, f_gud), f_gen), strict=True):
        touched = vectors(torch.ones_like(f), REGION).numel() > 0
        assert touched
        cells = torch.nn.functional.interpolate(g.abs().sum(1, keepdim=True), REGION.shape)[0, 0] > 0
        coarse = torch.nn.functional.max_pool2d(REGION[None, None].float(), REGION.shape[0] // f.shape[-2])
        allowed = torch.nn.functional.interpolate(coarse, REGION.shape)[0, 0] > 0
        assert not bool((cells & ~allowed).any())

"""What the method relies on in every energy."""

from dataclasses import FrozenInstanceError

import pytest
import torch

from conformance.rows import ENERGIES, GRID
from dragondiffusion.method import energies
from dragondiffusion.method.energies import Energy

NOTHING, EVERYTHING = torch.zeros(GRID, dtype=torch.bool), torch.ones(GRID, dtype=torch.bool)
LEFT = NOTHING.clone()
LEFT[:, :5] = True


def kinds(of=Energy):
    """All energies of the package, subclasses of subclasses too."""
    found = {one for one in of.__subclasses__() if one.__module__ == energies.__name__}
    return found.union(*(kinds(one) for one in found))


def maps(seed, shapes=((6, 2, 3), (4, 4, 6)), dtype=torch.float64):
    """Features of one picture; without `shapes`, at two scales coarser than the grid."""
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(1, *shape, generator=generator, dtype=dtype) + 0.5 for shape in shapes)


@pytest.fixture(params=list(ENERGIES))
def row(request):
    return ENERGIES[request.param]


def test_every_energy_is_in_the_battery():
    assert {type(row.term) for row in ENERGIES.values()} == kinds()


def test_values_are_finite_numbers(row):
    for seed in range(5):
        value = row.term(maps(seed), maps(9))
        assert value.shape == () and bool(value.isfinite())
    assert float(row.term(maps(1, dtype=torch.float16), maps(9, dtype=torch.float16))) > 0


def test_the_weight_is_a_factor(row):
    scales = [float(row.term.at_scale(a, b)) for a, b in zip(maps(0), maps(1), strict=True)]
    assert float(row.term(maps(0), maps(1))) == pytest.approx(row.term.weight * sum(scales))


def test_its_extreme_is_where_it_should_be(row):
    f = maps(0)
    extreme = float(row.best(f, f))
    assert extreme == pytest.approx(row.best.weight * len(f) * row.extreme, rel=1e-6)
    if getattr(row.best, "raw", False):
        return  # the raw cosine has a pole, see its docstring
    sign = 1 if row.is_least else -1
    assert all(sign * extreme < sign * float(row.best(maps(seed), f)) for seed in range(1, 6))


def test_gradients_are_derivatives(row):
    f_gen, f_gud = maps(3, ((2, 2, 3), (2, 4, 6))), maps(4, ((2, 2, 3), (2, 4, 6)))
    leaves = tuple(f.requires_grad_() for f in f_gen)
    assert torch.autograd.gradcheck(lambda *f: row.term(f, f_gud), leaves)


def test_it_falls_along_its_gradient(row):
    f_gen, f_gud = tuple(f.requires_grad_() for f in maps(3)), maps(0)
    before = row.term(f_gen, f_gud)
    gradients = torch.autograd.grad(before, f_gen)
    after = row.term(tuple(f - 0.05 * g for f, g in zip(f_gen, gradients, strict=True)), f_gud)
    assert float(after) < float(before)


def test_without_nothing_it_is_the_same(row):
    assert float(row.term.without(NOTHING)(maps(0), maps(1))) == float(row.term(maps(0), maps(1)))


def test_without_everything_it_is_nothing_or_itself(row):
    assert row.term.without(EVERYTHING) in (None, row.term)


def test_a_part_keeps_its_name_weight_and_guide(row):
    part = row.term.without(LEFT)
    assert type(part) is type(row.term)
    assert (part.name, part.weight, part.guide) == (row.term.name, row.term.weight, row.term.guide)
    assert part.without(LEFT) is not None
    assert float(part.without(LEFT)(maps(0), maps(1))) == float(part(maps(0), maps(1)))


def cells(term, seed=0):
    """Cells of the picture being made that a term looks at, with features on the grid of the energies."""
    (f,) = maps(seed, ((4, *GRID),))
    f.requires_grad_()
    (gradient,) = torch.autograd.grad(term((f,), maps(seed + 1, ((4, *GRID),))), f)
    return gradient[0].abs().sum(0) > 0


def test_parts_make_up_the_whole(row):
    """What is outside of a region and what is inside: each looks at its own cells, together at all of them."""
    outside, inside = row.term.without(LEFT), row.term.without(~LEFT)
    if outside is row.term:
        assert inside is row.term  # compares no cells of the grid
        return
    assert not bool((cells(outside) & LEFT).any()) and not bool((cells(inside) & ~LEFT).any())
    assert torch.equal(cells(outside) | cells(inside), cells(row.term))
    if row.share is not None:
        f, g = (one[0] for one in (maps(0, ((4, *GRID),)), maps(1, ((4, *GRID),))))
        count = [int(one.match.target.sum()) for one in (outside, inside, row.term)]
        share = [row.share(float(one.at_scale(f, g))) for one in (outside, inside, row.term)]
        assert count[0] * share[0] + count[1] * share[1] == pytest.approx(count[2] * share[2])


def test_it_is_a_frozen_record(row):
    with pytest.raises(FrozenInstanceError):
        row.term.weight = 3

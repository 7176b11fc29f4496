"""What the method relies on in every backbone."""

from dataclasses import replace

import pytest
import torch

from conformance.rows import BACKBONES
from conformance.test_gaussians import quiet
from dragondiffusion.backbones.savings import network
from dragondiffusion.core.geometry import Correspondence
from dragondiffusion.core.types import Canvas
from dragondiffusion.method import solver
from dragondiffusion.method.denoiser import Condition
from dragondiffusion.method.energies import LocalSimilarity
from dragondiffusion.method.inversion import invert

STEPS = 4
LONG = 50
"""Steps of the run whose last levels are inverted."""
NOTHING = frozenset[int]()


class Subject:
    """A backbone with two images at a level, what they show and what they do not."""

    def __init__(self, row, denoiser):
        self.row, self.denoiser = row, denoiser
        self.dtype = torch.float64 if row.precise else torch.float32
        self.canvas = denoiser.canvas((64, 64), 2)
        self.levels = denoiser.levels(STEPS, self.canvas)
        self.t = self.levels[2]
        self.z = self.latents(2, 0)
        self.condition = denoiser.describe(["a red cup", "two bowls"], self.canvas)
        self.negative = denoiser.describe(["", ""], self.canvas)

    def latents(self, count, seed):
        shape = (count, self.denoiser.latent_channels, *self.canvas.latent)
        return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(self.dtype)

    def predict(self, **how):
        with torch.no_grad():
            return self.denoiser.predict(self.z, self.t, self.condition, **how)

    def close(self, a, b, tolerance=1e-5):
        tolerance = 1e-10 if self.row.precise else tolerance
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


@pytest.fixture(scope="module", params=list(BACKBONES))
def subject(request, data):
    row = BACKBONES[request.param]
    return Subject(row, row.make(data))


def halved(layer, own):
    return [replace(h, tokens=h.tokens.flip(0) * 0.5) for h in own]


def test_a_prediction_makes_up_its_latent(subject):
    """z_t = alpha z_0 + sigma eps at every level, with and without guidance."""
    for t in subject.levels.all[:-1]:
        for how in ({}, {"negative": subject.negative, "guidance_scale": 3.0}):
            with torch.no_grad():
                made = subject.denoiser.predict(subject.z, t, subject.condition, **how)
            subject.close(t.alpha * made.z_0 + t.sigma * made.eps, subject.z, 1e-4)
            assert made.z_0.dtype == subject.dtype and made.eps.shape == subject.z.shape


def test_noise_falls_along_the_levels(subject):
    ratios = [level.ratio for level in subject.levels.all]
    assert len(subject.levels) == STEPS and ratios == sorted(ratios, reverse=True)


def test_scale_one_is_no_guidance(subject):
    plain = subject.predict()
    one = subject.predict(negative=subject.negative, guidance_scale=1.0)
    assert torch.equal(one.eps, plain.eps) and torch.equal(one.z_0, plain.z_0)
    each = subject.predict(negative=subject.negative, guidance_scale=torch.tensor([1.0, 4.0]))
    subject.close(each.eps[0], plain.eps[0])
    assert not torch.allclose(each.eps[1], plain.eps[1], atol=1e-4)


def test_a_scale_that_a_network_is_told_takes_one_call(subject):
    if not subject.row.told:
        pytest.skip("its guidance takes two calls")
    plain, far = subject.predict(guidance_scale=3.0), subject.predict(negative=subject.negative, guidance_scale=3.0)
    assert torch.equal(plain.eps, far.eps)
    assert not torch.allclose(plain.eps, subject.predict().eps, atol=1e-4)


def test_guidance_goes_on_from_the_negative(subject):
    if subject.row.told:
        pytest.skip("it is told the scale")
    plain, far = subject.predict(), subject.predict(negative=subject.negative, guidance_scale=3.0)
    none = subject.predict(negative=subject.negative, guidance_scale=0.0)
    subject.close(far.eps, none.eps + 3 * (plain.eps - none.eps), 1e-4)


def test_features_of_a_partial_forward_are_the_whole_calls(subject):
    taps = subject.denoiser.feature_taps
    whole = subject.predict(taps=taps)
    guided = subject.predict(taps=taps, negative=subject.negative, guidance_scale=2.0)
    with torch.no_grad():
        partial = subject.denoiser.partial_forward(subject.z, subject.t, subject.condition).features
    assert len(partial) == len(taps)
    areas = [f.shape[-2] * f.shape[-1] for f in partial]
    assert areas == sorted(areas), "coarse scale first"
    for a, b, c in zip(partial, whole.features, guided.features, strict=True):
        subject.close(a, b)
        subject.close(c, b)
    for k, tap in enumerate(taps):
        (alone,) = subject.denoiser.partial_forward(subject.z, subject.t, subject.condition, (tap,)).features
        subject.close(alone, partial[k])


def test_reading_ones_own_memory_is_the_identity(subject):
    plain, recorded = subject.predict(), subject.predict(record=True)
    subject.close(recorded.eps, plain.eps)
    assert len(recorded.memory) == 2 and recorded.memory[0].keys() == recorded.memory[1].keys()
    seen = set()

    def own(layer, memories):
        seen.add(layer)
        return [memory[layer] for memory in recorded.memory]

    subject.close(subject.predict(attention=own).eps, plain.eps)
    assert seen == set(recorded.memory[0])
    assert not torch.allclose(subject.predict(attention=halved).eps, plain.eps, atol=1e-4)


def test_memory_is_selected_by_region(subject):
    """All of a region's cells and no others, on whatever grid a layer has."""
    (layers, _) = subject.predict(record=True).memory
    left = torch.zeros(subject.canvas.padded)
    left[:, : subject.canvas.padded[1] // 2] = 1
    for memory in layers.values():
        a, b = memory.select(left), memory.select(1 - left)
        assert a.nbytes + b.nbytes == memory.nbytes
        assert a.joined([b]).nbytes == memory.nbytes and memory.select(left * 0).is_empty
        kept = memory.stored(on_host=True).to(memory)
        assert kept.nbytes == memory.nbytes and not kept.is_empty


def test_resuming_is_a_whole_call(subject):
    begun = subject.denoiser.partial_forward(subject.z, subject.t, subject.condition)
    guided = {"negative": subject.negative, "guidance_scale": 2.5}
    for how in ({}, guided, {"attention": halved}, {"attention": halved, **guided}):
        subject.close(subject.predict(**how, resume=begun).eps, subject.predict(**how).eps)


def test_resuming_gives_all_that_is_asked_for(subject):
    begun = subject.denoiser.partial_forward(subject.z, subject.t, subject.condition)
    how = {"taps": subject.denoiser.feature_taps, "record": True}
    whole, resumed = subject.predict(**how), subject.predict(**how, resume=begun)
    assert len(resumed.features) == len(whole.features)
    assert resumed.memory[0].keys() == whole.memory[0].keys()
    for a, b in zip(resumed.features, whole.features, strict=True):
        subject.close(a, b)
    subject.close(resumed.eps, whole.eps)


def test_a_batch_is_its_images_alone(subject):
    """With conditions of their own."""
    how = {"negative": subject.negative, "guidance_scale": torch.tensor([2.0, 5.0])}
    both = subject.predict(**how, taps=subject.denoiser.feature_taps, record=True)
    for b in range(2):
        with torch.no_grad():
            alone = subject.denoiser.predict(
                subject.z[b : b + 1],
                subject.t,
                subject.condition.row(b),
                negative=subject.negative.row(b),
                guidance_scale=how["guidance_scale"][b : b + 1],
                taps=subject.denoiser.feature_taps,
                record=True,
            )
        subject.close(both.eps[b : b + 1], alone.eps, 1e-4)
        for together, one in zip(both.features, alone.features, strict=True):
            subject.close(together[b : b + 1], one, 1e-4)
        assert both.memory[b].keys() == alone.memory[0].keys()
    again = Condition.cat([subject.condition.row(b) for b in range(2)])
    assert torch.equal(again.text, subject.condition.text) and again.extras.keys() == subject.condition.extras.keys()


def hooks(denoiser):
    """How many hooks there are on the modules of a network, and the processors of its attention."""
    modules = list(network(denoiser.pipe).modules()) if hasattr(denoiser, "pipe") else ()
    processors = [m.processor for m in modules if hasattr(m, "processor")]
    return [len(m._forward_pre_hooks) + len(m._forward_hooks) for m in modules], processors


def test_everything_is_restored_after_an_exception(subject):
    before, plain = hooks(subject.denoiser), subject.predict().eps

    def fail(layer, own):
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        subject.predict(attention=fail, record=True, taps=subject.denoiser.feature_taps)
    assert hooks(subject.denoiser) == before and torch.equal(subject.predict().eps, plain)


def test_inversion_is_undone_by_sampling(subject):
    """The implicit step, solved by iteration: more of it comes closer, and enough of it returns the latents.

    On the last levels of a run, where steps are so small that random weights are no obstacle to convergence.
    """
    denoiser, z_0, condition = subject.denoiser, subject.latents(1, 3) * 0.5, subject.condition.row(0)
    levels, errors = denoiser.levels(LONG, subject.canvas), []
    how = {"remember": NOTHING, "keep_features": NOTHING, "progress": quiet, "start": LONG - 3}
    for iterations in (1, 3, 10):
        (up,) = invert(denoiser, z_0, condition, levels, iterations=iterations, **how)
        assert len(up.trajectory) == 4
        z = up.at(up.start)
        for i in range(up.start, LONG):
            with torch.no_grad():
                z = solver.step(z, denoiser.predict(z, levels[i], condition).eps, levels[i], levels[i + 1])
        errors.append(float((z - z_0).norm() / z_0.norm()))
    assert errors[2] < 2e-3 and errors[2] < errors[1] < errors[0], errors


def test_gradients_are_derivatives(subject):
    """Of an energy with respect to latents, through a partial forward, against differences in double precision."""
    net = network(subject.denoiser.pipe) if hasattr(subject.denoiser, "pipe") else torch.nn.Module()
    region = torch.zeros(Canvas((64, 64), 64, subject.canvas.factor, 2).energy, dtype=torch.bool)
    region[3:9, 2:12] = True
    term = LocalSimilarity("edit", 1.0, 0, Correspondence.same(region))
    z, condition = subject.z[:1].double(), subject.condition.row(0)
    direction = subject.latents(1, 7).double()
    try:
        net.double()

        def energy(latents):
            return term(subject.denoiser.partial_forward(latents, subject.t, condition).features, f_gud)

        with torch.no_grad():
            f_gud = subject.denoiser.partial_forward(subject.latents(1, 8).double(), subject.t, condition).features
            h = subject.row.difference
            up, down = (float(energy(z + step * direction)) for step in (h, -h))
        leaf = z.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(energy(leaf), leaf)
    finally:
        net.float()
    slope = float((gradient * direction).sum())
    tolerance = 1e-4 if h < 1e-4 else 1e-2
    assert abs(slope) > 1e-7 and (up - down) / (2 * h) == pytest.approx(slope, rel=tolerance)

"""The sampler and the inversion on data for which the exact way is known, for diffusion and for flows alike."""

import itertools
import math
from dataclasses import replace

import pytest
import torch

from conformance.toys import Flow, Preserving
from dragondiffusion.core.levels import Level
from dragondiffusion.method import solver
from dragondiffusion.method.inversion import generate, invert
from dragondiffusion.method.objective import Objective, Strengths
from dragondiffusion.method.sampling import Sample, sample
from dragondiffusion.method.settings import RunSettings

TOYS = {"preserving": Preserving(), "flow": Flow()}
LEAST_ORDER = {"preserving": 0.8, "flow": 0.55}
"""Of the explicit inversion. It keeps the noise of a step, which near pure noise is nearly the latent itself: a run
that goes all the way there has an error like log(n) / n for n steps."""
SIZE = (32, 48)
NOWHERE = torch.zeros(4, 6, dtype=torch.bool)
NOTHING = Objective((), (), NOWHERE, (), (), NOWHERE, Strengths(energy_scale=0.0, guidance_scale=1.0, noise_inside=0.0))
"""An objective that asks for nothing: the sampler alone is left."""


@pytest.fixture(params=list(TOYS))
def toy(request):
    return TOYS[request.param]


@pytest.fixture
def least_order(toy):
    return LEAST_ORDER[next(name for name, one in TOYS.items() if one is toy)]


def quiet(phase, done, total):
    """Progress that nobody looks at."""


def noise():
    return torch.linspace(-2, 2, 4 * 24, dtype=torch.float64).reshape(1, 4, 4, 6)


def setting(toy, steps):
    """Levels and condition of a run."""
    canvas = toy.canvas(SIZE)
    return toy.levels(steps, canvas), toy.describe(["a cup"], canvas)


def generated(toy, z, steps):
    levels, condition = setting(toy, steps)
    nothing = frozenset()
    (made,) = generate(
        toy,
        z,
        condition,
        condition,
        levels,
        guidance_scale=1,
        remember=nothing,
        keep_features=nothing,
        progress=quiet,
    )
    return made


def inverted(toy, z, steps, iterations=1):
    levels, condition = setting(toy, steps)
    nothing = frozenset()
    (made,) = invert(
        toy, z, condition, levels, remember=nothing, keep_features=nothing, iterations=iterations, progress=quiet
    )
    return made


def orders(errors):
    return [math.log2(a / b) for a, b in itertools.pairwise(errors)]


def exact(toy, z, upwards=False):
    levels, condition = setting(toy, 1)
    ends = (levels[1], levels[0]) if upwards else (levels[0], levels[1])
    return toy.exact(z, *ends, condition)


def test_sampling_converges_to_the_exact_map(toy):
    z = noise()
    made = [generated(toy, z, steps).at(-1) for steps in (40, 80, 160)]
    errors = [float((x - exact(toy, z)).abs().max()) for x in made]
    assert errors[-1] < 0.02 and all(abs(order - 1) < 0.15 for order in orders(errors)), errors


def test_the_loop_without_energies_is_that_sampler(toy):
    made = generated(toy, noise(), 12)
    one = Sample(NOTHING, (made,), made.condition, made.condition, noise(), torch.Generator())
    (alone,) = sample(toy, [one], RunSettings(steps=12, guidance=()), quiet).latents
    torch.testing.assert_close(alone, made.at(-1)[0], rtol=1e-12, atol=1e-12)


def test_noise_becomes_data_of_the_right_spread(toy):
    """Standard normal noise arrives with the data's mean and spread, as far as the levels begin with noise."""
    z = torch.randn(1, 4, 64, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    levels, condition = setting(toy, 200)
    begin = levels[0].alpha * toy.mean(condition, z) + z * math.hypot(levels[0].alpha * 0.7, levels[0].sigma)
    x = generated(toy, begin, 200).at(-1)
    assert float(x.mean()) == pytest.approx(float(toy.mean(condition, z)), abs=0.02)
    assert float(x.std()) == pytest.approx(0.7, rel=0.03)


def test_inversion_converges_to_the_exact_map(toy, least_order):
    z = noise() / 2
    made = [inverted(toy, z, steps).at(0) for steps in (40, 80, 160)]
    errors = [float((x - exact(toy, z, upwards=True)).abs().max()) for x in made]
    assert errors[-1] < 0.07 and all(least_order < order < 1.2 for order in orders(errors)), errors


def test_inversion_and_sampling_return(toy, least_order):
    """Exactly where the implicit step is solved; with the explicit one as its order says."""
    z = noise() / 2
    back = generated(toy, inverted(toy, z, 10, iterations=80).at(0), 10).at(-1)
    torch.testing.assert_close(back, z, rtol=1e-9, atol=1e-9)
    errors = [float((generated(toy, inverted(toy, z, n).at(0), n).at(-1) - z).abs().max()) for n in (40, 80, 160)]
    assert all(least_order < order < 1.25 for order in orders(errors)), errors


def test_the_step_of_a_flow_is_eulers():
    toy, generator = TOYS["flow"], torch.Generator().manual_seed(0)
    condition, z = setting(toy, 1)[1], noise()
    for _ in range(20):
        a, b = torch.rand(2, dtype=torch.float64, generator=generator).mul(0.98).add(0.01).tolist()
        t, s = (Level(1000 * u, *toy.path(u)) for u in (a, b))
        made = toy.predict(z, t, condition)
        velocity = made.eps - made.z_0
        euler = z + (s.sigma - t.sigma) * velocity
        torch.testing.assert_close(solver.step(z, made.eps, t, s), euler, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(solver.add_noise(made.z_0, made.eps, s), euler, rtol=1e-12, atol=1e-12)


def test_canvases_of_any_size_have_levels(toy):
    levels = toy.levels(3, replace(toy.canvas(SIZE), picture=(17, 250)))
    assert len(levels) == 3 and levels[3].sigma == 0

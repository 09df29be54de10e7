"""The main job: digits trained by one compiled program, against the same network in NumPy."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import mlc
import numpy as np
import pytest
from mlc.runtime.matching import Tolerance, assert_matches

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
STEPS = 50
CLOSE = Tolerance(sums=1e-5 / float(np.finfo(np.float32).eps), scale=1)
"""An absolute 1e-5."""


@pytest.fixture(scope="module", autouse=True)
def _examples() -> Any:
    sys.path.insert(0, str(EXAMPLES))
    yield
    sys.path.remove(str(EXAMPLES))


def test_the_first_parameter_states_are_those_of_numpy() -> None:
    import digits
    import reference_digits
    import train_digits

    data = digits.load(0)
    ours, theirs = digits.initial_parameters(0), digits.initial_parameters(0)
    buffers = dict(ours)
    velocity, other = train_digits.OPTIMIZER.init(ours), {k: np.zeros_like(v) for k, v in theirs.items()}
    step = mlc.jit(train_digits.step, donate=("p", "velocity"))
    for _, (x, y) in zip(range(STEPS), digits.batches(data, 0)):
        ours, velocity, _ = step(ours, velocity, x, y)
        reference_digits.step(theirs, other, x, y)
        for name in ours:
            assert_matches(CLOSE, ours[name], theirs[name])
    assert all(ours[name] is buffers[name] for name in ours), "expected parameters to be updated in place"


@pytest.mark.parametrize("sizes", [(1, 1, 2), (3, 5, 7), (17, 33, 9), (65, 129, 11)])
def test_in_place_parameters_of_sizes_that_no_tile_divides(sizes: tuple[int, int, int]) -> None:
    import reference_digits
    import train_digits

    rng = np.random.default_rng(1)
    inputs, hidden, classes = sizes
    shapes = {"w1": (inputs, hidden), "b1": (hidden,), "w2": (hidden, classes), "b2": (classes,)}
    ours = {k: rng.standard_normal(s).astype(np.float32) / 4 for k, s in shapes.items()}
    theirs = {k: v.copy() for k, v in ours.items()}
    velocity, other = train_digits.OPTIMIZER.init(ours), {k: np.zeros_like(v) for k, v in theirs.items()}
    step = mlc.jit(train_digits.step, donate=("p", "velocity"))
    for batch in (1, 6, 13):
        x = rng.standard_normal((batch, inputs)).astype(np.float32)
        y = rng.integers(0, classes, batch)
        ours, velocity, _ = step(ours, velocity, x, y)
        reference_digits.step(theirs, other, x, y)
        for name in ours:
            assert_matches(CLOSE, ours[name], theirs[name])


def test_accuracy_of_three_seeds() -> None:
    import reference_digits
    import train_digits

    ours = [train_digits.train(seed, quiet=True) for seed in range(3)]
    theirs = [reference_digits.train(seed) for seed in range(3)]
    assert np.mean(ours) >= 0.975
    assert abs(np.mean(ours) - np.mean(theirs)) <= 0.005

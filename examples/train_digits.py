"""Trains a two-layer perceptron on handwritten digits; the whole step is one compiled program.

Loss, gradients and the momentum update are traced into one function, differentiated, fused and compiled to native code;
parameters and velocities are donated, so that the program updates them in place.

    python examples/train_digits.py [--seed N] [--target cuda] [--quiet]
"""

from __future__ import annotations

import argparse
import time

import digits
import mlc
import mlc.nn as nn
import mlc.optim as optim
import numpy as np
from digits import Parameters
from numpy.typing import NDArray
from tqdm import tqdm

OPTIMIZER = optim.momentum(digits.LEARNING_RATE, digits.MOMENTUM)


def predict(p: Parameters, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits `[b, 10]` of images `[b, 64]`."""
    return nn.relu(x @ p["w1"] + p["b1"]) @ p["w2"] + p["b2"]


def loss(p: Parameters, x: NDArray[np.float32], y: NDArray[np.int64]) -> NDArray[np.float32]:
    return nn.cross_entropy(predict(p, x), y).mean()


def step(p: Parameters, velocity: Parameters, x: NDArray[np.float32], y: NDArray[np.int64]):
    """The training step: new parameters, new velocities, the loss."""
    value, gradient = mlc.value_and_grad(loss)(p, x, y)
    p, velocity = OPTIMIZER.update(p, velocity, gradient)
    return p, velocity, value


def train(seed: int, quiet: bool = False, target: str | None = None) -> float:
    """Train with this seed on the CPU or a GPU (`target`), print what it cost, return the test accuracy."""
    data, p = digits.load(seed), digits.initial_parameters(seed)
    velocity = OPTIMIZER.init(p)
    compiled = mlc.jit(step, donate=("p", "velocity"), target=target)

    start = time.perf_counter()
    first = next(digits.batches(data, seed))
    executable = compiled.compile(p, velocity, *first)
    compile_seconds = time.perf_counter() - start

    start = time.perf_counter()
    bar = tqdm(digits.batches(data, seed), total=digits.number_of_batches(data), unit="step", disable=quiet)
    for x, y in bar:
        p, velocity, value = compiled(p, velocity, x, y)
        if bar.n % 100 == 0:
            bar.set_postfix(loss=f"{float(value):.4f}")
    step_seconds = (time.perf_counter() - start) / digits.number_of_batches(data)

    report = executable.report()
    print(f"compiled in {compile_seconds:.2f} s: {len(report['kernels'])} kernels, {report['arena_bytes']} arena bytes")
    print(f"{step_seconds * 1e6:.0f} us per step")
    return digits.accuracy(mlc.jit(predict, target=target)(p, data.test_x), data.test_y)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="seed of the split, the initial parameters and the batches")
    parser.add_argument(
        "--target", choices=("cpu", "cuda"), help="cuda: on an NVIDIA GPU (default: MLC_TARGET, or cpu)"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    options = parser.parse_args()
    print(f"accuracy {train(options.seed, options.quiet, options.target):.3f}")


if __name__ == "__main__":
    main()

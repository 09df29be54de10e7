"""Trains a recurrent network on the adding problem: the sum of the two marked numbers of a sequence.

The data are drawn, the network is run and differentiated, and a hundred steps of training are taken, all in one
program: scans inside of a scan. Hochreiter and Schmidhuber: Long short-term memory, 1997.

python examples/adding.py
"""

import argparse
import time

import mlc
import mlc.nn as nn
import mlc.numpy as mnp
import numpy as np
from mlc import random
from mlc.optim import momentum

LENGTH, BATCH, WIDTH, STEPS = 12, 64, 32, 100


def batch(key):
    """Sequences `[length, batch, 2]` of numbers and marks, and the sums of the marked numbers."""
    numbers, first, second = random.split(key, 3)
    x = random.uniform(numbers, (LENGTH, BATCH))
    places = [random.randint(k, (BATCH,), low, low + LENGTH // 2) for k, low in ((first, 0), (second, LENGTH // 2))]
    marks = sum(nn.one_hot(p, LENGTH) for p in places).T
    return mnp.stack([x, marks], -1), (x * marks).sum(0)


def network(p, xs):
    """A gated recurrent unit (Cho et al., 2014) over the sequence, then a linear layer."""

    def step(h, x):
        z = nn.sigmoid(x @ p["xz"] + h @ p["hz"] + p["z"])
        r = nn.sigmoid(x @ p["xr"] + h @ p["hr"] + p["r"])
        n = mnp.tanh(x @ p["xn"] + (r * h) @ p["hn"] + p["n"])
        return (1 - z) * n + z * h, None

    h, _ = mlc.scan(step, mnp.zeros((BATCH, WIDTH)), xs)
    return (h @ p["out"])[:, 0]


def train(p, state, key):
    """`STEPS` steps; the parameters, and the loss of each."""
    optimizer = momentum(0.1)

    def step(carry, key):
        p, state = carry
        xs, sums = batch(key)
        loss, gradient = mlc.value_and_grad(lambda p: nn.mse(network(p, xs), sums))(p)
        return optimizer.update(p, state, gradient), loss

    (p, state), losses = mlc.scan(step, (p, state), random.split(key, STEPS))
    return p, state, losses


def parameters(rng):
    gates = {f"{source}{g}": (n, WIDTH) for g in "zrn" for source, n in (("x", 2), ("h", WIDTH))}
    shapes = {**gates, "out": (WIDTH, 1)}
    p = {k: (rng.standard_normal(s) / np.sqrt(s[0])).astype(np.float32) for k, s in shapes.items()}
    return p | {g: np.zeros(WIDTH, np.float32) for g in "zrn"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8, help=f"of {STEPS} steps each (default: 8)")
    rounds = parser.parse_args().rounds
    p = parameters(np.random.default_rng(0))
    state = momentum(0.1).init(p)
    program = mlc.jit(train, donate=("p", "state"))
    start = time.perf_counter()
    for n, key in enumerate(random.split(random.key(0), rounds)):
        p, state, losses = program(p, state, key)
        print(f"{(n + 1) * STEPS:5} steps, {time.perf_counter() - start:5.1f} s, loss {losses[-20:].mean():.4f}")


if __name__ == "__main__":
    main()

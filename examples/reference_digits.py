"""The network of `train_digits.py` in plain NumPy: what mlc's training is compared with.

python examples/reference_digits.py [--seed N]
"""

from __future__ import annotations

import argparse

import digits
import numpy as np
from digits import Parameters
from numpy.typing import NDArray


def predict(p: Parameters, x: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.maximum(x @ p["w1"] + p["b1"], np.float32(0)) @ p["w2"] + p["b2"]


def gradients(p: Parameters, x: NDArray[np.float32], y: NDArray[np.int64]) -> tuple[float, Parameters]:
    """Mean cross-entropy of a batch `[b, 64]`, labels `[b]`, and its gradient by the chain rule written out."""
    hidden = x @ p["w1"] + p["b1"]
    active = np.maximum(hidden, np.float32(0))
    logits = active @ p["w2"] + p["b2"]
    shifted = logits - logits.max(axis=-1, keepdims=True)
    exps = np.exp(shifted)
    total = exps.sum(axis=-1, keepdims=True)
    loss = -np.mean((shifted - np.log(total))[np.arange(len(y)), y])
    delta = exps / total
    delta[np.arange(len(y)), y] -= 1
    delta /= np.float32(len(y))
    back = np.where(hidden > 0, delta @ p["w2"].T, np.float32(0))
    return float(loss), {"w1": x.T @ back, "b1": back.sum(0), "w2": active.T @ delta, "b2": delta.sum(0)}


def step(p: Parameters, velocity: Parameters, x: NDArray[np.float32], y: NDArray[np.int64]) -> float:
    """One step of gradient descent with momentum, in place; returns the loss."""
    loss, grads = gradients(p, x, y)
    for name, gradient in grads.items():
        velocity[name] = np.float32(digits.MOMENTUM) * velocity[name] + gradient
        p[name] = p[name] - np.float32(digits.LEARNING_RATE) * velocity[name]
    return loss


def train(seed: int) -> float:
    """The test accuracy after training with this seed."""
    data, p = digits.load(seed), digits.initial_parameters(seed)
    velocity = {name: np.zeros_like(value) for name, value in p.items()}
    for x, y in digits.batches(data, seed):
        step(p, velocity, x, y)
    return digits.accuracy(predict(p, data.test_x), data.test_y)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="seed of the split, the initial parameters and the batches")
    print(f"accuracy {train(parser.parse_args().seed):.3f}")


if __name__ == "__main__":
    main()

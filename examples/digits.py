"""The handwritten digits and the training plan that the two programs share.

`train_digits.py` trains with mlc, `reference_digits.py` the same network in plain NumPy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HIDDEN = 128
CLASSES = 10
BATCH = 32
EPOCHS = 40
LEARNING_RATE = 0.05
MOMENTUM = 0.9

Parameters = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Digits:
    """Pixels scaled to [0, 1], float32 `[n, 64]`, and labels, int64 `[n]`: a seeded 80/20 split."""

    train_x: NDArray[np.float32]
    train_y: NDArray[np.int64]
    test_x: NDArray[np.float32]
    test_y: NDArray[np.int64]


def load(seed: int) -> Digits:
    with np.load(Path(__file__).parent / "data" / "digits.npz") as archive:
        images, labels = archive["images"], archive["labels"]
    x = images.reshape(len(images), -1).astype(np.float32) / np.float32(16)
    y = labels.astype(np.int64)
    order = np.random.default_rng(seed).permutation(len(x))
    split = len(x) * 4 // 5
    train, test = order[:split], order[split:]
    return Digits(x[train], y[train], x[test], y[test])


def initial_parameters(seed: int) -> Parameters:
    """He initialisation, zero biases."""
    rng = np.random.default_rng(seed)

    def dense(rows: int, columns: int) -> NDArray[np.float32]:
        return (rng.standard_normal((rows, columns)) * np.sqrt(2 / rows)).astype(np.float32)

    return {
        "w1": dense(64, HIDDEN),
        "b1": np.zeros(HIDDEN, np.float32),
        "w2": dense(HIDDEN, CLASSES),
        "b2": np.zeros(CLASSES, np.float32),
    }


def batches(data: Digits, seed: int) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
    """`EPOCHS` seeded permutations of the training set, cut into full batches."""
    rng = np.random.default_rng(seed)
    for _ in range(EPOCHS):
        order = rng.permutation(len(data.train_x))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            rows = order[start : start + BATCH]
            yield data.train_x[rows], data.train_y[rows]


def number_of_batches(data: Digits) -> int:
    return EPOCHS * (len(data.train_x) // BATCH)


def accuracy(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    return float(np.mean(np.argmax(logits, axis=-1) == labels))

"""`mlc.optim`: gradient descent as pure functions over trees of parameters.

optimizer = optim.momentum(0.1, 0.9)
state = optimizer.init(parameters)
parameters, state = optimizer.update(parameters, state, gradients)
"""

# Trees and user functions hold anything.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .pytree import tree_map


@dataclass(frozen=True)
class Sgd:
    """`p - learning_rate * g`; no state."""

    learning_rate: float

    def init(self, parameters: Any) -> None:
        """The state: none."""

    def update(self, parameters: Any, state: None, gradients: Any) -> tuple[Any, None]:
        return tree_map(lambda p, g: p - self.learning_rate * g, parameters, gradients), None


@dataclass(frozen=True)
class Momentum:
    """`v = momentum * v + g`, `p - learning_rate * v` (Polyak, 1964)."""

    learning_rate: float
    momentum: float = 0.9

    def init(self, parameters: Any) -> Any:
        """Zero velocities: NumPy arrays with memory of their own."""
        return tree_map(lambda p: np.zeros(np.shape(p), np.asarray(p).dtype), parameters)

    def update(self, parameters: Any, velocities: Any, gradients: Any) -> tuple[Any, Any]:
        velocities = tree_map(lambda v, g: self.momentum * v + g, velocities, gradients)
        return tree_map(lambda p, v: p - self.learning_rate * v, parameters, velocities), velocities


def sgd(learning_rate: float) -> Sgd:
    return Sgd(learning_rate)


def momentum(learning_rate: float, momentum: float = 0.9) -> Momentum:
    return Momentum(learning_rate, momentum)

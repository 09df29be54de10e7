"""The recurrent network of examples/adding.py learns; data, gradients and steps are one program."""

from __future__ import annotations

import sys
from pathlib import Path

import mlc
import numpy as np
from mlc import random
from mlc.optim import momentum

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))
import adding


def test_the_network_learns_to_add() -> None:
    p = adding.parameters(np.random.default_rng(0))
    state = momentum(0.1).init(p)
    program = mlc.jit(adding.train, donate=("p", "state"))
    lasts = []
    for key in random.split(random.key(0), 3):
        p, state, losses = program(p, state, key)
        lasts.append(losses[-20:].mean())
    assert lasts[0] < 0.08 and lasts[-1] < 0.01
    (executable,) = (entry.executable for entry in program.entries.values())
    assert executable.mlir("nd").count("nd.scan") >= 3

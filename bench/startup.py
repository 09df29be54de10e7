"""Process start: what importing mlc costs, and how soon a one-op program has run. Minimum over fresh processes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .results import Row

ONE_OP = """
import numpy as np, mlc
f = mlc.jit(lambda x, y: x + y)
x = np.arange(8, dtype=np.float32)
assert (f(x, x) == 2 * x).all()
"""
ROUNDS = 7


def seconds(program: str, cache: Path) -> float:
    """Wall-clock seconds of one fresh Python process."""
    env = dict(os.environ, MLC_CACHE_DIR=str(cache))
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its byte code
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True, env=env)
    return time.perf_counter() - start


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        warm = Path(folder) / "warm"
        numpy, mlc, cold, hot = ([] for _ in range(4))
        seconds(ONE_OP, warm)
        for k in range(ROUNDS):
            numpy.append(seconds("import numpy", warm))
            mlc.append(seconds("import mlc", warm))
            cold.append(seconds(ONE_OP, Path(folder) / f"cold{k}"))
            hot.append(seconds(ONE_OP, warm))
    return [
        Row("import_over_numpy", (min(mlc) - min(numpy)) * 1e3, "ms"),
        Row("one_op_cold", min(cold), "s"),
        Row("one_op_warm", min(hot), "s"),
    ]

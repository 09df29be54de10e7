"""The first kernels against NumPy, one thread each, interleaved; results of both are compared before they are timed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlc
import mlc.nn as nn
import numpy as np
from mlc.runtime.matching import Tolerance, assert_matches

from .results import Row, ratio
from .timing import interleave

Array = np.ndarray[Any, Any]
EXAMPLES = Path(__file__).parent.parent / "examples"


def random(*shape: int) -> Array:
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def compiled(fn: Callable[..., Any], *arrays: Array) -> Any:
    return mlc.compile(fn, *(mlc.spec(a.shape, str(a.dtype)) for a in arrays))


def against_numpy(name: str, fn: Callable[..., Any], peer: Callable[..., Array], *arrays: Array) -> Row:
    """One row: `fn` compiled, writing into an array of its own, against `peer(*arrays, out)`."""
    run = compiled(fn, *arrays)
    out, theirs = run(*arrays), run(*arrays)
    peer(*arrays, theirs)
    assert_matches(Tolerance(ulp=64, sums=4 * max(a.shape[-1] for a in arrays) ** 0.5), out, theirs)
    times = interleave({"mlc": lambda: run(*arrays, out=out), "numpy": lambda: peer(*arrays, theirs)})
    return ratio(name, times, "mlc", "numpy")


def numpy_softmax(x: Array, out: Array) -> Array:
    np.subtract(x, x.max(axis=-1, keepdims=True), out=out)
    np.exp(out, out=out)
    return np.divide(out, out.sum(axis=-1, keepdims=True), out=out)


def numpy_gelu(x: Array, out: Array) -> Array:
    np.multiply(x, x, out=out)
    out *= np.float32(0.044715)
    out += np.float32(1)
    out *= x
    out *= np.float32(np.sqrt(2 / np.pi))
    np.tanh(out, out=out)
    out += np.float32(1)
    out *= x
    out *= np.float32(0.5)
    return out


def numpy_fused(a: Array, b: Array, c: Array, d: Array, out: Array) -> Array:
    np.add(a, b, out=out)
    np.multiply(out, c, out=out)
    return np.add(out, d, out=out)


def fused_rows() -> list[Row]:
    """D + (A + B) * C over 16 M elements: one kernel, three kernels, NumPy."""
    a, b, c, d = (random(1 << 24) for _ in range(4))
    one = compiled(lambda a, b, c, d: d + (a + b) * c, a, b, c, d)
    add, mul = compiled(lambda x, y: x + y, a, b), compiled(lambda x, y: x * y, a, b)
    out, scratch = one(a, b, c, d), np.empty_like(a)

    def three() -> None:
        add(a, b, out=scratch)
        mul(scratch, c, out=scratch)
        add(scratch, d, out=scratch)

    three()
    assert_matches(Tolerance(ulp=4, sums=4), out, scratch)
    runs = {
        "mlc": lambda: one(a, b, c, d, out=out),
        "kernels": three,
        "numpy": lambda: numpy_fused(a, b, c, d, scratch),
    }
    times = interleave(runs)
    return [ratio("fused_16M_numpy", times, "mlc", "numpy"), ratio("fused_16M_kernels", times, "mlc", "kernels")]


def layout_row() -> Row:
    """The column-order sum as written, and after `loop-reorder` without options; both otherwise unscheduled."""
    text = (EXAMPLES / "layout.mlir").read_text()
    x = random(4096, 4096)
    columns = mlc.compile(text, schedule="")
    rows = mlc.compile(text, schedule="loop-reorder")
    assert_matches(Tolerance(sums=4 * 4096, scale=1), rows(x), np.sum(x, dtype=np.float64).astype(np.float32))
    times = interleave({"reordered": lambda: rows(x), "columns": lambda: columns(x)}, rounds=5)
    return ratio("column_sum_reordered", times, "reordered", "columns")


def digits_row() -> Row:
    start = time.perf_counter()
    subprocess.run([sys.executable, str(EXAMPLES / "train_digits.py"), "--quiet"], check=True, capture_output=True)
    return Row("digits_training", time.perf_counter() - start, "s")


def rows() -> list[Row]:
    a, b = random(512, 512), random(512, 512)
    return [
        against_numpy("matmul_512", lambda x, y: x @ y, lambda x, y, out: np.matmul(x, y, out=out), a, b),
        against_numpy("softmax_4096x1024", nn.softmax, numpy_softmax, random(4096, 1024)),
        against_numpy("gelu_1M", nn.gelu, numpy_gelu, random(1 << 20)),
        *fused_rows(),
        layout_row(),
        digits_row(),
    ]

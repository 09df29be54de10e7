"""StableHLO's triangular_solve, cholesky and rng on programs as text, real and complex, against NumPy."""

from __future__ import annotations

from typing import Any

import mlc
import numpy as np
import pytest
from mlc.runtime.matching import Tolerance, assert_matches

RNG = np.random.default_rng(3)
NEAR = Tolerance(ulp=64, sums=64, scale=16)
NAMES = {"float32": "f32", "float64": "f64", "complex64": "complex<f32>", "complex128": "complex<f64>"}


def numbers(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    x = RNG.standard_normal(shape)
    return (x + 1j * RNG.standard_normal(shape) if "complex" in dtype else x).astype(dtype)


def of(x: np.ndarray) -> str:
    return f"tensor<{'x'.join([*map(str, x.shape), NAMES[x.dtype.name]])}>"


def solve(a: np.ndarray, b: np.ndarray, left: bool, lower: bool, unit: bool, transpose: str) -> np.ndarray:
    m = np.tril(a) if lower else np.triu(a)
    m = m - np.eye(a.shape[-1]) * m + np.eye(a.shape[-1]) if unit else m
    m = m.swapaxes(-1, -2) if transpose != "NO_TRANSPOSE" else m
    m = m.conj() if transpose == "ADJOINT" else m
    if left:
        return np.linalg.solve(m, b)
    return np.linalg.solve(m.swapaxes(-1, -2), b.swapaxes(-1, -2)).swapaxes(-1, -2)


@pytest.mark.parametrize("dtype", ["float64", "complex64"])
def test_triangular_solve(dtype: str) -> None:
    """Every attribute's values, in one program."""
    a = numbers((2, 3, 3), dtype) + np.eye(3, dtype=dtype) * 3
    bs = numbers((2, 3, 2), dtype), numbers((2, 2, 3), dtype)
    words = ("NO_TRANSPOSE", "TRANSPOSE", "ADJOINT")
    kinds = [(le, lo, (le == lo), t) for le in (True, False) for lo in (True, False) for t in words]
    lines, results = [], []
    for k, (left, lower, unit, word) in enumerate(kinds):
        b = bs[0] if left else bs[1]
        flags = f"left_side = {left}, lower = {lower}, unit_diagonal = {unit}".replace("T", "t").replace("F", "f")
        properties = f"<{{{flags}, transpose_a = #stablehlo<transpose {word}>}}>"
        types = f"({of(a)}, {of(b)}) -> {of(b)}"
        lines.append(f'  %r{k} = "stablehlo.triangular_solve"(%a, %{"b" if left else "c"}) {properties} : {types}')
        results.append(of(b))
    text = program([a, *bs], lines, results)
    for got, kind in zip(mlc.compile(text)(a, *bs), kinds, strict=True):
        assert_matches(NEAR, got, solve(a, bs[0] if kind[0] else bs[1], *kind).astype(dtype))


def program(inputs: list[np.ndarray], lines: list[str], results: list[str]) -> str:
    arguments = ", ".join(f"%{n}: {of(x)}" for n, x in zip("abc", inputs, strict=False))
    values = ", ".join(f"%r{k}" for k in range(len(results)))
    types = ", ".join(results)
    body = "\n".join([*lines, f"  return {values} : {types}"])
    return f"func.func public @main({arguments}) -> ({types}) {{\n{body}\n}}\n"


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_cholesky(dtype: str) -> None:
    a = numbers((2, 3, 3), dtype)
    a = (a @ a.conj().swapaxes(-1, -2) + np.eye(3)).astype(dtype)
    lines = [f"  %r{k} = stablehlo.cholesky %a, lower = {w} : {of(a)}" for k, w in enumerate(("true", "false"))]
    low, up = mlc.compile(program([a], lines, [of(a)] * 2))(a)
    want = np.linalg.cholesky(a)
    assert_matches(NEAR, low, want)
    assert_matches(NEAR, up, want.conj().swapaxes(-1, -2))


def test_rng() -> None:
    """The numbers are this implementation's own: their range, mean and spread, and that ops draw apart."""
    a, b, n = np.float32(2), np.float32(5), 4096
    shape = f"%s = stablehlo.constant dense<{n}> : tensor<1xi64>"
    call = "(tensor<f32>, tensor<f32>, tensor<1xi64>) -> tensor<4096xf32>"
    words = ("UNIFORM", "NORMAL", "UNIFORM")
    lines = [f"  %r{k} = stablehlo.rng %a, %b, %s, distribution = {w} : {call}" for k, w in enumerate(words)]
    text = program([np.array(a), np.array(b)], [f"  {shape}", *lines], ["tensor<4096xf32>"] * 3).replace("<f32", "<f32")
    u, x, other = map(np.asarray, mlc.compile(text)(a, b))
    assert (u >= 2).all() and (u < 5).all() and abs(u.mean() - 3.5) < 0.05 and (u != other).any()
    assert abs(x.mean() - 2) < 0.4 and abs(x.std() - 5) < 0.3
    again: Any = mlc.compile(text)(a, b)[0]
    assert (np.asarray(again) == u).all()

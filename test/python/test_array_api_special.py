"""The special cases of the Array API standard, each line eagerly and compiled, of f32 and f64.

All rows of a function are one vector, all functions one program: what is compiled is what runs at the widest vectors.
"""

from __future__ import annotations

import itertools
from typing import Any

import mlc
import mlc.numpy as xp
import numpy as np
import pytest
from array_api_special import TABLES, Line, expected, lines
from mlc.dialects.nd.op import EXACT, Tolerance
from mlc.runtime.matching import assert_matches

NEAR = Tolerance(ulp=4)


def columns(rows: list[tuple[Any, ...]], dtype: Any) -> list[np.ndarray]:
    return [np.array(column, dtype) for column in zip(*rows, strict=True)]


def results(dtype: Any, compiled: bool) -> dict[str, np.ndarray]:
    """Each function of all its rows."""
    rows = {f: list(itertools.chain(*(n.rows for n in group))) for f, group in by_function(dtype).items()}
    operands = {f: columns(r, dtype) for f, r in rows.items()}

    def program(operands: dict[str, list[Any]]) -> dict[str, Any]:
        return {f: getattr(xp, f)(*xs) for f, xs in operands.items()}

    if compiled:
        return mlc.jit(program)(operands)
    with mlc.eager():
        return {f: np.asarray(y) for f, y in program({f: [*map(xp.asarray, xs)] for f, xs in operands.items()}).items()}


def by_function(dtype: Any) -> dict[str, list[Line]]:
    out: dict[str, list[Line]] = {f: [] for f in TABLES}
    for line in lines(dtype):
        out[line.function].append(line)
    return out


def check(line: Line, got: np.ndarray, dtype: Any) -> str:
    """What is wrong with all of the results that the standard allows; empty if one is met."""
    wrong = []
    for result in line.results:
        want = expected(line, result, dtype)
        if result.startswith("sign "):
            got, want = np.copysign(dtype(1), got), np.copysign(dtype(1), want)
        if result == "zero":
            got = np.abs(got)
        try:
            assert_matches(NEAR if result.startswith("~") else EXACT, got, want)
            return ""
        except AssertionError as error:
            wrong.append(f"{line.function}: {line.text}: {error}")
    return "\n".join(wrong)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_special_cases(dtype: Any, compiled: bool) -> None:
    found = results(dtype, compiled)
    wrong = []
    for function, group in by_function(dtype).items():
        at = 0
        for line in group:
            wrong.append(check(line, found[function][at : at + len(line.rows)], dtype))
            at += len(line.rows)
    assert not any(wrong), "\n".join(filter(None, wrong))


def test_the_tables_are_whole() -> None:
    counted = [line for group in by_function(np.float32).values() for line in group]
    assert len(TABLES) >= 45 and len(counted) >= 300 and all(line.rows for line in counted)
    wrong = counted[0]._replace(results=("1",))
    assert "abs: nan -> nan" in check(wrong, np.array([np.nan], np.float32), np.float32)

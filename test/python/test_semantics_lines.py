"""Every line of the tables in docs/semantics.md, compiled, at each width of vectors and number of threads.

A line's expression runs on its values as they stand and, under `vmap`, on many rows of them, so that vectors and their
remainders are met. Lines whose result starts with `error:` are refused with that message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import ml_dtypes
import mlc
import numpy as np
import pytest
from mlc import nn, special
from mlc import numpy as mnp
from mlc.dialects.nd.op import EXACT
from mlc.runtime.matching import assert_matches

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "semantics.md"
ROWS = 37
"""No multiple of any vector's lanes."""


class Line(NamedTuple):
    meaning: str
    expression: str
    values: dict[str, np.ndarray]
    result: np.ndarray | None
    error: str


def numpy_type(name: str) -> np.dtype:
    if name == "bf16":
        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(
        {"f": "float", "i": "int", "u": "uint", "c": "complex"}[name[0]] + name[1:] if name != "bool" else name
    )


def array(text: str) -> np.ndarray:
    """`f32 1, nan, -0.0`"""
    name, _, rest = text.strip().partition(" ")
    dtype = numpy_type(name)
    words = [w.strip() for w in rest.split(",")]
    if dtype.kind == "b":
        return np.array([w == "true" for w in words])
    if dtype.kind in "iu":
        return np.array([int(w) for w in words], dtype)
    if dtype.kind == "c":
        return np.array([complex(w) for w in words]).astype(dtype)
    return np.array([float(w) for w in words], np.float64).astype(dtype)


def lines() -> Iterator[Line]:
    for text in DOCUMENT.read_text().splitlines():
        cells = [c.strip() for c in re.split(r"(?<!\\)\|", text)[1:-1]]
        if len(cells) != 4 or not cells[1].startswith("`"):
            continue
        meaning, expression, given, result = cells
        values = {}
        for part in given.strip("`").split(";"):
            name, _, rest = part.strip().partition(" ")
            values[name] = array(rest)
        wrong = result.startswith("error:")
        want = None if wrong else array(result.strip("`"))
        yield Line(meaning, expression.strip("`"), values, want, result.removeprefix("error:").strip() if wrong else "")


LINES = list(lines())
RIGHT = [line for line in LINES if not line.error]


def names(code: Any) -> Iterator[tuple[str, Any]]:
    """The functions that an expression calls, in it or in its lambdas."""
    for name in code.co_names:
        for module in (mnp, nn, mlc, mnp.linalg, special):
            if hasattr(module, name):
                yield name, getattr(module, name)
                break
    for inner in code.co_consts:
        if hasattr(inner, "co_names"):
            yield from names(inner)


def function(line: Line) -> Any:
    code = compile(line.expression, f"semantics.md: {line.meaning}", "eval")

    def run(*xs: Any) -> Any:
        return eval(code, {**dict(names(code)), **dict(zip(line.values, xs, strict=True))})

    return run


def flat(line: Line, y: Any) -> Any:
    return mnp.reshape(y, (-1,)) if line.result is not None and y.ndim != 1 else y


def test_the_document_has_lines() -> None:
    assert len(LINES) > 120 and len({(x.expression, repr(x.values)) for x in LINES}) == len(LINES)


def test_every_line(target: tuple[int, int]) -> None:
    """All in one program: alone, and as rows."""

    def program(*xs: Any) -> Any:
        arguments = iter(xs)
        out = []
        for line in RIGHT:
            own = [next(arguments) for _ in line.values]
            rows = [mnp.broadcast_to(a, (ROWS, *a.shape)) for a in own]
            out += [
                flat(line, function(line)(*own)),
                mlc.vmap(lambda *r, line=line: flat(line, function(line)(*r)))(*rows),
            ]
        return tuple(out)

    arrays = [a for line in RIGHT for a in line.values.values()]
    results = iter(mlc.jit(program)(*arrays))
    wrong = []
    for line in RIGHT:
        for kind, want in (("alone", line.result), ("rows", np.broadcast_to(line.result, (ROWS, *line.result.shape)))):
            try:
                assert_matches(EXACT, next(results), want)
            except AssertionError as error:
                wrong.append(f"{line.meaning}: {line.expression} ({kind}): {error}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("line", [x for x in LINES if x.error], ids=lambda x: x.meaning)
def test_refused(line: Line) -> None:
    with pytest.raises(mlc.CompileError, match=re.escape(line.error)):
        mlc.jit(function(line))(*line.values.values())

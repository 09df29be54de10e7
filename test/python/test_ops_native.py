"""Every `nd` op and element type as native code, against its reference.

Pairs of op, element type, rank, two sizes, memory order and kind of values are covered (`pairwise`); each op and
element type is also compiled once for symbolic sizes. Results are written into poisoned memory between guards.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
from mlc.dialects.nd.dims import symbol
from mlc.dialects.nd.types import ANY
from native_cases import LAYOUTS, TEMPLATES, One, Template, check, laid_out, program
from op_cases import specials, values
from pairwise import Row, covering
from sampling import sample

SIZES = [0, 1, 3, 7, 8, 9, 16, 17, 33, 1000]
FACTORS: dict[str, list[Any]] = {
    "op": list(range(len(TEMPLATES))),
    "dtype": list(range(len(ANY))),
    "rank": [2, 1, 3, 4, 0],
    "size": SIZES,
    "other": SIZES,
    "layout": LAYOUTS,
    "values": [values, specials],
}
CHUNK = 12
"""Ops to a program: many share its fixed costs."""


def allowed(row: Row) -> bool:
    """The op takes the element type and rank; at most one size of 1000; sizes only where the rank has them."""
    template: Template | None = TEMPLATES[row["op"]] if "op" in row else None
    if template is not None and "dtype" in row and ANY[row["dtype"]] not in template.elements:
        return False
    if template is not None and "rank" in row and row["rank"] < template.rank:
        return False
    if template is not None and template.some and (row.get("size") == 0 or row.get("other") == 0):
        return False
    if "rank" in row and row["rank"] < 1 and row.get("size", 1) != 1:
        return False
    if "rank" in row and row["rank"] < 2 and row.get("other", 1) != 1:
        return False
    return not (row.get("size") == row.get("other") == 1000)


def shape_of(row: Row) -> tuple[int, ...]:
    """Both sizes, and two small ones, in an order that differs from row to row."""
    shape = [row["size"], row["other"], 3, 2][: row["rank"]]
    turn = row["op"] % max(1, len(shape))
    return (*shape[turn:], *shape[:turn])


def one(row: Row, seed: int) -> One:
    template, dtype, shape = TEMPLATES[row["op"]], ANY[row["dtype"]], shape_of(row)
    types = template.types(shape, dtype)
    pairs = [laid_out(x, row["layout"]) for x in row["values"](types, seed)]
    label = f"{template} {dtype} {list(shape)} {row['layout']} {row['values'].__name__}"
    return One(label, template.build, types, [x for x, _ in pairs], [at for _, at in pairs])


ROWS = covering(FACTORS, allowed)


@pytest.fixture(scope="module", autouse=True)
def no_cache() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLC_CACHE", "0")
        yield


def test_the_rows_cover_all_pairs() -> None:
    met = {(a, row[a], b, row[b]) for row in ROWS for a, b in combinations(FACTORS, 2)}
    for a, b in combinations(FACTORS, 2):
        for x in FACTORS[a]:
            for y in FACTORS[b]:
                assert (a, x, b, y) in met or not allowed({a: x, b: y}), f"{a} {x} with {b} {y}"
    assert all(allowed(row) for row in ROWS)


CHOSEN = sample(ROWS, 480, "rows")


@pytest.mark.parametrize("chunk", range(0, len(CHOSEN), CHUNK))
def test_ops(chunk: int) -> None:
    ones = [one(row, chunk + k) for k, row in enumerate(CHOSEN[chunk : chunk + CHUNK])]
    wrong = check(program(ones), ones)
    assert not wrong, "\n".join(wrong)


SYMBOLIC = sample([(t, d) for t in TEMPLATES if t.symbolic for d in t.elements], 240, "symbolic")
SYMBOLS = symbol("n"), symbol("m")


@pytest.mark.parametrize("chunk", range(0, len(SYMBOLIC), CHUNK))
def test_symbolic_sizes(chunk: int) -> None:
    """Compiled once; every size, also none and one, that no vector divides."""
    ones: list[One] = []
    some = False
    for template, dtype in SYMBOLIC[chunk : chunk + CHUNK]:
        types = template.types(SYMBOLS, dtype)
        ones.append(One(f"{template} {dtype}", template.build, types, [], [None] * len(types)))
        some |= template.some
    exe = program(ones)
    wrong: list[str] = []
    for n, m in ((17, 9), (1, 1), (7, 33), *([] if some else [(0, 17), (17, 0)])):
        types = [template.types((n, m), dtype) for template, dtype in SYMBOLIC[chunk : chunk + CHUNK]]
        for kind in (values, specials) if (n, m) == (17, 9) else (values,):
            inputs = [kind(ts, n + k) for k, ts in enumerate(types)]
            wrong += check(exe, ones, {"n": n, "m": m}, inputs)
    assert not wrong, "\n".join(wrong)

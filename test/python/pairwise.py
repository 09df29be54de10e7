"""Small sets of rows over several factors in which every possible pair of two factors' values occurs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, product
from typing import Any

Row = dict[str, Any]


def covering(factors: Mapping[str, Sequence[Any]], allowed: Callable[[Row], bool] = lambda row: True) -> list[Row]:
    """Rows that cover every pair of values that `allowed` permits; the same rows every time.

    `allowed` also sees rows in which factors are missing, and must permit those that can be completed.
    """
    names = list(factors)
    missing: dict[tuple[str, Any, str, Any], None] = {}
    for a, b in combinations(names, 2):
        for x, y in product(factors[a], factors[b]):
            if allowed({a: x, b: y}):
                missing[a, x, b, y] = None
    rows: list[Row] = []
    while missing:
        a, x, b, y = next(iter(missing))
        row = {a: x, b: y}
        for name in names:
            if name not in row:
                row[name] = _best(names, name, _rotated(factors[name], len(rows)), row, missing, allowed)
        for pair in _pairs(names, row):
            missing.pop(pair, None)
        rows.append({name: row[name] for name in names})
    return rows


def _rotated(values: Sequence[Any], by: int) -> list[Any]:
    """Ties go to another value in every row."""
    k = by % len(values)
    return [*values[k:], *values[:k]]


def _best(
    names: Sequence[str],
    name: str,
    values: Sequence[Any],
    row: Row,
    missing: Mapping[Any, None],
    allowed: Callable[[Row], bool],
) -> Any:
    """The permitted value that covers most missing pairs with what the row has."""
    found = [v for v in values if allowed({**row, name: v})]
    assert found, f"no value of {name} completes {row}"
    at = names.index(name)

    def covers(value: Any) -> int:
        before = sum((n, row[n], name, value) in missing for n in names[:at] if n in row)
        return before + sum((name, value, n, row[n]) in missing for n in names[at + 1 :] if n in row)

    return max(found, key=covers)


def _pairs(names: Sequence[str], row: Row) -> list[tuple[str, Any, str, Any]]:
    return [(a, row[a], b, row[b]) for a, b in combinations(names, 2)]

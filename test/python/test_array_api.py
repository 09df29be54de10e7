"""`mlc.numpy` has what the Array API standard names, with its signatures; the few exemptions are written down."""

from __future__ import annotations

import ast
import inspect
import math
from pathlib import Path
from typing import Any

import mlc
import mlc.numpy as xp
import numpy as np
import pytest
from array_api_names import (
    ATTRIBUTES,
    CONSTANTS,
    DTYPES,
    EXEMPT,
    PARTLY,
    SECTIONS,
    difference,
    signatures,
)
from mlc.compiler.frontend import numpy as tables

HOLDERS = {
    "extension linalg": xp.linalg,
    "extension fft": xp.fft,
    "namespace info": xp.__array_namespace_info__(),
    "methods": mlc.Array,
}


@pytest.mark.parametrize("section", SECTIONS)
def test_functions(section: str) -> None:
    holder = HOLDERS.get(section, xp)
    wrong: list[str] = []
    for name, wanted in signatures(SECTIONS[section]):
        if name in EXEMPT:
            assert not hasattr(holder, name), f"{name} is there: no reason to exempt it"
        elif not hasattr(holder, name):
            wrong.append(f"{name}: missing")
        elif found := difference(wanted, inspect.signature(getattr(holder, name))):
            wrong.append(f"{name}: {found}")
    assert not wrong, "\n".join(wrong)


def test_constants_and_types() -> None:
    for name, value in CONSTANTS.items():
        found = getattr(xp, name)
        assert found == value or (math.isnan(found) and math.isnan(value))
    assert xp.__array_api_version__ == "2025.12"
    with mlc.eager():
        for name in DTYPES:
            dtype = getattr(xp, name)
            x = xp.zeros(2, dtype=dtype)
            assert x.dtype == dtype and dtype == x.dtype and all(x.dtype != getattr(xp, n) for n in DTYPES if n != name)
            assert xp.isdtype(dtype, "bool" if name == "bool" else "numeric")
        for name in ATTRIBUTES:
            assert hasattr(xp.ones((2, 3)), name), name


def test_every_condition_is_of_a_name() -> None:
    names = {name for text in SECTIONS.values() for name, _ in signatures(text)} | set(ATTRIBUTES)
    assert names >= set(PARTLY) | set(EXEMPT) and not set(PARTLY) & set(EXEMPT)


def test_the_document_has_the_conditions() -> None:
    text = (Path(__file__).parents[2] / "docs" / "array-api.md").read_text()
    rows = [
        line for line in text.partition("## Conditions")[2].partition("## ")[0].split("\n") if line.startswith("| `")
    ]
    assert rows == [f"| `{name}` | {why} |" for name, why in {**PARTLY, **EXEMPT}.items()]


def test_what_the_document_says_of_choices() -> None:
    one = np.array([1.5])
    for call, message in [
        (lambda: xp.asarray(one, copy=False), "expected copy=None or True"),
        (
            lambda: xp.asarray(np.array([1], np.uint64)) + np.array([1], np.int8),
            "expected integers that one type holds",
        ),
        (lambda: xp.ones(2, dtype=xp.bool) + xp.ones(2, dtype=xp.bool), "expected elements of a number"),
        (lambda: xp.zeros(2, device="gpu"), "cpu"),
    ]:
        with mlc.eager(), pytest.raises(mlc.CompileError, match=message):
            call()
    info = xp.__array_namespace_info__()
    assert not info.capabilities()["boolean indexing"] and not info.capabilities()["data-dependent shapes"]
    with mlc.eager():
        assert info.capabilities()["boolean indexing"] and info.capabilities()["data-dependent shapes"]
        assert xp.asarray([1.0]).dtype == xp.float32 and xp.asarray([1]).dtype == xp.int64
        x = xp.ones(2)
        assert xp.asarray(x, copy=True) is x and x.device == "cpu"
        assert (xp.ones(1, dtype=xp.float16) + xp.ones(1, dtype=xp.int64)).dtype == xp.float16
        assert xp.unique_values(xp.asarray([3, 1, 3])).shape == (2,)
        with pytest.raises(mlc.CompileError, match=r"x\.at"):
            x[0] = 2


def test_the_tables_say_what_type_checkers_read() -> None:
    """`frontend/numpy.py` names everything twice: for checkers and for `__getattr__`."""
    for module, names in tables._SECTIONS.items():
        found = __import__(f"mlc.compiler.frontend.{module}", fromlist=["x"])
        own = set(getattr(found, "__all__", [])) or {n.partition("=")[0] for n in names.split()}
        assert own == {n.partition("=")[0] for n in names.split()}, module
    tree = ast.parse(Path(tables.__file__).read_text())
    block: Any = next(n for n in tree.body if isinstance(n, ast.If))
    read: dict[str, str] = {}
    for statement in block.body:
        if isinstance(statement, ast.Assign):
            targets: Any = statement.targets[0]
            values: Any = statement.value
            read |= {t.id: v.attr for t, v in zip(targets.elts, values.elts, strict=True)}
    words = (w.partition("=") for w in tables._FUNCTIONS.split())
    assert read == {name: own or name for name, _, own in words}
    assert set(dir(xp)) >= set(tables._PLACES)
    with pytest.raises(AttributeError, match="sine"):
        xp.sine  # noqa: B018

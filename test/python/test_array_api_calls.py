"""The Array API's functions against NumPy's, eagerly and in one compiled program."""

from __future__ import annotations

from typing import Any

import mlc
import mlc.numpy as xp
import numpy as np
import pytest
from array_api_calls import CALLS, INDICES, INPUTS, calls, flat
from array_api_names import SECTIONS, signatures
from mlc.runtime.matching import Tolerance, assert_matches

NEAR = Tolerance(ulp=8, sums=8, scale=4)
ALL = calls(CALLS) + calls(INDICES)


def value(text: str, namespace: Any, inputs: dict[str, Any]) -> list[Any]:
    with np.errstate(all="ignore"):
        return flat(eval(text, {"xp": namespace, **inputs}))


def wrong(text: str, got: list[Any]) -> str:
    want = value(text, np, INPUTS)
    try:
        assert len(got) == len(want)
        for g, w in zip(got, want, strict=True):
            assert_matches(NEAR, np.asarray(g), np.asarray(w))
    except AssertionError as error:
        return f"{text}: {error}"
    return ""


def test_eager() -> None:
    found = []
    with mlc.eager():
        inputs = {k: xp.asarray(a) for k, a in INPUTS.items()}
        for text, _ in ALL:
            got = value(text, xp, inputs)
            assert all(isinstance(y, mlc.Array) for y in got), text
            found.append(wrong(text, got))
    assert not any(found), "\n".join(filter(None, found))


def test_compiled() -> None:
    texts = [text for text, needs_values in ALL if not needs_values]
    got = mlc.jit(lambda inputs: [value(text, xp, inputs) for text in texts])(INPUTS)
    found = [wrong(text, list(y)) for text, y in zip(texts, got, strict=True)]
    assert not any(found), "\n".join(filter(None, found))


@pytest.mark.parametrize("text", [text for text, needs_values in ALL if needs_values])
def test_a_trace_has_no_values(text: str) -> None:
    with pytest.raises(mlc.CompileError, match=r"not known|depends on the values|expected a result whose size"):
        mlc.jit(lambda inputs: value(text, xp, inputs))(INPUTS)


def test_every_function_is_called() -> None:
    """Here, or in the tables of special cases."""
    from array_api_special import TABLES

    sections = [s for s in SECTIONS if s not in ("namespace info", "methods") and not s.startswith("extension")]
    names = {name for s in sections for name, _ in signatures(SECTIONS[s])}
    called = {name for name in names if f"xp.{name}(" in CALLS} | set(TABLES)
    elsewhere = {"__array_namespace_info__", "broadcast_shapes", "can_cast", "finfo", "from_dlpack", "iinfo", "imag"}
    assert names - called == elsewhere | {"isdtype", "result_type"}

"""Cases of complex, real and imag, for `op_cases` and `native_cases`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlc.dialects.nd.op import OPS, bind


def of(name: str) -> Callable[..., Any]:
    return lambda *xs: bind(OPS[name], *xs)


def cases(case: Callable[..., Any]) -> list[Any]:
    out = [case("complex", [s, s], of("complex")) for s in ((3, 4), (), (0, 2))]
    return out + [case(n, [s], of(n)) for n in ("real", "imag") for s in ((3, 4), (), (0, 2))]


def templates(template: Callable[..., Any]) -> list[Any]:
    return [template("complex", of("complex"), lambda s: [s, s]), *(template(n, of(n)) for n in ("real", "imag"))]

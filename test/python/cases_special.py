"""Cases and templates of series, special functions and roundings of bits, for `op_cases` and `native_cases`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlc.dialects.nd.op import OPS, Array, bind
from mlc.dialects.nd.polynomial import chebyshev, polynomial
from mlc.dialects.nd.precision import reduce_precision

UNARY = ["erfc", "erf_inv", "lgamma", "digamma", "bessel_i0e", "bessel_i1e"]
SERIES = (0.5, -1.25, 0.0, 0.3)


def of(name: str) -> Callable[..., Array]:
    return lambda *xs: bind(OPS[name], *xs)


def cases(case: Callable[..., Any]) -> list[Any]:
    within = {"erf_inv": (-0.9, 0.9), "lgamma": (0.2, 5.0), "digamma": (0.2, 5.0), "zeta": (1.5, 6.0)}
    out = [case(n, [(3, 4)], of(n), within=within.get(n)) for n in UNARY]
    out += [
        case("zeta", [(3, 2)] * 2, of("zeta"), within=within["zeta"]),
        case("next_after", [(3, 4)] * 2, of("next_after")),
        case("reduce_precision", [(3, 4)], lambda x: reduce_precision(x, 11, 52)),  # narrower ones have steps
        case("polynomial", [(3, 4)], lambda x: polynomial(x, SERIES)),
        case("polynomial", [()], lambda x: polynomial(x, SERIES[:1]), label="constant"),
        case("chebyshev", [(3, 4)], lambda x: chebyshev(x, SERIES), within=(-1, 1)),
    ]
    return out


def templates(template: Callable[..., Any], same: Callable[[int], Any]) -> list[Any]:
    return [
        *(template(n, of(n)) for n in UNARY),
        template("zeta", of("zeta"), same(2)),
        template("next_after", of("next_after"), same(2)),
        template("reduce_precision", lambda x: reduce_precision(x, 5, 10)),
        template("reduce_precision", lambda x: reduce_precision(x, 8, 3), label="e8m3"),
        template("polynomial", lambda x: polynomial(x, SERIES)),
        template("chebyshev", lambda x: chebyshev(x, SERIES)),
    ]

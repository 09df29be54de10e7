"""Cases of ops on matrices, for `op_cases` and `native_cases`; in compiled code of matrices far from singular ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlc.dialects.nd import functions as F
from mlc.dialects.nd import matrices
from mlc.dialects.nd.array import Array
from mlc.dialects.nd.cholesky import cholesky
from mlc.dialects.nd.triangular import triangular_solve

FLAGS: list[dict[str, bool]] = [
    {},
    {"lower": True},
    {"lower": True, "transpose": True, "unit": True},
    {"right": True, "transpose": True},
    {"right": True, "lower": True, "unit": True},
]


def solving(flags: dict[str, bool]) -> Callable[[Array, Array], Array]:
    return lambda a, b: triangular_solve(a, b, **flags)


def cases(case: Callable[..., Any]) -> list[Any]:
    out = [
        case("triangular_solve", [(3, 3), (2, 3) if "right" in f else (3, 2)], solving(f), label=" ".join(f), large=2)
        for f in FLAGS
    ]
    out.append(case("triangular_solve", [(2, 4, 4), (2, 4, 1)], solving(FLAGS[1]), label="batch", large=2))
    out.append(case("triangular_solve", [(0, 0), (0, 3)], solving(FLAGS[1]), label="empty"))
    for upper in (False, True):
        build = lambda a, upper=upper: cholesky(a, upper)
        out += [case("cholesky", [s], build, label=f"{s} {upper}", large=4) for s in ((3, 3), (2, 2, 2), (0, 0))]
    return out


def dominant(x: Array) -> Array:
    """Matrices [n, n] of the last dimension's numbers whose diagonal outweighs the rest, by exact steps."""
    n = int(x.shape[-1])  # pyright: ignore[reportArgumentType]
    y = F.clip(F.broadcast_to(F.expand_dims(x, -1), (*x.shape, n)), -1.0, 1.0)
    return y * 0.5 ** n.bit_length() + F.where(F.broadcast_to(matrices.eye_mask(n), y.shape), 2.0, 0.0)


def templates(template: Callable[..., Any]) -> list[Any]:
    def solve(flags: dict[str, bool]) -> Callable[[Array], Array]:
        def build(x: Array) -> Array:
            b = F.expand_dims(x, -2 if "right" in flags else -1)
            return triangular_solve(dominant(x), b, **flags)

        return build

    def factor(x: Array) -> Array:
        a = dominant(x)
        return cholesky(a + F.swapaxes(a, -1, -2))

    more = {"rank": 1, "symbolic": False}
    return [
        *(template("triangular_solve", solve(f), label=" ".join(f), **more) for f in FLAGS),
        template("cholesky", factor, **more),
    ]

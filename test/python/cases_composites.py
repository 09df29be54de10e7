"""Cases of normalisations and attention, for `op_cases` and `native_cases`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mlc.dialects.nd.attention import attention
from mlc.dialects.nd.dimmap import parse
from mlc.dialects.nd.normalization import batch_norm, layer_norm, rms_norm
from mlc.dialects.nd.op import Array
from xdsl.dialects.builtin import i1


def attend(spec: str, causal: bool = False) -> Callable[..., Array]:
    return lambda *xs: attention(xs, parse(spec), 0.5, causal)


def cases(case: Callable[..., Any]) -> list[Any]:
    """Of fixed shapes."""
    norm = lambda dims, over: lambda x, g, b: layer_norm(x, g, b, dims, over, 1e-3)
    plain, masked = "q d, k d, k e -> q e", "b q d, b k d, b k e, q k -> b q e"
    return [
        case("layer_norm", [(3, 4), (4,), (4,)], norm([1], [1])),
        case("layer_norm", [(2, 3, 4), (3, 4), (3, 4)], norm([1, 2], [1, 2]), label="two"),
        case("layer_norm", [(2, 5, 3, 4), (3, 4), (3, 4)], norm([2, 3], [1, 3]), label="groups"),
        case("layer_norm", [(0, 4), (4,), (4,)], norm([1], [1]), label="empty"),
        case("rms_norm", [(3, 4), (4,)], lambda x, g: rms_norm(x, g, [1], [1], 1e-3)),
        case("rms_norm", [(3, 0), (0,)], lambda x, g: rms_norm(x, g, [1], [1], 1e-3), label="empty"),
        case("batch_norm", [(2, 3, 4), *[(3,)] * 4], lambda x, *s: batch_norm(x, s, 1, 1e-3), positive=True),
        case("attention", [(3, 4), (5, 4), (5, 2)], attend(plain)),
        case("attention", [(5, 4), (5, 4), (5, 2)], attend(plain, True), label="causal"),
        case(
            "attention",
            [(2, 3, 4), (2, 5, 4), (2, 5, 3), (3, 5)],
            attend(masked),
            dtypes=lambda d: [d, d, d, i1],
            label="masked",
        ),
        case("attention", [(2, 3, 4), (2, 5, 4), (2, 5, 3), (3, 5)], attend(masked), label="biased"),
        case(
            "attention",
            [(2, 2, 3, 4), (2, 5, 4), (2, 5, 3)],
            attend("b g q d, b k d, b k e -> b g q e"),
            label="grouped heads",
        ),
        case("attention", [(3, 4), (0, 4), (0, 2)], attend(plain), label="no keys"),
    ]


def templates(template: Callable[..., Any]) -> list[Any]:
    """Of the caller's shape."""
    last = lambda s: [s, (s[-1],), (s[-1],)]
    first = lambda s: [s, *[(s[0],)] * 4]

    def attended(x: Array, *others: Array) -> Array:
        rank = x.ndim
        lead = " ".join("abcd"[: rank - 1])
        return attend(f"{lead} z, k z, k e -> {lead} e")(x, *others)

    keys: Callable[[Sequence[Any]], Any] = lambda s: [s, (6, s[-1]), (6, 3)]
    return [
        template("layer_norm", lambda x, g, b: layer_norm(x, g, b, [x.ndim - 1], [x.ndim - 1], 1e-3), last, rank=1),
        template(
            "rms_norm", lambda x, g: rms_norm(x, g, [x.ndim - 1], [x.ndim - 1], 1e-3), lambda s: last(s)[:2], rank=1
        ),
        template("batch_norm", lambda x, m, v, g, b: batch_norm(x, [m, v * v, g, b], 0, 1e-3), first, rank=1),
        template("attention", attended, keys, rank=2),
    ]

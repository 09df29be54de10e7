"""Cases of windows, cumulative reductions and sorts, for tests over the registry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mlc.dialects.nd import cumulative, sorting
from mlc.dialects.nd.array import Array
from mlc.dialects.nd.attributes import dims_attr
from mlc.dialects.nd.dimmap import parse
from mlc.dialects.nd.mapped import text
from mlc.dialects.nd.op import OPS, bind
from mlc.dialects.nd.reduction import KINDS
from mlc.dialects.nd.types import FIELD, NUMERIC, tensor
from xdsl.dialects.builtin import i1

WINDOWS = {
    # spec, operand, windows, result
    "stride": ("a 2*b+c-1 d -> a b d", (2, 9, 3), [3], (2, 5, 3)),
    "dilation": ("b+3*c a -> a b", (9, 2), [3], (2, 3)),
    "base": ("a (b+c-1)/2 -> a b", (2, 4), [2], (2, 8)),
    "two": ("2*a+b 3*c+2*d-2 -> a c", (6, 8), [2, 3], (3, 3)),
    "wide": ("a+b-3 -> a", (2,), [5], (4,)),
    "negative": ("a 2*b+c+2 -> a b", (2, 7), [2], (2, 2)),
    "empty": ("a b+c-1 -> a b", (2, 0), [2], (2, 1)),
    "none": ("a b+c -> a b", (0, 4), [2], (0, 3)),
}


def windowed(kind: str, spec: str, window: Sequence[int], shape: tuple[int, ...]) -> Callable[..., Array]:
    return lambda x: bind(
        OPS["reduce_window"],
        x,
        kind=KINDS[kind],
        map=text(parse(spec)),
        window=dims_attr(window),
        shape=tensor(shape, x.dtype),
    )


def cases(case: Callable[..., Any]) -> list[Any]:
    out: list[Any] = []
    for kind in ("sum", "prod", "max", "min"):
        for label, (spec, shape, window, result) in WINDOWS.items():
            if label == "empty" and kind in ("max", "min"):
                result = (2, 0)  # infinity has no finite difference
            build = windowed(kind, spec, window, result)
            out.append(case("reduce_window", [shape], build, label=f"{kind} {label}"))
        for axis, shape in ((1, (2, 5)), (0, (4, 3)), (1, (2, 7, 3)), (0, (1,)), (0, (0, 2)), (1, (0, 2))):
            for reverse in (False, True):
                build = lambda x, kind=kind, axis=axis, reverse=reverse: cumulative.cumulative(kind, x, axis, reverse)
                out.append(case("cumulative", [shape], build, label=f"{kind} {axis}{' reverse' * reverse}"))
    for kind in ("any", "all"):
        for label in ("stride", "base", "empty"):
            spec, shape, window, result = WINDOWS[label]
            build = windowed(kind, spec, window, result)
            out.append(case("reduce_window", [shape], build, dtypes=lambda d: [i1], label=f"{kind} {label}"))
    for name, f in (("sort", sorting.sort), ("argsort", sorting.argsort)):
        for axis, shape in ((1, (2, 9)), (0, (40, 3)), (1, (2, 7, 3)), (0, (1,)), (0, (0, 2)), (1, (0, 2))):
            for down in (False, True):
                build = lambda x, f=f, axis=axis, down=down: f(x, axis, down)
                out.append(case(name, [shape], build, label=f"{axis}{' descending' * down}"))
    return out


def templates(template: Callable[..., Any]) -> list[Any]:
    """Programs at any shape, for compiled code."""

    def pooled(kind: str) -> Callable[..., Array]:
        def build(x: Array) -> Array:
            n, *rest = x.shape
            names = "bcd"[: len(rest)]
            spec = f"2*a+w-1 {' '.join(names)} -> a {' '.join(names)}"
            return windowed(kind, spec, [3], ((n - 1) // 2 + 1, *rest))(x)  # pyright: ignore[reportArgumentType]

        return build

    def inner(kind: str) -> Callable[..., Array]:
        def build(x: Array) -> Array:
            names = "bcd"[: len(x.shape) - 1]
            spec = f"{' '.join(names)} a+2*w-2 -> {' '.join(names)} a"
            return windowed(kind, spec, [3], x.shape)(x)  # pyright: ignore[reportArgumentType]

        return build

    out: list[Any] = []
    for kind in ("sum", "prod", "max", "min", "any", "all"):
        types = [i1] if kind in ("any", "all") else NUMERIC
        out.append(template("reduce_window", pooled(kind), label=f"{kind} first", rank=1, dtypes=types))
        out.append(template("reduce_window", inner(kind), label=f"{kind} last", rank=1, dtypes=types))
    for kind in ("sum", "prod", "max", "min"):
        for axis in (0, -1):
            for reverse in (False, True):
                build = lambda x, kind=kind, axis=axis, reverse=reverse: cumulative.cumulative(
                    kind, x, axis % x.ndim, reverse
                )
                label, types = f"{kind} {axis}{' reverse' * reverse}", FIELD if kind in ("sum", "prod") else NUMERIC
                out.append(template("cumulative", build, label=label, rank=1, dtypes=types))
    for name, f in (("sort", sorting.sort), ("argsort", sorting.argsort)):
        for axis in (0, -1):
            for down in (False, True):
                build = lambda x, f=f, axis=axis, down=down: f(x, axis % x.ndim, down)
                out.append(template(name, build, label=f"{axis}{' descending' * down}", rank=1))
    return out

"""Cases of gather, scatter and slices at computed positions, for tests over the registry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mlc.dialects.nd import dynamic_slices, indirect
from mlc.dialects.nd.array import Array
from mlc.dialects.nd.dimmap import parse
from mlc.dialects.nd.scatter import scatter
from mlc.dialects.nd.types import ANY, LOGICAL, NUMERIC, ui8, ui32, ui64
from xdsl.dialects.builtin import i8, i16, i32, i64
from xdsl.ir import Attribute

GATHERS = {
    # map, operand, indices, result
    "take": ("a @0 c, d -> a d c", (2, 4, 3), [(5,)], (2, 5, 3)),
    "rows": ("@0 b, c d -> c d b", (4, 3), [(2, 3)], (2, 3, 3)),
    "along": ("a @0, a b -> a b", (2, 4), [(2, 5)], (2, 5)),
    "pairs": ("@0 b @1, c, c -> b c", (4, 3, 2), [(5,), (5,)], (3, 5)),
    "outer": ("@1 @0, a, b -> b a", (4, 3), [(5,), (2,)], (2, 5)),
    "windows": ("@0+b @1, a, a -> a b", (5, 3), [(4,), (4,)], (4, 2)),
    "slices": ("@0+c a @1+d, , a -> c a d", (5, 2, 4), [(), (2,)], (3, 2, 2)),
    "one": ("@0, -> ", (4,), [()], ()),
    "whole": ("@0+b a, -> a b", (4, 2), [()], (2, 4)),
    "nowhere": ("@0 b, c -> c b", (4, 3), [(0,)], (0, 3)),
    "nothing": ("@0 b, c -> c b", (4, 0), [(2,)], (2, 0)),
    "empty": ("@0 b, c -> c b", (0, 3), [(0,)], (0, 3)),
}
FEW = ("take", "along", "windows", "empty")
"""Maps for all kinds of scatters; the others for two."""

KINDS = ("set", "add", "mul", "max", "min", "and", "or")


def gathering(spec: str, mode: str, shape: tuple[int, ...]) -> Callable[..., Array]:
    return lambda x, *indices: indirect.gather(x, indices, parse(spec), mode, shape)


def scattering(spec: str, kind: str, mode: str) -> Callable[..., Array]:
    return lambda x, u, *indices: scatter(kind, x, u, indices, parse(spec), mode)


def turned(spec: str) -> str:
    """The map of the scatter to where a gather reads."""
    place, _, indices = spec.partition("->")[0].partition(",")
    return f"{spec.partition('->')[2]}, {indices} -> {place}"


def index_types(values: int, count: int) -> Callable[[Attribute], Sequence[Attribute]]:
    return lambda d: (*[d] * values, *([i64, i32] * count)[:count])


def cases(case: Callable[..., Any]) -> list[Any]:
    out: list[Any] = []
    for label, (spec, shape, indices, result) in GATHERS.items():
        for mode in ("clip", "fill", "promise"):
            build, kinds = gathering(spec, mode, result), index_types(1, len(indices))
            out.append(case("gather", [shape, *indices], build, dtypes=kinds, label=f"{label} {mode}"))
        for mode in ("clip", "drop", "promise"):
            for kind in KINDS[: 2 + 5 * (label in FEW)] if mode == "drop" else ("add",):
                build, kinds = scattering(turned(spec), kind, mode), index_types(2, len(indices))
                shapes = [shape, result, *indices]
                out.append(case("scatter", shapes, build, dtypes=kinds, label=f"{kind} {label} {mode}"))
    for shape, part in (((4, 5), (2, 3)), ((4, 5), (4, 2)), ((3,), (3,)), ((3,), (0,)), ((0, 3), (0, 2))):
        of, update = slicing(part), dynamic_slices.dynamic_update_slice
        starts = [()] * len(shape)
        out.append(case("dynamic_slice", [shape, *starts], of, dtypes=index_types(1, len(shape)), label=str(part)))
        kinds = index_types(2, len(shape))
        change: Callable[..., Array] = lambda x, u, *at, update=update: update(x, u, at)
        out.append(case("dynamic_update_slice", [shape, part, *starts], change, dtypes=kinds, label=str(part)))
    return out


def templates(template: Callable[..., Any]) -> list[Any]:
    """Of operands whose first dimension is looked up, or each line for itself, or windows of it."""

    def letters(rank: int) -> str:
        return " ".join("abcd"[:rank])

    def rows(x: Array, *rest: Array) -> str:
        inner = letters(x.ndim)[2:]
        return f"@0 {inner}, z -> z {inner}"

    def columns(x: Array, *rest: Array) -> str:
        outer = letters(x.ndim)[:-2]
        return f"{outer} @0, z -> {outer} z"

    def lines(x: Array, *rest: Array) -> str:
        every = letters(x.ndim)
        return f"{every[:-1]}@0, {every} -> {every}"

    def pairs(x: Array, *rest: Array) -> str:
        middle = letters(x.ndim)[2:-2]
        return f"@1 {middle} @0, z, z -> z {middle}"

    def gather(mode: str, spec: Callable[..., str]) -> Callable[..., Array]:
        return lambda x, *indices: indirect.gather(x, indices, parse(spec(x)), mode, ())

    def put(kind: str, mode: str, spec: Callable[..., str]) -> Callable[..., Array]:
        return lambda x, u, *indices: scatter(kind, x, u, indices, parse(turned(spec(x))), mode)

    def part(x: Array, *starts: Array) -> Array:
        return dynamic_slices.dynamic_slice(x, starts, tuple(d + -2 for d in x.shape))

    def write(x: Array, u: Array, *starts: Array) -> Array:
        return dynamic_slices.dynamic_update_slice(x, u, starts)

    shapes: dict[Callable[..., str], tuple[Callable[[Any], Any], Callable[[Any], Any], int, bool]] = {
        rows: (lambda s: [(19,)], lambda s: (19, *s[1:]), 1, True),
        columns: (lambda s: [(19,)], lambda s: (*s[:-1], 19), 1, True),
        lines: (lambda s: [s], lambda s: s, 1, False),
        pairs: (lambda s: [(9,), (9,)], lambda s: (9, *s[1:-1]), 2, True),
    }
    out: list[Any] = []
    kinds = [(i64, i32), (i32, i8), (ui8, i64), (i16, ui64)]
    for n, (spec, (indices, data, rank, some)) in enumerate(shapes.items()):
        count = len(indices((1,) * 4))
        for m, mode in enumerate(("clip", "fill")):
            types = kinds[(n + m) % 4][:count]
            of = lambda s, indices=indices: [s, *indices(s)]
            label = f"{spec.__name__} {mode}"
            size = {"some": mode == "clip", "symbolic": mode == "clip"} if some else {}
            out.append(template("gather", gather(mode, spec), of, label, rank, indices=types, **size))
        for m, kind in enumerate(KINDS):
            mode = "clip" if m % 3 == 2 else "drop"
            types = kinds[(n + m) % 4][:count]
            of = lambda s, indices=indices, data=data: [s, data(s), *indices(s)]
            label = f"{kind} {spec.__name__} {mode}"
            elements = ANY if kind == "set" else LOGICAL if kind in ("and", "or") else NUMERIC
            size = {"some": mode == "clip", "symbolic": mode == "clip"} if some else {}
            build = put(kind, mode, spec)
            out.append(template("scatter", build, of, label, rank, elements, indices=types, **size))
    for rank in (1, 2):
        types = (ui32, i8)[:rank]
        wider = lambda s, rank=rank: [tuple(d + 2 for d in s[:rank]), *[()] * rank]
        out.append(template("dynamic_slice", part, wider, str(rank), rank, indices=types))
        both = lambda s, rank=rank: [tuple(d + 2 for d in s[:rank]), s[:rank], *[()] * rank]
        out.append(template("dynamic_update_slice", write, both, str(rank), rank, indices=types))
    return out


def slicing(part: tuple[int, ...]) -> Callable[..., Array]:
    return lambda x, *starts: dynamic_slices.dynamic_slice(x, starts, part)

"""Access at computed positions.

StableHLO moves a window of a gather inside, and does not write what of an update lies outside; the modes of `nd` follow
from positions that are changed before: `fill` chooses 0 where a start is outside, `drop` sends the whole window out.
StableHLO leaves open which of several updates of one place is set; here the last one is alone in being written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

from xdsl.dialects.builtin import BoolAttr, i64

from ...dialects.nd.dynamic_slices import DynamicSlice, DynamicUpdateSlice
from ...dialects.nd.indirect import Gather, Indirect
from ...dialects.nd.scatter import Scatter
from ...dialects.nd.types import tensor, ui64
from . import build as b
from .attributes import gather_numbers, ints, scatter_numbers
from .build import Value, binary, select
from .named import Named, ordered, spread

COMBINER = {"add": "add", "mul": "multiply", "max": "maximum", "min": "minimum", "and": "and", "or": "or"}


def as_position(x: Value) -> Value:
    """An integer as i64; larger ones are its greatest."""
    return b.convert(binary("minimum", x, (1 << 63) - 1) if x.dtype == ui64 else x, i64)


class Places:
    """Where the data of a gather or scatter lie: starts as index vectors, and the names' roles."""

    def __init__(self, op: Indirect, indices: Sequence[Value], data: Sequence[int], whole: Sequence[int]) -> None:
        self.op, self.whole = op, tuple(whole)
        self.names = tuple(i.name or "" for i in op.data)
        self.sizes = dict(zip(self.names, data, strict=True))
        used = {i.name for d in op.index_dims for i in d}
        self.batch = tuple(n for n in self.names if n in used)
        """The names that the index operands have."""
        self.axes = sorted((i.at, k) for k, i in enumerate(op.place) if i.at is not None)
        """Index operand and dimension of the place."""
        self.windows = [prod(self.sizes[n] for n, _ in op.place[k].terms) for _, k in self.axes]
        self.starts = [
            spread(Named(as_position(v), tuple(i.name or "" for i in d)), self.batch, self.sizes)
            for v, d in zip(indices, op.index_dims, strict=True)
        ]

    @property
    def grid(self) -> tuple[int, ...]:
        return tuple(self.sizes[n] for n in self.batch)

    @property
    def last(self) -> list[int]:
        """The last start for each index operand from which the window lies inside."""
        return [self.whole[k] - w for (_, k), w in zip(self.axes, self.windows, strict=True)]

    def inside(self) -> Value:
        out: Value | None = None
        for s, last in zip(self.starts, self.last, strict=True):
            here = (s >= 0) & (s <= last)
            out = here if out is None else out & here
        assert out is not None
        return out

    def moved(self) -> list[Value]:
        """Starts moved inside; those of `promise` to the end."""
        out: list[Value] = []
        for s, last in zip(self.starts, self.last, strict=True):
            low = max(last, 0) if self.op.word == "promise" else 0
            out.append(select(s < 0, low, binary("minimum", s, max(last, 0))))
        return out

    def vectors(self, starts: Sequence[Value]) -> Value:
        return b.concatenate([b.reshape(s, (*self.grid, 1)) for s in starts], len(self.grid))

    # Dimensions of the place by their role.

    @property
    def batching(self) -> list[int]:
        return [k for k, i in enumerate(self.op.place) if i.name in self.batch]

    @property
    def collapsed(self) -> list[int]:
        return sorted(k for _, k in self.axes if not self.op.place[k].terms)

    @property
    def offsets(self) -> tuple[str, ...]:
        """The names of the other dimensions, in their order."""
        left = [i for k, i in enumerate(self.op.place) if k not in self.batching and k not in self.collapsed]
        return tuple(n for i in left for n, _ in i.terms)

    @property
    def slice_sizes(self) -> list[int]:
        one = {*self.batching, *self.collapsed}
        windows = {k: w for (_, k), w in zip(self.axes, self.windows, strict=True)}
        return [1 if k in one else windows.get(k, d) for k, d in enumerate(self.whole)]

    @property
    def natural(self) -> tuple[str, ...]:
        """The order of the data that needs no permutation before or after: that of the op, if it can be."""
        offsets = iter(self.offsets)
        batch = iter(self.batch)
        return tuple(next(batch) if n in self.batch else next(offsets) for n in self.names)

    @property
    def start_batching(self) -> list[int]:
        return [self.batch.index(self.op.place[k].name or "") for k in self.batching]

    @property
    def start_index_map(self) -> list[int]:
        return [k for _, k in self.axes]


def gather(op: Gather, x: Value, *indices: Value) -> Value:
    shape = b.shape_numbers(op.type)
    if not x.size or not prod(shape):
        return b.splat(0, op.type)
    places = Places(op, indices, shape, x.shape)
    if any(last < 0 for last in places.last):
        return b.splat(0, op.type)  # no window fits: `fill`
    y = at_places(places, x, places.starts if op.word != "promise" else places.moved())
    if op.word == "fill":
        inside = spread(Named(places.inside(), places.batch), places.names, places.sizes)
        y = select(inside, y, 0)
    return y


def at_places(places: Places, x: Value, starts: Sequence[Value]) -> Value:
    names = places.natural
    numbers = gather_numbers(
        offset_dims=[k for k, n in enumerate(names) if n not in places.batch],
        collapsed_slice_dims=places.collapsed,
        operand_batching_dims=places.batching,
        start_indices_batching_dims=places.start_batching,
        start_index_map=places.start_index_map,
        index_vector_dim=len(places.grid),
    )
    t = tensor(tuple(places.sizes[n] for n in names), x.dtype)
    y = b.one("gather", [x, places.vectors(starts)], t, dimension_numbers=numbers, slice_sizes=ints(places.slice_sizes))
    return ordered(Named(y, names), places.names)


def scatter(op: Scatter, x: Value, u: Value, *indices: Value) -> Value:
    if not x.size or not u.size:
        return x
    places = Places(op, indices, u.shape, x.shape)
    if any(last < 0 for last in places.last):
        return x  # no window fits: `drop`
    if op.word == "drop":
        inside = places.inside()
        starts = [select(inside, s, places.whole[k]) for s, (_, k) in zip(places.starts, places.axes, strict=True)]
    else:
        starts = places.moved()
    if op.combiner != "set":
        return written(places, x, u, starts, COMBINER[op.combiner])
    if op.apart or prod(places.grid) <= 1:
        return written(places, x, u, starts, "")
    return last_written(places, x, u, starts)


def last_written(places: Places, x: Value, u: Value, starts: Sequence[Value]) -> Value:
    """Updates get numbers; each place takes the update whose number is the greatest there."""
    number = b.reshape(b.iota((u.size,), 0), u.shape)
    none = b.splat(-1, tensor(x.shape, i64))
    winner = written(places, none, number, starts, "maximum")
    flat = b.reshape(u, (u.size,))
    at = b.reshape(binary("maximum", winner, 0), (x.size, 1))
    numbers = gather_numbers(offset_dims=[], collapsed_slice_dims=[0], start_index_map=[0], index_vector_dim=1)
    taken = b.one("gather", [flat, at], tensor((x.size,), x.dtype), dimension_numbers=numbers, slice_sizes=ints([1]))
    return select(winner < 0, x, b.reshape(taken, x.shape))


def written(places: Places, x: Value, u: Value, starts: Sequence[Value], combiner: str) -> Value:
    """stablehlo.scatter; without a combiner the update takes the place."""
    names = places.natural
    numbers = scatter_numbers(
        update_window_dims=[k for k, n in enumerate(names) if n not in places.batch],
        inserted_window_dims=places.collapsed,
        input_batching_dims=places.batching,
        scatter_indices_batching_dims=places.start_batching,
        scatter_dims_to_operand_dims=places.start_index_map,
        index_vector_dim=len(places.grid),
    )
    operands = [x, places.vectors(starts), ordered(Named(u, places.names), names)]
    no = BoolAttr.from_bool(False)
    properties = {"scatter_dimension_numbers": numbers, "indices_are_sorted": no, "unique_indices": no}
    return b.add("stablehlo.scatter", operands, [x.type], properties, [b.combiner(combiner, x.dtype)])[0]


def dynamic_slice(op: DynamicSlice, x: Value, *starts: Value) -> Value:
    return b.dynamic_slice(x, [as_position(s) for s in starts], b.shape_numbers(op.type))


def dynamic_update_slice(op: DynamicUpdateSlice, x: Value, update: Value, *starts: Value) -> Value:
    return b.dynamic_update_slice(x, update, [as_position(s) for s in starts])


ROWS: dict[str, Callable[..., Value]] = {
    "gather": gather,
    "scatter": scatter,
    "dynamic_slice": dynamic_slice,
    "dynamic_update_slice": dynamic_update_slice,
}

"""vector.multi_reduction and vector.reduction: whole vectors first, then lanes.

Lanes of one line are halved until one is left. Lines beside each other share these steps: two vectors become one, in
which the first lanes belong to the first line and the others to the second, so that 16 lines of 16 lanes take 15
combinations and not 64 (as in a transposition, after which whole vectors would be combined).

    a = a0 a1 a2 a3                  a0 + a2, a1 + a3, b0 + b2, b1 + b3
    b = b0 b1 b2 b3      becomes
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from math import inf

from xdsl.ir import Operation

from .elementwise import combine
from .numbers import EXTREMES, is_number
from .shapes import KINDS, bind, numbers, shape_of
from .state import Emitter, emits
from .text import bits_of, is_float, literal, mask, shuffle_of, vector_of
from .transpose import resize
from .values import Lead, Vec


def identity(kind: str, element: str) -> str:
    """The value that combines with any other to that."""
    bits = bits_of(element)
    signed = 1 << (bits - 1)
    integers = {"mul": 1, "maxsi": -signed, "minsi": signed - 1, "minui": -1, "and": -1}
    floats = {"mul": 1.0, "maximumf": -inf, "minimumf": inf, "maxnumf": -inf, "minnumf": inf, "add": -0.0}
    if is_float(element):
        return literal(floats[kind], element)
    return literal(integers.get(kind, 0) & 1 if bits == 1 else integers.get(kind, 0), element)


@dataclass(frozen=True)
class Lanes:
    """What combines the lanes of a vector: an operation of the table on one element type."""

    e: Emitter
    name: str
    kind: str
    start: str
    """The value that changes nothing."""

    def halves(self, first: str, second: str, width: int, groups: int) -> str:
        """Vectors of `groups` equal parts each (`second` may be poison): the two halves of each part combined, the
        parts of the first vector before those of the second."""
        native, part = vector_of(self.kind, width), width // groups
        both = range(2 * groups if second != "poison" else groups)
        sides: list[str] = []
        for side in (0, part // 2):
            lanes = [g * part + side + i for g in both for i in range(part // 2)]
            sides.append(self.e.op(f"shufflevector {native} {first}, {native} {second}, {shuffle_of(lanes)}"))
        return self.e.apply(self.name, self.kind, sides, len(both) * part // 2)

    def one(self, value: str, width: int) -> str:
        """All lanes as a scalar."""
        while width > 1:
            value, width = self.halves(value, "poison", width, 1), width // 2
        return self.e.op(f"extractelement {vector_of(self.kind, 1)} {value}, i64 0")

    def each(self, values: list[str], width: int) -> str:
        """The lanes of each of several vectors as one lane; as many vectors as are a power of two."""
        groups, count = 1, len(values)
        while len(values) > 1 and groups < width:
            pairs = zip(values[::2], values[1::2], strict=True)
            values, groups = [self.halves(a, b, width, groups) for a, b in pairs], 2 * groups
        while groups < width:
            values, width = [self.halves(values[0], "poison", width, groups)], width // 2
        while width < count:  # each is complete: side by side
            native, lanes = vector_of(self.kind, width), shuffle_of(range(2 * width))
            pairs = zip(values[::2], values[1::2], strict=True)
            values = [self.e.op(f"shufflevector {native} {a}, {native} {b}, {lanes}") for a, b in pairs]
            width *= 2
        return values[0]

    def filled(self, value: str, source: Vec, chunk: int) -> str:
        """A chunk whose lanes beyond the vector's end change nothing."""
        count, width = source.count(chunk), source.width(chunk)
        if count == width:
            return value
        fill = self.e.splat(self.start, self.kind, width)
        bits, native = vector_of("i1", width), source.type(chunk)
        return self.e.op(f"select {bits} {mask(count, width)}, {native} {value}, {native} {fill}")

    def whole(self, source: Vec, leads: Sequence[Lead]) -> tuple[list[str], list[str]]:
        """The vectors of some leads: those of full width, and shorter ones from their ends."""
        wide, tails = list[str](), list[str]()
        for group in source.woven((lead, chunk) for lead in leads for chunk in range(source.chunks)):
            for lead, chunk in group:
                value = self.filled(source.nat(lead, chunk), source, chunk)
                (wide if source.width(chunk) == source.width(0) else tails).append(value)
        return wide, tails

    def line(self, source: Vec, leads: Sequence[Lead]) -> str:
        """All lanes of some leads as one scalar."""
        wide, tails = self.whole(source, leads)
        value = self._one_of(wide, source.width(0))
        if not tails:
            return value
        return self.e.apply(self.name, self.kind, [value, self._one_of(tails, source.width(source.chunks - 1))])

    def _one_of(self, values: list[str], width: int) -> str:
        return self.one(combine(self.e, self.name, self.kind, values, width), width)

    def lines(self, source: Vec, every: Sequence[Sequence[Lead]], wanted: int) -> str:
        """The same of each of several leads, as a vector of `wanted` lanes."""
        width, values = source.width(0), list[str]()
        for leads in every:
            wide, tails = self.whole(source, leads)
            total = combine(self.e, self.name, self.kind, wide, width)
            if tails:
                short = source.width(source.chunks - 1)
                total = self._joined(total, combine(self.e, self.name, self.kind, tails, short), short, width)
            values.append(total)
        return self.each(values + values[-1:] * (wanted - len(values)), width)

    def _joined(self, value: str, tail: str, short: int, width: int) -> str:
        """A vector and a shorter one, which meets the first lanes."""
        native, bits = vector_of(self.kind, width), vector_of("i1", width)
        longer, fill = resize(self.e, tail, self.kind, short, width), self.e.splat(self.start, self.kind, width)
        longer = self.e.op(f"select {bits} {mask(short, width)}, {native} {longer}, {native} {fill}")
        return self.e.apply(self.name, self.kind, [value, longer], width)


@emits("vector.multi_reduction", "vector.reduction")
def reduction(e: Emitter, op: Operation) -> None:
    """A tree over the reduced leads, then over the lanes; the accumulator last."""
    source, result = e.vector(op.operands[0]), op.results[0]
    kind = op.properties["kind"].data.value  # pyright: ignore
    name = KINDS[kind][0 if is_float(source.kind) else 1]
    if not e.gpu and name in EXTREMES and is_number(op.operands[0]):
        name = EXTREMES[name]
    lanes = Lanes(e, name, source.kind, identity(kind, source.kind))
    rank = len(source.shape)
    dims = set(numbers(op.properties["reduction_dims"])) if "reduction_dims" in op.properties else {0}
    kept = [d for d in range(rank) if d not in dims]
    has_acc = len(op.operands) > 1

    def leads(at: dict[int, int]) -> list[Lead]:
        return list(product(*([at[d]] if d in at else range(source.shape[d]) for d in range(rank - 1))))

    def joined(value: str, acc: str | None, width: int = 0) -> str:
        return value if acc is None else e.apply(name, source.kind, [acc, value], width)

    if not kept:
        acc = e.scalar(op.operands[1]) if has_acc else None
        bind(e, result, joined(lanes.line(source, leads({})), acc))
        return
    acc_vec = e.vector(op.operands[1]) if has_acc else None

    def of(at: Lead) -> list[Lead]:
        return leads(dict(zip(kept, at)))

    def single(at: Lead) -> str:
        return joined(lanes.line(source, of(at)), acc_vec.sca(at) if acc_vec else None)

    def beside(lead: Lead, chunk: int) -> str:
        """Lines of lanes next to each other in the result."""
        lines = [of((*lead, chunk * e.lanes + lane)) for lane in range(out.count(chunk))]
        value = lanes.lines(source, lines, out.width(chunk))
        return joined(value, acc_vec.nat(lead, chunk) if acc_vec else None, out.width(chunk))

    def apart(lead: Lead, chunk: int) -> str:
        """Lanes stay what they are."""
        width = source.width(chunk)
        value = combine(e, name, source.kind, [source.nat(x, chunk) for x in of(lead)], width)
        return joined(value, acc_vec.nat(lead, chunk) if acc_vec else None, width)

    native: Callable[[Lead, int], str] | None = apart
    if rank - 1 in dims:
        native = beside if shape_of(result.type)[-1] > 1 and not e.gpu else None
    out = e.vec(source.kind, shape_of(result.type), native, None if native else single)
    e.env[result] = out

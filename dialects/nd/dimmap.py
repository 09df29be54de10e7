"""Dimension maps: which index of the iteration space each dimension of each operand and result follows.

    "a b, b c -> a c"                    matrix product: b is reduced
    "a b -> a"                           reduction, "a -> a b" broadcast, "a b -> b a" transpose
    "a 2*b+c-1 d, c d e -> a b e"        1-D convolution, stride 2, padding 1: window dimension c, reads outside give 0
    "a (b-c+1)/2 e, c d e -> a b d"      its gradient for the input: only where 2 divides
    "a *, a -> a *"                      `*` is opaque: any element of that dimension may be read
    "a @0 c, d -> a d c"                 gather, x[a, i[d], c]: the index is the element of the first index operand
    "@0+b @1, a, a -> a b"               two index operands; the first gives the start of a window with offset b
    "a d c, d -> a @0 c"                 scatter, the same turned round: out[a, i[d], c] = u[a, d, c]
    "a y(b+c) d, c d e -> a b e"         in rules, `y` is an index function: any index made of b and c

Everything that only asks "how does data flow" reads this: inference, batching, statement, cost, fusion, sharding.
An offset may be symbolic in maps that are derived (the slice of a symbolic dimension); text holds numbers only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from .dims import Dim, Shape, size


@dataclass(frozen=True)
class Index:
    """(sum of coefficient * name + offset) / divisor; no terms and no offset means opaque."""

    terms: tuple[tuple[str, int], ...] = ()
    offset: Dim = 0
    divisor: int = 1
    function: str = ""
    """In rules: stands for any coefficients, offset and divisor."""
    window: bool = False
    """A name alone that may run past the end of its dimension (padding behind it): written `(a)/1`."""
    at: int | None = None
    """An element of this index operand is added to the terms: written `@0` or `@0+a`."""

    @property
    def name(self) -> str | None:
        """The name, if this is a bare one."""
        simple = self.offset == 0 and self.divisor == 1 and not self.function and not self.window and self.at is None
        bare_ = len(self.terms) == 1 and self.terms[0][1] == 1 and simple
        return self.terms[0][0] if bare_ else None

    @property
    def opaque(self) -> bool:
        return not self.terms or self.at is not None

    def rename(self, to: Mapping[str, str]) -> Index:
        return replace(self, terms=tuple((to.get(n, n), c) for n, c in self.terms))

    def __str__(self) -> str:
        if self.at is not None:
            return "+".join((f"@{self.at}", *(n for n, _ in self.terms)))
        if self.opaque:
            return "*"
        text = "+".join(n if c == 1 else f"-{n}" if c == -1 else f"{c}*{n}" for n, c in self.terms)
        if self.offset != 0:
            text += f"+{self.offset}" if isinstance(self.offset, int) else f"+({self.offset})"
        text = text.replace("+-", "-")
        if self.function:
            return f"{self.function}({text})"
        return text if self.divisor == 1 and not self.window else f"({text})/{self.divisor}"


def bare(name: str) -> Index:
    return Index(((name, 1),))


OPAQUE = Index()
Dims = tuple[Index, ...]


@dataclass(frozen=True)
class DimMap:
    operands: tuple[Dims, ...]
    result: Dims

    def __str__(self) -> str:
        return ", ".join(" ".join(map(str, d)) for d in self.operands) + " -> " + " ".join(map(str, self.result))

    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(n for d in (*self.operands, self.result) for i in d for n, _ in i.terms))

    def reduced(self) -> tuple[str, ...]:
        out = {n for i in self.result for n, _ in i.terms}
        return tuple(n for n in self.names() if n not in out)

    def canonical(self) -> DimMap:
        """Names a, b, c ... in order of appearance, so that equal maps have equal text (cse, kernel deduplication)."""
        to = {n: letter(k) for k, n in enumerate(self.names())}
        return DimMap(
            tuple(tuple(i.rename(to) for i in d) for d in self.operands), tuple(i.rename(to) for i in self.result)
        )

    # Derived facts.

    def extents(self, shapes: Sequence[Shape], known: Mapping[str, Dim] | None = None) -> dict[str, Dim]:
        """The size of every name; raises ValueError where two dimensions of one name differ."""
        if len(shapes) != len(self.operands):
            raise ValueError(f'expected {len(self.operands)} operands for "{self}", found {len(shapes)}')
        out: dict[str, Dim] = dict(known or {})
        for k, (dims, shape) in enumerate(zip(self.operands, shapes, strict=True)):
            if len(dims) != len(shape):
                raise ValueError(f'operand {k}: expected rank {len(dims)} for "{self}", found {len(shape)}')
            for at, (index, d) in enumerate(zip(dims, shape, strict=True)):
                if (n := index.name) is not None and (want := out.setdefault(n, d)) != d:
                    raise ValueError(
                        f'operand {k}, dimension {at}: expected size {want} of "{n}" in "{self}", found {d}'
                    )
        return out

    def infer(self, shapes: Sequence[Shape], known: Mapping[str, Dim] | None = None) -> Shape:
        sizes = self.extents(shapes, known)
        for n in self.names():
            if n not in sizes:
                raise ValueError(
                    f'expected an operand or the result type to tell the size of "{n}" in "{self}", found none'
                )
        return tuple(sizes[i.name or ""] for i in self.result)

    def batched(self, flags: Sequence[bool], broadcast: bool) -> DimMap:
        """Put a fresh name in front of the result and of the batched operands (of all, if `broadcast`)."""
        new = bare("batch")
        operands = tuple((new, *d) if f or broadcast else d for d, f in zip(self.operands, flags, strict=True))
        return DimMap(operands, (new, *self.result)).canonical()

    def accesses(self, shapes: Sequence[Shape], result: Shape) -> Dim:
        """Elements read and written once (the compulsory traffic of the op alone)."""
        out = size(result)
        for s in shapes:
            out = out + size(s)
        return out

    def points(self, shapes: Sequence[Shape], result: Shape) -> Dim:
        """Points of the iteration space; an opaque dimension of the widest side counts with its size."""
        sizes = self.extents(shapes, {i.name: d for i, d in zip(self.result, result, strict=True) if i.name})
        sides = [*zip(self.operands, shapes, strict=True), (self.result, result)]
        opaque = [size(d for i, d in zip(dims, shape, strict=True) if i.opaque) for dims, shape in sides]
        widest = max(opaque, key=lambda d: (0, d, "") if isinstance(d, int) else (1, 0, str(d)))
        return size(sizes[n] for n in self.names()) * widest

    def fusible_into(self, consumer: DimMap, operand: int) -> bool:
        """Can this op be computed at the point where `consumer` reads it? Yes if neither side is opaque and nothing is
        reduced here; a reduction here must finish first (it can be an anchor, not a prologue)."""
        return not self.reduced() and not any(i.opaque for i in (*self.result, *consumer.operands[operand]))

    def shardable(self) -> dict[str, str]:
        """How each name may be split over devices: freely, with a sum afterwards, or with a halo exchange."""
        windowed = {n for d in self.operands for i in d if i.name is None for n, _ in i.terms}
        return {n: "halo" if n in windowed else "partial sum" if n in self.reduced() else "free" for n in self.names()}

    def statement(self, element: str, reducer: str | None = None) -> str:
        """The named-axis statement that the loop level starts from."""

        def at(d: Dims) -> str:
            return "[" + ", ".join(map(str, d)) + "]"

        reads = [f"%{k}{at(d)}" for k, d in enumerate(self.operands)]
        return f"out{at(self.result)} {reducer or ''}= {element.format(*reads)}"

    # Algebra used by the transpose rules.

    def transposed(self, k: int) -> DimMap:
        """The map of operand k's cotangent, reading the result's cotangent and the other operands.

        "a 2*b+c-1 d, c d e -> a b e", k = 0    ->    "a (b-c+1)/2 e, c d e -> a b d"
        """
        dims, cotangent = list(self.operands[k]), list(self.result)
        for at, index in enumerate(dims):
            if index.name is None:  # windowed: name the operand's own dimension, solve for the result's name
                out = {i.name for i in cotangent}
                solved = next(((n, c) for n, c in index.terms if n in out), None)
                if solved is None:
                    raise ValueError(f'no transpose of "{self}" for operand {k}: no name of {index} is in the result')
                n, c = solved
                sign = 1 if c > 0 else -1
                rest = tuple((m, -d * sign) for m, d in index.terms if m != n)
                new = Index(((f"out{at}", index.divisor * sign), *rest), -index.offset * sign, abs(c))
                cotangent[next(j for j, i in enumerate(cotangent) if i.name == n)] = new
                dims[at] = bare(f"out{at}")
        others = [d for j, d in enumerate(self.operands) if j != k]
        return DimMap((tuple(cotangent), *others), tuple(dims))


_TERM = re.compile(r"([+-]?)(?:(?:(\d+)\*)?([a-z]\w*)|(\d+))")
_FUNCTION = re.compile(r"([a-z]\w*)\(([a-z]\w*(?:\+[a-z]\w*)*)\)")
_AT = re.compile(r"@(\d+)(?:\+([a-z]\w*))?")
_INDEX = re.compile(rf"(?:{_TERM.pattern})+")


@lru_cache(None)
def parse(text: str) -> DimMap:
    """Read a map; ValueError says which index is not one."""
    left, arrow, right = text.partition("->")
    if not arrow or "->" in right or "," in right:
        raise ValueError(f'expected a dimension map such as "a b, b c -> a c", found "{text}"')
    return DimMap(tuple(_dims(d) for d in left.split(",")), _dims(right))


def _dims(text: str) -> Dims:
    return tuple(_index(t) for t in text.split())


def _index(text: str) -> Index:
    if text == "*":
        return OPAQUE
    if m := _AT.fullmatch(text):
        return Index(((m[2], 1),) if m[2] else (), at=int(m[1]))
    if m := _FUNCTION.fullmatch(text):
        return Index(tuple((n, 1) for n in m[2].split("+")), function=m[1])
    whole, divisor, window = text, 1, False
    if m := re.fullmatch(r"\((.*)\)/(\d+)", text):
        text, divisor = m[1], int(m[2])
        window = divisor == 1
    if not divisor or not _INDEX.fullmatch(text):
        raise ValueError(f'expected an index such as a, 2*b+c-1 or (b-c)/2 in a dimension map, found "{whole}"')
    terms: list[tuple[str, int]] = []
    offset = 0
    for sign, coefficient, name, const in _TERM.findall(text):
        s = -1 if sign == "-" else 1
        if name:
            terms.append((name, s * int(coefficient or 1)))
        else:
            offset += s * int(const)
    if not terms:
        raise ValueError(f'expected a name in every index of a dimension map, found "{whole}"')
    return Index(tuple(terms), offset, divisor, window=window)


def letter(k: int) -> str:
    """a, b, ... z, a1, b1, ..."""
    return f"{chr(97 + k % 26)}{k // 26 or ''}"


@lru_cache(None)
def names(rank: int, start: int = 0) -> Dims:
    return tuple(bare(letter(start + k)) for k in range(rank))


@lru_cache(None)
def pointwise(operands: int, rank: int) -> DimMap:
    return DimMap((names(rank),) * operands, names(rank))


@lru_cache(None)
def lines(rank: int, axes: tuple[int, ...]) -> DimMap:
    """Lines along some dimensions, each computed as a whole: these dimensions are opaque."""
    dims = tuple(OPAQUE if k in axes else i for k, i in enumerate(names(rank)))
    return DimMap((dims,), dims)


def keep(rank: int, kept: Iterable[int]) -> DimMap:
    """ "a b c -> a c": keep some dimensions (a reduction)."""
    all_ = names(rank)
    return DimMap((all_,), tuple(all_[k] for k in kept))

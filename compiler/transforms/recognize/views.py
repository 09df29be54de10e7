"""How patterns look at values: through what only moves or widens them, with a name for each dimension.

    %2 = nd.broadcast %1 "a -> a b"       the view (%2, [0, 1]) is the view (%0, [_, 0]) underneath:
    %1 = nd.reshape %0 : 1x6 -> 6         dimension 0 of the pattern, and one of size 1

So a rule says "the sum of x" once, however the text orders dimensions, keeps reduced ones and puts them back. Labels of
dimensions are whatever the pattern names its dimensions by; `UNIT` is one of size 1 and `Free` one not known yet, such
as what a sum is over, until `unify` binds it.
"""

# Rules read the operands and properties of their op by name, so ops are Any.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from xdsl.dialects.builtin import bf16, f16, f32, f64
from xdsl.ir import Attribute, Block, Operation, SSAValue

from ....dialects.nd.array import Array
from ....dialects.nd.constant import Source
from ....dialects.nd.dimmap import DimMap, bare
from ....dialects.nd.dims import Dim
from ....dialects.nd.gradient import StopGradient
from ....dialects.nd.mapped import rearrange
from ....dialects.nd.movement import Broadcast, Reshape, Transpose, reshape
from ....dialects.nd.reduction import Reduce
from ....dialects.nd.selection import Convert
from ....dialects.nd.selection import convert as convert_to
from ....dialects.nd.types import element, shape_of, width
from ..simplify.patterns import splat

MOVING = (Broadcast, Reshape, Transpose, Convert)
"""Ops through which values are seen."""

Label = Hashable
UNIT = "unit"
FLOATS = (f16, bf16, f32, f64)
PEELED = (Broadcast, Convert, Reshape, StopGradient, Transpose)
MOST = 48
"""Ops of a pattern; a spelled-out form has no more."""


@dataclass(frozen=True)
class Free:
    """A dimension whose place in the pattern is not known yet."""

    number: int


@dataclass(frozen=True)
class View:
    """A value and the label of each of its dimensions; `sizes` of a reshape that is still to be made."""

    value: SSAValue
    labels: tuple[Label, ...]
    sizes: tuple[Dim, ...] | None = None

    @property
    def op(self) -> Any:
        """What computes the value, or None."""
        owner = self.value.owner
        return None if type(owner) is Block else owner

    @property
    def shape(self) -> tuple[Dim, ...]:
        return shape_of(self.value.type) if self.sizes is None else self.sizes

    @property
    def dtype(self) -> Attribute:
        return element(self.value.type)

    def operands(self) -> list[View]:
        """The operands of an elementwise op."""
        return [View(v, self.labels) for v in self.op.operands]

    def named(self) -> tuple[Label, ...]:
        """The labels, `UNIT` for every dimension of size 1."""
        return tuple(UNIT if d == 1 else i for i, d in zip(self.labels, self.shape, strict=True))


def view(value: SSAValue) -> View:
    """A value whose dimensions are labelled 0, 1, ..."""
    return View(value, tuple(range(len(shape_of(value.type)))))


def under(v: View) -> View | None:
    """What a value moves: under a transpose, a replication, or a reshape that adds or drops dimensions of size 1."""
    op = v.op
    kind = type(op)
    if kind is Transpose or kind is Broadcast:
        at = dict(zip(op.dims.result, v.labels, strict=True))
        return View(op.x, tuple(at[i] for i in op.dims.operands[0]))
    if kind is StopGradient:
        return View(op.x, v.labels)
    if kind is Reshape:
        labels = regrouped(v, shape_of(op.x.type))
        return None if labels is None else View(op.x, labels)
    return None


@dataclass(frozen=True)
class Part:
    """One of the dimensions of these sizes that a dimension is made of."""

    whole: Label
    place: int
    sizes: tuple[Dim, ...]


@dataclass(frozen=True)
class Merged:
    """A dimension that several of these sizes were made one."""

    parts: tuple[Label, ...]
    sizes: tuple[Dim, ...]


def regrouped(v: View, inner: Sequence[Dim]) -> tuple[Label, ...] | None:
    """The labels before a reshape that splits and merges dimensions, or adds and drops some of size 1."""
    outer = [(i, d) for i, d in zip(v.labels, v.shape, strict=True) if d != 1]
    sizes = [d for d in inner if d != 1]
    labels: list[Label] = []
    while outer and sizes:
        n, m = _group([d for _, d in outer], sizes)
        if n > 1 and m > 1:
            return None
        labels += split(outer[0][0], tuple(sizes[:m])) if n == 1 else [merge(outer[:n])]
        outer, sizes = outer[n:], sizes[m:]
    rest = iter(labels)
    return None if outer or sizes else tuple(UNIT if d == 1 else next(rest) for d in inner)


def _group(xs: Sequence[Dim], ys: Sequence[Dim]) -> tuple[int, int]:
    """How many sizes of the one and the other have one product; all, if none have."""
    n = m = 1
    x, y = xs[0], ys[0]
    while x != y:
        if not isinstance(x, int) or not isinstance(y, int):
            return len(xs) + 1, len(ys) + 1
        if x < y and n < len(xs):
            x, n = x * xs[n], n + 1
        elif m < len(ys):
            y, m = y * ys[m], m + 1
        else:
            return len(xs) + 1, len(ys) + 1
    return n, m


def split(label: Label, sizes: tuple[Dim, ...]) -> list[Label]:
    if len(sizes) == 1:
        return [label]
    if isinstance(label, Merged) and label.sizes == sizes:
        return list(label.parts)
    return [Part(label, k, sizes) for k in range(len(sizes))]


def merge(dims: Sequence[tuple[Label, Dim]]) -> Label:
    labels, sizes = tuple(i for i, _ in dims), tuple(d for _, d in dims)
    first = labels[0]
    if isinstance(first, Part) and list(labels) == split(first.whole, sizes):
        return first.whole
    return Merged(labels, sizes)


def moved(v: View) -> View:
    """What lies under all movement."""
    while (inner := under(v)) is not None:
        v = inner
    return v


def uncast(v: View) -> View:
    """The same before a conversion between floats."""
    op = v.op
    if type(op) is Convert and op.to in FLOATS and element(op.x.type) in FLOATS:
        return View(op.x, v.labels)
    return v


def peel(v: View) -> View:
    """What lies under all movement and conversions between floats."""
    while (inner := _step(v)) is not None:
        v = inner
    return v


def unwidened(v: View) -> View:
    """What lies under all movement and conversions to wider floats: a parameter as it was given."""
    while True:
        inner = under(v) or uncast(v)
        if inner is v or width(inner.dtype) > width(v.dtype):
            return v
        v = inner


def into(v: View, *kinds: type[Operation]) -> View | None:
    """The op of one of these classes that computes a value, under movement and conversions."""
    v = peel(v)
    return v if type(v.op) in kinds else None


def number(v: View) -> float | None:
    """The one number that a value is everywhere."""
    c = splat(peel(v).value)
    return None if c is None or isinstance(c, bool) else float(c)


def summed(v: View, kind: str) -> View | None:
    """The operand of a reduction of this kind; the dimensions it is over are free."""
    found = into(v, Reduce)
    if found is None or found.op.word != kind:
        return None
    return before_reduction(found)


def before_reduction(v: View) -> View:
    """The first operand of an op that has a reduction's map."""
    at = dict(zip(v.op.dims.result, v.labels, strict=True))
    inner = tuple(at.get(i, Free(k)) for k, i in enumerate(v.op.dims.operands[0]))
    return View(v.op.operands[0], inner)


Bindings = dict[Label, Label]


def unify(v: View, x: View) -> Bindings | None:
    """What free dimensions of v are, so that v is x; None if it is another value or has other dimensions.

    Both are looked at under as little movement as shows one value.
    """
    under_x = {x.value: x}
    while (inner := _step(x)) is not None:
        under_x[inner.value] = x = inner
    at: View | None = v
    while at is not None and at.value not in under_x:
        at = _step(at)
    if at is None:
        return None
    bound: Bindings = {}
    for i, j in zip(at.named(), under_x[at.value].named(), strict=True):
        if isinstance(i, Free):
            bound[i] = j
        elif i != j:
            return None
    return bound


def _step(v: View) -> View | None:
    """What lies under one op that moves or converts."""
    if type(v.op) not in PEELED:
        return None
    inner = under(v) or uncast(v)
    return None if inner is v else inner


def same(v: View, x: View) -> bool:
    """Are two views, without free dimensions, of one value?"""
    return unify(v, x) == {}


# What a form computes inside is read there only.


def alone(root: Operation, leaves: Sequence[SSAValue]) -> bool:
    """Does nobody but `root` read what is computed between the leaves and it? A leaf that is moved may be read so."""
    inside: dict[Operation, None] = {root: None}
    kept = set(leaves)
    stack = [v for v in root.operands if not _moves(v, kept)]
    while stack:
        op = stack.pop().owner
        if not isinstance(op, Operation) or isinstance(op, Source) or op in inside:
            continue
        inside[op] = None
        if len(inside) > MOST:
            return False
        stack += [v for v in op.operands if not _moves(v, kept)]
    return all(use.operation in inside for op in inside if op is not root for r in op.results for use in r.uses)


def _moves(v: SSAValue, leaves: set[SSAValue]) -> bool:
    """Is a value a leaf, or a leaf moved?"""
    at = view(v)
    while at.value not in leaves:
        inner = under(at) or uncast(at)
        if inner is at:
            return False
        at = inner
    return True


def climb(value: SSAValue, kinds: tuple[type[Operation], ...], most: int = 12) -> Iterator[Operation]:
    """The one reader of a value, that one's reader, and so on, while they are of these classes."""
    for _ in range(most):
        use = value.first_use
        if use is None or not value.has_one_use() or type(use.operation) not in kinds:
            return
        yield use.operation
        value = use.operation.results[0]


# Building.


def fits(v: View, labels: Sequence[Label], shape: Sequence[Dim]) -> bool:
    """Can the value be arranged with these labels and sizes? What it lacks, or has beside them, has size 1."""
    own = [i for i in v.labels if i in labels]
    sizes = dict(zip(v.labels, v.shape, strict=True))
    return (
        len(set(own)) == len(own)
        and all(d == 1 for i, d in zip(v.labels, v.shape, strict=True) if i not in labels)
        and all(sizes.get(i, 1) == d for i, d in zip(labels, shape, strict=True))
    )


def arranged(v: View, labels: Sequence[Label], shape: Sequence[Dim]) -> Array:
    """The value with its dimensions in this order, where it `fits`."""
    kept = [k for k, i in enumerate(v.labels) if i in labels]
    x = Array(v.value)
    if len(kept) < len(v.labels) or v.sizes is not None:
        x = reshape(x, tuple(v.shape[k] for k in kept))
    names = {v.labels[k]: bare(f"n{k}") for k in kept}
    order = tuple(names[i] for i in labels if i in names)
    x = rearrange(x, DimMap((tuple(names[v.labels[k]] for k in kept),), order), x.shape)
    return x if x.shape == tuple(shape) else reshape(x, tuple(shape))


def widest(views: Sequence[View], result: Attribute) -> Attribute | None:
    """The element type to compute in: the widest of the result's and the operands', before these were widened.

    None if f16 and bf16 meet.
    """
    found = result
    for v in views:
        inner = uncast(v)
        dtype = inner.dtype if width(inner.dtype) < width(v.dtype) else v.dtype
        if width(dtype) > width(found):
            found = dtype
    kinds = {v.dtype for v in views if width(v.dtype) == width(found)} | {found}
    return found if len(kinds) == 1 else None


def as_type(v: View, dtype: Attribute) -> View:
    """A view before its conversion, where that has the element type asked for."""
    inner = uncast(v)
    return View(inner.value, v.labels, v.sizes) if v.dtype != dtype and inner.dtype == dtype else v


def converted(x: Array, dtype: Attribute) -> Array:
    return x if x.dtype == dtype else convert_to(x, dtype)

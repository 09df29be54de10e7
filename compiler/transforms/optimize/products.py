"""Contractions of two operands, one looked at as the input, the other as its weights; and how one fits another.

    "a b c+d-1 e+f-1, g b d f -> a g c e"    x: a b c+d-1 e+f-1     w: g b d f
    "a b c e, g b -> a g c e"                fits it: its weights stand at tap d = 1, f = 1 of three, zeros around

All rules on contractions ask by names of the dimension map, so that they hold for products of matrices, heads and
convolutions in any order of dimensions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from xdsl.ir import SSAValue

from ....dialects.nd.array import Array
from ....dialects.nd.contraction import Contract, contract
from ....dialects.nd.dimmap import DimMap, Dims, Index
from ....dialects.nd.dims import Dim, Shape
from ....dialects.nd.movement import pad, reshape, transpose
from ....dialects.nd.types import shape_of

Names = dict[str, str]


@dataclass(frozen=True)
class Product:
    """A contraction whose operand `at` is the input."""

    op: Contract
    at: int

    @property
    def x(self) -> SSAValue:
        return self.op.operands[self.at]

    @property
    def w(self) -> SSAValue:
        return self.op.operands[1 - self.at]

    @cached_property
    def map(self) -> DimMap:
        return self.op.dims

    @property
    def x_dims(self) -> Dims:
        return self.map.operands[self.at]

    @property
    def w_dims(self) -> Dims:
        return self.map.operands[1 - self.at]

    @property
    def result(self) -> Dims:
        return self.map.result

    @cached_property
    def sizes(self) -> Mapping[str, Dim]:
        """Of every name."""
        known = {i.name or "": d for i, d in zip(self.result, shape_of(self.op.type), strict=True)}
        return self.map.extents([shape_of(v.type) for v in self.op.operands], known)

    @cached_property
    def in_x(self) -> frozenset[str]:
        return frozenset(n for i in self.x_dims for n, _ in i.terms)

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The names of the result that the weights have and the input lacks."""
        kept = {i.name for i in self.result}
        return tuple(i.name for i in self.w_dims if i.name and i.name in kept and i.name not in self.in_x)

    @property
    def new(self) -> list[str]:
        """The names of the result that the input lacks, in the result's order."""
        return [i.name for i in self.result if i.name and i.name not in self.in_x]

    @cached_property
    def channels(self) -> tuple[str, ...]:
        """The names that both operands have and the result lacks."""
        kept, mine = {i.name for i in self.result}, {i.name for i in self.x_dims}
        return tuple(i.name for i in self.w_dims if i.name and i.name in mine and i.name not in kept)

    def shape(self, dims: Dims, sizes: Mapping[str, Dim]) -> Shape:
        """The shape of bare dimensions."""
        return tuple(sizes[i.name or ""] for i in dims)

    def again(self, x: Array, w: Array, sizes: Mapping[str, Dim] | None = None) -> Array:
        """The contraction on other operands, where names may have other sizes."""
        xs, dims = [x, w], [self.x_dims, self.w_dims]
        if self.at == 1:
            xs, dims = xs[::-1], dims[::-1]
        return contract(xs, DimMap(tuple(dims), self.result), self.shape(self.result, {**self.sizes, **(sizes or {})}))


def products(op: Contract) -> Iterator[Product]:
    """Both ways to look at a contraction of two operands, if the weights have bare names that differ."""
    if len(op.operands) != 2:
        return
    for at in (0, 1):
        p = Product(op, at)
        if all(i.name for i in p.w_dims) and len(set(p.w_dims)) == len(p.w_dims):
            yield p


@dataclass(frozen=True)
class Fit:
    """How a product can be written with the map of another: names, and where its taps stand among the other's."""

    product: Product
    like: Product
    names: Names
    """Of `product` to those of `like`."""
    taps: Mapping[str, tuple[int, int]]
    """By the name in `like` of a kernel's dimension: how many zeros stand before and behind the product's taps."""

    def differing(self) -> list[str]:
        """The names of `like` that have another size here; kernels do not count."""
        mine, theirs = self.product.sizes, self.like.sizes
        return [b for a, b in self.names.items() if b not in self.taps and mine[a] != theirs[b]]

    def sizes(self) -> dict[str, Dim]:
        """Of this product's names, by those of `like`."""
        return {b: self.product.sizes[a] for a, b in self.names.items() if b not in self.taps}

    def order(self) -> list[int]:
        """Where each dimension of this product's result stands in that of `like`."""
        return [at(self.like.result, self.names[i.name or ""]) for i in self.product.result]

    def weights(self) -> Array:
        """The product's weights with the dimensions that `like` has, zeros where it has no taps."""
        w = Array(self.product.w)
        back = {b: a for a, b in self.names.items()}
        mine = [i.name or "" for i in self.product.w_dims]
        order = [back[n] for i in self.like.w_dims if (n := i.name or "") in back]
        if order != mine:
            w = transpose(w, [mine.index(n) for n in order])
        sizes = self.product.sizes
        wide = tuple(sizes[back[n]] if (n := i.name or "") in back else 1 for i in self.like.w_dims)
        w = reshape(w, wide) if wide != w.shape else w
        around = [self.taps.get(i.name or "", (0, 0)) for i in self.like.w_dims]
        if any(low or high for low, high in around):
            w = pad(w, 0, [low for low, _ in around], [high for _, high in around])
        return w


def fit(product: Product, like: Product) -> Fit | None:
    """Write `product` with the map of `like`: equal up to names and sizes, its taps among those of `like`.

    A kernel of one tap, or of fewer with the same steps between them, becomes one of as many as `like` has.
    """
    if len(product.x_dims) != len(like.x_dims) or len(product.new) != len(like.new):
        return None
    names: Names = {}
    taps: dict[str, tuple[int, int]] = {}
    for mine, theirs in zip(product.x_dims, like.x_dims):
        if not _index(product, like, mine, theirs, names, taps):
            return None
    for mine, theirs in zip(product.new, like.new):
        if not _same(mine, theirs, names):
            return None
    if {names.get(i.name or "") for i in product.result} != {i.name for i in like.result}:
        return None
    own = [i.name or "" for i in product.w_dims]
    others = [i.name or "" for i in like.w_dims]
    back = {b: a for a, b in names.items()}
    if any(n not in names for n in own) or any(n not in back and n not in taps for n in others):
        return None
    if any(names[n] not in others for n in own) or any(n in back and back[n] not in own for n in others):
        return None
    return Fit(product, like, names, taps)


def _same(mine: str | None, theirs: str | None, names: Names) -> bool:
    """Do two bare names stand for each other?"""
    if mine is None or theirs is None or names.setdefault(mine, theirs) != theirs:
        return False
    return list(names.values()).count(theirs) == 1


def _index(
    product: Product, like: Product, mine: Index, theirs: Index, names: Names, taps: dict[str, tuple[int, int]]
) -> bool:
    if theirs.name is not None or theirs.window or theirs.divisor != 1 or theirs.function or theirs.opaque:
        return theirs.name is not None and _same(mine.name, theirs.name, names)
    if mine.window or mine.divisor != 1 or mine.function or mine.opaque:
        return False
    step, tap = _window(like, theirs)
    own_step, own_tap = _window(product, mine)
    if step is None or own_step is None or own_step[1] != step[1] or not _same(own_step[0], step[0], names):
        return False
    if tap is None:
        return own_tap is None and mine.offset == theirs.offset
    if tap[0] in taps:
        return False
    count = product.sizes[own_tap[0]] if own_tap else 1
    whole = like.sizes[tap[0]]
    if own_tap is not None and own_tap[1] != tap[1] and count != 1:
        return False
    first, start = mine.offset, theirs.offset
    if not (isinstance(count, int) and isinstance(whole, int) and isinstance(first, int) and isinstance(start, int)):
        return False
    low, between = divmod(first - start, tap[1])
    high = whole - count - low
    if between or low < 0 or high < 0:
        return False
    taps[tap[0]] = (low, high)
    return own_tap is None or _same(own_tap[0], tap[0], names)


Term = tuple[str, int]


def _window(p: Product, index: Index) -> tuple[Term | None, Term | None]:
    """The term of the result and that of the kernel in an index of one or two terms."""
    kept, weights = {i.name for i in p.result}, {i.name for i in p.w_dims}
    steps = [t for t in index.terms if t[0] in kept and t[0] not in weights]
    taps = [t for t in index.terms if t[0] in weights and t[0] not in kept]
    if len(steps) != 1 or len(taps) > 1 or len(steps) + len(taps) != len(index.terms):
        return None, None
    return steps[0], taps[0] if taps else None


def at(dims: Sequence[Index], name: str) -> int:
    """Where a bare name stands."""
    return next(k for k, i in enumerate(dims) if i.name == name)

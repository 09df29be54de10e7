"""What an attention is of, once it is recognised, and the op that says so.

Labels of dimensions are the indices of the product with the values. Operands are taken as they were before the text
moved and widened them, so that a dimension of that product may be several of theirs (`Part`): heads and batch, which
products of three dimensions have as one. Then the op has these.
"""

# Rules read the operands and properties of their op by name, so ops are Any.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from math import inf
from typing import Any

from xdsl.dialects.builtin import f32
from xdsl.ir import Attribute

from ....dialects.nd.array import Array
from ....dialects.nd.attention import attention
from ....dialects.nd.constant import full
from ....dialects.nd.dimmap import DimMap, bare
from ....dialects.nd.dims import Dim
from ....dialects.nd.elementwise import And
from ....dialects.nd.functions import select
from ....dialects.nd.mapped import rearrange
from ....dialects.nd.movement import reshape
from ....dialects.nd.op import bind
from ....dialects.nd.types import shape_of, tensor, width
from ..rewriting import Replacement
from .masks import Masks
from .polynomials import shortest
from .views import UNIT, Label, Part, View, alone, arranged, as_type, converted, fits, peel, split, unwidened, widest

Parts = Mapping[Label, tuple[Dim, ...]]


@dataclass
class Form:
    """softmax(scale * q k^T, masked) v, with the label of keys."""

    v: View
    key: Label
    q: View = field(init=False)
    k: View = field(init=False)
    scale: float = 1.0
    masks: Masks = field(default_factory=Masks)


@dataclass(frozen=True)
class Layout:
    """The dimensions of the op: in the order of its result, the keys and the features, with their sizes."""

    order: tuple[Label, ...]
    query: Label
    key: Label
    sizes: dict[Label, Dim]
    parts: Parts

    def dims(self, v: View) -> list[Label]:
        return [i for i in v.labels if i in self.sizes]

    def shape(self, labels: Sequence[Label]) -> tuple[Dim, ...]:
        return tuple(self.sizes[i] for i in labels)

    def fits(self, v: View) -> bool:
        dims = self.dims(v)
        return fits(v, dims, self.shape(dims))

    def given(self, v: View, *needed: Label) -> View:
        """A value before it was moved and widened, if it has dimensions of the op there too, among them the needed."""
        inner = parted(unwidened(v), self.parts)
        return inner if self.fits(inner) and all(i in inner.labels for i in needed) else parted(v, self.parts)

    def array(self, v: View, dtype: Attribute) -> Array:
        dims = self.dims(v)
        return converted(arranged(as_type(v, dtype), dims, self.shape(dims)), dtype)

    def scores(self, v: View) -> bool:
        """Has a value dimensions of the scores alone?"""
        return self.fits(v) and all(i == self.key or i in self.order for i in self.dims(v))


def parted(v: View, parts: Parts) -> View:
    """A view with the parts of its dimensions."""
    if not any(i in parts for i in v.labels):
        return v
    pairs = [
        part
        for i, d in zip(v.labels, v.shape, strict=True)
        for part in (zip(split(i, parts[i]), parts[i], strict=True) if i in parts else [(i, d)])
    ]
    return View(v.value, tuple(i for i, _ in pairs), tuple(d for _, d in pairs))


def _parts(views: Sequence[View]) -> Parts | None:
    """What dimensions are made of where the operands come from; None if these disagree."""
    found: dict[Label, tuple[Dim, ...]] = {}
    for v in views:
        for i in unwidened(v).labels:
            if isinstance(i, Part) and found.setdefault(i.whole, i.sizes) != i.sizes:
                return None
    return found


def _layout(form: Form, out: View, parts: Parts) -> Layout | None:
    """The layout of the op whose result is `out`, before its dimensions are divided."""
    q, k, v = (parted(x, parts) for x in (form.q, form.k, form.v))
    result = parted(out, parts)
    sizes: dict[Label, Dim] = dict(zip(result.labels, result.shape, strict=True))
    rows = [i for i in sizes if i in q.labels and i not in v.labels]
    if not rows or any(i not in q.labels and i not in v.labels for i in sizes):
        return None
    longer = [i for i in rows if sizes[i] != 1] or rows
    query = longer[-1] if form.masks.causal is None else form.masks.causal
    if query not in rows:
        return None
    batch = [i for i in sizes if i in q.labels and i in v.labels]
    own = [i for i in rows if i != query]
    values = [i for i in sizes if i not in q.labels]
    sizes[form.key] = dict(zip(v.labels, v.shape, strict=True))[form.key]
    features = [i for i in q.labels if i in k.labels and i not in sizes and i != UNIT]
    sizes.update((i, d) for i, d in zip(q.labels, q.shape, strict=True) if i in features)
    return Layout((*batch, *own, query, *values), query, form.key, sizes, parts) if features else None


def attention_of(root: Any, form: Form) -> Replacement | None:
    """The op for the product with the values, if all operands have its dimensions and nobody reads what is inside."""
    masks = form.masks
    out = View(root.results[0], root.dims.result)
    parts = _parts([form.q, form.k, form.v])
    layout = _layout(form, out, parts) if parts is not None else None
    if layout is None:
        return None
    operands = [layout.given(form.q, layout.query), layout.given(form.k), layout.given(form.v)]
    biases = [(layout.given(b), factor) for b, factor in masks.biases]
    extra = [*(b for b, _ in biases), *masks.allowed, *(p for p, _ in masks.floors)]
    dtype = widest([*operands, *(b for b, _ in biases)], out.dtype)
    leaves = [u for x in (*operands, *extra, *masks.read) for u in (x.value, peel(x).value)]
    named = {*operands[0].labels, *operands[2].labels}
    if (
        dtype is None
        or not all(map(layout.fits, operands))
        or not all(map(layout.scores, extra))
        or any(i not in named and layout.sizes[i] != 1 for i in layout.order)
        or not alone(root, leaves)
    ):
        return None
    arrays, dims = [layout.array(x, dtype) for x in operands], [layout.dims(x) for x in operands]
    if extra:
        dims.append([i for i in (*layout.order, layout.key) if any(i in layout.dims(x) for x in extra)])
        arrays.append(_mask(masks, biases, layout, dims[-1], dtype))
    names: dict[Label, Any] = {i: bare(f"n{n}") for n, i in enumerate(layout.sizes)}
    order = tuple(i for i in layout.order if i in dims[0] or i in dims[2])
    m = DimMap(tuple(tuple(names[i] for i in d) for d in dims), tuple(names[i] for i in order))
    y = attention(arrays, m, shortest(form.scale, dtype if width(dtype) > 32 else f32), masks.causal is not None)
    divided = parted(out, layout.parts)
    result = arranged(View(y.value, order), divided.labels, divided.shape)
    return Replacement([out.value], [converted(shaped(result, out.shape), out.dtype)], root)


def shaped(x: Array, shape: tuple[Dim, ...]) -> Array:
    return x if x.shape == shape else reshape(x, shape)


def _mask(
    masks: Masks, biases: Sequence[tuple[View, float]], layout: Layout, dims: Sequence[Label], dtype: Attribute
) -> Array:
    """One mask, or one bias, of all that was found."""
    kind = tensor(layout.shape(dims), dtype)
    names = {i: bare(f"n{n}") for n, i in enumerate(dims)}

    def spread(v: View, element: Attribute) -> Array:
        own = tuple(names[i] for i in layout.dims(v))
        return rearrange(layout.array(v, element), DimMap((own,), tuple(names.values())), shape_of(kind))

    allowed = [spread(p, p.dtype) for p in masks.allowed]
    added = [spread(b, dtype) if c == 1 else spread(b, dtype) * full(c, kind) for b, c in biases]
    added += [select(spread(p, p.dtype), full(0.0, kind), full(c, kind)) for p, c in masks.floors]
    mask = reduce(lambda x, y: bind(And, x, y), allowed) if allowed else None
    if not added:
        assert mask is not None
        return mask
    bias = reduce(lambda x, y: x + y, added)
    return bias if mask is None else select(mask, bias, full(-inf, kind))

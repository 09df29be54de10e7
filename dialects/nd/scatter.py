"""`nd.scatter`: updates at computed positions; the map and the modes are those of `indirect`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from xdsl.dialects.builtin import StringAttr, TensorType, i64
from xdsl.dialects.utils.enum_attribute import EnumAttribute
from xdsl.ir import Attribute
from xdsl.irdl import VarConstraint, irdl_attr_definition, operand_def, prop_def, result_def, var_operand_def
from xdsl.utils.str_enum import StrEnum

from .dimmap import DimMap, Dims
from .dims import Dim, Shape, size
from .elementwise import Np, wide
from .indirect import MODES, SCATTERED, IndexModeAttr, Indirect, gather
from .mapped import parsed, text
from .op import EXACT, Array, Cost, Props, Tolerance, bind, expand, one_dtype, op, zeros_like
from .types import (
    ANY,
    FIELD,
    LOGICAL,
    NUMERIC,
    NUMPY,
    Type,
    described,
    finfo,
    is_float,
    kind_of,
    part_of,
    shape_of,
    tensor,
)


class ScatterKind(StrEnum):
    set = "set"
    add = "add"
    mul = "mul"
    max = "max"
    min = "min"
    and_ = "and"
    or_ = "or"


@irdl_attr_definition
class ScatterKindAttr(EnumAttribute[ScatterKind]):
    name = "nd.scatter_kind"


KINDS = {k.value: ScatterKindAttr(k) for k in ScatterKind}

TAKES: dict[str, Sequence[Attribute]] = {"set": ANY, "add": FIELD, "and": LOGICAL, "or": LOGICAL}
"""The element types of a kind; numbers that have an order, for the others."""

GATHERED = {scattered: word for word, scattered in SCATTERED.items()}


@op("scatter", flops=1, dtypes=ANY)
class Scatter(Indirect):
    """`nd.scatter add drop %x, %u, %i "a d c, d -> a @0 c"`: x with u at computed positions.

    What several updates give one element is combined in the order of the updates (row-major): `set` leaves the last.
    NaN and -0 as in `nd.reduce`. The map is that of the updates and index operands, and of the result, which is like x.
    """

    MODES: ClassVar = ("clip", "drop", "promise")
    T: ClassVar = VarConstraint("T", TensorType.constr())
    kind = prop_def(ScatterKindAttr)
    mode = prop_def(IndexModeAttr)
    x = operand_def(T)
    updates = operand_def(TensorType)
    indices = var_operand_def(TensorType)
    map = prop_def(StringAttr)
    result = result_def(T)
    assembly_format = "$kind $mode $x `,` $updates `,` $indices $map attr-dict `:` functional-type(operands, results)"

    @classmethod
    def dim_map(cls, shapes: Sequence[Shape], props: Props) -> DimMap:
        """That of the text, with x like the result in front."""
        map_ = parsed(props)
        return DimMap((map_.result, *map_.operands), map_.result)

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        kind, map_ = props["kind"], parsed(props)
        assert isinstance(kind, ScatterKindAttr)
        dtype = one_dtype(cls, types[:2])
        takes = TAKES.get(kind.data.value, NUMERIC)
        if dtype not in takes:
            raise ValueError(f"expected elements of {described(takes)} for {kind.data.value}, found {types[0]}")
        whole, part = shape_of(types[0]), shape_of(types[1])
        cls.sizes(map_, map_.result, map_.operands[0], whole, types[2:], part, props["mode"])
        return types[0]

    @property
    def combiner(self) -> str:
        """set, add, mul, max, min, and, or."""
        return self.kind.data.value

    @property
    def place(self) -> Dims:
        return parsed(self.properties).result

    @property
    def data(self) -> Dims:
        return parsed(self.properties).operands[0]

    @property
    def data_shape(self) -> Shape:
        return shape_of(self.updates.type)

    @property
    def tolerance(self) -> Tolerance:
        return Tolerance(sums=4) if self.combiner in ("add", "mul") else EXACT

    def cost(self) -> Cost:
        x, *rest = (size(shape_of(v.type)) for v in self.operands)
        accesses: Dim = x + x
        for n in rest:
            accesses = accesses + n
        return Cost(rest[0] if self.combiner != "set" else 0, accesses)

    @property
    def apart(self) -> bool:
        """Can no two updates have the same place, whatever the indices are?"""
        here = {i.name for i in self.place}
        return all(i.name in here for d in self.index_dims for i in d)

    def flat(self, x: Np, u: Np, indices: Sequence[Np]) -> tuple[Np, Np]:
        """The places of the updates that are inside, as positions in the flat x, and these updates."""
        at, inside = self.positions(x.shape, u.shape, indices)
        if not u.size or not x.size:
            return np.zeros(0, np.int64), u.reshape(-1)[:0]
        flat = np.ravel_multi_index(np.broadcast_arrays(*at, np.zeros(u.shape, np.int64))[: x.ndim], x.shape)
        return np.broadcast_to(flat, u.shape)[inside], u[inside]

    def reference(self, x: Np, u: Np, *indices: Np) -> Np:
        flat, updates = self.flat(x, u, indices)
        return combined(self.combiner, x, flat, updates)

    def magnitude(self, x: Np, u: Np, *indices: Np) -> Any:
        if self.combiner not in ("add", "mul"):
            return None
        flat, updates = self.flat(x, u, indices)
        values = np.abs(wide(x)), np.abs(wide(updates))
        out = combined(self.combiner, values[0], flat, values[1])
        if self.combiner == "add" or not is_float(self.type):
            return out
        # infinite, which claims nothing, where a product may leave the range of the type on the way
        most, least = (combined("mul", f(values[0]), flat, f(values[1])) for f in (above, below))
        range_ = finfo(NUMPY[part_of(self.type.element_type)])
        left = (most > float(range_.max)) | (least < float(range_.smallest_normal))
        return np.where(left, np.inf, out * np.sqrt(self.terms(x, u, *indices)))

    def terms(self, x: Np, u: Np, *indices: Np) -> int:
        flat, _ = self.flat(x, u, indices)
        return 1 + int(np.bincount(flat).max(initial=0))

    def tangent(self, tangents: Sequence[Array | None]) -> Array | None:
        t, s = tangents[0], tangents[1]
        x, u = Array(self.x), Array(self.updates)
        t = zeros_like(x) if t is None else t
        match self.combiner:
            case "set" | "add":
                return self.on(self.combiner, t, zeros_like(u) if s is None else s)
            case "mul":
                return self._product_tangent(t, s)
            case _:  # max, min: the mean over what attains it, of x and the updates
                from .functions import convert

                y = Array(self.result)
                mine, theirs = convert(x == y, x.dtype), convert(u == self.look(y), x.dtype)
                count = self.on("add", mine, theirs)
                s = zeros_like(u) if s is None else s
                return self.on("add", t * mine, s * theirs) / count

    def _product_tangent(self, t: Array, s: Array | None) -> Array:
        """y = x u1 u2 ..: t u1 u2 .. + x (s1 u2 .. + u1 s2 .. + ..). The product of all updates but one is that of
        those that are not 0, divided by it; 0 if another is."""
        from .functions import convert, ones_like, select

        x, u = Array(self.x), Array(self.updates)
        first = self.on("mul", t, u)
        if s is None:
            return first
        zero = u == 0
        zeros = self.look(self.on("add", zeros_like(x), convert(zero, x.dtype)))
        others = self.look(self.on("mul", ones_like(x), select(zero, ones_like(u), u)))
        nothing = zeros_like(u)
        others = select(
            zero,
            select(zeros == 1, others, nothing),
            select(zeros == 0, others / select(zero, ones_like(u), u), nothing),
        )
        return first + x * self.on("add", zeros_like(x), s * others)

    def on(self, kind: str, x: Array, u: Array) -> Array:
        """Another scatter to the same places."""
        indices = [Array(v) for v in self.indices]
        return bind(Scatter, x, u, *indices, kind=KINDS[kind], mode=self.properties["mode"], map=self.map)

    def look(self, x: Array) -> Array:
        """What stands at the place of each update."""
        indices = [Array(v) for v in self.indices]
        turned = DimMap((self.place, *self.index_dims), self.data)
        return gather(x, indices, turned, GATHERED[self.word], shape_of(self.updates.type))

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        none: list[Array | None] = [None] * len(self.indices)
        match self.combiner:
            case "add":
                return [ct if linear[0] else None, self.look(ct) if linear[1] else None, *none]
            case "set":
                u = Array(self.updates)
                kept = self.on("set", ct, zeros_like(u)) if linear[0] else None
                return [kept, self._winners(ct) if linear[1] else None, *none]
            case "mul":
                assert not linear[1], "nd.scatter mul is not linear in its updates"
                return [self.on("mul", ct, Array(self.updates)), None, *none]
            case _:
                raise AssertionError(f"nd.scatter {self.combiner} is not linear")

    def _winners(self, ct: Array) -> Array:
        """The cotangent of the update that was left at its place, 0 of the others."""
        from .constant import iota
        from .functions import full, select
        from .movement import reshape

        found = self.look(ct)
        if self.apart:
            return found
        shape = shape_of(self.updates.type)
        number_ = reshape(iota((size(shape),), 0, i64), shape) + 1
        last = self.look(self.on("set", full(0, tensor(shape_of(self.x.type), i64)), number_))
        return select(last == number_, found, zeros_like(found))

    def batch(self, args: Sequence[Array], flags: Sequence[bool], size: Dim) -> Array:
        x, u = (a if f else expand(a, size) for a, f in zip(args[:2], flags[:2], strict=True))
        map_ = parsed(self.properties).batched([True, *flags[2:]], broadcast=False)
        return scatter(self.combiner, x, u, args[2:], map_, self.word)

    def statement(self) -> str:
        return self.dims.statement("scatter(" + ", ".join(["{}"] * len(self.operands)) + ")", self.combiner)


UFUNC: dict[str, Any] = {
    "add": np.add,
    "mul": np.multiply,
    "max": np.maximum,
    "min": np.minimum,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
}


def combined(kind: str, x: Np, flat: Np, updates: Np) -> Np:
    """x with updates at flat positions, one after the other; floats are added and multiplied in float64."""
    out: Np = (wide(x) if kind in ("add", "mul") else x).reshape(-1).copy()
    with np.errstate(all="ignore"):
        if kind == "set":
            out[flat] = updates  # NumPy leaves the last
        else:
            UFUNC[kind].at(out, flat, updates.astype(out.dtype))
    if kind in ("max", "min") and kind_of(x.dtype) == "f":  # +0 is above -0

        def sign(v: Np) -> Np:
            return (v == 0) & (np.signbit(v) if kind == "min" else ~np.signbit(v))

        has = sign(x.reshape(-1)).copy()
        np.logical_or.at(has, flat, sign(updates))
        plus = has if kind == "max" else ~has
        out = np.where(out == 0, np.where(plus, 0.0, -0.0).astype(x.dtype), out)
    return out.reshape(x.shape).astype(x.dtype)


def above(values: Np) -> Np:
    return np.maximum(values, 1)


def below(values: Np) -> Np:
    """1 for 0."""
    return np.where(values == 0, 1, np.minimum(values, 1))


def scatter(kind: str, x: Array, updates: Array, indices: Sequence[Array], map_: DimMap, mode: str) -> Array:
    return bind(Scatter, x, updates, *indices, kind=KINDS[kind], mode=MODES[mode], map=text(map_))

"""A stage as loops around its body: vec axes are the dimensions of n-D vectors, the others `scf.for`.

Sums that start and end inside the same loops are accumulated in registers, carried by the loops that reduce them; a
vec axis that a sum reduces is a dimension of the accumulator until the end, when `vector.multi_reduction` folds it; of
products of narrow factors, it is summed at once by `vector.contract`. A sum that would need other loops outside is
accumulated in memory.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import cast

from xdsl.dialects import arith, vector
from xdsl.dialects.builtin import AnyFloat, DenseIntOrFPElementsAttr, FloatAttr, IntegerAttr, VectorType, i1, i32
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap

from ..dialects.errors import CompileError
from ..dialects.loop.attributes import Target
from ..dialects.loop.combiners import combine, identity
from ..dialects.loop.linear import Linear, axes_of
from ..dialects.loop.narrow_products import NarrowProduct, narrow_product
from ..dialects.loop.ops import IndexOp, StageOp, YieldOp, element_of, shape
from ..dialects.loop.threads import fields, swept
from ..dialects.nd.dims import Dim
from ..dialects.vector.arith import on_vectors
from ..dialects.vector.ops import ContractOp, MultiReductionOp, ShapeCastOp, StepOp, TransposeOp
from .loop_body import BodyValues
from .loop_memory import with_contract
from .loop_state import INDEX, nest
from .matrix_product import Products, matrix_product
from .storage import (
    Axes,
    is_vector,
    register_loops,
    seq_axes,
    sums_in_memory,
    vec_axes,
    vector_axes,
    vector_of,
)
from .thread_sums import ThreadSums

Carried = Mapping[SSAValue, SSAValue]
"""Sums that continue from an enclosing loop's value."""

FLOAT_KIND = {
    **{"max": "maximumf", "min": "minimumf", "maxnan": "maximumf", "minnan": "minimumf"},
    **{"maxnum": "maxnumf", "minnum": "minnumf"},
}
INTEGER_KIND = {"max": "maxsi", "min": "minsi", "umax": "maxui", "umin": "minui"}


def combining_kind(mode: str, element: Attribute) -> str:
    """Upstream's word for a combiner."""
    return (FLOAT_KIND if isinstance(element, AnyFloat) else INTEGER_KIND).get(mode, mode)


def summed(op: Operation) -> bool:
    """Is the op's value nothing but a term of sums? Then product and sum may be rounded as one."""
    users = [use.operation for use in op.results[0].uses]
    if not users or any(not isinstance(user, YieldOp) for user in users):
        return False
    stage = users[0].parent_op()
    modes = [stage.target(use.index).mode for use in op.results[0].uses] if isinstance(stage, StageOp) else [""]
    return all(mode == "add" for mode in modes)


class StageState(ThreadSums):
    """Adds stages."""

    def adapt(self, value: SSAValue, have: Axes, want: Axes) -> SSAValue:
        """A vector over axes `have` as one over `want`: transposed, and broadcast along the axes it lacks."""
        have, want = list(have), list(want)
        if have == want:
            return value
        kind = value.type
        element = kind.element_type if isinstance(kind, VectorType) else kind
        order = [a for a in want if a in have]
        if order != have:
            permutation = [have.index(a) for a in order]
            value = self.emit(TransposeOp.make(value, permutation, vector_of(element, order)))
        if len(order) == len(want):
            return value
        units = [(n, e if (n, e) in order else 1) for n, e in want]
        while units and units[0][1] == 1:
            units = units[1:]
        if units != order:
            value = self.emit(ShapeCastOp.create(operands=[value], result_types=[vector_of(element, units)]))
        return self.emit(vector.BroadcastOp.create(operands=[value], result_types=[vector_of(element, want)]))

    def stage(self, s: StageOp, carried: Carried) -> None:
        self.location = s.location
        mapped, self.swept = fields(s.axes), swept(s.axes)
        if self.launch is None and (mapped or self.swept):
            axis = self.swept or mapped[0].name
            message = f"expected launch=true for threads, found axis {axis}, which is shared out to them"
            raise CompileError(f"lower-loop: stage {s.label.data}: {message}", s.location)
        self.share(mapped)
        vec = vec_axes(s)
        sums = [k for k, t in enumerate(s.targets.data) if t.data.mode]
        memory = [k for k in sums if sums_in_memory(s, k)]
        registers = [k for k in sums if k not in memory]
        for k in memory:
            view, mode = self.views[s.results[k]], s.target(k).mode
            if not view.combine:
                element = element_of(s.results[k])
                self.fill(view, shape(s.results[k]), identity(mode, element), element)
                self.views[s.results[k]] = view._replace(combine=mode)
        outer = register_loops(s) if sums else []
        inner = [a for a in seq_axes(s) if a not in outer]
        matrix = matrix_product(self, s) if registers and self.launch is not None else None
        dot = narrow_product(s) if registers and matrix is None else None
        summed_over = matrix.kept if matrix is not None else dot.kept if dot is not None else vec

        before: dict[SSAValue, tuple[SSAValue, Axes]] = {}

        def point(accs: list[SSAValue]) -> list[SSAValue]:
            if matrix is not None:
                return [Products(self, matrix).run(accs[0])]
            if dot is not None:
                return [self.contracted(s, dot, vec, accs[0])]
            return self.point(s, vec, registers, accs, before)

        def reduced(_: list[SSAValue]) -> list[SSAValue]:
            starts = [self.start(s.results[k], s.target(k), summed_over, carried) for k in registers]
            before.update(self.read_before(s, vec, inner))
            sums_ = nest(self, inner, starts, point)
            self.location = s.location
            for k, acc in zip(registers, sums_):
                self.finish(s, k, acc, summed_over, carried)
            return []

        nest(self, outer, [], reduced)
        self.swept = ""
        for k in memory:
            self.views[s.results[k]] = self.views[s.results[k]]._replace(combine="")

    # ---- sums
    def start(self, result: SSAValue, target: Target, vec: Axes, carried: Carried) -> SSAValue:
        spread = axes_of(target.access)
        if result in carried and all(
            n in spread for n in (*(n for n, _ in vec), *(f.name for f in self.shared_by(cast(StageOp, result.owner))))
        ):
            owner = cast(StageOp, result.owner)
            return self.adapt(carried[result], vector_axes(owner, target.access) or [], vec)
        element = element_of(result)
        return self.number(identity(target.mode, element), vector_of(element, vec))

    def folded(self, s: StageOp, k: int, acc: SSAValue, vec: Axes) -> tuple[SSAValue, Axes]:
        """The sum over the vec axes that result k reduces, and the axes that remain."""
        target, element = s.target(k), element_of(s.results[k])
        spread = axes_of(target.access)
        keep = [a for a in vec if a[0] in spread]
        if len(keep) < len(vec):
            none = self.number(identity(target.mode, element), vector_of(element, keep))
            dims = [i for i, a in enumerate(vec) if a not in keep]
            acc = self.emit(MultiReductionOp.make(combining_kind(target.mode, element), acc, none, dims))
        if reduced := [f for f in self.shared_by(s) if f.name not in spread and f.bits]:
            acc = self.across(reduced, acc, target.mode, element)
        return acc, keep

    def finish(self, s: StageOp, k: int, acc: SSAValue, vec: Axes, carried: Carried) -> None:
        """Fold the reduced vec axes of an accumulator, then hand the result on."""
        result, target = s.results[k], s.target(k)
        value, keep = self.folded(s, k, acc, vec)
        if value is not acc and result in carried:
            before = self.adapt(carried[result], vector_axes(s, target.access) or [], keep)
            value = self.emit(with_contract(combine(target.mode, before, value)))
        self.deliver(s, k, value, keep)

    def deliver(self, s: StageOp, k: int, value: SSAValue, axes: Axes) -> None:
        """Hand on the elements of a result that are complete: to its memory, to its readers."""
        result, target, view = s.results[k], s.target(k), self.views.get(s.results[k])
        if view is not None:
            stream = view._replace(stream=view.stream or target.stream)

            def write() -> None:
                self.write(value, stream, target.access, axes, element_of(result))

            self.guarded(self.conditions(s, target.access), write)
        if is_vector(result):
            self.vectors[result] = self.adapt(value, axes, vector_axes(s, target.access) or [])
            self.vectors[result].name_hint = self.vectors[result].name_hint or result.name_hint

    # ---- the body
    def contracted(self, s: StageOp, dot: NarrowProduct, vec: Axes, acc: SSAValue) -> SSAValue:
        """The accumulator after the products at all points of the vec axes."""
        body = BodyValues(self, s, vec)
        factors: list[SSAValue] = []
        for value, cls in zip(dot.factors, dot.extensions):
            axes = [a for a in vec if a[0] in body.spread(value)]
            narrow = body.at(value, axes)
            self.location = s.location
            kind = vector_of(element_of(s.results[0]), axes)
            factors.append(self.emit(on_vectors(cls).create(operands=[narrow], result_types=[kind])))
        names = [n for n, _ in vec]
        spread = [body.spread(value) for value in dot.factors]
        kept = [n for n, _ in dot.kept]
        maps = [AffineMap(len(vec), 0, places(names, own)) for own in (*spread, kept)]
        words = ["parallel" if n in kept else "reduction" for n in names]
        return self.emit(ContractOp.make(factors[0], factors[1], acc, maps, words))

    def read_before(
        self, s: StageOp, vec: Axes, inner: Sequence[tuple[str, Dim]]
    ) -> dict[SSAValue, tuple[SSAValue, Axes]]:
        """What the body reads at one place in all iterations of the loops that reduce, and the axes of its vectors."""
        if self.launch is not None or not inner or not all(t.data.mode for t in s.targets.data):
            return {}
        names, body = {n for n, _ in inner}, BodyValues(self, s, vec)
        found: dict[SSAValue, tuple[SSAValue, Axes]] = {}
        for k, (arg, (_, access)) in enumerate(zip(s.body.block.args, s.reads())):
            if not s.whole(k) and not names & axes_of(access):
                own = body.own(access)
                found[arg] = body.at(arg, own), own
        return found

    def point(
        self,
        s: StageOp,
        vec: Axes,
        registers: list[int],
        accs: list[SSAValue],
        before: Mapping[SSAValue, tuple[SSAValue, Axes]],
    ) -> list[SSAValue]:
        """The body at one point (one n-D vector of points); returns the new accumulators."""
        body = BodyValues(self, s, vec)
        body.found |= {(arg, tuple(n for n, _ in vec)): self.adapt(v, own, vec) for arg, (v, own) in before.items()}
        body.run()
        self.location = s.location
        out: list[SSAValue] = []
        left = iter(accs)
        for k, value in enumerate(s.terminator.operands):
            mode = s.target(k).mode
            if k in registers:
                out.append(self.added(s, k, next(left), body.at(value, vec), vec))
            elif mode:
                self.deliver(s, k, *self.folded(s, k, body.at(value, vec), vec))
            else:
                self.deliver(s, k, body.at(value, vec), vec)
        return out

    def added(self, s: StageOp, k: int, acc: SSAValue, value: SSAValue, vec: Axes) -> SSAValue:
        """The accumulator after one more value; where no loop reduces, folding vec axes brings in the identity."""
        mode, element = s.target(k).mode, element_of(s.results[k])
        folds = any(n not in axes_of(s.target(k).access) for n, _ in vec)
        if folds and acc is self.number(identity(mode, element), value.type):
            return value
        return self.emit(with_contract(combine(mode, acc, value)))

    def scalar_op(self, op: Operation, vec: Axes, values: dict[SSAValue, SSAValue]) -> None:
        """One op of a body on all points of a vector."""
        if isinstance(op, IndexOp):
            values[op.res] = self.coordinate(op.linear, vec)
        elif isinstance(op, arith.ConstantOp):
            kind = vector_of(op.result.type, vec)
            values[op.result] = self.constant(splat(op.value, kind) if vec else op.value, kind)
        else:
            kinds = [vector_of(r.type, vec) for r in op.results]
            operands = [values[o] for o in op.operands]
            new = on_vectors(type(op)).create(operands=operands, result_types=kinds, properties=dict(op.properties))
            new.attributes |= op.attributes
            self.add(with_contract(new) if summed(op) else new)
            for old, result in zip(op.results, new.results):
                result.name_hint = old.name_hint
                values[old] = result

    def coordinates_compared(self, op: arith.CmpiOp, a: Linear, b: Linear, vec: Axes, narrow: bool) -> SSAValue:
        """A comparison of coordinates at every point of a vector: a number against a vector that is constant.

        i0 + i >= k0 + k   is   i0 - k0 >= k - i
        """
        names = {n for n, _ in vec}
        difference = a + b.scaled(-1)
        element = i32 if narrow else INDEX
        first = self.index(difference.without(names))
        if narrow:
            first = self.emit(arith.IndexCastOp(first, i32))
        kind = vector_of(element, vec)
        left = self.emit(vector.BroadcastOp.create(operands=[first], result_types=[kind]))
        right: SSAValue | None = None
        for name, extent in vec:
            if c := -difference.coef(name):
                value = self.adapt(self.stepped(name, extent, c, element), [(name, extent)], vec)
                right = value if right is None else self.emit(combine("add", right, value))
        operands = [left, self.number(0, kind) if right is None else right]
        compare, properties = on_vectors(arith.CmpiOp), dict(op.properties)
        return self.emit(compare.create(operands=operands, result_types=[vector_of(i1, vec)], properties=properties))

    def stepped(self, name: str, extent: int, c: int, element: Attribute) -> SSAValue:
        """The multiples of c from 0 on, along one vec axis."""
        axis = [(name, extent)]
        value = self.emit(StepOp.create(result_types=[vector_of(INDEX, axis)]))
        if element != INDEX:
            cast_ = on_vectors(arith.IndexCastOp)
            value = self.emit(cast_.create(operands=[value], result_types=[vector_of(element, axis)]))
        return value if c == 1 else self.emit(combine("mul", value, self.number(c, value.type)))

    def coordinate(self, form: Linear, vec: Axes, element: Attribute = INDEX) -> SSAValue:
        """A coordinate at every point of a vector, as index or integer: `first + c * step` for each vec axis."""
        names = {n for n, _ in vec}
        first = self.index(form.without(names))
        if not vec:
            return first
        if element != INDEX:
            first = self.emit(arith.IndexCastOp(first, element))
        kind = vector_of(element, vec)
        total = self.emit(vector.BroadcastOp.create(operands=[first], result_types=[kind]))
        for name, extent in vec:
            if c := form.coef(name):
                value = self.stepped(name, extent, c, element)
                total = self.emit(combine("add", total, self.adapt(value, [(name, extent)], vec)))
        return total


def places(names: Sequence[str], own: Collection[str]) -> tuple[AffineExpr, ...]:
    """The iterators that some of the names are."""
    return tuple(AffineExpr.dimension(d) for d, name in enumerate(names) if name in own)


@lru_cache(1024)
def splat(value: Attribute, kind: Attribute) -> Attribute:
    """A scalar constant in every element of a vector type."""
    assert isinstance(value, FloatAttr | IntegerAttr)
    number = value.value.data
    return DenseIntOrFPElementsAttr.from_list(kind, [number & 1 if value.type == i1 else number])  # pyright: ignore

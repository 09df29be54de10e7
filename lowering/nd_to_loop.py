"""nd-to-loop: kernels of tensor ops become stages in index notation.

    func.func private @softmax(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
      %0 = nd.reduce max %x "a b -> a"
      %1 = nd.broadcast %0 "a -> a b"
      %2 = nd.sub %x, %1
      %3 = nd.exp %2 ...
becomes
    %0 = loop.stage max [i: 8, j: 16] (%a = %x[i, j]) -> max [i] { loop.yield %a : f32 }
    %1, %2 = loop.stage exp_sum [i: 8, j: 16] (%a = %x[i, j], %b = %0[i]) -> [i, j], add [i] { ... }
    %3 = loop.stage div [i: 8, j: 16] (%a = %1[i, j], %b = %2[i]) -> [i, j] { ... }

What moves elements becomes the access of whoever reads; elementwise chains become one body (`scalar_bodies`). `stages`
says which values are kept. Functions that launch kernels stay as they are.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from xdsl.context import Context
from xdsl.dialects.builtin import (
    ArrayAttr,
    FunctionType,
    FusedLoc,
    ModuleOp,
    NoneAttr,
    UnknownLoc,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, BlockArgument, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from ..dialects.errors import CompileError
from ..dialects.graph.ops import RESULTS, LaunchOp
from ..dialects.graph.prologues import of_contraction
from ..dialects.graph.regions import program_ops
from ..dialects.loop.attributes import Axis, Target
from ..dialects.loop.linear import Access, Linear
from ..dialects.loop.ops import SizeOp, StageOp, YieldOp
from ..dialects.nd.concatenation import Concat
from ..dialects.nd.contraction import Contract
from ..dialects.nd.cumulative import Cumulative
from ..dialects.nd.dims import Dim, Sym, affine
from ..dialects.nd.indexing import Arg
from ..dialects.nd.movement import Pad
from ..dialects.nd.op import NdOp
from ..dialects.nd.reduction import Reduce
from ..dialects.nd.scatter import Scatter
from ..dialects.nd.sorting import Argsort, Sort
from ..dialects.nd.types import element, shape_of, stored, tensor
from ..dialects.nd.window import ReduceWindow
from .arg_reductions import arg_reduction
from .joins import Joins, numerators_of
from .lines import cumulative, reduce_window, sort
from .regroup import Unfactored
from .scalar_bodies import combiner, computed, product
from .scalars import Scalars
from .scatters import scatter
from .shifts import only_shifts
from .stages import Member, Stage, Stages


def fused(locations: list[Attribute]) -> Attribute:
    """One location of several ops, without repetition."""
    parts: list[Attribute] = []
    for location in locations:
        inner: Sequence[Attribute] = location.locations.data if isinstance(location, FusedLoc) else (location,)  # pyright: ignore
        for part in inner:
            if part not in parts and not isinstance(part, UnknownLoc):
                parts.append(part)
    return parts[0] if len(parts) == 1 else FusedLoc(ArrayAttr(parts[:8]), NoneAttr()) if parts else UnknownLoc()


class Domain(NamedTuple):
    """The axes of a stage, and what each axis of its ops is in terms of them."""

    axes: dict[str, Dim]
    forms: dict[str, Linear]

    @staticmethod
    def of(axes: dict[str, Dim], splits: dict[str, tuple[int, str, str]]) -> Domain:
        """Axes of which some are split into an outer and an inner one of a size."""
        out = Domain({}, {})
        for name, extent in axes.items():
            if name in splits:
                low, outer, inner = splits[name]
                out.axes.update({outer: extent // low, inner: low})
                out.forms[name] = Linear.axis(outer, low) + Linear.axis(inner)
            else:
                out.axes[name] = extent
                out.forms[name] = Linear.axis(name)
        return out


class Kernel:
    """Lowers one function body."""

    def __init__(self, f: FuncOp) -> None:
        self.function = f
        self.old = f.body.block
        self.plan = Stages(self.old)
        self.tensors: dict[SSAValue, SSAValue] = {a: self._stored(a) for a in list(self.old.args)}
        """What stands at the loop level for values that are kept."""
        self.new: list[Operation] = []
        self.labels: set[str] = set()
        self.joins = Joins(self)

    def run(self) -> None:
        self._sizes()
        for stage in self.plan.stages:
            if stage.kind == "map":
                self._map(stage)
            else:
                self._alone(stage.members[0].value)
        last = self.plan.last
        results = [self._returned(v) for v in last.operands]
        result = ReturnOp.create(operands=results, location=last.location)
        for op in reversed(list(self.old.ops)):
            op.detach()
            op.drop_all_references()
        for arg in [
            a for a in self.tensors if isinstance(a, BlockArgument) and stored(element(a.type)) != element(a.type)
        ]:
            self.old.erase_arg(arg, safe_erase=False)
        self.old.add_ops([*self.new, result])
        types = FunctionType.from_lists(list(self.old.arg_types), [r.type for r in results])
        self.function.properties["function_type"] = types

    def _stored(self, arg: BlockArgument) -> BlockArgument:
        """An argument, or one that stands for it, of the type that the loop level has for its own."""
        dtype = element(arg.type)
        if (target := stored(dtype)) == dtype:
            return arg
        new = self.old.insert_arg(tensor(shape_of(arg.type), target), arg.index + 1, arg.location)
        new.name_hint = arg.name_hint
        return new

    def _returned(self, value: SSAValue) -> SSAValue:
        """What stands for a result, rounded to its type."""
        found = self.tensors[value]
        if element(found.type) == stored(element(value.type)):
            return found
        where = value.owner.location if isinstance(value.owner, Operation) else self.function.location
        return self.copy("round", value, where)

    def _sizes(self) -> None:
        """Name every run-time size after the argument that tells it."""
        named: set[str] = set()
        dims = [
            (arg, k, d) for arg in self.tensors.values() for k, d in enumerate(shape_of(arg.type)) if isinstance(d, Sym)
        ]
        for arg, k, d in sorted(dims, key=lambda at: not at[2].is_symbol()):  # bare symbols first
            name, *others = d.names()
            if not others and name not in named and affine(d, name) is not None:
                named.add(name)
                self.new.append(SizeOp.make(name, arg, k, arg.location))  # pyright: ignore

    # ---- stages

    def label(self, text: str) -> str:
        text = text or "copy"
        name, number = text, 1
        while name in self.labels:
            name, number = f"{text}_{number}", number + 1
        self.labels.add(name)
        return name

    def stage(
        self, label: str, axes: dict[str, Dim], scalars: Scalars, values: list[SSAValue], targets: list[Target]
    ) -> list[SSAValue]:
        """Add a stage of what `scalars` built."""
        block = scalars.body.block
        for op in reversed(list(block.ops)):
            if not any(r.uses for r in op.results) and not any(v in values for v in op.results):
                op.detach()
                op.erase()
        block.add_op(YieldOp.create(operands=values, location=scalars.body.location))
        domain = [Axis(n, d) for n, d in axes.items()]
        op = StageOp.make(self.label(label), domain, scalars.reads, targets, Region(block), scalars.body.location)
        self.new.append(op)
        return list(op.results)

    def scalars(self, axes: dict[str, Dim], location: Attribute, own: set[SSAValue] | None = None) -> Scalars:
        return Scalars(self, own or set(), axes, location)

    def copy(self, label: str, value: SSAValue, location: Attribute) -> SSAValue:
        """A stage that computes a value, or copies it, at its own elements."""
        names = self.plan.names.of(value)
        axes = dict(zip(names, shape_of(value.type)))
        at: Access = tuple(Linear.axis(n) for n in names)
        if len(axes) < len(names):
            fresh = [self.plan.names.fresh() for _ in names]
            axes, at = dict(zip(fresh, shape_of(value.type))), tuple(Linear.axis(n) for n in fresh)
        scalars = self.scalars(axes, location)
        return self.stage(label, axes, scalars, [scalars.at(value, at)], [Target("", at)])[0]

    def _split(self, axes: dict[str, Dim], location: Attribute, make: Callable[[Domain], None]) -> None:
        """Make a stage over axes, of which some are split so that reshapes have linear indices."""
        splits: dict[str, tuple[int, str, str]] = {}
        while True:
            made, labels = len(self.new), set(self.labels)
            try:
                return make(Domain.of(axes, splits))
            except Unfactored as e:
                del self.new[made:]
                self.labels = labels
                extent, names = axes.get(e.axis), self.plan.names
                whole = extent is not None and e.size > 0 and extent // e.size * e.size == extent
                if e.axis in splits or not whole:
                    raise CompileError(f"nd-to-loop: {e}; keep it outside of the kernel", location) from None
                splits[e.axis] = (e.size, names.fresh(), names.fresh())

    def _map(self, stage: Stage) -> None:
        """Elements and reductions over the same axes."""
        first = stage.members[0].value.owner
        location = first.location if isinstance(first, Operation) else self.function.location
        self._split(stage.axes, location, lambda domain: self._map_over(stage, domain))

    def _map_over(self, stage: Stage, domain: Domain) -> None:
        axes, form = domain
        own = {m.value for m in stage.members}
        kept = [m.value.owner for m in stage.members if isinstance(m.value.owner, Operation)]
        bodies = self.plan.bodies(stage)
        location = fused([op.location for op in bodies] or [self.function.location])
        scalars = self.scalars(axes, location, own)
        values: list[SSAValue] = []
        targets: list[Target] = []
        for member in stage.members:
            value, target = self._member(member, form, scalars)
            values.append(value)
            targets.append(target)
        results = self.stage(_label(kept), axes, scalars, values, targets)
        for member, result in zip(stage.members, results):
            self.keep(member.value, result)

    def _member(self, member: Member, form: dict[str, Linear], scalars: Scalars) -> tuple[SSAValue, Target]:
        at = tuple(form[n] for n in member.axes)
        op = member.value.owner
        if isinstance(op, Reduce):
            kept = tuple(f for f, i in zip(at, op.dims.operands[0]) if i in op.dims.result)
            mode = "maxnum" if only_shifts(op) else combiner(op.word, element(op.x.type))
            return scalars.wide(op.x, at), Target(mode, kept)
        if not isinstance(op, Operation):  # an argument that is returned
            return scalars.read(member.value, at), Target("", at)
        return scalars.at(member.value, at), Target("", at)

    def keep(self, value: SSAValue, tensor: SSAValue) -> None:
        tensor.name_hint = value.name_hint
        self.tensors[value] = tensor

    # ---- ops that are alone

    def _alone(self, value: SSAValue) -> None:
        match op := value.owner:
            case Contract():
                self._contract(op)
            case Arg():
                self.keep(value, arg_reduction(self, op))
            case Pad():
                self.keep(value, self.joins.pad(op))
            case Concat():
                self.keep(value, self.joins.concat(op))
            case ReduceWindow():
                self.keep(value, reduce_window(self, op))
            case Cumulative():
                self.keep(value, cumulative(self, op))
            case Scatter():
                self.keep(value, scatter(self, op))
            case Sort() | Argsort():
                self.keep(value, sort(self, op))
            case _:
                raise AssertionError(op)

    def _contract(self, op: Contract) -> None:
        m, names = op.dims, self.plan.names
        shapes = [shape_of(v.type) for v in op.operands]
        extents = m.extents(shapes, {i.name or "": d for i, d in zip(m.result, shape_of(op.type))})
        axis: dict[str, str] = {}
        for k, i in enumerate(m.result):
            axis[i.name or ""] = names.name((op.results[0], k))
        for n in m.reduced():
            axis[n] = names.name((op, n))
        axes = {axis[n]: extents[n] for n in axis}
        assert len(axes) == len(axis)
        self._split(axes, op.location, lambda domain: self._contract_over(op, axis, domain))

    def _contract_over(self, op: Contract, axis: dict[str, str], domain: Domain) -> None:
        m, (axes, forms) = op.dims, domain
        shapes = [shape_of(v.type) for v in op.operands]
        scalars = self.scalars(axes, op.location)
        factors: list[SSAValue] = []
        for value, made, dims, shape in zip(op.operands, of_contraction(op), m.operands, shapes):
            numerators = [f.subst(forms) for f in numerators_of(dims, axis)]
            cast = made.cast if made is not None and value not in self.tensors else None
            source = value if cast is None else cast
            window = self.joins.window(source, numerators, [i.divisor for i in dims], shape, axes, op.location)
            if window is None:
                factors.append(scalars.wide(value, tuple(numerators)))
                continue
            factor = scalars.read(*window)
            for step in reversed(made.ops if made is not None and cast is not None else []):
                factor = computed(scalars.body, step, [factor])
            factors.append(scalars.body.wide(factor))
        out: Access = tuple(forms[axis[i.name or ""]] for i in m.result)
        targets = [Target("add", out)]
        self.keep(op.results[0], self.stage(_label([op]), axes, scalars, [product(scalars.body, factors)], targets)[0])


def _label(ops: list[Operation]) -> str:
    """What a stage keeps, as a word."""
    words: list[str] = []
    for op in ops:
        if isinstance(op, Contract):
            words.append("mm" if len(op.operands) == 2 else "contract")
        elif isinstance(op, Reduce):
            words.append(op.kind.data.name)
        else:
            words.append(op.name.removeprefix("nd."))
    return "_".join(list(dict.fromkeys(words))[:3])


def lowers(f: FuncOp) -> bool:
    """Is it a kernel, not a program that launches some?"""
    if not f.body.blocks or RESULTS in f.attributes:
        return False
    block = f.body.block
    ops = list(block.ops)
    if not isinstance(block.last_op, ReturnOp) or any(isinstance(op, LaunchOp) for op in program_ops(block)):
        return False
    return any(isinstance(op, NdOp) for op in ops) or (
        len(ops) == 1 and bool(ops[0].operands) and f.sym_visibility is not None
    )


@dataclass(frozen=True)
class NdToLoop(ModulePass):
    """Lower kernels to stages."""

    name = "nd-to-loop"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for f in list(op.body.block.ops):
            if isinstance(f, FuncOp) and lowers(f):
                for inner in f.body.block.ops:
                    if not isinstance(inner, NdOp | ReturnOp):
                        raise CompileError(
                            f"nd-to-loop: expected ops of the nd dialect, found {inner.name}", inner.location
                        )
                Kernel(f).run()

"""graph-outline: make every kernel a private function, equal kernels one.

    %0 = graph.kernel "exp" (%a = %x) -> (tensor<4xf32>) {
      %1 = nd.exp %a : tensor<4xf32>
      graph.yield %1 : tensor<4xf32>
    }
    %2 = graph.kernel "exp" (%b = %0) -> (tensor<4xf32>) { ... the same ... }
becomes
    %0 = graph.launch @exp(%x) : (tensor<4xf32>) -> tensor<4xf32>
    %2 = graph.launch @exp(%0) : (tensor<4xf32>) -> tensor<4xf32>
and
    func.func private @exp(%a: tensor<4xf32>) -> tensor<4xf32> {
      %0 = nd.exp %a : tensor<4xf32>
      func.return %0 : tensor<4xf32>
    }

Equal are kernels of the same ops on the same types and layouts; names and locations do not count. Kernels that differ
in constants of one value only become one that gets those as arguments of rank 0. An argument that is fed by a view
other than dense rows carries its strides: `mlc.layout = strided<[1, 4]>`. Kernels inside of regions count like others,
so that one in a loop that equals one outside is one function.

An argument that is a constant of the program at every launch says so, and a kernel that reads nothing else is prepared,
if its result is not much larger and nothing but kernels reads it:

    %w = nd.resource "w", "9f3c.." : tensor<64x40xf16>
    %0 = graph.kernel "convert" (%a = %w) -> (tensor<64x40xf32>) {..}
    %1 = graph.kernel "matmul" (%a = %x, %b = %0) -> (tensor<3x40xf32>) {..}
becomes
    %0 = graph.prepare @convert(%w) : (tensor<64x40xf16>) -> tensor<64x40xf32>
    %1 = graph.launch @matmul(%x, %0) : ..
and
    func.func private @matmul(%a: tensor<3x64xf32>, %b: tensor<64x40xf32> {mlc.constant}) -> tensor<3x40xf32> {..}
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, FunctionType, ModuleOp, StringAttr, UnitAttr
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects.graph.ops import CONSTANT, LAYOUT, KernelOp, LaunchOp, PrepareOp, YieldOp
from ...dialects.graph.regions import program_ops
from ...dialects.graph.views import is_view, layout_attr, view_of
from ...dialects.nd.constant import Constant
from ...dialects.nd.dimmap import DimMap, names
from ...dialects.nd.dims import Dim, size
from ...dialects.nd.mapped import text
from ...dialects.nd.movement import Broadcast
from ...dialects.nd.resource import FOLDED, ResourceOp
from ...dialects.nd.types import NUMPY, element, shape_of, tensor
from .rewriting import functions, fuse

GROWTH = 4
"""How many times more bytes what is prepared may have than what it is made of."""

INLINE = FOLDED
"""Bytes of the largest constant in the program's text of which others are prepared."""


@dataclass
class Found:
    """Kernels that are equal but for constants."""

    kernels: list[KernelOp] = field(default_factory=list[KernelOp])
    constants: list[list[Constant]] = field(default_factory=list[list[Constant]])


def layout(value: SSAValue) -> Attribute | None:
    """The strides by which a kernel reads an argument; None for dense rows."""
    strides = strides_of(value)
    return None if strides is None else layout_attr(strides)


def strides_of(value: SSAValue) -> Sequence[Dim] | None:
    view = view_of(value)
    return None if view.rows(shape_of(value.type)) else view.strides


def bytes_of(value: SSAValue) -> int | None:
    """None where sizes are known at run time only."""
    count = size(shape_of(value.type))
    return count * NUMPY[element(value.type)].itemsize if isinstance(count, int) else None


def grows(inputs: Sequence[SSAValue], result: SSAValue) -> bool:
    """Is a value much larger than the constants that it is made of, or of no known size?"""
    made = bytes_of(result)
    return made is None or made > GROWTH * sum(bytes_of(v) or 0 for v in inputs)


class Constants:
    """The constants of a program: resources, small arrays in its text, what is prepared from these, and views of them
    at fixed places."""

    def __init__(self, block: Block, prepare: bool = True) -> None:
        """`prepare`: may kernels be prepared?"""
        self.prepared: dict[KernelOp, None] = {}
        self.read = {
            view_of(v).base
            for op in program_ops(block)
            if not isinstance(op, KernelOp) and not (op.results and is_view(op))
            for v in op.operands
        }
        """What something else than a kernel reads must be the result of a launch."""
        for op in program_ops(block):
            if prepare and isinstance(op, KernelOp) and self._may_prepare(op):
                self.prepared[op] = None

    def holds(self, value: SSAValue) -> bool:
        base, offset, strides = view_of(value)
        fixed = isinstance(offset, int) and all(isinstance(s, int) for s in strides)
        owner = base.owner
        if isinstance(owner, Constant):
            return fixed and owner.splat is None and (bytes_of(base) or INLINE + 1) <= INLINE
        return fixed and (isinstance(owner, ResourceOp) or owner in self.prepared)

    def _may_prepare(self, kernel: KernelOp) -> bool:
        if len(kernel.results) != 1 or kernel.results[0] in self.read or not kernel.args:
            return False
        return all(map(self.holds, kernel.args)) and not grows(kernel.args, kernel.results[0])


def signature(kernel: KernelOp, known: Constants) -> tuple[Hashable, list[Constant]]:
    """What makes kernels equal, and the constants of one value, which it leaves out."""
    number: dict[SSAValue, int] = {a: k for k, a in enumerate(kernel.body.block.args)}
    prepared = kernel in known.prepared
    arguments = ((a.type, strides_of(a), known.holds(a)) for a in kernel.args)
    parts: list[Hashable] = [kernel.label.data, prepared, *arguments]
    constants: list[Constant] = []
    for op in kernel.body.block.ops:
        operands = tuple(number[v] for v in op.operands)
        properties = dict(op.properties)
        if isinstance(op, Constant) and op.splat is not None and not prepared:
            constants.append(op)
            del properties["value"]
        rest = tuple(sorted([*properties.items(), *op.attributes.items()], key=lambda p: p[0]))
        parts.append((op.name, operands, tuple(r.type for r in op.results), rest))
        for r in op.results:
            number[r] = len(number)
    return tuple(parts), constants


class Outliner:
    """Outlines the kernels of a module."""

    def __init__(self, module: ModuleOp, prepare: bool = True) -> None:
        self.module, self.prepare = module, prepare
        self.prepared: dict[KernelOp, None] = {}
        self.constant: dict[KernelOp, list[bool]] = {}
        """Which arguments of a kernel are constants of the program."""
        self.taken = {op.sym_name.data for op in module.body.block.ops if isinstance(op, FuncOp)}

    def run(self) -> None:
        found: dict[Hashable, Found] = {}
        for f in list(functions(self.module)):
            known = Constants(f.body.block, self.prepare)
            self.prepared |= known.prepared
            for op in program_ops(f.body.block):
                if isinstance(op, KernelOp):
                    self.constant[op] = [known.holds(a) for a in op.args]
                    key, constants = signature(op, known)
                    same = found.setdefault(key, Found())
                    same.kernels.append(op)
                    same.constants.append(constants)
        for same in found.values():
            self._outline(same)

    def _outline(self, same: Found) -> None:
        """One function for kernels that are equal; the constants in which they differ become arguments."""
        first = same.kernels[0]
        columns = list(zip(*same.constants))
        lifted = [k for k, column in enumerate(columns) if len({c.literal() for c in column}) > 1]
        name = self._name(first.label.data)
        self._function(name, first, [same.constants[0][k] for k in lifted], [k.location for k in same.kernels])
        for kernel, constants in zip(same.kernels, same.constants):
            values: list[SSAValue] = list(kernel.args)
            home = kernel.parent
            assert home is not None
            for k in lifted:
                scalar = tensor((), element(constants[k].type))
                op = Constant.create(
                    result_types=[scalar],
                    properties={"value": constants[k].value, "shape": scalar},
                    location=constants[k].location,
                )
                home.insert_op_before(op, kernel)
                values.append(op.results[0])
            launch: LaunchOp | PrepareOp
            if kernel in self.prepared:
                launch = PrepareOp.make(name, values, kernel.results[0].type, kernel.location)
            else:
                launch = LaunchOp.make(name, values, [r.type for r in kernel.results], kernel.location)
            home.insert_op_before(launch, kernel)
            for old, new in zip(kernel.results, launch.results):
                new.name_hint = old.name_hint
                old.replace_all_uses_with(new)
            kernel.detach()
            kernel.drop_all_references()

    def _name(self, label: str) -> str:
        name, number = label, 1
        while name in self.taken:
            name, number = f"{label}_{number}", number + 1
        self.taken.add(name)
        return name

    def _function(self, name: str, kernel: KernelOp, lifted: list[Constant], locations: list[Attribute]) -> None:
        layouts = [layout(a) for a in kernel.args]
        region = kernel.body.clone()
        block = region.block
        originals = list(kernel.body.block.ops)
        clones = list(block.ops)
        for constant in lifted:
            self._lift(clones[originals.index(constant)])
        last = block.last_op
        assert isinstance(last, YieldOp)
        values = list(last.args)
        last.detach()
        last.drop_all_references()
        block.add_op(ReturnOp.create(operands=values, location=last.location))
        attributes: list[DictionaryAttr] = []
        for k in range(len(block.args)):
            given: dict[str, Attribute] = {}
            if k < len(layouts):
                given |= {LAYOUT: at} if (at := layouts[k]) is not None else {}
                given |= {CONSTANT: UnitAttr()} if self.constant[kernel][k] else {}
            attributes.append(DictionaryAttr(given))
        f = FuncOp.create(
            regions=[region],
            properties={
                "sym_name": StringAttr(name),
                "function_type": FunctionType.from_lists([a.type for a in block.args], [v.type for v in values]),
                "sym_visibility": StringAttr("private"),
            },
            location=fuse(locations),  # pyright: ignore[reportArgumentType]
        )
        if any(a.data for a in attributes):
            f.properties["arg_attrs"] = ArrayAttr(attributes)
        self.module.body.block.add_op(f)

    def _lift(self, op: Operation) -> None:
        """Turn a constant into an argument of rank 0, replicated."""
        block = op.parent
        assert block is not None and isinstance(op, Constant)
        argument = block.insert_arg(tensor((), element(op.type)), len(block.args), op.location)
        new: SSAValue = argument
        if shape := shape_of(op.type):
            spread = Broadcast.create(
                operands=[argument],
                result_types=[op.type],
                properties={"map": text(DimMap(((),), names(len(shape)))), "shape": op.type},
                location=op.location,
            )
            block.insert_op_before(spread, op)
            new = spread.results[0]
        op.results[0].replace_all_uses_with(new)
        op.detach()


@dataclass(frozen=True)
class GraphOutline(ModulePass):
    """Make kernels functions; those of constants alone run once before the program, if `prepare`."""

    name = "graph-outline"

    prepare: bool = True

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        Outliner(op, self.prepare).run()

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
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, FunctionType, ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects.graph.ops import LAYOUT, KernelOp, LaunchOp, YieldOp
from ...dialects.graph.regions import program_ops
from ...dialects.graph.views import layout_attr, view_of
from ...dialects.nd.constant import Constant
from ...dialects.nd.dimmap import DimMap, names
from ...dialects.nd.dims import Dim
from ...dialects.nd.mapped import text
from ...dialects.nd.movement import Broadcast
from ...dialects.nd.types import element, shape_of, tensor
from .rewriting import functions, fuse


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


def signature(kernel: KernelOp) -> tuple[Hashable, list[Constant]]:
    """What makes kernels equal, and the constants of one value, which it leaves out."""
    number: dict[SSAValue, int] = {a: k for k, a in enumerate(kernel.body.block.args)}
    parts: list[Hashable] = [kernel.label.data, *((a.type, strides_of(a)) for a in kernel.args)]
    constants: list[Constant] = []
    for op in kernel.body.block.ops:
        operands = tuple(number[v] for v in op.operands)
        properties = dict(op.properties)
        if isinstance(op, Constant) and op.splat is not None:
            constants.append(op)
            del properties["value"]
        rest = tuple(sorted([*properties.items(), *op.attributes.items()], key=lambda p: p[0]))
        parts.append((op.name, operands, tuple(r.type for r in op.results), rest))
        for r in op.results:
            number[r] = len(number)
    return tuple(parts), constants


class Outliner:
    """Outlines the kernels of a module."""

    def __init__(self, module: ModuleOp) -> None:
        self.module = module
        self.taken = {op.sym_name.data for op in module.body.block.ops if isinstance(op, FuncOp)}

    def run(self) -> None:
        found: dict[Hashable, Found] = {}
        for f in list(functions(self.module)):
            for op in program_ops(f.body.block):
                if isinstance(op, KernelOp):
                    key, constants = signature(op)
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
            given = layouts[k] if k < len(layouts) else None
            attributes.append(DictionaryAttr({} if given is None else {LAYOUT: given}))
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
    """Make kernels functions."""

    name = "graph-outline"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        Outliner(op).run()

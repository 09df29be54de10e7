"""A program written at the loop level becomes one kernel with its launch, so that it runs like any other.

    func.func @main(%x: tensor<8xf32>) -> tensor<f32> {         func.func @main(%x: tensor<8xf32>) -> tensor<f32> {
      %s = loop.stage sum [i: 8] (%a = %x[i]) -> add [] {..}      %0 = graph.launch @main_kernel(%x) : ...
      func.return %s : tensor<f32>                          ->    func.return %0 : tensor<f32>
    }                                                           }
                                                                func.func private @main_kernel(%x: tensor<8xf32>) ...

Layouts of arguments hold for the kernel too. A program of the tensor level stays as it is; regions and effects of the
tensor level around ops of the loop level are an error.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, UnitAttr
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region
from xdsl.passes import ModulePass

from ...dialects.errors import CompileError
from ...dialects.graph.ops import LaunchOp
from ...dialects.graph.regions import program_ops
from .loop.apply_schedule import SCHEDULE

WRITTEN = "loop.written"
"""On a kernel, without a value: its axes have the names that the program's author gave them, for schedules to use."""


def is_loop_program(f: FuncOp) -> bool:
    """A public function whose body is of the loop level."""
    public = f.sym_visibility is None or f.sym_visibility.data != "private"
    return public and len(f.body.blocks) == 1 and any(op.name.startswith("loop.") for op in program_ops(f.body.block))


def wrap(f: FuncOp) -> None:
    """Move the body of `f` into a kernel and launch it."""
    old, module = f.body.block, f.parent
    assert module is not None
    mixed = next((op for op in program_ops(old) if op.name.startswith(("nd.", "graph."))), None)
    if mixed is not None:
        message = f"{mixed.name}: expected only ops of the loop level, since the program has some, found this one"
        raise CompileError(message, mixed.location)
    name = f"{f.sym_name.data}_kernel"
    inputs, outputs = list(f.function_type.inputs), list(f.function_type.outputs)
    kernel = FuncOp(name, (inputs, outputs), Region(), visibility="private")
    kernel.location = f.location
    if f.arg_attrs is not None:
        kernel.properties["arg_attrs"] = f.arg_attrs
    if SCHEDULE in f.attributes:
        kernel.attributes[SCHEDULE] = f.attributes.pop(SCHEDULE)
    kernel.attributes[WRITTEN] = UnitAttr()
    f.body.detach_block(old)
    kernel.body.add_block(old)
    block = Block(arg_types=inputs)
    for before, after in zip(old.args, block.args, strict=True):
        after.name_hint, after.location = before.name_hint, before.location
    launch = LaunchOp.make(name, list(block.args), outputs)
    launch.location = f.location
    block.add_ops([launch, ReturnOp.create(operands=list(launch.results), location=f.location)])
    f.body.add_block(block)
    module.insert_ops_after([kernel], f)


@dataclass(frozen=True)
class GraphWrap(ModulePass):
    """Make programs of the loop level kernels with a launch."""

    name = "graph-wrap"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for f in [f for f in op.ops if isinstance(f, FuncOp)]:
            if is_loop_program(f):
                wrap(f)

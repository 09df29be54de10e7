"""Checks a module between passes: op verifiers, terminators, and what xDSL leaves out: SSA dominance.

1. Every operand is defined before its use: earlier in its block, in a dominating block, or outside the region unless
   the op around it is isolated from above.
2. Every block that needs a terminator ends with one, and only its last op is one.
3. Every tensor that is a block argument names its `?` dimensions in `#nd.sym`, but in a module of StableHLO.
4. Every symbol of a module is defined once.
5. Every op's own verifier passes.
6. Where a program is planned, values lie where the regions around them promise.

The first violation becomes a CompileError at the op's place.
"""

from __future__ import annotations

from collections.abc import Iterable

from xdsl.dialects.builtin import ModuleOp, StringAttr, TensorType
from xdsl.ir import Block, BlockArgument, Operation, Region, SSAValue
from xdsl.irdl.dominance import DominanceInfo
from xdsl.traits import IsolatedFromAbove, IsTerminator, NoTerminator
from xdsl.utils.exceptions import DiagnosticException

from ..dialects.errors import CompileError
from ..dialects.graph.place import PLACES
from .collecting import seldom
from .wording import reword


@seldom()
def verify(module: ModuleOp) -> None:
    """Raise CompileError for the first thing that is wrong."""
    _Verifier(module).op(module)


class _Verifier:
    """One walk; `visible` holds the values that an operand may name where the walk stands."""

    def __init__(self, module: ModuleOp) -> None:
        self.module = module
        self.visible: set[SSAValue] = set()

    def op(self, op: Operation) -> None:
        for index, operand in enumerate(op.operands):
            if operand not in self.visible:
                name = f"%{operand.name_hint}" if operand.name_hint else f"operand {index}"
                raise CompileError(
                    f"{op.name}: expected operands that are defined before their use, found {name}", op.location
                )
        self.successors(op)
        if op.regions:
            outer = self.visible
            if type(op) is ModuleOp and len(op.body.blocks) == 1:
                self.symbols(op.body.block)
            if op.has_trait(IsolatedFromAbove):
                self.visible = set()
            for region in op.regions:
                self.region(region)
            self.visible = outer
        try:
            op.verify_()
            if op.regions and PLACES in op.attributes:
                from ..dialects.graph.planned import verify_places

                verify_places(op)
        except DiagnosticException as error:
            raise CompileError(_message(op, error), op.location) from error
        except (IndexError, KeyError, TypeError, AttributeError) as error:
            # xDSL's own checks stumble over some malformed ops.
            message = f"{op.name}: expected well-formed operands and properties, found others ({error})"
            raise CompileError(message, op.location) from error
        self.visible.update(op.results)

    def successors(self, op: Operation) -> None:
        for successor in op.successors:
            if op.parent is None or successor.parent is not op.parent.parent:
                raise CompileError(
                    f"{op.name}: expected successors in its own region, found a block of another", op.location
                )

    def region(self, region: Region) -> None:
        blocks = list(region.blocks)
        dominance = DominanceInfo(region) if len(blocks) > 1 else None
        for block in blocks:
            seen = [b for b in blocks if dominance is not None and dominance.strictly_dominates(b, block)]
            inherited = [v for b in seen for v in _values(b)]
            self.visible.update(inherited)
            self.block(block)
            self.visible.difference_update(inherited)
            self.visible.difference_update(_values(block))

    def symbols(self, block: Block) -> None:
        names: set[str] = set()
        for op in block.ops:
            name = op.get_attr_or_prop("sym_name")
            if isinstance(name, StringAttr):
                if name.data in names:
                    message = f"{op.name}: expected a name that is not defined yet, found @{name.data}"
                    raise CompileError(message, op.location)
                names.add(name.data)

    def block(self, block: Block) -> None:
        for arg in block.args:
            self.argument(arg)
        self.visible.update(block.args)
        last = block.last_op
        self.terminator(block, last)
        for op in block.ops:
            if op is not last and op.has_trait(IsTerminator):
                raise CompileError(f"{op.name}: expected it to end its block, found ops after it", op.location)
            self.op(op)

    def argument(self, arg: BlockArgument) -> None:
        if type(arg.type) is TensorType:
            from ..dialects.nd.types import shape_of

            try:
                shape_of(arg.type)
            except DiagnosticException as error:
                if any(op.name.startswith(("stablehlo.", "chlo.")) for op in self.module.walk()):
                    return
                name = f"%{arg.name_hint}" if arg.name_hint else f"argument {arg.index}"
                raise CompileError(f"{name}: {error}", arg.location) from error

    def terminator(self, block: Block, last: Operation | None) -> None:
        parent = block.parent_op()
        if parent is None or parent.has_trait(NoTerminator):
            return
        if last is None or not last.has_trait(IsTerminator):
            found = "an empty block" if last is None else last.name
            location = parent.location if last is None else last.location
            raise CompileError(f"{parent.name}: expected a terminator at the end of its block, found {found}", location)


def _values(block: Block) -> Iterable[SSAValue]:
    yield from block.args
    for op in block.ops:
        yield from op.results


def _message(op: Operation, error: DiagnosticException) -> str:
    text = reword(str(error))
    return text if text.startswith(op.name) else f"{op.name}: {text}"

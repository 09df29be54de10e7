"""Reverse mode as passes: `vjp` and `grad` add the joint forward and backward function.

    func @main(%x) {                  func @main_grad(%x) {
      %y = nd.sin %x                    %y = nd.sin %x
      %s = nd.reduce sum %y     ->      %c = nd.cos %x
      return %s                         %s = nd.reduce sum %y ...
    }                                   %ct = nd.broadcast ...
                                        %dx = nd.mul %ct, %c
                                        return %s, %dx
                                      }

What the backward part reads of the forward part is not stored: both are one function, to be scheduled as one program.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from ...dialects.errors import CompileError
from ...dialects.nd.constant import full
from ...dialects.nd.op import Array, building
from ...dialects.nd.types import is_complex, is_float, shape_of
from ..blocks import entry, insert_after, return_, terminator
from .linearize import (
    arguments_of,
    differentiable,
    function_of,
    or_zeros,
    vjp,
    vjp_function,
)


def grad_function(f: FuncOp, name: str, wrt: list[int], value: bool) -> FuncOp:
    """`@name(arguments) -> (value,) gradients of the arguments wrt`; the first result must be a float scalar."""
    old = f.body.block
    results = terminator(old).operands
    if len(results) != 1 or not is_float(results[0].type) or is_complex(results[0].type) or shape_of(results[0].type):
        found = ", ".join(str(v.type) for v in results) or "none"
        raise CompileError(f"grad of @{f.sym_name.data}: expected one float scalar result, found {found}", f.location)
    block = arguments_of(f)
    with building(block, terminator(old).location):
        (y,), backward = vjp(old, [*map(Array, block.args)], [k in wrt for k in range(len(old.args))])
        found = backward([full(1, y.type)])
        return_([*([y] if value else []), *(or_zeros(found[k], block.args[k]) for k in wrt)])
    return function_of(name, block, f)


@dataclass(frozen=True)
class Vjp(ModulePass):
    """Add `@entry_vjp`: takes a cotangent for each float result, gives the results and a cotangent for each argument in
    `wrt` (default: all floats)."""

    name = "vjp"
    entry: str = "main"
    wrt: tuple[int, ...] = ()

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        f = entry(op, self.entry)
        insert_after(f, vjp_function(f, f"{self.entry}_vjp", differentiable(f, self.wrt)))


@dataclass(frozen=True)
class Grad(ModulePass):
    """Add `@entry_grad`: the gradients of a scalar with respect to the arguments in `wrt` (default: all floats), after
    its value unless `value=false`."""

    name = "grad"
    entry: str = "main"
    wrt: tuple[int, ...] = ()
    value: bool = True

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        f = entry(op, self.entry)
        insert_after(f, grad_function(f, f"{self.entry}_grad", differentiable(f, self.wrt), self.value))

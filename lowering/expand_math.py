"""expand-math: transcendental functions as arithmetic.

    %y = math.exp %x : vector<64xf32>
        becomes
    %n = math.fma %x, %log2e, %magic : vector<64xf32>
    ...
    %p = math.fma %q, %r, %one : vector<64xf32>
    %y = arith.mulf %scaled, %power : vector<64xf32>

20 to 60 operations, whatever the shape, in dialects of upstream only. The short path has no branch; angles beyond 1e5
(f64: 1e8), and remainders of quotients that no float holds, are done element by element under an `scf.if` that asks
whether any needs it (math_rare.py). Nothing calls the C library. Accuracy: math_functions.py. sqrt, rsqrt, floor, abs
and the like are instructions and stay.

With `lookup`, erf of f32, logarithms of f64 and powers of vectors take numbers from tables of so many entries, by
`vector.gather` from a constant; emission knows the instruction. In launches nothing has tables.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import Float32Type, Float64Type, ModuleOp, VectorType
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from ..dialects.errors import CompileError
from ..dialects.gpu import PRIVATE
from .math_builder import MathBuilder
from .math_functions import FUNCTIONS
from .shifts import NONPOSITIVE


@dataclass(frozen=True)
class ExpandMath(ModulePass):
    name = "expand-math"

    lookup: int = 0
    """Entries of a table that the machine looks up in a register; 0: it does not."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for inner in [o for o in op.walk() if o.name in FUNCTIONS]:
            expand(inner, self.lookup)


def in_launch(op: Operation) -> bool:
    """Is it a thread of a GPU that computes it?"""
    parent = op.parent_op()
    while parent is not None and parent.name != "gpu.launch":
        parent = parent.parent_op()
    return parent is not None


def expand(op: Operation, lookup: int = 0) -> None:
    """Replace one function by its expansion."""
    result, block = op.results[0], op.parent
    assert block is not None
    kind = result.type
    element = kind.element_type if isinstance(kind, VectorType) else kind
    if not isinstance(element, Float32Type | Float64Type):
        raise CompileError(f"{op.name}: expected f32 or f64, found {element}; convert the operand first", op.location)
    launched = in_launch(op)
    space, lookup = (PRIVATE, 0) if launched else (None, lookup)
    builder = MathBuilder(kind, op.location, None, space, lookup, NONPOSITIVE in op.attributes)
    value = FUNCTIONS[op.name](builder, *op.operands)
    value.name_hint = result.name_hint
    block.insert_ops_before(builder.ops, op)
    result.replace_all_uses_with(value)
    op.detach()
    op.erase()

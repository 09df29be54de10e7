"""Calls, and ops that stay as they are.

func.call @f(%x)                                   func.call @f(%x), of the converted function
func.call @f(%x) : (tensor<?xf32>) -> ...          the body of @f here: the sizes are known at the call
func.call @f(%x, %i), which takes one slice        the body of @f here: `raise_loops` looks for slices
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import IntegerType, LocationAttr
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Attribute, Operation

from ...dialects.errors import CompileError
from ...dialects.nd.array import Array
from ...dialects.nd.constant import Size
from ...dialects.nd.op import insert, place
from ...dialects.nd.types import is_tensor
from .table import Value

if TYPE_CHECKING:
    from .conversion import Conversion


def keep(op: Operation, operands: list[Array], c: Conversion) -> Sequence[Array]:
    """An op of another dialect stays as it is, on the new operands; one with regions must be closed."""
    new = type(op).create(
        operands=[a.value for a in operands],
        result_types=[r.type for r in op.results],
        properties=op.properties,
        attributes=op.attributes,
        regions=[r.clone() for r in op.regions],
        location=op.location,
    )
    insert(new)
    return [Array(r) for r in new.results]


def unsharded(op: Operation, operands: list[Array], c: Conversion) -> Sequence[Array]:
    """How a value is spread over devices does not matter to one device."""
    return operands


def call(op: Operation, operands: list[Array], c: Conversion) -> Sequence[Value]:
    """A call stays, of the converted function; where sizes or tuples are unknown to it, its body is converted here."""
    assert isinstance(op, CallOp)
    name = op.callee.string_value()
    f = c.functions.get(name)
    if f is None:
        raise CompileError(f"expected a function of this module, found @{name}", op.location)
    types = (*f.function_type.inputs.data, *f.function_type.outputs.data)
    if takes_slice(f) or on_sizes(types, operands) or not all(is_static(t) for t in types):
        return inlined(f, operands, c, op.location)
    types = c.function(f) if name not in c.results else c.results[name]
    new = CallOp.create(
        operands=[a.value for a in operands],
        result_types=types,
        properties=op.properties,
        attributes=op.attributes,
        location=op.location,
    )
    insert(new)
    return [Array(r) for r in new.results]


def is_static(t: Attribute) -> bool:
    return is_tensor(t) and all(d >= 0 for d in t.get_shape())


def on_sizes(types: Sequence[Attribute], operands: Sequence[Value]) -> bool:
    """Does a function compute integers of which some are sizes, so that its results may be ones?"""
    if not all(is_tensor(t) and not t.get_shape() and isinstance(t.element_type, IntegerType) for t in types):
        return False
    return any(isinstance(a.value.owner, Size) for a in operands if isinstance(a, Array))


def takes_slice(f: FuncOp) -> bool:
    """Is a function one of the small ones that JAX writes for each x[i] and x.at[i].set(y)?"""
    if not f.body.blocks:
        return False
    found = False
    for k, op in enumerate(f.body.block.ops):
        if k > 12 or op.regions or op.name == "func.call":
            return False
        found = found or op.name in ("stablehlo.dynamic_slice", "stablehlo.dynamic_update_slice")
    return found


def inlined(f: FuncOp, operands: Sequence[Value], c: Conversion, location: LocationAttr) -> Sequence[Value]:
    """The body of a function at the current place."""
    from .conversion import Scope

    c.enter(f, location)
    source, outer = f.body.block, c.scope
    at = place()
    c.scope = inner = Scope(outer.block, outer, None)
    for arg, a in zip(source.args, operands, strict=True):
        inner.env[arg] = a
    values = c.ops(source)
    c.scope, at.location = outer, location
    c.path.pop()
    return values

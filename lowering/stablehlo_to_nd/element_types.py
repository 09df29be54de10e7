"""Element types that `nd` does not compute with, and what holds them: quantised ones lie as they are stored.

An op on such elements is converted on what `quantized` or `narrow` makes of its operands; ops that only move elements,
and ops with regions, whose bodies are converted op by op, take them as they lie.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import LocationAttr, ModuleOp, i64
from xdsl.ir import Attribute, Operation, Region

from ...dialects.errors import CompileError
from ...dialects.nd.types import ANY, STORAGE, is_tensor
from ...dialects.quant.dialect import UniformType

if TYPE_CHECKING:
    from .table import Converter

_MOVES = (
    "all_gather all_to_all bitcast_convert broadcast broadcast_in_dim collective_broadcast collective_permute "
    "concatenate constant custom_call dynamic_broadcast_in_dim dynamic_gather dynamic_pad dynamic_reshape "
    "dynamic_slice dynamic_update_slice gather get_dimension_size get_tuple_element optimization_barrier pad "
    "real_dynamic_slice reshape reverse select set_dimension_size slice torch_index_select transpose tuple "
    "uniform_dequantize uniform_quantize"
)
MOVES = frozenset(f"stablehlo.{name}" for name in _MOVES.split())


def element_type(dtype: Attribute, location: LocationAttr) -> Attribute:
    """The type in nd of elements of a type that is not one of nd's; CompileError where there is none."""
    if dtype in ANY:
        return dtype
    if dtype.name == "index":
        return i64
    if isinstance(dtype, UniformType):
        return element_type(dtype.data.storage, location)
    raise CompileError(f"expected elements of a type that nd has, found {dtype}", location)


def any_stored(module: ModuleOp) -> bool:
    """Has any value of a module elements that are quantised or only stored?"""
    seen: set[int] = set()  # types are interned and kept by the module
    for t in types_of(module.body):
        if id(t) not in seen:
            seen.add(id(t))
            if is_tensor(t) and (isinstance(t.element_type, UniformType) or t.element_type in STORAGE):
                return True
    return False


def types_of(region: Region) -> Iterator[Attribute]:
    work = list(region.blocks)
    while work:
        block = work.pop()
        yield from block.arg_types
        for op in block.ops:
            for r in op.results:
                yield r.type
            for inner in op.regions:
                work += inner.blocks


def computing(op: Operation, convert: Converter) -> Converter:
    """The converter of an op for the element types that it has."""
    if op.regions or op.name in MOVES or not op.name.startswith(("stablehlo.", "chlo.")):
        return convert
    types = [t.element_type for v in (*op.operands, *op.results) if is_tensor(t := v.type)]
    if any(isinstance(t, UniformType) for t in types):
        from .quantized import on_reals

        return on_reals(convert)
    if any(t in STORAGE for t in types):
        from .narrow import widened

        return widened(convert)
    return convert

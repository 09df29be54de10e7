"""The converters: op name -> function, in modules that load when one of their ops is met.

A converter takes the op, its operands as arrays, and the conversion (for regions, attributes' errors and known sizes),
builds nd ops at the current place and returns one array or several:

    @converter("stablehlo.transpose")
    def transpose(op: Operation, operands: list[Array], c: Conversion) -> Array: ...
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from xdsl.ir import Operation

from ...dialects.errors import CompileError
from ...dialects.nd.array import Array

if TYPE_CHECKING:
    from .conversion import Conversion

Value = Any
"""An array; of a tuple type a Python tuple of values; of a token None."""

Converter = Callable[[Operation, list[Array], "Conversion"], "Value | Sequence[Value]"]
F = TypeVar("F", bound=Converter)

FAMILIES: dict[str, str] = {
    "contractions": "stablehlo.convolution stablehlo.dot stablehlo.dot_general",
    "elementwise": "stablehlo.add stablehlo.exponential stablehlo.tanh",
    "gathers": "stablehlo.gather",
    "reductions": "stablehlo.map stablehlo.reduce",
    "scatters": "stablehlo.scatter",
    "sorts": "chlo.top_k stablehlo.sort",
    "windows": "stablehlo.reduce_window stablehlo.select_and_scatter",
}
"""Module of this package -> the ops that it converts."""

REFUSED: dict[str, str] = {}
"""Op -> why it is refused: `found NAME, which REASON`."""

CONVERTERS: dict[str, Converter] = {}
"""What has been loaded."""

_MODULES = {name: module for module, names in FAMILIES.items() for name in names.split()}


def converter(*names: str) -> Callable[[F], F]:
    """Register the converter of these ops."""

    def register(fn: F) -> F:
        CONVERTERS.update(dict.fromkeys(names, fn))
        return fn

    return register


def lookup(op: Operation) -> Converter:
    """The converter of an op, loaded now; CompileError for one that has none."""
    name = op.name
    if name in _MODULES:
        import_module(f".{_MODULES[name]}", __package__)
        return CONVERTERS[name]
    reason = REFUSED.get(name, "has no conversion to nd")
    raise CompileError(f"expected an op that can be compiled, found {name}, which {reason}", op.location)

"""What every op has to satisfy: numbers of operands, results and regions, kinds of properties, and the op's own rules.

The rules follow the constraints of the StableHLO specification, one function for ops that share them, registered by

    @rule("transpose")
    def transpose(op: Operation) -> None: ...      # raises VerifyException

in the modules RULES_OF, which are loaded when the first op is verified. Names without a dialect are StableHLO's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar, cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    StringAttr,
    SymbolRefAttr,
    UnitAttr,
    i1,
)
from xdsl.ir import Attribute, Operation

from .constraints import fail
from .dimension_numbers import (
    ConvDimensionNumbers,
    DotDimensionNumbers,
    GatherDimensionNumbers,
    ScatterDimensionNumbers,
)
from .records import ChannelHandle, ResultAccuracy
from .words import ComparisonDirection, ComparisonType, FftType, Precision, RngAlgorithm, RngDistribution, Transpose

Rule = Callable[[Operation], None]
F = TypeVar("F", bound=Rule)
RULES: dict[str, Rule] = {}
MANY = -1


def rule(names: str, *more: str) -> Callable[[F], F]:
    """Register the rule of these ops: names with blanks between."""

    def register(fn: F) -> F:
        for name in " ".join((names, *more)).split():
            RULES[name if "." in name else f"stablehlo.{name}"] = fn
        return fn

    return register


def _array_of(value: Attribute, truth: bool) -> bool:
    return isinstance(value, DenseArrayBase) and (cast(Any, value).elt_type == i1) is truth


def _integer(value: Attribute) -> bool:
    return isinstance(value, IntegerAttr) and isinstance(cast(Any, value).type, IntegerType)


def _precisions(value: Attribute) -> bool:
    return isinstance(value, ArrayAttr) and all(
        isinstance(v, Precision) for v in cast("ArrayAttr[Attribute]", value).data
    )


def _is(kind: type[Attribute]) -> Callable[[Attribute], bool]:
    return lambda value: isinstance(value, kind)


KINDS: Mapping[str, tuple[str, Callable[[Attribute], bool]]] = {
    "accuracy": ("a #stablehlo.result_accuracy", _is(ResultAccuracy)),
    "bool": ("true or false", lambda v: _integer(v) and cast(Any, v).type == i1),
    "channel": ("a #stablehlo.channel_handle", _is(ChannelHandle)),
    "comparison_direction": ("a #stablehlo<comparison_direction ...>", _is(ComparisonDirection)),
    "comparison_type": ("a #stablehlo<comparison_type ...>", _is(ComparisonType)),
    "conv": ("a #stablehlo.conv", _is(ConvDimensionNumbers)),
    "dims": ("integers, array<i64: ...>", lambda v: _array_of(v, False)),
    "dot": ("a #stablehlo.dot", _is(DotDimensionNumbers)),
    "fft_type": ("a #stablehlo<fft_type ...>", _is(FftType)),
    "flags": ("truth values, array<i1: ...>", lambda v: _array_of(v, True)),
    "float": ("a float", _is(FloatAttr)),
    "gather": ("a #stablehlo.gather", _is(GatherDimensionNumbers)),
    "int": ("an integer", _integer),
    "precisions": ("a list of #stablehlo<precision ...>", _precisions),
    "rng_algorithm": ("a #stablehlo<rng_algorithm ...>", _is(RngAlgorithm)),
    "rng_distribution": ("a #stablehlo<rng_distribution ...>", _is(RngDistribution)),
    "scatter": ("a #stablehlo.scatter", _is(ScatterDimensionNumbers)),
    "str": ("a string", _is(StringAttr)),
    "symbol": ("a symbol such as @f", _is(SymbolRefAttr)),
    "transpose": ("a #stablehlo<transpose ...>", _is(Transpose)),
    "unit": ("a unit attribute", _is(UnitAttr)),
}
"""Kinds of properties: what messages call them, and the test; `any` is not tested."""


@cache
def _rules() -> Mapping[str, Rule]:
    from . import verify_effects, verify_elementwise, verify_indexing, verify_regions, verify_structure

    assert verify_effects and verify_elementwise and verify_indexing and verify_regions and verify_structure
    return RULES


def verify_op(op: Any) -> None:
    """Raise VerifyException for the first violation."""
    _count("operands", len(op.operands), op.OPERANDS)
    _count("results", len(op.results), op.RESULTS)
    _count("regions", len(op.regions), op.REGIONS)
    if op.PROPERTIES:
        _properties(op.PROPERTIES, op.properties)
    if (own := _rules().get(op.name)) is not None:
        own(op)


def _count(what: str, found: int, allowed: tuple[int, int]) -> None:
    least, most = allowed
    if found < least or (most != MANY and found > most):
        numbers = str(least) if least == most else f"at least {least}" if most == MANY else f"{least} to {most}"
        fail(f"{numbers} {what if numbers != '1' else what[:-1]}", found)


def _properties(kinds: Mapping[str, str], found: Mapping[str, Attribute]) -> None:
    for name, kind in kinds.items():
        value = found.get(name)
        if value is None:
            if not kind.endswith("?"):
                fail(f"the attribute {name}", "none")
        elif (test := KINDS.get(kind.rstrip("?"))) is not None and not test[1](value):
            fail(f"{name} to be {test[0]}", value)

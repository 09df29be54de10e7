"""A program that checks itself -> one that computes: nothing that it is checked by is left inside.

    func.func @main() {                                         func.func @main(%0: tensor<2xf32>) -> tensor<2xf32> {
      %0 = call @inputs() : () -> tensor<2xf32>                   %1 = stablehlo.sine %0 : tensor<2xf32>
      %1 = call @expected() : () -> tensor<2xf32>                 return %1 : tensor<2xf32>
      %2 = stablehlo.sine %0 : tensor<2xf32>              =>    }
      stablehlo.custom_call @check.expect_eq(%2, %1)
      return                                                    arguments: [the array of @inputs]
    }                                                           checks: [eq, the array of @expected]

Where a function has no inputs, its own constants become arguments. Results that view an argument are written by a
kernel, so that a program always computes something unless its results are constants.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import FloatAttr, IntegerAttr, ModuleOp, StringAttr, UnitAttr
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Attribute, BlockArgument, Operation, OpResult, SSAValue

from ...dialects.errors import CompileError
from ...dialects.graph.ops import WRITTEN
from ...runtime import expectations
from .dense import array_of

Array = np.ndarray[Any, Any]

CONSTANTS = ("stablehlo.constant", "mhlo.constant", "arith.constant")
OF_TYPES = ("stablehlo.get_dimension_size",)
"""Ops whose result is known from the types of their operands."""


@dataclass
class Check:
    """What one result has to be."""

    kind: str
    want: Array
    most: int = 3
    least: int = 0
    tolerance: float = 1e-3
    constant: bool = False
    """The result depends on no argument."""

    def differs(self, got: Array) -> str | None:
        """The first difference, or None."""
        for name, a, b in expectations.parts(np.asarray(got), self.want):
            match self.kind:
                case "expect_close":
                    found = expectations.expect_close(a, b, self.most, self.least)
                case "expect_almost_eq":
                    found = expectations.expect_almost_eq(a, b, self.tolerance)
                case _:
                    found = expectations.expect_eq(a, b)
            if found is not None:
                return name + found
        return None


@dataclass
class Checked:
    """A function with its arguments taken out, and the checks of its results in order."""

    module: ModuleOp
    entry: str
    arguments: list[Array] = field(default_factory=list[Array])
    checks: list[Check] = field(default_factory=list[Check])
    given: bool = False
    """The arguments are constants of the function itself."""


def functions(module: ModuleOp) -> list[str]:
    """The names of the functions that check something."""
    found = [op for op in module.ops if isinstance(op, FuncOp) and not op.is_declaration]
    return [f.sym_name.data for f in found if any(check_of(op) for op in f.body.block.ops)]


def check_of(op: Operation) -> str | None:
    """`expect_eq` of `check.expect_eq` as an op or as the target of a custom call; None for any other op."""
    target = op.properties.get("call_target_name", op.attributes.get("call_target_name"))
    name = target.data if isinstance(target, StringAttr) and op.name.endswith(".custom_call") else op.name
    return name.removeprefix("check.") if name.startswith("check.") else None


def take_apart(module: ModuleOp, entry: str, constants: bool) -> Checked:
    """Change the module in place; `constants`: those of the function become arguments where it has no inputs."""
    main = next(op for op in module.ops if isinstance(op, FuncOp) and op.sym_name.data == entry)
    out = Checked(module, entry)
    results: list[SSAValue] = []
    for op in list(main.body.block.ops):
        if (kind := check_of(op)) is not None:
            got, check = _check(op, kind, module)
            results.append(got)
            out.checks.append(check)
            for value in op.results:
                if value.uses:
                    raise CompileError(f"expected a check whose result is not used, found {op.name}", op.location)
            _remove(op)
    _results(main, results)
    _inputs(main, module, out)
    if not out.arguments and constants:
        _constants(main, out)
        out.given = bool(out.arguments)
    for got, check in zip(results, out.checks, strict=True):
        check.constant = not _depends(got) or not check.want.size
    for name in ("arg_attrs", "res_attrs"):
        main.properties.pop(name, None)
    main.attributes[WRITTEN] = UnitAttr()
    with warnings.catch_warnings():
        main.update_function_type()
    return out


def _check(op: Operation, kind: str, module: ModuleOp) -> tuple[SSAValue, Check]:
    """The value that is checked, and what it has to be; either operand may be the expected one."""
    operands = list(op.operands)
    settings = {**op.attributes, **op.properties}
    dialect = op.name.startswith("check.")
    if kind.endswith("_const"):
        (got,) = operands
        want = array_of(settings.get("value"), op.location)
    else:
        if len(operands) != 2:
            raise CompileError(f"check.{kind}: expected two operands, found {len(operands)}", op.location)
        known = [_constant(v, module) for v in operands]
        k = 1 if known[1] is not None else 0
        want, got = known[k], operands[1 - k]
        if want is None:
            raise CompileError(f"check.{kind}: expected a constant operand to compare with, found none", op.location)
    check = Check(kind.removesuffix("_const"), want)
    match check.kind:
        case "expect_eq":
            pass
        case "eq":  # of floats: almost equal
            check.kind = "expect_almost_eq" if want.dtype.kind not in "biu" else "expect_eq"
            check.tolerance = 1e-4
        case "expect_close":
            check.most = _number(settings.get("max_ulp_difference"), 1 if dialect else 3)
            check.least = _number(settings.get("min_ulp_difference"), 0)
        case "expect_almost_eq":
            check.tolerance = _number(settings.get("tolerance"), 1e-4 if dialect else 1e-3)
        case _:
            raise CompileError(f"unknown check check.{kind}", op.location)
    return got, check


def _number(given: Attribute | None, default: Any) -> Any:
    return given.value.data if isinstance(given, IntegerAttr | FloatAttr) else default


def _constant(value: SSAValue, module: ModuleOp) -> Array | None:
    """The array of a constant, or of a call of a function without arguments that returns constants; else None."""
    op = value.owner
    if not isinstance(op, Operation):
        return None
    if op.name in CONSTANTS:
        return array_of(op.properties.get("value"), op.location)
    if isinstance(op, CallOp) and not op.operands:
        returned = _returned(op, module)
        inner = returned[[*op.results].index(cast(OpResult, value))]
        return _constant(inner, module)
    return None


def _returned(call: CallOp, module: ModuleOp) -> tuple[SSAValue, ...]:
    name = call.callee.string_value()
    for op in module.ops:
        if isinstance(op, FuncOp) and op.sym_name.data == name and not op.is_declaration:
            last = op.body.block.last_op
            assert isinstance(last, ReturnOp)
            return tuple(last.operands)
    raise CompileError(f"no function @{name}", call.location)


def _inputs(main: FuncOp, module: ModuleOp, out: Checked) -> None:
    """The results of calls that give constants become arguments."""
    for op in list(main.body.block.ops):
        if isinstance(op, CallOp) and not op.operands and op.callee.string_value() != "expected":
            arrays = [_constant(v, module) for v in op.results]
            if any(a is None for a in arrays):
                continue
            for value, array in zip(op.results, arrays, strict=True):
                assert array is not None
                _argument(main, value, array, out)
            _remove(op)
        elif isinstance(op, CallOp) and not any(v.uses for v in op.results):
            _remove(op)


def _constants(main: FuncOp, out: Checked) -> None:
    for op in list(main.body.block.ops):
        if op.name in CONSTANTS:
            if op.results[0].uses:
                _argument(main, op.results[0], array_of(op.properties.get("value"), op.location), out)
            _remove(op)


def _argument(main: FuncOp, value: SSAValue, array: Array, out: Checked) -> None:
    block = main.body.block
    argument = block.insert_arg(value.type, len(block.args))
    argument.location = value.owner.location if isinstance(value.owner, Operation) else main.location
    argument.name_hint = f"arg{argument.index}"
    value.replace_all_uses_with(argument)
    out.arguments.append(array)


def _results(main: FuncOp, results: list[SSAValue]) -> None:
    last = main.body.block.last_op
    assert last is not None
    new = ReturnOp(*results)
    new.location = last.location
    last.detach()
    last.erase()
    main.body.block.add_op(new)


def _remove(op: Operation) -> None:
    op.detach()
    op.erase()


def _depends(value: SSAValue) -> bool:
    """Does a value's content depend on an argument?"""
    seen: set[SSAValue] = set()
    waiting = [value]
    while waiting:
        v = waiting.pop()
        if v in seen:
            continue
        seen.add(v)
        if isinstance(v, BlockArgument):
            return True
        op = v.owner
        assert isinstance(op, Operation)
        if op.name not in OF_TYPES:
            waiting += [w for inner in op.walk() for w in inner.operands if _outside(w, op)]
    return False


def _outside(value: SSAValue, op: Operation) -> bool:
    """Is a value that is used in an op or its regions defined outside of it?"""
    block = value.owner.parent if isinstance(value.owner, Operation) else value.owner
    while block is not None:
        parent = block.parent_op()
        if parent is op:
            return False
        block = parent.parent if parent is not None else None
    return True

"""Which values of a program still change the order of their dimensions in memory, and why.

    conversion %x in conv: [0, 1, 2, 3] to [0, 2, 3, 1], 1605632 bytes: an argument keeps its order

A conversion is a kernel that only copies, an operand of a contraction that is copied into the order in which it is
multiplied, or a result that is turned in registers before it is stored. An order is that of the dimensions, from the
outermost to the innermost. What is made of constants before the program runs is none.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, BlockArgument, SSAValue

from ..dialects.graph.ops import CONSTANT, RESULTS, LaunchOp
from ..dialects.graph.regions import program_ops
from ..dialects.graph.views import is_view, view_of
from ..dialects.nd.contraction import Contract
from ..dialects.nd.dims import size
from ..dialects.nd.types import NUMPY, element, shape_of
from .report import Names, plain, typical, works
from .transforms.layout.orders import Order, rows
from .transforms.layout.problem import contraction_work, dense

ARGUMENT, RESULT, OTHER = "an argument keeps its order", "a result keeps its order", "any other order costs more"


def add_conversions(facts: dict[str, Any], module: ModuleOp) -> None:
    """Put the conversions of a program at the graph level into its report."""
    functions = {f.sym_name.data: f for f in module.body.block.ops if isinstance(f, FuncOp) and f.body.blocks}
    main = next((f for f in functions.values() if RESULTS in f.attributes), None)
    named = Names()
    facts["conversions"] = []
    if main is None:
        return
    for op in program_ops(main.body.block):
        if isinstance(op, LaunchOp) and op.kernel in functions:
            facts["conversions"] += of_launch(op, functions[op.kernel], named)


def of_launch(launch: LaunchOp, kernel: FuncOp, named: Names) -> Iterator[dict[str, Any]]:
    body = kernel.body.block
    last = body.last_op
    assert last is not None
    for op in body.ops:
        if isinstance(op, Contract) and dense(op.dims):
            yield from of_contraction(op, launch, kernel, named)
    if not any(works(op) for op in body.ops) and launch.args:
        orders = order_of(launch.args[0]), rows(len(shape_of(launch.args[0].type)))
        if orders[0] != orders[1]:
            yield conversion(launch, launch.args[0], *orders, named, reason(launch.args[0], launch))


def of_contraction(op: Contract, launch: LaunchOp, kernel: FuncOp, named: Names) -> Iterator[dict[str, Any]]:
    sources = [view_of(v).base for v in op.operands]
    constants = [is_constant(v, kernel) for v in sources]
    orders = [order_of(v) for v in op.operands]
    found = contraction_work(op, orders, rows(len(shape_of(op.type))), constants)
    for v, source, order, dims, copied in zip(op.operands, sources, orders, op.dims.operands, found.copied):
        value = launch.args[source.index] if isinstance(source, BlockArgument) else None
        if copied and value is not None:
            at = next(k for k, i in enumerate(dims) if found.lanes in dict(i.terms))
            yield conversion(launch, v, order, moved_last(order, at), named, reason(value, launch), value)
    if found.turned:
        order = rows(len(shape_of(op.type)))
        at = next(k for k, i in enumerate(op.dims.result) if i.name == found.lanes)
        why = RESULT if any(returned(r) for r in launch.results) else OTHER
        yield conversion(launch, op.results[0], moved_last(order, at), order, named, why, launch.results[0])


def conversion(
    launch: LaunchOp, value: SSAValue, first: Order, second: Order, named: Names, why: str, name: SSAValue | None = None
) -> dict[str, Any]:
    """`value` has the dimensions, `name` the name in the program."""
    return {
        "kernel": launch.kernel,
        "value": named(view_of(name or value).base),
        "from": list(first),
        "to": list(second),
        "bytes": plain(size(shape_of(value.type)) * NUMPY[element(value.type)].itemsize),
        "why": why,
    }


def is_constant(value: SSAValue, kernel: FuncOp) -> bool:
    """Is an argument of a kernel a constant of the program?"""
    if not isinstance(value, BlockArgument) or kernel.arg_attrs is None:
        return False
    return CONSTANT in kernel.arg_attrs.data[value.index].data


def order_of(value: SSAValue) -> Order:
    """The dimensions from the largest stride to the smallest; those of one element stay where they are."""
    strides = [abs(typical(s)) for s in view_of(value).strides]
    wide = [k for k, d in enumerate(shape_of(value.type)) if d != 1]
    by_stride = iter(sorted(wide, key=lambda k: -strides[k]))
    return tuple(next(by_stride) if k in wide else k for k in range(len(strides)))


def moved_last(order: Order, dimension: int) -> Order:
    return (*(k for k in order if k != dimension), dimension)


def reason(value: SSAValue, launch: LaunchOp) -> str:
    """Why a value that a kernel converts has the order that it has."""
    if isinstance(view_of(value).base.owner, Block):
        return ARGUMENT
    return RESULT if any(returned(v) for v in (value, *launch.results)) else OTHER


def returned(value: SSAValue) -> bool:
    """Does the program return the value, or a view of it?"""
    for op in [u.operation for u in value.uses]:
        if isinstance(op, ReturnOp) or (is_view(op) and returned(op.results[0])):
            return True
    return False

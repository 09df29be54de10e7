"""Rules of ops with regions: how many arguments a region takes, of what types, and what it returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import TensorType, i1, i32
from xdsl.ir import Attribute, Operation, Region

from .access import ints, number
from .constraints import (
    agree,
    element_of,
    fail,
    kind_of,
    need,
    need_dimension,
    need_dimensions,
    need_element,
    need_kind,
    need_least,
    need_length,
    need_scalar,
    need_shape,
    need_types,
    operand_types,
    rank_of,
    result_types,
    shape_of,
    types_text,
)
from .verify import rule
from .verify_indexing import windowed

TRUTH: Attribute = TensorType(i1, ())


def scalar_of(kind: Attribute) -> Attribute:
    return TensorType(element_of(kind), ())


def need_region(what: str, region: Region, arguments: Sequence[Attribute], results: Sequence[Attribute]) -> None:
    """One block with these arguments that ends in a return of these types."""
    need(len(region.blocks) == 1, f"{what} of one block", len(region.blocks))
    block = region.blocks[0]
    need_types(f"arguments of {what}", [a.type for a in block.args], arguments)
    need_types(f"results of {what}", returned(block.last_op), results)


def returned(end: Operation | None) -> list[Attribute]:
    return [] if end is None else [o.type for o in end.operands]


def need_combiner(what: str, region: Region, count: int, kinds: Sequence[Attribute]) -> None:
    """A region on `count` pairs of elements; their types may be wider than those of the operands."""
    need(len(region.blocks) == 1, f"{what} of one block", len(region.blocks))
    arguments = [a.type for a in region.blocks[0].args]
    if len(arguments) != 2 * count:
        fail(f"{what} with {2 * count} arguments", types_text(arguments))
    for index, argument in enumerate(arguments):
        need_scalar(f"argument {index} of {what}", argument)
        found, wanted = kind_of(element_of(argument)), kind_of(element_of(kinds[index % count]))
        if found != wanted and "quantized" not in (found, wanted):
            fail(f"argument {index} of {what} with elements as in {kinds[index % count]}", argument)
    results = returned(region.blocks[0].last_op)
    need_types(f"results of {what}", results, arguments[:count])


def halves(op: Operation) -> tuple[list[Attribute], list[Attribute]]:
    """Inputs and initial values."""
    kinds = operand_types(op)
    need(len(kinds) % 2 == 0 and kinds, "as many initial values as inputs", f"{len(kinds)} operands")
    count = len(kinds) // 2
    for index, (kind, init) in enumerate(zip(kinds[:count], kinds[count:], strict=True)):
        need_shape(f"input {index}", kind, shape_of(kinds[0]))
        need_scalar(f"initial value {index}", init)
        need_element(f"initial value {index}", init, element_of(kind))
    need(len(op.results) == count, f"{count} results", len(op.results))
    return kinds[:count], kinds[count:]


@rule("reduce")
def reduce(op: Operation) -> None:
    inputs, _ = halves(op)
    need_combiner("the region", op.regions[0], len(inputs), inputs)
    if (shape := shape_of(inputs[0])) is None:
        return
    dims = ints(op, "dimensions")
    need_dimensions("dimensions", dims, len(shape))
    for index, result in enumerate(op.results):
        need_shape(f"result {index}", result.type, [n for d, n in enumerate(shape) if d not in dims])
    need_body_results(op)


def need_body_results(op: Operation) -> None:
    """Results have the elements that the region gives."""
    for index, (result, kind) in enumerate(zip(op.results, returned(op.regions[0].blocks[0].last_op), strict=True)):
        need_element(f"result {index}", result.type, element_of(kind))


@rule("reduce_window")
def reduce_window(op: Operation) -> None:
    inputs, _ = halves(op)
    need_combiner("the region", op.regions[0], len(inputs), inputs)
    if (shape := shape_of(inputs[0])) is None:
        return
    window = ints(op, "window_dimensions")
    need_length("window_dimensions", window, len(shape))
    need_least("window_dimensions", window, 1)
    sizes = windowed(shape, window, op, "base_dilations", "window_dilations")
    for index, result in enumerate(op.results):
        need_shape(f"result {index}", result.type, sizes)
    need_body_results(op)


@rule("select_and_scatter")
def select_and_scatter(op: Operation) -> None:
    operand, source, init = operand_types(op)
    need_element("operand 1", source, element_of(operand))
    need_scalar("operand 2", init)
    need_element("operand 2", init, element_of(operand))
    need_shape("a result", op.results[0].type, shape_of(operand))
    scalar = scalar_of(operand)
    need_region("the first region", op.regions[0], [scalar, scalar], [TRUTH])
    need_combiner("the second region", op.regions[1], 1, [operand])
    if (shape := shape_of(operand)) is None:
        return
    window = ints(op, "window_dimensions", (1,) * len(shape))
    need_length("window_dimensions", window, len(shape))
    need_least("window_dimensions", window, 1)
    need_shape("operand 1", source, windowed(shape, window, op, "", ""))


@rule("map")
def map_(op: Operation) -> None:
    kinds, result = operand_types(op), op.results[0].type
    for index, kind in enumerate(kinds):
        need_shape(f"operand {index}", kind, shape_of(kinds[0]))
    need_shape("a result", result, shape_of(kinds[0]))
    rank = rank_of(kinds[0], -1)
    if rank >= 0:
        need(
            ints(op, "dimensions") == tuple(range(rank)),
            f"dimensions to be {list(range(rank))}",
            list(ints(op, "dimensions")),
        )
    need_region("the region", op.regions[0], [scalar_of(k) for k in kinds], [scalar_of(result)])


@rule("sort")
def sort(op: Operation) -> None:
    kinds, shape = operand_types(op), shape_of(op.operands[0].type)
    need(len(op.results) == len(kinds), f"{len(kinds)} results", len(op.results))
    for index, kind in enumerate(kinds):
        need_shape(f"operand {index}", kind, shape)
    need_types("results", result_types(op), kinds)
    if shape is not None:
        dim = number(op, "dimension", -1)
        need(-len(shape) <= dim < len(shape), f"dimension to be a dimension of {len(shape)}", dim)
    need_region("the region", op.regions[0], [scalar_of(k) for k in kinds for _ in range(2)], [TRUTH])


@rule("while")
def while_(op: Operation) -> None:
    kinds = operand_types(op)
    need_types("results", result_types(op), kinds)
    need_region("the condition", op.regions[0], kinds, [TRUTH])
    need_region("the body", op.regions[1], kinds, kinds)


@rule("if case")
def branches(op: Operation) -> None:
    chosen = op.operands[0].type
    need_scalar("operand 0", chosen)
    need_element("operand 0", chosen, i1 if op.name.endswith("if") else i32)
    for index, region in enumerate(op.regions):
        need_region(f"region {index}", region, [], result_types(op))


@rule("scan chlo.scan")
def scan(op: Operation) -> None:
    for kind in operand_types(op):
        element_of(kind)


@rule("chlo.top_k")
def top_k(op: Operation) -> None:
    operand, count = op.operands[0].type, number(op, "k")
    need_kind("an operand", operand, ("bool", "int", "uint", "float"))
    need(count >= 0, "k to be at least 0", count)
    need_element("result 0", op.results[0].type, element_of(operand))
    need_element("result 1", op.results[1].type, i32)
    if (shape := shape_of(operand)) is None:
        return
    need(len(shape) >= 1, "an operand of at least one dimension", operand)
    need(shape[-1] < 0 or count <= shape[-1], f"k up to the size {shape[-1]} of the last dimension", count)
    for index in (0, 1):
        need_shape(f"result {index}", op.results[index].type, (*shape[:-1], count))


@rule("all_gather all_to_all")
def gathered(op: Operation) -> None:
    for operand, result in zip(operand_types(op), result_types(op), strict=True):
        shape, after = shape_of(operand), shape_of(result)
        need_element("a result", result, element_of(operand))
        if shape is None or after is None:
            continue
        need(len(shape) == len(after), f"a result of rank {len(shape)}", result)
        names = ("all_gather_dim",) if op.name.endswith("gather") else ("split_dimension", "concat_dimension")
        dims = [number(op, name) for name in names]
        for name, dim in zip(names, dims, strict=True):
            need_dimension(name, dim, len(shape))
        good = all(agree(a, b) for d, (a, b) in enumerate(zip(shape, after, strict=True)) if d not in dims)
        need(good, f"a result of the shape of {operand} but for dimensions {dims}", result)


@rule("all_reduce reduce_scatter")
def all_reduce(op: Operation) -> None:
    kinds = operand_types(op)
    need(len(op.results) == len(kinds), f"{len(kinds)} results", len(op.results))
    need_combiner("the region", op.regions[0], 1, kinds)
    if op.name.endswith("all_reduce"):
        for index, result in enumerate(op.results):
            need_shape(f"result {index}", result.type, shape_of(kinds[index]))
    else:
        need_dimension("scatter_dimension", number(op, "scatter_dimension"), rank_of(kinds[0], 1 << 30))


@rule("composite")
def composite(op: Operation) -> None:
    name: Any = op.properties["name"]
    head, dot, tail = cast(str, name.data).partition(".")
    need(head and dot and tail, "a name such as dialect.op", repr(name.data))

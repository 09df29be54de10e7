"""Rules of ops that create and move elements at places that the program's text fixes, and of linear algebra."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xdsl.dialects.builtin import DYNAMIC_INDEX, IntegerType, TupleType
from xdsl.ir import Attribute, Operation

from .access import flag, ints, number, word
from .constraints import (
    agree,
    element_of,
    fail,
    known,
    need,
    need_alike,
    need_dimension,
    need_dimensions,
    need_element,
    need_kind,
    need_least,
    need_length,
    need_rank,
    need_scalar,
    need_shape,
    operand_types,
    rank_of,
    result_types,
    shape_of,
    shape_text,
    types_text,
)
from .verify import rule

INDICES = ("int", "uint", "index")
UNKNOWN = DYNAMIC_INDEX


@rule("iota dynamic_iota")
def iota(op: Operation) -> None:
    result = op.results[0].type
    need_kind("a result", result, ("int", "uint", "float", "complex"))
    need_dimension("iota_dimension", number(op, "iota_dimension"), rank_of(result, 1 << 30))
    if op.operands:
        need_list("operand 0", op.operands[0].type, rank_of(result, -1))


def need_list(what: str, kind: Attribute, count: int) -> None:
    """A tensor of one dimension with `count` integers; any number for a negative one."""
    need_kind(what, kind, INDICES)
    need_rank(what, kind, 1)
    if count >= 0:
        need_shape(what, kind, (count,))


@rule("broadcast_in_dim dynamic_broadcast_in_dim")
def broadcast_in_dim(op: Operation) -> None:
    operand, result = op.operands[0].type, op.results[0].type
    need_element("a result", result, element_of(operand))
    before, after, dims = shape_of(operand), shape_of(result), ints(op, "broadcast_dimensions")
    if before is None or after is None:
        return
    need_length("broadcast_dimensions", dims, len(before))
    need_dimensions("broadcast_dimensions", dims, len(after))
    for size, place in zip(before, dims, strict=True):
        if size != 1 and not agree(size, after[place]):
            fail(f"an operand that broadcasts to {result}", operand)
    if len(op.operands) > 1:
        need_list("operand 1", op.operands[1].type, len(after))


@rule("broadcast")
def broadcast(op: Operation) -> None:
    operand, result, sizes = op.operands[0].type, op.results[0].type, ints(op, "broadcast_sizes")
    need_element("a result", result, element_of(operand))
    need_least("broadcast_sizes", sizes, 0)
    if (shape := shape_of(operand)) is not None:
        need_shape("a result", result, (*sizes, *shape))


@rule("transpose")
def transpose(op: Operation) -> None:
    operand, result, dims = op.operands[0].type, op.results[0].type, ints(op, "permutation")
    need_element("a result", result, element_of(operand))
    if (shape := shape_of(operand)) is not None:
        need_length("permutation", dims, len(shape))
        need_dimensions("permutation", dims, len(shape))
        need_shape("a result", result, [shape[d] for d in dims])


@rule("reverse")
def reverse(op: Operation) -> None:
    need_alike("a result", op.results[0].type, op.operands[0].type)
    if (shape := shape_of(op.operands[0].type)) is not None:
        need_dimensions("dimensions", ints(op, "dimensions"), len(shape))


@rule("reshape dynamic_reshape")
def reshape(op: Operation) -> None:
    operand, result = op.operands[0].type, op.results[0].type
    need_element("a result", result, element_of(operand))
    before, after = shape_of(operand), shape_of(result)
    if len(op.operands) > 1:
        need_list("operand 1", op.operands[1].type, -1 if after is None else len(after))
    if before is None or after is None or not all(map(known, (*before, *after))):
        return
    need(math.prod(before) == math.prod(after), f"a result of {math.prod(before)} elements", result)


@rule("concatenate")
def concatenate(op: Operation) -> None:
    kinds, result, dim = operand_types(op), op.results[0].type, number(op, "dimension")
    shapes = [s for s in map(shape_of, kinds) if s is not None]
    for index, kind in enumerate(kinds):
        need_element(f"operand {index}", kind, element_of(result))
    if len(shapes) < len(kinds):
        return
    rank = len(shapes[0])
    need_dimension("dimension", dim, rank)
    for index, kind in enumerate(kinds):
        need_rank(f"operand {index}", kind, rank)
        need_shape(f"operand {index}", kind, [UNKNOWN if d == dim else n for d, n in enumerate(shapes[0])])
    sizes = [s[dim] for s in shapes]
    total = sum(sizes) if all(map(known, sizes)) else UNKNOWN
    need_shape("a result", result, [total if d == dim else n for d, n in enumerate(shapes[0])])


@rule("pad")
def pad(op: Operation) -> None:
    operand, value, result = op.operands[0].type, op.operands[1].type, op.results[0].type
    need_scalar("operand 1", value)
    need_element("operand 1", value, element_of(operand))
    need_element("a result", result, element_of(operand))
    if (shape := shape_of(operand)) is None:
        return
    names = ("edge_padding_low", "edge_padding_high", "interior_padding")
    lists = [ints(op, n) for n in names]
    for name, values in zip(names, lists, strict=True):
        need_length(name, values, len(shape))
    need_least("interior_padding", lists[2], 0)
    sizes = [
        n + low + high + max(n - 1, 0) * inner if known(n) else n
        for n, low, high, inner in zip(shape, *lists, strict=True)
    ]
    need(all(n >= 0 or not known(n) for n in sizes), "paddings that leave sizes of at least 0", shape_text(sizes))
    need_shape("a result", result, sizes)


@rule("dynamic_pad")
def dynamic_pad(op: Operation) -> None:
    kinds, rank = operand_types(op), rank_of(op.operands[0].type, -1)
    need_scalar("operand 1", kinds[1])
    need_element("operand 1", kinds[1], element_of(kinds[0]))
    need_element("a result", op.results[0].type, element_of(kinds[0]))
    for index in (2, 3, 4):
        need_list(f"operand {index}", kinds[index], rank)
    if rank >= 0:
        need_rank("a result", op.results[0].type, rank)


@rule("slice")
def slice_(op: Operation) -> None:
    operand, result = op.operands[0].type, op.results[0].type
    need_element("a result", result, element_of(operand))
    if (shape := shape_of(operand)) is None:
        return
    starts, limits, strides = (ints(op, n) for n in ("start_indices", "limit_indices", "strides"))
    for name, values in (("start_indices", starts), ("limit_indices", limits), ("strides", strides)):
        need_length(name, values, len(shape))
    need_least("start_indices", starts, 0)
    need_least("strides", strides, 1)
    for dim, (start, limit, size) in enumerate(zip(starts, limits, shape, strict=True)):
        need(start <= limit, f"start_indices up to the limit {limit} of dimension {dim}", start)
        need(not known(size) or limit <= size, f"limit_indices up to the size {size} of dimension {dim}", limit)
    need_shape("a result", result, [-((a - b) // s) for a, b, s in zip(starts, limits, strides, strict=True)])


@rule("real_dynamic_slice")
def real_dynamic_slice(op: Operation) -> None:
    kinds, rank = operand_types(op), rank_of(op.operands[0].type, -1)
    need_element("a result", op.results[0].type, element_of(kinds[0]))
    for index in (1, 2, 3):
        need_list(f"operand {index}", kinds[index], rank)
    if rank >= 0:
        need_rank("a result", op.results[0].type, rank)


@rule("get_dimension_size set_dimension_size")
def dimension_size(op: Operation) -> None:
    need_dimension("dimension", number(op, "dimension"), rank_of(op.operands[0].type, 1 << 30))
    scalar = op.results[0].type if len(op.operands) == 1 else op.operands[1].type
    need_scalar("a size", scalar)
    need_element("a size", scalar, IntegerType(32))
    if len(op.operands) > 1:
        need_element("a result", op.results[0].type, element_of(op.operands[0].type))


# Linear algebra, transforms, random numbers


@rule("fft")
def fft(op: Operation) -> None:
    operand, result, kind, length = (
        op.operands[0].type,
        op.results[0].type,
        word(op, "fft_type"),
        ints(op, "fft_length"),
    )
    need(1 <= len(length) <= 3, "fft_length to have 1 to 3 numbers", len(length))
    need_least("fft_length", length, 0)
    need_kind("an operand", operand, ("float",) if kind == "RFFT" else ("complex",))
    need_kind("a result", result, ("float",) if kind == "IRFFT" else ("complex",))
    if (shape := shape_of(operand)) is None:
        return
    rank = len(length)
    need(len(shape) >= rank, f"an operand of at least {rank} dimensions", operand)
    ends: Sequence[int] = length
    half = (*length[:-1], length[-1] // 2 + 1 if length[-1] else 0)
    if kind == "IRFFT":
        ends = half
    if 0 not in shape[-rank:]:
        need_shape("an operand", operand, (*shape[:-rank], *ends))
        need_shape("a result", result, (*shape[:-rank], *(half if kind == "RFFT" else length)))


@rule("cholesky")
def cholesky(op: Operation) -> None:
    operand = op.operands[0].type
    need_kind("an operand", operand, ("float", "complex"))
    need_alike("a result", op.results[0].type, operand)
    square("an operand", operand)


def square(what: str, kind: Attribute) -> None:
    shape = shape_of(kind)
    need(shape is None or (len(shape) >= 2 and agree(shape[-1], shape[-2])), f"{what} of square matrices", kind)


@rule("triangular_solve")
def triangular_solve(op: Operation) -> None:
    a, b = operand_types(op)
    need_kind("operand 0", a, ("float", "complex"))
    need_element("operand 1", b, element_of(a))
    need_alike("a result", op.results[0].type, b)
    square("operand 0", a)
    need(word(op, "transpose_a") != "", "transpose_a to be one of NO_TRANSPOSE, TRANSPOSE, ADJOINT", "none")
    left, right = shape_of(a), shape_of(b)
    if left is None or right is None:
        return
    need(len(left) == len(right), f"operand 1 of rank {len(left)}", b)
    side = -2 if flag(op, "left_side") else -1
    expected = [*left[:-2], UNKNOWN, UNKNOWN]
    expected[side] = left[-1]
    need_shape("operand 1", b, expected)


@rule("rng")
def rng(op: Operation) -> None:
    low, high, shape = operand_types(op)
    result = op.results[0].type
    for index, kind in enumerate((low, high)):
        need_scalar(f"operand {index}", kind)
        need_element(f"operand {index}", kind, element_of(result))
    need_list("operand 2", shape, rank_of(result, -1))
    allowed = ("float",) if word(op, "rng_distribution") == "NORMAL" else ("bool", "int", "uint", "float")
    need_kind("a result", result, allowed)


@rule("rng_bit_generator")
def rng_bit_generator(op: Operation) -> None:
    need_alike("result 0", op.results[0].type, op.operands[0].type)
    need_kind("an operand", op.operands[0].type, ("int", "uint"))
    need_kind("result 1", op.results[1].type, ("int", "uint", "float"))


@rule("batch_norm_inference batch_norm_training batch_norm_grad")
def batch_norm(op: Operation) -> None:
    operand = op.operands[0].type
    need_kind("operand 0", operand, ("float",))
    shape, axis = shape_of(operand), number(op, "feature_index")
    need_dimension("feature_index", axis, rank_of(operand, 1 << 30))
    features = (UNKNOWN,) if shape is None else (shape[axis],)
    kinds = operand_types(op)
    if op.name.endswith("grad"):
        need_alike("operand 4", kinds[4], operand)
        kinds = kinds[:4]
    for index, kind in enumerate(kinds[1:], 1):
        need_shape(f"operand {index}", kind, features)
    need_alike("result 0", op.results[0].type, operand)
    for index, kind in enumerate(result_types(op)[1:], 1):
        need_shape(f"result {index}", kind, features)


@rule("tuple")
def tuple_(op: Operation) -> None:
    result = op.results[0].type
    if not isinstance(result, TupleType):
        fail("a tuple type", result)
    need(
        list(result.types) == operand_types(op),
        f"operands of types {types_text(result.types)}",
        types_text(operand_types(op)),
    )


@rule("get_tuple_element")
def get_tuple_element(op: Operation) -> None:
    kind, index = op.operands[0].type, number(op, "index")
    if not isinstance(kind, TupleType):
        fail("an operand of a tuple type", kind)
    count = len(kind.types.data)
    need(0 <= index < count, f"index to be below the {count} elements of the tuple", index)
    need(op.results[0].type == kind.types.data[index], f"a result of type {kind.types.data[index]}", op.results[0].type)

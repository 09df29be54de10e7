"""Rules of contractions, windows' sizes, gathers and scatters' dimension numbers, and slices at computed places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.dialects.builtin import DYNAMIC_INDEX, DenseIntOrFPElementsAttr
from xdsl.ir import Attribute, Operation

from .access import flags, ints, number, pairs
from .constraints import (
    agree,
    element_of,
    elements_agree,
    fail,
    kind_of,
    known,
    need,
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
    shape_of,
    shape_text,
)
from .dimension_numbers import (
    ConvDimensionNumbers,
    DotDimensionNumbers,
    GatherDimensionNumbers,
    ScatterDimensionNumbers,
)
from .verify import rule

Shape = tuple[int, ...]


# Slices at computed places


def need_starts(kinds: Sequence[Attribute], rank: int, first: int) -> None:
    """Integers without dimensions, of one type, one for each dimension."""
    need(len(kinds) == rank, f"{rank} start indices", len(kinds))
    for index, kind in enumerate(kinds, first):
        need_scalar(f"operand {index}", kind)
        need_kind(f"operand {index}", kind, ("int", "uint"))
        need_element(f"operand {index}", kind, element_of(kinds[0]))


@rule("dynamic_slice")
def dynamic_slice(op: Operation) -> None:
    operand, *starts = operand_types(op)
    result, sizes = op.results[0].type, ints(op, "slice_sizes")
    need_element("a result", result, element_of(operand))
    if (shape := shape_of(operand)) is None:
        return
    need_starts(starts, len(shape), 1)
    need_sizes(sizes, shape)
    need_shape("a result", result, sizes)


def need_sizes(sizes: Sequence[int], shape: Shape) -> None:
    need_length("slice_sizes", sizes, len(shape))
    for dim, (size, whole) in enumerate(zip(sizes, shape, strict=True)):
        need(size >= 0, f"slice_sizes of at least 0 in dimension {dim}", size)
        need(not known(whole) or size <= whole, f"slice_sizes up to the size {whole} of dimension {dim}", size)


@rule("dynamic_update_slice")
def dynamic_update_slice(op: Operation) -> None:
    operand, update, *starts = operand_types(op)
    result = op.results[0].type
    need_element("operand 1", update, element_of(operand))
    need_element("a result", result, element_of(operand))
    need_shape("a result", result, shape_of(operand))
    shape, part = shape_of(operand), shape_of(update)
    if shape is None or part is None:
        return
    need_rank("operand 1", update, len(shape))
    for dim, (size, whole) in enumerate(zip(part, shape, strict=True)):
        good = not known(whole) or not known(size) or size <= whole
        need(good, f"an update of at most {whole} in dimension {dim}", size)
    need_starts(starts, len(shape), 2)


# Contractions


@rule("dot_general")
def dot_general(op: Operation) -> None:
    left, right = op.operands[0].type, op.operands[1].type
    numbers: Any = op.properties["dot_dimension_numbers"]
    assert isinstance(numbers, DotDimensionNumbers)
    one, two = shape_of(left), shape_of(right)
    if one is None or two is None:
        return
    batches = numbers.lhs_batching_dimensions, numbers.rhs_batching_dimensions
    sums = numbers.lhs_contracting_dimensions, numbers.rhs_contracting_dimensions
    for what, (a, b) in (("batching", batches), ("contracting", sums)):
        need(len(a) == len(b), f"as many {what} dimensions of each operand", f"{len(a)} and {len(b)}")
    need_dimensions("batching and contracting dimensions of operand 0", batches[0] + sums[0], len(one))
    need_dimensions("batching and contracting dimensions of operand 1", batches[1] + sums[1], len(two))
    for a, b in (*zip(*batches, strict=True), *zip(*sums, strict=True)):
        need(agree(one[a], two[b]), f"equal sizes of dimensions {a} and {b}", f"{one[a]} and {two[b]}")
    free = [n for d, n in enumerate(one) if d not in batches[0] + sums[0]]
    free += [n for d, n in enumerate(two) if d not in batches[1] + sums[1]]
    need_shape("a result", op.results[0].type, [*(one[d] for d in batches[0]), *free])
    if "algorithm" not in op.properties:
        same_kinds(op)


def same_kinds(op: Operation) -> None:
    """Elements of one kind: types may differ in width."""
    kinds = [kind_of(element_of(k)) for k in (*operand_types(op)[:2], op.results[0].type)]
    if "quantized" not in kinds:
        integers = ("int", "uint", "bool")
        if len(set(kinds)) > 1 and not all(k in integers for k in kinds):
            fail("operands and a result of one kind of elements", ", ".join(map(str, operand_types(op)[:2])))


@rule("dot")
def dot(op: Operation) -> None:
    left, right = operand_types(op)
    one, two = shape_of(left), shape_of(right)
    same_kinds(op)
    if one is None or two is None:
        return
    for index, (kind, shape) in enumerate(((left, one), (right, two))):
        need(len(shape) in (1, 2), f"operand {index} of rank 1 or 2", kind)
    need(
        agree(one[-1], two[0]),
        f"equal sizes of the contracted dimensions of {left} and {right}",
        f"{one[-1]}, {two[0]}",
    )
    need_shape("a result", op.results[0].type, one[:-1] + two[1:])


@rule("convolution dynamic_conv")
def convolution(op: Operation) -> None:
    data, kernel, result = op.operands[0].type, op.operands[1].type, op.results[0].type
    numbers: Any = op.properties["dimension_numbers"]
    assert isinstance(numbers, ConvDimensionNumbers)
    same_kinds(op)
    rank = len(numbers.input_spatial_dimensions) + 2
    for what, kind in (("operand 0", data), ("operand 1", kernel), ("a result", result)):
        need_rank(what, kind, rank)
    ends = (numbers.kernel_spatial_dimensions, numbers.output_spatial_dimensions)
    for spatial in ends:
        need_length("spatial dimensions", spatial, rank - 2)
    one, two, out = shape_of(data), shape_of(kernel), shape_of(result)
    groups, batches = number(op, "feature_group_count", 1), number(op, "batch_group_count", 1)
    need_least("feature_group_count and batch_group_count", (groups, batches), 1)
    need(groups == 1 or batches == 1, "feature_group_count or batch_group_count to be 1", f"{groups} and {batches}")
    if one is None or two is None:
        return
    n, f = one[numbers.input_batch_dimension], one[numbers.input_feature_dimension]
    i, o = two[numbers.kernel_input_feature_dimension], two[numbers.kernel_output_feature_dimension]
    divisible("the batch", n, "batch_group_count", batches)
    divisible("the input's features", f, "feature_group_count", groups)
    divisible("the kernel's output features", o, "feature_group_count", groups)
    divisible("the kernel's output features", o, "batch_group_count", batches)
    good = not known(f) or not known(i) or f // groups == i
    need(good, f"a kernel of {f // groups if known(f) else f} input features", i)
    window = [two[d] for d in numbers.kernel_spatial_dimensions]
    sizes = windowed([one[d] for d in numbers.input_spatial_dimensions], window, op, "lhs_dilation", "rhs_dilation")
    need_length("window_reversal", flags(op, "window_reversal", (False,) * len(window)), len(window))
    if op.name.endswith("dynamic_conv") or out is None:
        return
    expected = [DYNAMIC_INDEX] * rank
    expected[numbers.output_batch_dimension] = n // batches if known(n) else n
    expected[numbers.output_feature_dimension] = o
    for d, size in zip(numbers.output_spatial_dimensions, sizes, strict=True):
        expected[d] = size
    need_shape("a result", result, expected)


def divisible(what: str, size: int, by: str, count: int) -> None:
    need(not known(size) or size % count == 0, f"{what} to be a multiple of {by}, {count}", size)


def windowed(sizes: Sequence[int], window: Sequence[int], op: Operation, base: str, dilation: str) -> list[int]:
    """How many places a window has in each dimension, after its lists have been checked."""
    rank = len(sizes)
    ones = (1,) * rank
    strides, bases, dilations = (ints(op, n, ones) for n in ("window_strides", base, dilation))
    for name, values in (("window_strides", strides), (base, bases), (dilation, dilations)):
        need_length(name, values, rank)
        need_least(name, values, 1)
    padding: Any = op.properties.get("padding")
    if padding is not None:
        need(isinstance(padding, DenseIntOrFPElementsAttr), "padding to be dense numbers", padding)
        shape = tuple(padding.get_shape())
        need(shape == (rank, 2), f"padding of shape [{rank}, 2]", shape_text(shape))
    return [
        places(*row) for row in zip(sizes, window, strides, bases, dilations, pairs(op, "padding", rank), strict=True)
    ]


def places(size: int, window: int, stride: int, base: int, dilation: int, padding: tuple[int, int]) -> int:
    if not known(size) or not known(window):
        return DYNAMIC_INDEX
    spread = (size - 1) * base + 1 if size else 0
    spread += padding[0] + padding[1]
    reach = (window - 1) * dilation + 1 if window else 0
    return 0 if spread <= 0 or reach > spread else (spread - reach) // stride + 1


# Gathers and scatters


@rule("gather dynamic_gather")
def gather(op: Operation) -> None:
    operand, indices, result = op.operands[0].type, op.operands[1].type, op.results[0].type
    n: Any = op.properties["dimension_numbers"]
    assert isinstance(n, GatherDimensionNumbers)
    need_element("a result", result, element_of(operand))
    need_kind("operand 1", indices, ("int", "uint", "index"))
    shape, places_ = shape_of(operand), shape_of(indices)
    if shape is None or places_ is None:
        return
    rank = len(shape)
    batch = index_space("start_index_map", n.start_index_map, n.index_vector_dim, places_)
    need_dimensions("start_index_map and operand_batching_dims", n.start_index_map + n.operand_batching_dims, rank)
    gone = n.collapsed_slice_dims + n.operand_batching_dims
    need_dimensions("collapsed_slice_dims and operand_batching_dims", gone, rank)
    matched_batches(n.operand_batching_dims, n.start_indices_batching_dims, shape, places_)
    need_rank("a result", result, len(batch) + len(n.offset_dims))
    need_dimensions("offset_dims", n.offset_dims, len(batch) + len(n.offset_dims), ordered=True)
    need(len(n.offset_dims) + len(gone) == rank, f"offset_dims of {rank - len(gone)} numbers", len(n.offset_dims))
    sizes = ints(op, "slice_sizes") if op.name.endswith(".gather") else (DYNAMIC_INDEX,) * rank
    if op.name.endswith(".gather"):
        need_sizes(sizes, shape)
        need(all(sizes[d] <= 1 for d in gone), "slice_sizes of at most 1 in dimensions without offset", list(sizes))
    offsets = iter(s for d, s in enumerate(sizes) if d not in gone)
    rest = iter(batch)
    total = len(batch) + len(n.offset_dims)
    need_shape("a result", result, [next(offsets if d in n.offset_dims else rest) for d in range(total)])


def index_space(what: str, mapped: Sequence[int], vector: int, shape: Shape) -> list[int]:
    """The dimensions of the indices without that of their components."""
    need(0 <= vector <= len(shape), f"index_vector_dim to be at most {len(shape)}", vector)
    count = shape[vector] if vector < len(shape) else 1
    need(agree(count, len(mapped)), f"{what} of {count} numbers, the components of an index", len(mapped))
    return [s for d, s in enumerate(shape) if d != vector]


def matched_batches(first: Sequence[int], second: Sequence[int], shape: Shape, places_: Shape) -> None:
    need(
        len(first) == len(second),
        "as many batching dimensions of the operand and the indices",
        (len(first), len(second)),
    )
    need_dimensions("batching dimensions of the indices", second, len(places_))
    for a, b in zip(first, second, strict=True):
        need(
            agree(shape[a], places_[b]),
            f"equal sizes of batching dimensions {a} and {b}",
            f"{shape[a]} and {places_[b]}",
        )


@rule("scatter")
def scatter(op: Operation) -> None:
    kinds = operand_types(op)
    count = len(kinds) // 2
    need(len(kinds) % 2, "an odd number of operands: inputs, indices and updates", len(kinds))
    n: Any = op.properties["scatter_dimension_numbers"]
    assert isinstance(n, ScatterDimensionNumbers)
    inputs, indices, updates = kinds[:count], kinds[count], kinds[count + 1 :]
    need_kind("the indices", indices, ("int", "uint", "index"))
    need(len(op.results) == count, f"{count} results", len(op.results))
    for index in range(count):
        need_element(f"update {index}", updates[index], element_of(inputs[index]))
        need_shape(f"input {index}", inputs[index], shape_of(inputs[0]))
        need_shape(f"update {index}", updates[index], shape_of(updates[0]))
        need_shape(f"result {index}", op.results[index].type, shape_of(inputs[index]))
        need(
            elements_agree(element_of(op.results[index].type), element_of(inputs[index])),
            f"result {index} of type {inputs[index]}",
            op.results[index].type,
        )
    shape, places_, update = shape_of(inputs[0]), shape_of(indices), shape_of(updates[0])
    if shape is None or places_ is None or update is None:
        return
    rank, mapped = len(shape), n.scatter_dims_to_operand_dims
    batch = index_space("scatter_dims_to_operand_dims", mapped, n.index_vector_dim, places_)
    need_dimensions("scatter_dims_to_operand_dims and input_batching_dims", mapped + n.input_batching_dims, rank)
    gone = n.inserted_window_dims + n.input_batching_dims
    need_dimensions("inserted_window_dims and input_batching_dims", gone, rank)
    matched_batches(n.input_batching_dims, n.scatter_indices_batching_dims, shape, places_)
    need(
        len(n.update_window_dims) + len(gone) == rank,
        f"update_window_dims of {rank - len(gone)} numbers",
        len(n.update_window_dims),
    )
    need_rank("update 0", updates[0], len(batch) + len(n.update_window_dims))
    need_dimensions("update_window_dims", n.update_window_dims, len(update), ordered=True)
    kept = [d for d in range(rank) if d not in gone]
    for d, whole in zip(n.update_window_dims, (shape[k] for k in kept), strict=True):
        good = not known(whole) or not known(update[d]) or update[d] <= whole
        need(good, f"an update of at most {whole} in dimension {d}", update[d])
    rest = iter(batch)
    need_shape(
        "update 0", updates[0], [update[d] if d in n.update_window_dims else next(rest) for d in range(len(update))]
    )


@rule("torch_index_select")
def torch_index_select(op: Operation) -> None:
    need_element("a result", op.results[0].type, element_of(op.operands[0].type))
    need_kind("operand 1", op.operands[1].type, ("int", "uint"))
    need(0 <= number(op, "dim") < rank_of(op.operands[0].type, 1 << 30), "dim to be a dimension", number(op, "dim"))

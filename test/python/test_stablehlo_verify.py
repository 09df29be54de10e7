"""Each op of StableHLO refuses what its specification does not allow: at its place, with what was expected and found."""

# ruff: noqa: E501

from __future__ import annotations

import re

import pytest
from mlc.compiler.parsing import parse_module
from mlc.compiler.verify import verify
from mlc.dialects.errors import CompileError

ADD = '({ ^bb0(%x: tensor<f32>, %y: tensor<f32>): %v = stablehlo.add %x, %y : tensor<f32> "stablehlo.return"(%v) : (tensor<f32>) -> () })'
ARGUMENTS = {
    "f": "tensor<4x6xf32>",
    "g": "tensor<6x4xf32>",
    "i": "tensor<4x6xi32>",
    "u": "tensor<4x6xui32>",
    "p": "tensor<4x6xi1>",
    "c": "tensor<4x6xcomplex<f32>>",
    "s": "tensor<f32>",
    "z": "tensor<i32>",
    "n": "tensor<2xi32>",
    "b": "tensor<1x8x8x4xf32>",
    "k": "tensor<3x3x4x8xf32>",
    "t": "!stablehlo.token",
}
F, G, Z = ARGUMENTS["f"], ARGUMENTS["g"], "tensor<i32>"
GATHER = (
    '"stablehlo.gather"(%f, %n) <{{dimension_numbers = #stablehlo.gather<offset_dims = {0}, collapsed_slice_dims = {1}, '
    "start_index_map = {2}, index_vector_dim = {3}>, slice_sizes = array<i64: {4}>}}> : "
    "(tensor<4x6xf32>, tensor<2xi32>) -> {5}"
)
CONV = (
    "stablehlo.convolution(%b, %k) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {{{0}}} "
    "{{batch_group_count = {1} : i64, feature_group_count = {2} : i64}} : "
    "(tensor<1x8x8x4xf32>, tensor<3x3x4x8xf32>) -> {3}"
)
WINDOW = (
    '"stablehlo.reduce_window"(%f, %s) <{{window_dimensions = array<i64: {0}>{1}}}> '
    + ADD.replace("{", "{{").replace("}", "}}")
    + " : (tensor<4x6xf32>, tensor<f32>) -> {2}"
)
CASES = [
    ("stablehlo.add %f, %f : (tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<6xf32>", "operand 0 of the shape of tensor<6xf32>"),
    ("stablehlo.add %f, %i : (tensor<4x6xf32>, tensor<4x6xi32>) -> tensor<4x6xf32>", "operand 1 with elements of type f32"),
    ("stablehlo.sine %i : tensor<4x6xi32>", "floats or complex numbers"),
    ("stablehlo.floor %c : tensor<4x6xcomplex<f32>>", "elements that are floats"),
    ("stablehlo.popcnt %f : tensor<4x6xf32>", "signed integers or unsigned integers"),
    ("stablehlo.and %f, %f : tensor<4x6xf32>", "truth values or signed"),
    ("stablehlo.negate %p : tensor<4x6xi1>", "signed integers or"),
    ('"stablehlo.add"(%f) : (tensor<4x6xf32>) -> tensor<4x6xf32>', "2 operands, found 1"),
    ('"stablehlo.abs"(%c) : (tensor<4x6xcomplex<f32>>) -> tensor<4x6xcomplex<f32>>', "elements of type f32"),
    ("stablehlo.real %i : (tensor<4x6xi32>) -> tensor<4x6xi32>", "an operand with elements that are floats"),
    ("stablehlo.convert %f : (tensor<4x6xf32>) -> tensor<4xi32>", "a result of shape \\[4, 6\\]"),
    ("stablehlo.compare LT, %f, %f, SIGNED : (tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<4x6xi1>", "compared as SIGNED"),
    ("stablehlo.compare LT, %f, %f, FLOAT : (tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<4x6xf32>", "truth values"),
    ("stablehlo.select %i, %f, %f : tensor<4x6xi32>, tensor<4x6xf32>", "operand 0 with elements that are truth"),
    ("stablehlo.clamp %g, %f, %s : (tensor<6x4xf32>, tensor<4x6xf32>, tensor<f32>) -> tensor<4x6xf32>", "without dimensions"),
    ("stablehlo.reduce_precision %f, format = e0m3 : tensor<4x6xf32>", "exponent_bits to be at least 1, found 0"),
    ("stablehlo.bitcast_convert %f : (tensor<4x6xf32>) -> tensor<4x6xi16>", "a last dimension of 2"),
    ('"stablehlo.constant"() <{value = dense<0.0> : tensor<3xf32>}> : () -> tensor<4xf32>', "a value of type tensor<4xf32>"),
    ("stablehlo.is_finite %i : (tensor<4x6xi32>) -> tensor<4x6xi1>", "floats"),
    ("stablehlo.iota dim = 2 : tensor<4x6xf32>", "iota_dimension to be a dimension of 2, found 2"),
    ('"stablehlo.iota"() : () -> tensor<4xf32>', "the attribute iota_dimension, found none"),
    ('"stablehlo.iota"() <{iota_dimension = "a"}> : () -> tensor<4xf32>', "iota_dimension to be an integer"),
    ("stablehlo.broadcast_in_dim %f, dims = [0] : (tensor<4x6xf32>) -> tensor<4x6x2xf32>", "to have 2 numbers, found 1"),
    ("stablehlo.broadcast_in_dim %f, dims = [0, 0] : (tensor<4x6xf32>) -> tensor<4x6x2xf32>", "to be different"),
    ("stablehlo.broadcast_in_dim %f, dims = [0, 2] : (tensor<4x6xf32>) -> tensor<4x6x2xf32>", "that broadcasts to"),
    ("stablehlo.broadcast_in_dim %f, dims = [0, 3] : (tensor<4x6xf32>) -> tensor<4x6x2xf32>", "dimensions of 3"),
    ("stablehlo.transpose %f, dims = [1, 0] : (tensor<4x6xf32>) -> tensor<4x6xf32>", "a result of shape \\[6, 4\\]"),
    ("stablehlo.transpose %f, dims = [1, 1] : (tensor<4x6xf32>) -> tensor<6x6xf32>", "permutation to be different"),
    ("stablehlo.reverse %f, dims = [2] : tensor<4x6xf32>", "dimensions of 2"),
    ("stablehlo.reshape %f : (tensor<4x6xf32>) -> tensor<5x5xf32>", "a result of 24 elements"),
    ("stablehlo.concatenate %f, %g, dim = 0 : (tensor<4x6xf32>, tensor<6x4xf32>) -> tensor<10x6xf32>", "operand 1 of shape \\[\\?, 6\\]"),
    ("stablehlo.concatenate %f, %f, dim = 0 : (tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<9x6xf32>", "of shape \\[8, 6\\]"),
    ("stablehlo.pad %f, %s, low = [0], high = [0, 0], interior = [0, 0] : (tensor<4x6xf32>, tensor<f32>) -> tensor<4x6xf32>", "edge_padding_low to have 2"),
    ("stablehlo.pad %f, %s, low = [0, 0], high = [0, 0], interior = [-1, 0] : (tensor<4x6xf32>, tensor<f32>) -> tensor<4x6xf32>", "interior_padding to be at least 0"),
    ("stablehlo.pad %f, %s, low = [1, 0], high = [0, 0], interior = [0, 1] : (tensor<4x6xf32>, tensor<f32>) -> tensor<5x6xf32>", "of shape \\[5, 11\\]"),
    ("stablehlo.slice %f [0:5, 0:6] : (tensor<4x6xf32>) -> tensor<5x6xf32>", "up to the size 4 of dimension 0, found 5"),
    ("stablehlo.slice %f [3:2, 0:6] : (tensor<4x6xf32>) -> tensor<0x6xf32>", "up to the limit 2"),
    ("stablehlo.slice %f [0:4:0, 0:6] : (tensor<4x6xf32>) -> tensor<4x6xf32>", "strides to be at least 1"),
    ("stablehlo.slice %f [0:4:3, 0:6] : (tensor<4x6xf32>) -> tensor<1x6xf32>", "of shape \\[2, 6\\]"),
    ("stablehlo.dynamic_slice %f, %z, sizes = [1, 1] : (tensor<4x6xf32>, tensor<i32>) -> tensor<1x1xf32>", "2 start indices, found 1"),
    ("stablehlo.dynamic_slice %f, %z, %z, sizes = [5, 1] : (tensor<4x6xf32>, tensor<i32>, tensor<i32>) -> tensor<5x1xf32>", "up to the size 4"),
    ("stablehlo.dynamic_slice %f, %s, %s, sizes = [1, 1] : (tensor<4x6xf32>, tensor<f32>, tensor<f32>) -> tensor<1x1xf32>", "operand 1 with elements that are signed"),
    ("stablehlo.dynamic_update_slice %f, %g, %z, %z : (tensor<4x6xf32>, tensor<6x4xf32>, tensor<i32>, tensor<i32>) -> tensor<4x6xf32>", "an update of at most 4 in dimension 0, found 6"),
    ("stablehlo.get_dimension_size %f, dim = 2 : (tensor<4x6xf32>) -> tensor<i32>", "dimension to be a dimension of 2"),
    ("stablehlo.dot_general %f, %g, contracting_dims = [0] x [0] : (tensor<4x6xf32>, tensor<6x4xf32>) -> tensor<6x4xf32>", "equal sizes of dimensions 0 and 0, found 4 and 6"),
    ("stablehlo.dot_general %f, %g, contracting_dims = [1] x [0] : (tensor<4x6xf32>, tensor<6x4xf32>) -> tensor<4x6xf32>", "a result of shape \\[4, 4\\]"),
    ("stablehlo.dot_general %f, %g, contracting_dims = [1] x [5] : (tensor<4x6xf32>, tensor<6x4xf32>) -> tensor<4x4xf32>", "operand 1 to be dimensions of 2"),
    ("stablehlo.dot_general %f, %g, contracting_dims = [1, 1] x [0, 1] : (tensor<4x6xf32>, tensor<6x4xf32>) -> tensor<4xf32>", "to be different"),
    ("stablehlo.dot %f, %f : (tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<4x6xf32>", "contracted dimensions"),
    (GATHER.format("[0]", "[0, 1]", "[0, 1]", 0, "1, 1", "tensor<1xf32>"), "offset_dims of 0 numbers"),
    (GATHER.format("[]", "[0, 1]", "[0]", 0, "1, 1", "tensor<f32>"), "start_index_map of 2 numbers"),
    (GATHER.format("[]", "[0, 1]", "[0, 1]", 2, "1, 1", "tensor<f32>"), "index_vector_dim to be at most 1"),
    (GATHER.format("[0]", "[0]", "[0, 1]", 0, "2, 1", "tensor<1xf32>"), "of at most 1 in dimensions without offset"),
    (GATHER.format("[0]", "[0]", "[0, 1]", 0, "1, 7", "tensor<7xf32>"), "up to the size 6 of dimension 1"),
    (GATHER.format("[0]", "[0]", "[0, 1]", 0, "1, 3", "tensor<2xf32>"), "a result of shape \\[3\\]"),
    (CONV.format("", 1, 1, "tensor<1x8x8x8xf32>"), "a result of shape \\[1, 6, 6, 8\\]"),
    (CONV.format("stride = [1]", 1, 1, "tensor<1x6x6x8xf32>"), "window_strides to have 2 numbers"),
    (CONV.format("stride = [0, 1]", 1, 1, "tensor<1x6x6x8xf32>"), "window_strides to be at least 1"),
    (CONV.format("pad = [[1, 1]]", 1, 1, "tensor<1x6x6x8xf32>"), "padding of shape \\[2, 2\\]"),
    (CONV.format("", 1, 2, "tensor<1x6x6x8xf32>"), "a kernel of 2 input features, found 4"),
    (CONV.format("", 2, 2, "tensor<1x6x6x8xf32>"), "to be 1, found 2 and 2"),
    (WINDOW.format("2", "", "tensor<3x5xf32>"), "window_dimensions to have 2 numbers"),
    (WINDOW.format("2, 2", "", "tensor<4x6xf32>"), "result 0 of shape \\[3, 5\\]"),
    (WINDOW.format("2, 2", ", window_strides = array<i64: 0, 1>", "tensor<4x6xf32>"), "window_strides to be at least 1"),
    ("stablehlo.fft %c, type = FFT, length = [5] : (tensor<4x6xcomplex<f32>>) -> tensor<4x6xcomplex<f32>>", "of shape \\[4, 5\\]"),
    ("stablehlo.fft %f, type = FFT, length = [6] : (tensor<4x6xf32>) -> tensor<4x6xf32>", "complex numbers"),
    ("stablehlo.cholesky %f, lower = true : tensor<4x6xf32>", "square matrices"),
    ("stablehlo.reduce(%f init: %s) applies stablehlo.add across dimensions = [2] : (tensor<4x6xf32>, tensor<f32>) -> tensor<4xf32>", "dimensions of 2"),
    ("stablehlo.reduce(%f init: %s) applies stablehlo.add across dimensions = [1] : (tensor<4x6xf32>, tensor<f32>) -> tensor<6xf32>", "of shape \\[4\\]"),
    ("stablehlo.reduce(%f init: %z) applies stablehlo.add across dimensions = [1] : (tensor<4x6xf32>, tensor<i32>) -> tensor<4xf32>", "initial value 0 with elements of type f32"),
    (f'"stablehlo.sort"(%f) <{{dimension = 2 : i64}}> {ADD} : ({F}) -> {F}', "dimension to be a dimension of 2"),
    (f'"stablehlo.sort"(%f) <{{dimension = 1 : i64}}> {ADD} : ({F}) -> {F}', "results of the region of types"),
    (f'"stablehlo.map"(%f, %f) <{{dimensions = array<i64: 1>}}> {ADD} : ({F}, {F}) -> {F}', "dimensions to be \\[0, 1\\]"),
    ('"stablehlo.if"(%s) ({ "stablehlo.return"(%s) : (tensor<f32>) -> () }, { "stablehlo.return"(%s) : (tensor<f32>) -> () }) : (tensor<f32>) -> tensor<f32>', "operand 0 with elements of type i1"),
    ('"stablehlo.case"(%z) ({ "stablehlo.return"(%z) : (tensor<i32>) -> () }) : (tensor<i32>) -> tensor<f32>', "results of region 0 of types"),
    ("stablehlo.optimization_barrier %f : tensor<4x6xf32>", ""),
    ("stablehlo.after_all %t : !stablehlo.token", ""),
    ('"stablehlo.after_all"(%f) : (tensor<4x6xf32>) -> !stablehlo.token', "!stablehlo.token"),
    ("stablehlo.partition_id : tensor<i32>", "tensor<ui32>"),
    ("chlo.erf %i : tensor<4x6xi32> -> tensor<4x6xi32>", "elements that are floats"),
    ("chlo.top_k(%f, k = 7) : tensor<4x6xf32> -> (tensor<4x7xf32>, tensor<4x7xi32>)", "k up to the size 6"),
    ("chlo.broadcast_add %f, %g : (tensor<4x6xf32>, tensor<6x4xf32>) -> tensor<4x6xf32>", "that broadcasts to"),
    ('stablehlo.composite "plain" %f {decomposition = @main} : (tensor<4x6xf32>) -> tensor<4x6xf32>', "a name such as"),
]  # fmt: skip


def checked(statement: str) -> None:
    arguments = ", ".join(f"%{n}: {t}" for n, t in ARGUMENTS.items())
    verify(parse_module(f"func.func @main({arguments}) {{\n  {statement}\n  return\n}}\n", "wrong.mlir"))


@pytest.mark.parametrize(
    ("statement", "message"), CASES, ids=[f"{k}-{s.split('(')[0][:30]}" for k, (s, _) in enumerate(CASES)]
)
def test_refused_where_it_stands(statement: str, message: str) -> None:
    results = 2 if "top_k" in statement else 1
    statement = ("%0:2 = " if results == 2 else "%0 = ") + statement
    if not message:
        return checked(statement)
    with pytest.raises(CompileError) as caught:
        checked(statement)
    text = str(caught.value)
    assert text.startswith("wrong.mlir:2:3: error: ") and text.endswith("^"), text
    assert re.search(message, text) and re.search("expected .*found", text), text

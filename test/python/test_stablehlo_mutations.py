"""Mutations of small StableHLO programs: each is lowered to nd or refused with a place. mutated.py runs thousands
over a folder of programs."""

from __future__ import annotations

import random

import pytest
from mlc.compiler.driver import Options, passes_of, run
from mlc.compiler.parsing import parse_module
from mlc.compiler.verify import verify
from mlc.dialects.errors import CompileError
from stablehlo_edits import EDITS, edit
from stablehlo_mutations import CHANGES, mutate

PROGRAMS = [
    """func.func @main(%a: tensor<2x3xf32>, %b: tensor<3x4xf32>) -> tensor<2xf32> {
  %0 = stablehlo.dot_general %a, %b, contracting_dims = [1] x [0]
    : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  %z = stablehlo.constant dense<0.0> : tensor<f32>
  %1 = stablehlo.reduce(%0 init: %z) applies stablehlo.add across dimensions = [1]
    : (tensor<2x4xf32>, tensor<f32>) -> tensor<2xf32>
  return %1 : tensor<2xf32>
}
""",
    """func.func @main(%x: tensor<8xi32>, %i: tensor<i32>) -> (tensor<3xi32>, tensor<8xi1>) {
  %0 = stablehlo.dynamic_slice %x, %i, sizes = [3] : (tensor<8xi32>, tensor<i32>) -> tensor<3xi32>
  %c = stablehlo.constant dense<[1, 2, 3, 4, 5, 6, 7, 8]> : tensor<8xi32>
  %1 = stablehlo.compare LT, %x, %c, SIGNED : (tensor<8xi32>, tensor<8xi32>) -> tensor<8xi1>
  return %0, %1 : tensor<3xi32>, tensor<8xi1>
}
""",
    """func.func @main(%n: tensor<i32>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %z = stablehlo.constant dense<0> : tensor<i32>
  %0:2 = stablehlo.while(%i = %z, %y = %x) : tensor<i32>, tensor<4xf32>
    cond {
      %p = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %p : tensor<i1>
    } do {
      %one = stablehlo.constant dense<1> : tensor<i32>
      %j = stablehlo.add %i, %one : tensor<i32>
      %s = stablehlo.sine %y : tensor<4xf32>
      stablehlo.return %j, %s : tensor<i32>, tensor<4xf32>
    }
  return %0#1 : tensor<4xf32>
}
""",
    """func.func @main(%x: tensor<4x6xf32>, %i: tensor<2x1xi32>, %u: tensor<2x6xf32>) -> tensor<4x6xf32> {
  %0 = "stablehlo.scatter"(%x, %i, %u) <{scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1],
    inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %s = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %s : tensor<f32>
  }) : (tensor<4x6xf32>, tensor<2x1xi32>, tensor<2x6xf32>) -> tensor<4x6xf32>
  %1 = stablehlo.broadcast_in_dim %0, dims = [0, 1] : (tensor<4x6xf32>) -> tensor<4x6xf32>
  return %1 : tensor<4x6xf32>
}
""",
    """func.func @main(%x: tensor<1x8x8x3xf32>, %k: tensor<3x3x3x4xf32>) -> tensor<1x4x4x4xf32> {
  %0 = stablehlo.convolution(%x, %k) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f],
    window = {stride = [2, 2], pad = [[0, 1], [0, 1]], rhs_dilate = [1, 1]}
    {batch_group_count = 1 : i64, feature_group_count = 1 : i64}
    : (tensor<1x8x8x3xf32>, tensor<3x3x3x4xf32>) -> tensor<1x4x4x4xf32>
  return %0 : tensor<1x4x4x4xf32>
}
""",
]
COUNT, SHARDS = 120, 2


@pytest.mark.parametrize("text", PROGRAMS)
def test_the_programs_are_right(text: str):
    lowered(text)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_mutation_ends_in_a_traceback(shard: int):
    refused = 0
    for k in range(shard, COUNT, SHARDS):
        rng = random.Random(k)
        text = mutate(rng.choice(PROGRAMS), rng.choice(PROGRAMS), rng)
        try:
            lowered(text)
        except CompileError as error:
            refused += 1
            assert str(error).startswith("mutated.mlir:"), f"seed {k}: {error}\n{text}"
        except Exception as error:
            pytest.fail(f"seed {k}: {type(error).__name__}: {error}\n{text}")
    assert refused > COUNT // SHARDS // 4


def test_mutations_change_and_repeat():
    for change in CHANGES:
        found = [change(PROGRAMS[0], PROGRAMS[1], random.Random(k)) for k in range(8)]
        assert any(text != PROGRAMS[0] for text in found)
        assert found == [change(PROGRAMS[0], PROGRAMS[1], random.Random(k)) for k in range(8)]


def test_edits_change_repeat_and_stay_parseable():
    for change in EDITS:
        tried = [(text, change(text, random.Random(k))) for text in PROGRAMS for k in range(8)]
        assert any(was != text for was, text in tried), change.__name__
    found = [edit(PROGRAMS[k % 5], random.Random(k)) for k in range(60)]
    assert found == [edit(PROGRAMS[k % 5], random.Random(k)) for k in range(60)]
    assert sum(map(parses, found)) > 40


def parses(text: str) -> bool:
    try:
        return bool(parse_module(text, "mutated.mlir"))
    except CompileError:
        return False


def lowered(text: str) -> None:
    module = parse_module(text, "mutated.mlir")
    verify(module)
    run(module, passes_of("nd"), Options(verify_input=False))

"""Which values depend on constants alone: by kind of op, around regions, and how much is looked at for an answer."""

from typing import Any

import pytest
from mlc.compiler import constancy
from mlc.compiler.constancy import Constancy, follows, is_constant, is_fixed
from mlc.compiler.parsing import parse_module
from mlc.dialects.nd.constant import full
from mlc.dialects.nd.elementwise import Mul
from mlc.dialects.nd.op import Array, bind, building
from mlc.dialects.nd.types import tensor
from xdsl.dialects.builtin import f32
from xdsl.ir import Block, SSAValue

PROGRAM = """
func.func @main(%x: tensor<4x4xf32>, %key: tensor<ui32>, %s: tensor<?xf32, #nd.sym<n>>) {
  %resource = nd.resource "w", "00000000000000000000000000000001" : tensor<4x4xf32>
  %one_value = nd.constant 2.0 : tensor<4x4xf32>
  %dense = nd.constant [1.0, 2.0, 3.0, 4.0] : tensor<4xf32>
  %iota = nd.iota 0 : tensor<4xi64>
  %turned = nd.transpose %resource "a b -> b a" : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %product = nd.contract %turned, %resource "a b, b c -> a c" : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %seed = nd.constant 7 : tensor<ui32>
  %drawn = nd.threefry first %seed, %seed, %seed, %seed : tensor<ui32>

  %mixed = nd.mul %resource, %x : tensor<4x4xf32>
  %behind = nd.add %resource, %mixed : tensor<4x4xf32>
  %drawn_by_key = nd.threefry first %key, %seed, %seed, %seed : tensor<ui32>
  %size = nd.size [n] : tensor<f32>
  %half_size = nd.add %size, %size : tensor<f32>
  %positions = nd.iota 0 : tensor<?xi64, #nd.sym<n>>
  %copies = nd.broadcast %dense "a -> b a" : tensor<4xf32> -> tensor<?x4xf32, #nd.sym<n>>
  %sum = nd.reduce sum %copies "b a -> a" : (tensor<?x4xf32, #nd.sym<n>>) -> tensor<4xf32>
  %moved = nd.slice %dense from [n] step [1] : tensor<4xf32> -> tensor<2xf32>
  %p = nd.constant true : tensor<i1>
  nd.print "{}" %resource : tensor<4x4xf32>
  nd.check %p "expected the truth" : tensor<i1>

  %chosen = nd.if %p (%bound = %resource) -> (tensor<4x4xf32>) {
    %of_bound = nd.neg %bound : tensor<4x4xf32>
    %inside = nd.constant 1.0 : tensor<4x4xf32>
    %of_inside = nd.neg %inside : tensor<4x4xf32>
    nd.yield %of_bound : tensor<4x4xf32>
  } else {
    nd.yield %bound : tensor<4x4xf32>
  }
  %of_chosen = nd.neg %chosen : tensor<4x4xf32>
  func.return
}
"""

CONSTANT = {
    "resource",
    "one_value",
    "dense",
    "iota",
    "turned",
    "product",
    "seed",
    "drawn",
    "p",
    "inside",
    "of_inside",
}


def values() -> dict[str, SSAValue]:
    """Results and arguments of all blocks by name."""
    out: dict[str, SSAValue] = {}
    for op in parse_module(PROGRAM).walk():
        found = [*op.results, *(a for r in op.regions for b in r.blocks for a in b.args)]
        out.update((v.name_hint, v) for v in found if v.name_hint is not None)
    return out


def test_each_kind_of_value() -> None:
    named, known = values(), Constancy()
    assert {"x", "bound", "of_bound", "chosen", "of_chosen", "sum", "half_size"} <= named.keys()
    for order in (1, -1):
        assert {name for name, v in [*named.items()][::order] if known.holds(v)} == CONSTANT
        assert {name for name, v in [*named.items()][::order] if is_constant(v, 10)} == CONSTANT
        known = Constancy()


def test_effects_and_regions_are_never_constant() -> None:
    ops = {op.name: op for op in parse_module(PROGRAM).walk()}
    for name in ("nd.print", "nd.check", "nd.if", "nd.yield", "func.return"):
        assert not is_fixed(ops[name]) and not follows(ops[name], (), ())


def test_an_op_follows_what_stands_for_its_operands() -> None:
    op = values()["product"].owner
    assert follows(op, ("a", "b"), {"a", "b"}) and not follows(op, ("a", "b"), {"a"})  # pyright: ignore


def powers(of: SSAValue, count: int, block: Block) -> list[SSAValue]:
    """x, x * x, (x * x) * (x * x), ...: as many paths as 2 to the count."""
    out = [Array(of)]
    with building(block):
        for _ in range(count):
            out.append(bind(Mul, out[-1], out[-1]))
    return [a.value for a in out]


def chains(count: int) -> tuple[Block, list[SSAValue], list[SSAValue]]:
    """Powers of a constant and of an argument."""
    t = tensor((), f32)
    block = Block(arg_types=[t])
    with building(block):
        two = full(2, t).value
    return block, powers(two, count, block), powers(block.args[0], count, block)


@pytest.mark.parametrize("backwards", [False, True])
def test_every_value_is_looked_at_once(monkeypatch: pytest.MonkeyPatch, backwards: bool) -> None:
    _block, fixed, given = chains(3000)
    looked: list[Any] = []
    monkeypatch.setattr(constancy, "is_fixed", lambda op: looked.append(op) or is_fixed(op))  # pyright: ignore
    known = Constancy()
    for chain, expected in ((fixed, True), (given, False)):
        asked = chain[::-1] if backwards else chain
        assert all(known.holds(v) == expected for v in asked)
    assert len(looked) == len(set(looked)) == len(fixed) + len(given)


def test_a_bounded_look_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    _block, fixed, given = chains(100)
    assert is_constant(fixed[4], 5) and not is_constant(fixed[5], 5)
    looked: list[Any] = []
    monkeypatch.setattr(constancy, "is_fixed", lambda op: looked.append(op) or is_fixed(op))  # pyright: ignore
    assert not is_constant(given[-1], 5) and len(looked) <= 6


def test_answers_hold_while_equal_values_are_exchanged() -> None:
    named, known = values(), Constancy()
    assert known.holds(named["product"])
    named["turned"].replace_all_uses_with(named["resource"])
    assert known.holds(named["product"]) and known.holds(named["resource"])

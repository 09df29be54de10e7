"""The cost model: its terms, what it fuses, what is constant, and how it orders programs and machines."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from mlc.compiler.blocks import entry
from mlc.compiler.cost import TERMS, Cost, estimate, estimate_block
from mlc.compiler.driver import run
from mlc.compiler.machine import Machine, known_machines
from mlc.compiler.modules import parse
from mlc.compiler.printing import print_ir
from mlc.dialects.errors import CompileError
from xdsl.dialects.builtin import ModuleOp

XEON, H100 = Machine.load("xeon"), Machine.load("h100")


def function(arguments: str, result: str, body: str) -> ModuleOp:
    return parse(f"func.func @main({arguments}) -> {result} {{\n{body}\n}}\n")


def product(m: int, k: int, n: int, dtype: str = "f32") -> ModuleOp:
    a, b, c = f"tensor<{m}x{k}x{dtype}>", f"tensor<{k}x{n}x{dtype}>", f"tensor<{m}x{n}x{dtype}>"
    body = f'%0 = nd.contract %a, %b "a b, b c -> a c" : ({a}, {b}) -> {c}\nfunc.return %0 : {c}'
    return function(f"%a: {a}, %b: {b}", c, body)


def unary(op: str, n: int) -> ModuleOp:
    t = f"tensor<{n}xf32>"
    return function(f"%x: {t}", t, f"%0 = nd.{op} %x : {t}\nfunc.return %0 : {t}")


def scaled(weights: str = "64x64") -> ModuleOp:
    """x @ (w * s)."""
    x, w = "tensor<32x64xf32>", f"tensor<{weights}xf32>"
    body = f"""%0 = nd.mul %w, %s : {w}
    %1 = nd.contract %x, %0 "a b, b c -> a c" : ({x}, {w}) -> {x}
    func.return %1 : {x}"""
    return function(f"%x: {x}, %w: {w}, %s: {w}", x, body)


def chain(n: int) -> ModuleOp:
    """A value that two kernels read: a transposed sum does not fuse into a matrix product."""
    t = f"tensor<{n}x{n}xf32>"
    body = f"""%0 = nd.contract %x, %x "a b, b c -> a c" : ({t}, {t}) -> {t}
    %1 = nd.contract %0, %x "a b, b c -> a c" : ({t}, {t}) -> {t}
    func.return %1 : {t}"""
    return function(f"%x: {t}", t, body)


def seconds(module: ModuleOp, machine: Machine = XEON) -> float:
    return estimate(module, machine=machine).seconds


def test_terms_add_up() -> None:
    found = estimate(unary("exp", 1 << 20), machine=XEON)
    work = found.terms["operations"] + found.terms["math"]
    assert tuple(found.terms) == TERMS and found.kernels == 1 and found.bytes == 8 << 20
    assert max(work, found.terms["memory"]) < found.seconds <= sum(found.terms.values())
    assert (found + found).seconds == found.times(2).seconds == 2 * found.seconds


def test_fusion_pays() -> None:
    t = f"tensor<{1 << 22}xf32>"
    module = function(f"%x: {t}", t, f"%0 = nd.mul %x, %x : {t}\n%1 = nd.add %0, %x : {t}\nfunc.return %1 : {t}")
    apart, fused = estimate(module, machine=XEON, fuse=False), estimate(module, machine=XEON)
    assert fused.seconds < 0.7 * apart.seconds and (fused.kernels, apart.kernels) == (1, 2)
    assert fused.terms["memory"] > fused.terms["operations"] and fused.terms["launch"] < apart.terms["launch"]


@pytest.mark.parametrize("module", [product(64, 32, 48), chain(64), unary("softmax", 256)])
def test_levels_agree(module: ModuleOp) -> None:
    """What a program of tensor ops is estimated at is what its launches are, and the module stays as it is."""
    before, found = print_ir(module), estimate(module, machine=XEON)
    assert print_ir(module) == before
    assert estimate_block(entry(module, "main").body.block, XEON) == found
    run(module, ["graph-fuse"])
    assert estimate(module, machine=XEON) == found
    run(module, ["graph-outline", "graph-plan"])
    assert estimate(module, machine=XEON) == found


def test_a_kernel_alone() -> None:
    module = product(256, 256, 256)
    run(module, ["graph-fuse"])
    (kernel,) = [op for op in module.walk() if op.name == "graph.kernel"]
    assert estimate(kernel, machine=XEON).seconds == pytest.approx(seconds(module))
    run(module, ["graph-outline"])
    (f,) = [op for op in module.ops if op.sym_visibility]
    assert estimate(f, machine=XEON).seconds == pytest.approx(seconds(module))
    assert estimate(f, "loop-tile{axis=i size=8}", XEON).seconds > 5 * seconds(module)


def test_equal_blocks_are_estimated_once() -> None:
    first, again, other = (entry(scaled(), "main").body.block for _ in range(3))
    again.args[0].name_hint = "other"
    assert estimate_block(first, XEON) is estimate_block(again, XEON)
    assert estimate_block(other, XEON, [other.args[1]]) is not estimate_block(first, XEON)


def test_what_depends_on_constants_costs_nothing() -> None:
    block, plain = entry(scaled(), "main").body.block, entry(product(32, 64, 64), "main").body.block
    constant = estimate_block(block, XEON, block.args[1:])
    assert constant.seconds == pytest.approx(estimate_block(plain, XEON, plain.args[1:]).seconds, rel=0.02)
    assert estimate_block(block, XEON, block.args[1:2]).operations > constant.operations
    assert constant.seconds < estimate_block(block, XEON).seconds


def test_a_resource_is_constant() -> None:
    x, w = "tensor<32x64xf32>", "tensor<64x64xf32>"
    resource = f'nd.resource "w", "{"0" * 32}" : {w}'
    body = f"""%w = {resource}
    %0 = nd.mul %w, %w : {w}
    %1 = nd.contract %x, %0 "a b, b c -> a c" : ({x}, {w}) -> {x}
    func.return %1 : {x}"""
    assert estimate(function(f"%x: {x}", x, body), machine=XEON).operations == 2 * 32 * 64 * 64


def test_trips_of_a_scan_count() -> None:
    def scan(trips: int) -> Cost:
        t = "tensor<4096xf32>"
        body = f"""%0 = nd.scan {trips} carry (%v = %x) -> ({t}) {{
        %1 = nd.tanh %v : {t}
        nd.yield %1 : {t}
        }}
        func.return %0 : {t}"""
        return estimate(function(f"%x: {t}", t, body), machine=XEON)

    assert scan(16).seconds == pytest.approx(16 * scan(1).seconds) and scan(16).kernels == 16


def test_bytes_take_longer_from_farther_away() -> None:
    each = [estimate(unary("neg", n), machine=XEON).terms["memory"] / n for n in (1 << 10, 1 << 16, 1 << 22, 1 << 27)]
    assert each == sorted(each) and len(set(each)) == 4


def test_what_was_just_written_is_read_from_a_cache() -> None:
    """Two programs that move equal bytes: in one, a kernel reads what the one before wrote."""
    near = estimate(chain(2048), machine=XEON)
    alone = estimate(product(2048, 2048, 2048), machine=dataclasses.replace(XEON, l3_bytes=1 << 21))
    assert near.terms["memory"] < 2 * alone.terms["memory"]


def test_a_lookup_reads_what_it_gives() -> None:
    table, index, out = "tensor<1000000x64xf32>", "tensor<8xi32>", "tensor<8x64xf32>"
    body = f"""%0 = nd.gather clip %t, %i "@0 a, b -> b a" : ({table}, {index}) -> {out}
    func.return %0 : {out}"""
    assert estimate(function(f"%t: {table}, %i: {index}", out, body), machine=XEON).bytes < 10_000


@pytest.mark.parametrize(("op", "field"), [("exp", "exp_ns"), ("tanh", "tanh_ns"), ("log1p", "log_ns")])
def test_functions_take_what_the_machine_says(op: str, field: str) -> None:
    slow = dataclasses.replace(XEON, **{field: 10.0})
    found, base = (estimate(unary(op, 1000), machine=m).terms["math"] for m in (slow, XEON))
    assert found == pytest.approx(1e-5) and base < found
    unknown = dataclasses.replace(XEON, **{field: 0.0})
    assert 0 < estimate(unary(op, 1000), machine=unknown).terms["math"] < found


def test_contractions_reach_what_their_shape_allows() -> None:
    """A long reduction of a few lanes keeps fewer multiply-adds busy than a square product of as many."""
    square, skinny = (estimate(m, machine=XEON) for m in (product(256, 256, 256), product(8192, 1024, 2)))
    assert square.operations == skinny.operations
    assert skinny.terms["operations"] > 1.5 * square.terms["operations"] > 2 * 256**3 / XEON.flops(4)


def test_a_transposed_operand_counts_unless_it_is_constant() -> None:
    def turned(constant: bool) -> Cost:
        x, w, y = "tensor<8x512xf32>", "tensor<512x512xf32>", "tensor<8x512xf32>"
        body = f'%0 = nd.contract %x, %w "a b, c b -> a c" : ({x}, {w}) -> {y}\nfunc.return %0 : {y}'
        block = entry(function(f"%x: {x}, %w: {w}", y, body), "main").body.block
        return estimate_block(block, XEON, block.args[1:] if constant else ())

    assert turned(False).terms["operations"] > 1.2 * turned(True).terms["operations"]


def test_machines_disagree() -> None:
    """Where memory is slow a large sum takes longest, where arithmetic is, a product."""
    large, dense = unary("neg", 1 << 22), product(512, 512, 512)
    poor, small = Machine.load("bandwidth-poor"), Machine.load("compute-poor")
    assert seconds(large, poor) > 2 * seconds(large, small) > 2 * seconds(large, XEON)
    assert seconds(dense, small) > 5 * seconds(dense, poor)
    assert seconds(dense, H100) < seconds(dense, XEON) / 20


MEASURED = [
    (product(2048, 2048, 2048, "bf16"), 46.7e-6),
    (product(4096, 4096, 4096, "bf16"), 327.5e-6),
    (product(4096, 4096, 4096), 2948e-6),
    (unary("gelu", 1 << 26), 180.7e-6),
]
"""From bench/RESULTS.md: mlc on an H100."""


@pytest.mark.parametrize(("module", "want"), MEASURED, ids=["bf16 2048", "bf16 4096", "f32 4096", "gelu 64 M"])
def test_a_gpu(module: ModuleOp, want: float) -> None:
    assert 1 / 1.3 < seconds(module, H100) / want < 1.3


def test_small_kernels_leave_a_gpu_idle() -> None:
    small, large = (estimate(unary("tanh", n), machine=H100) for n in (1 << 10, 1 << 14))
    assert small.terms["math"] == pytest.approx(large.terms["math"])
    assert small.seconds == pytest.approx(small.terms["launch"], rel=0.1)


def test_sizes_known_at_run_time() -> None:
    t = "tensor<?xf32, #nd.sym<n>>"
    module = function(f"%x: {t}", t, f"%0 = nd.exp %x : {t}\nfunc.return %0 : {t}")
    typical, few, many = (estimate(module, machine=XEON, sizes=s).bytes for s in (None, {"n": 10}, {"n": 10**6}))
    assert (typical, few, many) == (8000, 80, 8 * 10**6)


@pytest.mark.parametrize("name", known_machines())
def test_nothing_takes_no_time(name: str) -> None:
    """Empty values, values of one element and effects have an estimate on every machine."""
    machine = Machine.load(name)
    for module in (product(0, 4, 4), product(4, 0, 4), product(1, 1, 1), unary("exp", 0)):
        assert 0 < seconds(module, machine) < 1e-4 and np.isfinite(seconds(module, machine))
    t = "tensor<4xf32>"
    printed = function(f"%x: {t}", t, f'nd.print "{{}}" %x : {t}\nfunc.return %x : {t}')
    assert seconds(printed, machine) >= 0


def test_other_dialects_are_refused() -> None:
    t = "tensor<4xf32>"
    module = function(f"%x: {t}", t, f"%0 = stablehlo.add %x, %x : {t}\nfunc.return %0 : {t}")
    with pytest.raises(CompileError, match=r"<string>:2:\d+.*expected ops of the nd dialect, found stablehlo.add"):
        estimate(module)


def test_loops_written_by_hand_move_their_bytes() -> None:
    t = "tensor<4096xf32>"
    body = f"""%0 = loop.stage twice [i: 4096] (%a = %x[i]) -> [i] {{
      %s = arith.addf %a, %a : f32
      loop.yield %s : f32
    }}
    func.return %0 : {t}"""
    module = function(f"%x: {t}", t, body)
    run(module, ["graph-wrap"])
    assert estimate(module, machine=XEON).bytes == 2 * 4 * 4096

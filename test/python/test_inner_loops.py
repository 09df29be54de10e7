"""The loops of contractions hold the multiply-adds of their schedule's tile, and nothing of a vector's size is spilled.

Schedules are those that the compiler chooses for described machines: x86 with vectors of 512, 256 and 128 bits, the
last with neither fused multiply-adds nor instructions of three operands, and Arm. LLVM writes their assembly on any
host; nothing runs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import mlc.numpy as mnp
import pytest
from inner_loops import ARM, DOTS, TARGETS, X86, Compiled, Loop, compiled, has_frame, inner_loops
from mlc import nn, spec

MACHINES = Path(__file__).parents[1] / "transforms" / "loop"

LEAST = 8
"""Accumulators that hide the latency of two multiply-adds a cycle."""


def matmul(x: Any, y: Any) -> Any:
    return x @ y


def widened(x: Any, y: Any) -> Any:
    return x.astype("int32") @ y.astype("int32")


def convolution(**options: Any) -> Callable[..., Any]:
    return lambda x, w: nn.conv(x, w, **options)


PROGRAMS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "matmul": (matmul, (spec((512, 512)), spec((512, 512)))),
    "odd": (matmul, (spec((509, 1021)), spec((1021, 253)))),
    "rhs_transposed": (lambda x, y: x @ y.T, (spec((512, 512)), spec((512, 512)))),
    "lhs_transposed": (lambda x, y: x.T @ y, (spec((512, 512)), spec((512, 512)))),
    "batched": (matmul, (spec((8, 128, 64)), spec((8, 64, 128)))),
    "run_time_rows": (matmul, (spec(("m", 512)), spec((512, 512)))),
    "bias_gelu": (lambda x, y, b: nn.gelu(x @ y + b), (spec((128, 256)), spec((256, 512)), spec((512,)))),
    "conv3x3": (convolution(padding="same"), (spec((1, 56, 56, 64)), spec((3, 3, 64, 64)))),
    "conv5x5": (convolution(padding="same"), (spec((1, 56, 56, 32)), spec((5, 5, 32, 32)))),
    "conv7x7_stride2": (convolution(stride=2, padding=3), (spec((1, 224, 224, 3)), spec((7, 7, 3, 64)))),
    "conv1x1": (convolution(), (spec((1, 56, 56, 64)), spec((1, 1, 64, 128)))),
    "bf16": (matmul, (spec((256, 256), "bfloat16"), spec((256, 256), "bfloat16"))),
    "int8": (widened, (spec((256, 256), "int8"), spec((256, 256), "int8"))),
}


ALL = TARGETS | DOTS
NARROW = {
    "int8": PROGRAMS["int8"],
    "int8_lhs_transposed": (lambda x, y: widened(x.T, y), PROGRAMS["int8"][1]),
    "int8_rhs_transposed": (lambda x, y: widened(x, y.T), PROGRAMS["int8"][1]),
    "uint8": (widened, (spec((256, 256), "uint8"), spec((256, 256), "int8"))),
    "bf16": PROGRAMS["bf16"],
}
INSTRUCTIONS = {("vnni", "int8"): "vpdpbusd", ("vnni", "bf16"): "vdpbf16ps", ("dotprod", "int8"): "sdot"}


@pytest.fixture(autouse=True)
def described(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    found = ALL[target]
    monkeypatch.setenv("MLC_MACHINE", str(MACHINES / found.description))
    monkeypatch.setenv("MLC_VECTOR_BITS", str(found.bits))


@lru_cache(None)
def program(name: str, target: str) -> Compiled:
    fn, specs = (PROGRAMS | NARROW)[name]
    return compiled(fn, specs, ALL[target])


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_multiply_adds_are_those_of_the_tile(name: str, target: str) -> None:
    found = program(name, target)
    assert found.tiles and max(t.multiply_adds for t in found.tiles) >= LEAST
    assert found.counts() == found.wanted()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_no_vector_is_on_the_stack(name: str, target: str) -> None:
    assert program(name, target).on_stack() == []


@pytest.mark.parametrize("target", DOTS)
@pytest.mark.parametrize("name", NARROW)
def test_narrow_products_are_added_by_one_instruction(name: str, target: str) -> None:
    found = program(name, target)
    instruction = INSTRUCTIONS.get((target, "bf16" if name == "bf16" else "int8"))
    assert found.counts() == found.wanted() and found.on_stack() == []
    if instruction is not None:
        (loop, _), *_ = found.loops()
        count = sum(line.split()[:1] == [instruction] for line in loop.lines)
        bits = 16 if name == "bf16" else 8
        assert count == max(t.products for t in found.tiles) * bits // ALL[target].bits >= LEAST


@pytest.mark.parametrize("target", TARGETS)
def test_tiles_beyond_the_registers_are_found_to_spill(target: str) -> None:
    """Twice as many accumulators as registers: all multiply-adds are there, and vectors on the stack."""
    registers, lanes = 16 if target in ("avx2", "sse2") else 32, TARGETS[target].bits // 32
    steps = f"loop-tile{{axis=j size={4 * lanes}}},loop-tile{{axis=i size={registers // 2}}},loop-vectorize{{axes=i,j}}"
    found = compiled(matmul, (spec((512, 512)), spec((512, 512))), TARGETS[target], steps)
    assert [t.multiply_adds for t in found.tiles] == [2 * registers]
    assert found.counts() == found.wanted()
    assert len(found.on_stack()) >= registers


@pytest.mark.parametrize("target", [name for name in TARGETS if name != "sse2"])
def test_products_that_are_not_fused_are_found_missing(target: str) -> None:
    found = compiled(*PROGRAMS["matmul"], TARGETS[target], contract=False)
    assert found.wanted() and found.counts() == []


@pytest.mark.parametrize("target", TARGETS)
def test_plain_loops_have_no_multiply_adds_of_vectors(target: str) -> None:
    found = compiled(*PROGRAMS["matmul"], TARGETS[target], "")
    assert [t.products for t in found.tiles] == [1] and found.counts() == []


NESTED = """
.LBB0_1:
	vmovaps	%zmm0, 64(%rsp)
.LBB0_2:
	vdpbf16ps	%zmm1, %zmm2, %zmm3
	vpdpbusd	(%rbp){1to16}, %zmm2, %zmm3
	vfmadd231pd	%zmm1, %zmm2, %zmm3
	vfmadd231ss	%xmm1, %xmm2, %xmm3
	vfmadd231ps	%ymm1, %ymm2, %ymm3
	je	.LBB0_2
	movq	8(%rsp), %rax
	jmp	.LBB0_2
	jl	.LBB0_1
	je	.LBB0_3
.LBB0_3:
	ret
"""


@pytest.mark.parametrize("target", ["avx512"])
def test_loops_of_a_text(target: str) -> None:
    zmm = TARGETS[target]
    (loop,) = inner_loops(NESTED, X86)
    assert loop.label == ".LBB0_2" and len(loop.lines) == 8
    assert loop.products(zmm, True) == 32 + 64 + 8
    assert loop.on_stack(zmm, False) == [] and len(loop.on_stack(zmm, True)) == 1
    assert not has_frame(NESTED, X86) and has_frame("\tmovq\t%rsp, %rbp\n" + NESTED, X86)
    reload = Loop("", ("\tvmovups\t-64(%rsp,%rax,8), %zmm1", "\tvmovups\t(%rax), %zmm1", "\tmovss\t(%rsp), %xmm1"))
    assert reload.on_stack(zmm, False) == ["vmovups -64(%rsp,%rax,8), %zmm1"]


ARM_LOOPS = """
.LBB0_1:
	stp	q0, q1, [sp]
.LBB0_2:
	fmla	v4.4s, v11.4s, v13.s[0]
	fmls	v4.2d, v11.2d, v13.2d
	fmla	v4.2s, v11.2s, v13.2s
	fmadd	s0, s1, s2, s3
	smlal2	v4.4s, v11.8h, v13.8h
	sdot	v0.4s, v1.16b, v2.4b[0]
	ldr	x9, [sp, #8]
	ldr	s9, [sp, #16]
	ldr	q9, [x29, #-16]
	tbnz	w9, #0, .LBB0_2
	cbnz	x9, .LBB0_1
	b.lt	.LBB0_3
.LBB0_3:
	ret
"""


@pytest.mark.parametrize("target", ["neon"])
def test_loops_of_a_text_for_arm(target: str) -> None:
    neon = TARGETS[target]
    (loop,) = inner_loops(ARM_LOOPS, ARM)
    assert loop.label == ".LBB0_2" and len(loop.lines) == 10
    assert loop.products(neon, True) == 4 + 2 + 4 + 16
    assert loop.on_stack(neon, False) == [] and loop.on_stack(neon, True) == ["ldr q9, [x29, #-16]"]
    assert not has_frame(ARM_LOOPS, ARM) and has_frame("\tadd\tx29, sp, #96\n" + ARM_LOOPS, ARM)


@pytest.mark.parametrize("target", ["avx512"])
def test_sums_and_products_apart_have_no_tile(target: str) -> None:
    found = compiled(lambda x: (mnp.sum(x, axis=1), x * x), (spec((64, 64)),), TARGETS[target])
    assert found.tiles == ()

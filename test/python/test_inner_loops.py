"""The loops of contractions hold the multiply-adds of their schedule's tile, and nothing of a vector's size is spilled.

Schedules are those that the compiler chooses for a described machine with vectors of 512, 256 and 128 bits; the last
has neither fused multiply-adds nor instructions of three operands.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import mlc.numpy as mnp
import pytest
from inner_loops import TARGETS, Compiled, Loop, compiled, has_frame, inner_loops
from mlc import nn, spec
from mlc.runtime import jit

MACHINE = Path(__file__).parents[1] / "transforms" / "loop" / "wide.toml"
BITS = tuple(TARGETS)
pytestmark = pytest.mark.skipif("+sse2" not in jit.host()[1], reason="assembly of x86")

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


@pytest.fixture(autouse=True)
def described(monkeypatch: pytest.MonkeyPatch, bits: int) -> None:
    monkeypatch.setenv("MLC_MACHINE", str(MACHINE))
    monkeypatch.setenv("MLC_VECTOR_BITS", str(bits))


@lru_cache(None)
def program(name: str, bits: int) -> Compiled:
    fn, specs = PROGRAMS[name]
    return compiled(fn, specs, bits)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_multiply_adds_are_those_of_the_tile(name: str, bits: int) -> None:
    found = program(name, bits)
    assert found.tiles and max(t.multiply_adds for t in found.tiles) >= LEAST
    assert found.counts() == found.wanted()


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_no_vector_is_on_the_stack(name: str, bits: int) -> None:
    assert program(name, bits).on_stack() == []


@pytest.mark.parametrize("bits", BITS)
def test_tiles_beyond_the_registers_are_found_to_spill(bits: int) -> None:
    """Twice as many accumulators as registers: all multiply-adds are there, and vectors on the stack."""
    registers, lanes = 32 if bits == 512 else 16, bits // 32
    steps = f"loop-tile{{axis=j size={4 * lanes}}},loop-tile{{axis=i size={registers // 2}}},loop-vectorize{{axes=i,j}}"
    found = compiled(matmul, (spec((512, 512)), spec((512, 512))), bits, steps)
    assert [t.multiply_adds for t in found.tiles] == [2 * registers]
    assert found.counts() == found.wanted()
    assert len(found.on_stack()) >= registers


@pytest.mark.parametrize("bits", [b for b in BITS if b > 128])
def test_products_that_are_not_fused_are_found_missing(bits: int) -> None:
    found = compiled(*PROGRAMS["matmul"], bits, contract=False)
    assert found.wanted() and found.counts() == []


@pytest.mark.parametrize("bits", BITS)
def test_plain_loops_have_no_multiply_adds_of_vectors(bits: int) -> None:
    found = compiled(*PROGRAMS["matmul"], bits, "")
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


@pytest.mark.parametrize("bits", [512])
def test_loops_of_a_text(bits: int) -> None:
    (loop,) = inner_loops(NESTED)
    assert loop.label == ".LBB0_2" and len(loop.lines) == 8
    assert loop.products(bits, True) == 32 + 64 + 8
    assert loop.on_stack(bits, False) == [] and len(loop.on_stack(bits, True)) == 1
    assert not has_frame(NESTED) and has_frame("\tmovq\t%rsp, %rbp\n" + NESTED)
    reload = Loop("", ("\tvmovups\t-64(%rsp,%rax,8), %zmm1", "\tvmovups\t(%rax), %zmm1", "\tmovss\t(%rsp), %xmm1"))
    assert reload.on_stack(bits, False) == ["vmovups -64(%rsp,%rax,8), %zmm1"]


@pytest.mark.parametrize("bits", [512])
def test_sums_and_products_apart_have_no_tile(bits: int) -> None:
    found = compiled(lambda x: (mnp.sum(x, axis=1), x * x), (spec((64, 64)),), bits)
    assert found.tiles == ()

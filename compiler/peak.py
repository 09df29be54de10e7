"""What one core can do at most: its best loop of multiply-adds, by element type.

The loops are LLVM IR text: independent accumulators in registers, nothing else in the loop. Their times belong to the
run that compares with them, because the clock of a core changes with the load of its neighbours.

    %acc0.next = call <16 x float> @llvm.fma.v16f32(<16 x float> %acc0, <16 x float> %x, <16 x float> %y)
"""

from __future__ import annotations

import ctypes
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from ..runtime import jit
from .machine import Machine

COUNTS = (8, 12, 16, 24)
"""Accumulators: more than latency times throughput, fewer than registers."""
STEPS = 20_000
"""Of one call: about 0.1 ms."""


@dataclass(frozen=True)
class Instruction:
    """A multiply-add on registers: `call` with %a the accumulator, %x and %y, on vectors of these types."""

    name: str
    accumulator: str
    operand: str
    call: str
    terms: int
    """Products that one instruction adds."""


@dataclass(frozen=True)
class Loop:
    """One loop of multiply-adds: a call does `operations`, two for each product."""

    run: Callable[[], object]
    operations: float
    keep: Any = field(repr=False, default=None)


def instructions() -> dict[str, Instruction]:
    """Of this CPU, by element type."""
    features = set(jit.host()[1].split(","))
    lanes = Machine.host().lanes(4)
    vector = f"<{lanes} x float>"
    name = f"llvm.fma.v{lanes}f32"
    found = {"float32": Instruction(name, vector, vector, f"{vector} %a, {vector} %x, {vector} %y", lanes)}
    if "+avx512bf16" in features and lanes == 16:
        operand = "<32 x bfloat>"
        call = f"{vector} %a, {operand} %x, {operand} %y"
        found["bfloat16"] = Instruction("llvm.x86.avx512bf16.dpbf16ps.512", vector, operand, call, 32)
    if "+avx512vnni" in features and lanes == 16:
        operand = "<64 x i8>"
        call = f"<16 x i32> %a, {operand} %x, {operand} %y"
        found["int8"] = Instruction("llvm.x86.avx512.vpdpbusd.512", "<16 x i32>", operand, call, 64)
    return found


def loop_text(i: Instruction, count: int) -> str:
    """A function (n, data) of n steps with `count` accumulators; all values start as what `data` holds."""
    acc, operand = i.accumulator, i.operand
    phis = [f"  %acc{k} = phi {acc} [%zero, %entry], [%next{k}, %loop]" for k in range(count)]
    steps = [f"  %next{k} = call {acc} @{i.name}({i.call.replace('%a', f'%acc{k}')})" for k in range(count)]
    stores = [f"  store volatile {acc} %next{k}, ptr %data, align 4" for k in range(count)]
    return "\n".join(
        [
            f"declare {acc} @{i.name}({acc}, {operand}, {operand})",
            'define void @loop(i64 %n, ptr %data) nounwind "min-legal-vector-width"="512" {',
            "entry:",
            f"  %zero = load {acc}, ptr %data, align 4",
            f"  %x = load {operand}, ptr %data, align 4",
            f"  %y = load {operand}, ptr %data, align 4",
            "  br label %loop",
            "loop:",
            "  %i = phi i64 [0, %entry], [%up, %loop]",
            *phis,
            *steps,
            "  %up = add i64 %i, 1",
            "  %more = icmp ult i64 %up, %n",
            "  br i1 %more, label %loop, label %done",
            "done:",
            *stores,
            "  ret void",
            "}\n",
        ]
    )


def linked(text: str, arguments: int, whole: int = 1) -> tuple[Any, Any]:
    """The function `loop`, whose first arguments are whole numbers and the others pointers, and what keeps its code."""
    code = jit.Linked([jit.compile_object(text)])
    kinds = [*[ctypes.c_int64] * whole, *[ctypes.c_void_p] * (arguments - whole)]
    return ctypes.CFUNCTYPE(None, *kinds)(code.address("loop")), code


def seconds(run: Callable[[], object], rounds: int) -> float:
    """The median call."""
    run()
    found: list[float] = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


@lru_cache
def best_loop(dtype: str) -> Loop | None:
    """The fastest loop of the type's multiply-adds; None where the CPU has no instruction for it."""
    instruction = instructions().get(dtype)
    if instruction is None:
        return None
    data = np.zeros(64, np.int8 if dtype == "int8" else np.float32).view(np.uint8)
    registers, loops = Machine.host().registers, list[Loop]()
    for count in (c for c in COUNTS if c + 2 <= registers):
        call, code = linked(loop_text(instruction, count), 2)
        address = data.ctypes.data
        run = lambda call=call, address=address: call(STEPS, address)
        loops.append(Loop(run, 2.0 * instruction.terms * count * STEPS, (code, data)))
    return max(loops, key=lambda loop: loop.operations / seconds(loop.run, 20))

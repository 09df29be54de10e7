"""The innermost loops of a kernel's assembly: how many multiply-adds they hold, and what they keep on the stack.

A loop is what lies between a label and the last jump back to it; it is innermost if no other lies in it. What a
contraction's loop should hold follows from its schedule: the product of the vector axes of the stage that reduces, rows
times lanes times what is unrolled of k, in elements. Each multiply-add instruction counts as the elements that it adds
up, so that one that adds pairs or fours of narrow ones compares with as many plain ones.

The machine is a description and the instructions are those of a CPU of that width, not those of the host.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import Any, NamedTuple

from mlc.compiler import driver
from mlc.compiler.compile import emit, options_of, passes
from mlc.compiler.frontend.tracing import trace
from mlc.compiler.machine import Machine
from mlc.compiler.transforms.loop.steptext import bytes_of
from mlc.dialects.loop.ops import StageOp, element_of
from mlc.dialects.loop.queries import stages
from mlc.runtime import jit
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp


class Target(NamedTuple):
    """The widest registers of a CPU, and what LLVM may use."""

    register: str
    features: str


CPU = "x86-64"
AVX2 = "+avx,+avx2,+fma,+f16c,+bmi,+bmi2"
TARGETS = {
    512: Target("zmm", AVX2 + ",+avx512f,+avx512vl,+avx512bw,+avx512dq"),
    256: Target("ymm", AVX2),
    128: Target("xmm", "+sse2"),
}

FUSED = {r"vfn?m(add|sub)\d+p[sd]": 0, "vdpbf16ps": 16, "vpdpbusds?": 8, "vpdpwssds?": 16}
"""Multiply-add instructions, and the bits of the elements that they multiply; 0: as the name ends, ps or pd."""
PRODUCTS = {"vpmulld": 32, "pmulld": 32, "pmuludq": 64, "vpmaddwd": 16, "pmaddwd": 16}
"""Multiplications of integers, each with an addition behind it. `pmuludq` has two products in the room of four."""
APART = {r"v?mulp[sd]": 0}
"""Of floats on a CPU that cannot fuse them."""


@dataclass(frozen=True)
class Loop:
    """The lines from a label to the last jump back to it."""

    label: str
    lines: tuple[str, ...]

    def products(self, bits: int, has_fma: bool) -> int:
        """Elements that vector instructions of this width multiply and add up in an iteration."""
        rows = {**FUSED, **PRODUCTS, **({} if has_fma else APART)}
        total = 0
        for line in self.lines:
            word = (line.split() or [""])[0]
            size = next((n for name, n in rows.items() if re.fullmatch(name, word)), None)
            if size is not None and f"%{TARGETS[bits].register}" in line:
                total += bits // (size or (64 if word.endswith("d") else 32))
        return total

    def on_stack(self, bits: int, framed: bool) -> list[str]:
        """Instructions with a register of this width and an operand on the stack."""
        base = r"\(%r[sb]p\b" if framed else r"\(%rsp\b"
        wide = f"%{TARGETS[bits].register}"
        return [" ".join(line.split()) for line in self.lines if wide in line and re.search(base, line)]


def has_frame(assembly: str) -> bool:
    """Does %rbp point into the stack? If not, it is a register like others."""
    return re.search(r"movq\s+%rsp, %rbp", assembly) is not None


def inner_loops(assembly: str) -> list[Loop]:
    """The innermost loops of a function, in order."""
    lines = assembly.splitlines()
    labels = {m[1]: n for n, line in enumerate(lines) if (m := re.match(r"(\.L\w+):", line))}
    ends: dict[str, int] = {}
    for n, line in enumerate(lines):
        jump = re.match(r"\s+j\w+\s+(\.L\w+)", line)
        if jump and labels.get(jump[1], n) < n:
            ends[jump[1]] = n
    spans = sorted((labels[label], end) for label, end in ends.items())
    inner = [s for s in spans if not any(s != o and s[0] <= o[0] and o[1] <= s[1] for o in spans)]
    return [Loop(lines[start].partition(":")[0], tuple(lines[start + 1 : end + 1])) for start, end in inner]


@dataclass(frozen=True)
class Tile:
    """What one iteration of a reducing stage multiplies and adds up, by its schedule."""

    label: str
    products: int
    lanes: int

    @property
    def multiply_adds(self) -> int:
        """Instructions that take a vector of the accumulators' elements each."""
        return self.products // self.lanes


def tiles(module: ModuleOp, machine: Machine) -> list[Tile]:
    """The tiles of the stages that add up products, schedules applied; lanes that fill no vector take a whole one."""
    found: list[Tile] = []
    for f in (op for op in module.body.block.ops if isinstance(op, FuncOp) and not op.is_declaration):
        for stage in stages(f):
            if not adds_products(stage):
                continue
            lanes = machine.lanes(bytes_of(element_of(stage.results[0])))
            result = [name for form in stage.target(0).access for name, _ in form.terms]
            sizes = {a.name: a.extent for a in stage.axes if a.kind == "vec" and isinstance(a.extent, int)}
            along = next((n for n in reversed(result) if n in sizes), None)
            whole = [-(-e // lanes) * lanes if n == along else e for n, e in sizes.items()]
            found.append(Tile(stage.label.data, prod(whole), lanes))
    return found


def adds_products(stage: StageOp) -> bool:
    """A reduction by addition over an axis that its result has not, of products."""
    kept = {name for form in stage.target(0).access for name, _ in form.terms}
    multiplies = any(op.name in ("arith.mulf", "arith.muli") for op in stage.body.block.ops)
    return stage.target(0).mode == "add" and multiplies and any(a.name not in kept for a in stage.axes)


@dataclass(frozen=True)
class Compiled:
    """A program's kernels as assembly for a machine, and the tiles of their schedules."""

    bits: int
    machine: Machine
    assembly: tuple[str, ...]
    tiles: tuple[Tile, ...]

    def loops(self) -> list[tuple[Loop, bool]]:
        """The innermost loops that multiply and add, with whether %rbp points into the stack there."""
        every = [(loop, has_frame(text)) for text in self.assembly for loop in inner_loops(text)]
        return [(loop, framed) for loop, framed in every if self.products(loop)]

    def products(self, loop: Loop) -> int:
        return loop.products(self.bits, self.machine.has_fma)

    def counts(self) -> list[int]:
        """Elements multiplied and added up in an iteration of each such loop, from the most."""
        return sorted((self.products(loop) for loop, _ in self.loops()), reverse=True)

    def wanted(self) -> list[int]:
        """The same by the schedules."""
        return sorted((t.products for t in self.tiles), reverse=True)

    def on_stack(self) -> list[str]:
        """Accesses of the stack with the widest registers in those loops."""
        return [line for loop, framed in self.loops() for line in loop.on_stack(self.bits, framed)]


def compiled(
    fn: Callable[..., Any], specs: tuple[Any, ...], bits: int, schedule: str | None = None, contract: bool = True
) -> Compiled:
    """A function of arrays on the machine that MLC_MACHINE and MLC_VECTOR_BITS describe.

    `contract=False` takes the leave to fuse additions with products away.
    """
    found: list[Tile] = []
    options, machine = options_of(schedule=schedule, threads=1), Machine.host()
    assert machine.vector_bytes == bits // 8

    def observe(pass_: Any, module: ModuleOp) -> None:
        if pass_.name == "apply-schedule":
            found.extend(tiles(module, machine))

    traced = trace(fn, specs)
    driver.run(traced.module, passes(options), replace(driver.Options(), verify_input=False, observer=observe))
    code = emit(traced.module, replace(options, entry=traced.name))
    texts = [k.llvm_ir if contract else re.sub(r"\bcontract\b", "", k.llvm_ir) for k in code.kernels]
    assembly = tuple(jit.assembly(text, CPU, TARGETS[bits].features) for text in texts)
    return Compiled(bits, machine, assembly, tuple(found))

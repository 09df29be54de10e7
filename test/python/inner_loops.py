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
from mlc.compiler.frontend.tracing import trace
from mlc.compiler.machine import Machine
from mlc.compiler.options import emit, options_of, passes
from mlc.compiler.transforms.loop.steptext import bytes_of
from mlc.dialects.loop.ops import StageOp, element_of
from mlc.dialects.loop.queries import stages
from mlc.lowering.first_copies import filled_by
from mlc.runtime import jit
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp


class Syntax(NamedTuple):
    """How an assembly writes jumps, accesses of the stack, and multiply-adds."""

    jump: str
    stack: str
    framed: str
    frame: str
    doubles: str
    fused: dict[str, int]
    apart: dict[str, int]


X86 = Syntax(
    jump=r"j\w+",
    stack=r"\(%rsp\b",
    framed=r"\(%r[sb]p\b",
    frame=r"movq\s+%rsp, %rbp",
    doubles=r"\w+d\b",
    fused={
        **{r"vfn?m(add|sub)\d+p[sd]": 0, "vdpbf16ps": 16, "vpdpbusds?": 8, "vpdpwssds?": 16},
        # Multiplications of integers, each with an addition behind it. `pmuludq` has two products in the room of four.
        **{"vpmulld": 32, "pmulld": 32, "pmuludq": 64, "vpmaddwd": 16, "pmaddwd": 16},
    },
    apart={r"v?mulp[sd]": 0},
)
ARM = Syntax(
    jump=r"(?:b|b\.\w+|cbn?z\s+\w+,|tbn?z\s+\w+, #\d+,)",
    stack=r"\[sp\b",
    framed=r"\[(sp|x29)\b",
    frame=r"(mov\s+x29, sp|add\s+x29, sp,)",
    doubles=r"\w+\s+v\d+\.2d",
    fused={r"fml[as]": 0, r"ml[as]": 0, r"[su]mlal2?": 0, "[su]dot": 8},
    apart={},
)
"""`fused`: multiply-add instructions, and the bits of the elements that they multiply; 0: 64 if `doubles`, else
32. `apart`: of floats, where there are none that are fused."""


class Target(NamedTuple):
    """The widest registers of a CPU, and what LLVM may use."""

    bits: int
    register: str
    features: str
    cpu: str = "x86-64"
    triple: str = "x86_64-unknown-linux-gnu"
    syntax: Syntax = X86
    description: str = "wide.toml"


AVX2 = "+avx,+avx2,+fma,+f16c,+bmi,+bmi2"
TARGETS = {
    "avx512": Target(512, "%zmm", AVX2 + ",+avx512f,+avx512vl,+avx512bw,+avx512dq"),
    "avx2": Target(256, "%ymm", AVX2),
    "sse2": Target(128, "%xmm", "+sse2"),
    "neon": Target(
        128, r"\b(q\d+\b|v\d+\.(4s|2d|8h|16b))", "", "generic", "aarch64-unknown-linux-gnu", ARM, "neon.toml"
    ),
}

DOTS = {
    "vnni": TARGETS["avx512"]._replace(
        features=TARGETS["avx512"].features + ",+avx512vnni,+avx512bf16", description="wide_dots.toml"
    ),
    "dotprod": TARGETS["neon"]._replace(features="+dotprod", description="neon_dots.toml"),
}
"""Those with instructions that add several products of narrow factors."""


@dataclass(frozen=True)
class Loop:
    """The lines from a label to the last jump back to it."""

    label: str
    lines: tuple[str, ...]

    def products(self, target: Target, has_fma: bool) -> int:
        """Elements that vector instructions of this width multiply and add up in an iteration."""
        syntax = target.syntax
        rows = {**syntax.fused, **({} if has_fma else syntax.apart)}
        total = 0
        for line in self.lines:
            word = (line.split() or [""])[0]
            size = next((n for name, n in rows.items() if re.fullmatch(name, word)), None)
            if size is not None and re.search(target.register, line):
                total += target.bits // (size or (64 if re.match(syntax.doubles, line.strip()) else 32))
        return total

    def on_stack(self, target: Target, framed: bool) -> list[str]:
        """Instructions with a register of this width and an operand on the stack."""
        base = target.syntax.framed if framed else target.syntax.stack
        found = [line for line in self.lines if re.search(target.register, line) and re.search(base, line)]
        return [" ".join(line.split()) for line in found]


def has_frame(assembly: str, syntax: Syntax) -> bool:
    """Does the frame pointer point into the stack? If not, it is a register like others."""
    return re.search(syntax.frame, assembly) is not None


def inner_loops(assembly: str, syntax: Syntax) -> list[Loop]:
    """The innermost loops of a function, in order."""
    lines = assembly.splitlines()
    labels = {m[1]: n for n, line in enumerate(lines) if (m := re.match(r"(\.L\w+):", line))}
    ends: dict[str, int] = {}
    for n, line in enumerate(lines):
        jump = re.match(rf"\s+{syntax.jump}\s+(\.L\w+)", line)
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
            # the first trip that makes what others read is a loop of its own
            copies = (v.owner for v in stage.ins if isinstance(v.owner, StageOp))
            found += [Tile(stage.label.data, prod(whole), lanes)] * (1 + any(filled_by(c) for c in copies))
    return found


def adds_products(stage: StageOp) -> bool:
    """A reduction by addition over an axis that its result has not, of products."""
    kept = {name for form in stage.target(0).access for name, _ in form.terms}
    multiplies = any(op.name in ("arith.mulf", "arith.muli") for op in stage.body.block.ops)
    return stage.target(0).mode == "add" and multiplies and any(a.name not in kept for a in stage.axes)


@dataclass(frozen=True)
class Compiled:
    """A program's kernels as assembly for a machine, and the tiles of their schedules."""

    target: Target
    machine: Machine
    assembly: tuple[str, ...]
    tiles: tuple[Tile, ...]

    def loops(self) -> list[tuple[Loop, bool]]:
        """The innermost loops that multiply and add, with whether %rbp points into the stack there."""
        syntax = self.target.syntax
        every = [(loop, has_frame(text, syntax)) for text in self.assembly for loop in inner_loops(text, syntax)]
        return [(loop, framed) for loop, framed in every if self.products(loop)]

    def products(self, loop: Loop) -> int:
        return loop.products(self.target, self.machine.has_fma)

    def counts(self) -> list[int]:
        """Elements multiplied and added up in an iteration of each such loop, from the most."""
        return sorted((self.products(loop) for loop, _ in self.loops()), reverse=True)

    def wanted(self) -> list[int]:
        """The same by the schedules."""
        return sorted((t.products for t in self.tiles), reverse=True)

    def on_stack(self) -> list[str]:
        """Accesses of the stack with the widest registers in those loops."""
        return [line for loop, framed in self.loops() for line in loop.on_stack(self.target, framed)]


def compiled(
    fn: Callable[..., Any], specs: tuple[Any, ...], target: Target, schedule: str | None = None, contract: bool = True
) -> Compiled:
    """A function of arrays on the machine that MLC_MACHINE and MLC_VECTOR_BITS describe.

    `contract=False` takes the leave to fuse additions with products away.
    """
    found: list[Tile] = []
    options, machine = options_of(schedule=schedule, threads=1), Machine.host()
    assert machine.vector_bytes == target.bits // 8

    def observe(pass_: Any, module: ModuleOp) -> None:
        if pass_.name == "apply-schedule":
            found.extend(tiles(module, machine))

    traced = trace(fn, specs)
    driver.run(traced.module, passes(options), replace(driver.Options(), verify_input=False, observer=observe))
    code = emit(traced.module, replace(options, entry=traced.name), features=target.features)
    texts = [k.llvm_ir if contract else re.sub(r"\bcontract\b", "", k.llvm_ir) for k in code.kernels]
    assembly = tuple(jit.assembly(text, target.cpu, target.features, target.triple) for text in texts)
    return Compiled(target, machine, assembly, tuple(found))

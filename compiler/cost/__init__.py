"""The one cost interface: seconds that a program, a kernel or a block of tensor ops takes on a machine, with the terms
they are made of.

    estimate(module, machine=Machine.load("h100")).terms["memory"]
    estimate_block(block, machine, constants=block.args[1:]).seconds

    operations  multiply-adds, sums and elementwise arithmetic (`kernel.py`, `device.py`)
    math        functions such as exp, at what the machine takes for an element
    memory      bytes, at the bandwidth of the cache where they lie (`program.py`)
    launch      calls of kernels

A kernel takes the longer of its work (operations and math) and its memory, a part of the other, which does not hide
behind it, and its launch; a program takes what its kernels take. What depends on constants alone is made before the
program runs and costs nothing. CPUs are estimated with one thread, GPUs with all of their multiprocessors. Symbols
count as `report.TYPICAL` unless `sizes` says.

A program of tensor ops is fused first, as the pipeline does, on a copy: what is estimated is what would run.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, SSAValue

from ...dialects.errors import CompileError
from ...dialects.graph.ops import KernelOp, LaunchOp
from ...dialects.nd.control import Control, Yield
from ...dialects.nd.effects import EFFECTS
from ...dialects.nd.op import NdOp
from ..blocks import clone
from ..machine import Machine

SCALAR_SHARE = 1 / 8
"""Of the speed of arithmetic, what a kernel without a vectorising schedule reaches."""

TERMS = ("operations", "math", "memory", "launch")

KEPT = 20_000
"""Estimates of blocks that are remembered."""


@dataclass(frozen=True)
class Cost:
    """`terms`: seconds of each of TERMS; work and memory overlap, so that `seconds` is at most their sum."""

    seconds: float
    terms: Mapping[str, float] = field(default_factory=dict[str, float])
    kernels: float = 0
    """Launches."""
    operations: float = 0
    bytes: float = 0

    def times(self, n: int) -> Cost:
        terms = {name: t * n for name, t in self.terms.items()}
        return Cost(self.seconds * n, terms, self.kernels * n, self.operations * n, self.bytes * n)

    def __add__(self, other: Cost) -> Cost:
        names = {**self.terms, **other.terms}
        return Cost(
            self.seconds + other.seconds,
            {n: self.terms.get(n, 0.0) + other.terms.get(n, 0.0) for n in names},
            self.kernels + other.kernels,
            self.operations + other.operations,
            self.bytes + other.bytes,
        )


UNITS = (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9))


def in_units(seconds: float) -> tuple[float, str]:
    """Seconds as a number of the largest unit that they fill."""
    unit, scale = next((u for u in UNITS if seconds >= u[1]), UNITS[-1])
    return seconds / scale, unit


ZERO = Cost(0.0, dict.fromkeys(TERMS, 0.0))


def estimate(
    what: ModuleOp | FuncOp | KernelOp,
    schedule: str = "",
    machine: Machine | None = None,
    sizes: Mapping[str, int] | None = None,
    fuse: bool = True,
) -> Cost:
    """The cost of a program at the tensor level (of all public functions) or the graph level, or of one kernel.

    `schedule`: steps of all kernels, where they are not what choose-schedule would write. Of a FuncOp with launches the
    kernels are looked up in its module. Without `fuse`, every op of the tensor level is a kernel of its own. Raises
    CompileError for ops of other dialects.
    """
    from .program import Pricing

    machine = machine or Machine.host()
    share = SCALAR_SHARE if schedule and "loop-vectorize" not in schedule else 1.0
    pricing = Pricing(machine, sizes or {}, share)
    if isinstance(what, KernelOp):
        return pricing.kernel(what.body.block)
    if is_kernel(what):
        return pricing.kernel(what.body.block)
    programs = [what] if isinstance(what, FuncOp) else [f for f in what.ops if isinstance(f, FuncOp) and is_program(f)]
    total = ZERO
    for f in programs:
        if not any(isinstance(op, KernelOp | LaunchOp) for op in f.walk()):
            check_tensor_level(f)
            total = total + pricing.program(fused(f.clone().body.block, machine, apart=not fuse), {})
        else:
            module = f.parent_op()
            kernels = [k for k in module.ops if isinstance(k, FuncOp)] if isinstance(module, ModuleOp) else []
            total = total + pricing.program(f.body.block, {k.sym_name.data: k for k in kernels})
    return total


def is_program(f: FuncOp) -> bool:
    private = f.sym_visibility is not None and f.sym_visibility.data == "private"
    return bool(f.body.blocks) and not private


def check_tensor_level(f: FuncOp) -> None:
    known = (NdOp, Control, Yield, ReturnOp, *EFFECTS)
    foreign = next((op for op in f.walk() if op is not f and not isinstance(op, known)), None)
    if foreign is not None:
        raise CompileError(f"estimate: expected ops of the nd dialect, found {foreign.name}", foreign.location)


def is_kernel(what: ModuleOp | FuncOp) -> bool:
    """Is it a function that graph-outline made?"""
    return isinstance(what, FuncOp) and not is_program(what)


_known: dict[Hashable, Cost] = {}


def estimate_block(
    block: Block,
    machine: Machine | None = None,
    constants: Collection[SSAValue] = (),
    sizes: Mapping[str, int] | None = None,
) -> Cost:
    """The cost of a block of tensor ops that ends in a terminator, as a program whose arguments these of the block are;
    `constants` are the arguments that never change. The block stays as it is; equal blocks are estimated once."""
    machine = machine or Machine.host()
    key = (structure(block, frozenset(constants)), machine, tuple(sorted((sizes or {}).items())))
    if (found := _known.get(key)) is None:
        from .program import Pricing

        if len(_known) >= KEPT:
            _known.clear()
        found = Pricing(machine, sizes or {}).program(fused(standing_alone(block, constants), machine), {})
        _known[key] = found
    return found


def structure(block: Block, constants: frozenset[SSAValue]) -> Hashable:
    """What makes the estimates of blocks equal: their ops, types and constants, not names and places."""
    number: dict[SSAValue, int] = {a: k for k, a in enumerate(block.args)}
    parts: list[Hashable] = [tuple((a.type, a in constants) for a in block.args)]
    for op in block.ops:
        inner = tuple(structure(b, frozenset()) for r in op.regions for b in r.blocks)
        properties = tuple(sorted(op.properties.items(), key=lambda p: p[0]))
        parts.append((op.name, tuple(number[v] for v in op.operands), properties, inner))
        for r in op.results:
            number[r] = len(number)
            parts.append(r.type)
    return tuple(parts)


def standing_alone(block: Block, constants: Collection[SSAValue]) -> Block:
    """A copy that ends in func.return; arguments that are constants are resources."""
    from ...dialects.nd.resource import Resource, ResourceAttr, ResourceOp

    new = Block(arg_types=[a.type for a in block.args if a not in constants])
    rest = iter(new.args)
    env: dict[SSAValue, SSAValue] = {}
    for arg in block.args:
        if arg not in constants:
            env[arg] = next(rest)
            continue
        data = ResourceAttr(Resource(f"constant{arg.index}", f"{arg.index:032x}"))
        made = ResourceOp.create(result_types=[arg.type], properties={"data": data, "shape": arg.type})
        new.add_op(made)
        env[arg] = made.results[0]
    for op in block.ops:
        if op is not block.last_op:
            new.add_op(clone(op, env))
    last = block.last_op
    assert last is not None
    new.add_op(ReturnOp.create(operands=[env[v] for v in last.operands]))
    return new


def fused(block: Block, machine: Machine, apart: bool = False) -> Block:
    """The block of a program with its ops in kernels, each in its own if they stay `apart`."""
    from ..transforms.graph_fuse import fuse_block
    from ..transforms.region_operands import prepare_regions

    prepare_regions(block)
    fuse_block(block, chains=machine.kind == "cpu", apart=apart)
    return block

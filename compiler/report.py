"""What a program costs and where its data lies: `report(module)` as a plain dict, `format_report` as text.

    kernel add_mul_add: 1 call, 48 operations, 80 accesses, 320 bytes: 3/5 per access, 3/20 per byte
      alone add 1/3 per access, 1/12 per byte; mul 1/3, 1/12; add 1/3, 1/12
    argument %x: tensor<1x2x3x4xf32> strides [24, 12, 4, 1] offset 0
    view %0 of %x: tensor<4x3x2x1xf32> strides [1, 4, 12, 24] offset 0

An access is an element that a kernel reads or writes once, however often its loops touch it; strides and offsets are in
elements. Sizes over symbols are text. `before` is every op as a kernel of its own, `after` the kernels there are.
Kernels are counted while their bodies are tensor ops, so a report is of a module at the graph level. What is inside of
a scan counts for each of its trips, inside of an `nd.while` for one trip; both branches of an `nd.if` count.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue

from ..dialects.graph.ops import ARENA, CopyOp, KernelOp, LaunchOp
from ..dialects.graph.place import SizeAttr
from ..dialects.graph.regions import program_ops
from ..dialects.graph.views import VIEWS, View, view_of
from ..dialects.nd.constant import Source
from ..dialects.nd.control import Control, Scan
from ..dialects.nd.dims import TYPICAL as TYPICAL
from ..dialects.nd.dims import Dim, size, typical
from ..dialects.nd.op import NdOp
from ..dialects.nd.resource import is_stored
from ..dialects.nd.types import NUMPY, element, shape_of
from .memory import draw, memory_of, plain


@dataclass
class Amount:
    """Work and traffic."""

    operations: Dim = 0
    accesses: Dim = 0
    bytes: Dim = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.operations + other.operations, self.accesses + other.accesses, self.bytes + other.bytes)

    def times(self, n: Dim) -> Amount:
        return Amount(self.operations * n, self.accesses * n, self.bytes * n)

    def plain(self) -> dict[str, Any]:
        return {
            "ops": plain(self.operations),
            "accesses": plain(self.accesses),
            "bytes": plain(self.bytes),
            "per_access": ratio(self.operations, self.accesses),
            "per_byte": ratio(self.operations, self.bytes),
        }


def ratio(a: Dim, b: Dim) -> float | None:
    """a / b; of symbolic amounts at the typical size."""
    n = typical(b)
    return typical(a) / n if n else None


def moved(values: Iterable[SSAValue]) -> Amount:
    """The traffic of reading or writing each value once."""
    out = Amount()
    for v in values:
        n = size(shape_of(v.type))
        out += Amount(0, n, n * NUMPY[element(v.type)].itemsize)
    return out


def works(op: Operation) -> bool:
    """Is it a kernel's work, not a view or something that costs nothing?"""
    return isinstance(op, NdOp) and type(op) not in VIEWS and not isinstance(op, Source)


def alone(op: NdOp) -> Amount:
    """An op as a kernel of its own: operands are read where they lie, constants of one value are not."""
    bases = dict.fromkeys(view_of(v).base for v in op.operands)
    read = [v for v in bases if not (isinstance(v.owner, Source) and not is_stored(v.owner))]
    return Amount(op.cost().flops) + moved(read) + moved(op.results)


def body_amount(block: Block) -> Amount:
    """A kernel: all its operations; the arguments that it uses and its results, once each."""
    last = block.last_op
    assert last is not None
    out = Amount()
    for op in block.ops:
        if works(op):
            assert isinstance(op, NdOp)
            out += Amount(op.cost().flops)
    return out + moved(a for a in block.args if a.first_use is not None) + moved(dict.fromkeys(last.operands))


class Amounts(NamedTuple):
    """What a kernel does, and each of its ops as a kernel of its own."""

    whole: Amount
    alone: list[tuple[str, Amount]]

    @staticmethod
    def of(block: Block) -> Amounts | None:
        """None of a body that is not of tensor ops alone."""
        if not all(isinstance(op, NdOp) or op is block.last_op for op in block.ops):
            return None
        return Amounts(
            body_amount(block), [(op.name, alone(op)) for op in block.ops if isinstance(op, NdOp) and works(op)]
        )


def kernel_report(
    name: str, block: Block, amounts: Amounts | None, calls: Dim, operands: Sequence[SSAValue], named: Names
) -> dict[str, Any]:
    out: dict[str, Any] = {"name": name, "calls": plain(calls)}
    if amounts is not None:
        out |= amounts.whole.plain()
        out["alone"] = [{"op": op} | amount.plain() for op, amount in amounts.alone]
        out["copy"] = not amounts.alone
    out["arguments"] = [placed(argument, view_of(v), named) for argument, v in zip(block.args, operands)]
    return out


def placed(value: SSAValue, view: View, named: Names) -> dict[str, Any]:
    """Where a value lies."""
    return {
        "name": named(value),
        "type": str(value.type),
        "shape": [plain(d) for d in shape_of(value.type)],
        "strides": [plain(s) for s in view.strides],
        "offset": plain(view.offset),
        "of": named(view.base),
    }


class Names:
    """Names that a reader can find: the hint, or the place."""

    def __init__(self) -> None:
        self.before: dict[Operation, int] = {}
        """How many results stand before an op in its block."""

    def __call__(self, value: SSAValue) -> str:
        if value.name_hint:
            return value.name_hint
        if isinstance(value, BlockArgument):
            return f"arg{value.index}"
        op = value.owner
        assert isinstance(op, Operation) and op.parent is not None
        if op not in self.before:
            count = 0
            for other in op.parent.ops:
                self.before[other] = count
                count += len(other.results)
        return str(self.before[op] + op.results.index(value))  # pyright: ignore[reportArgumentType]


def report(module: ModuleOp) -> dict[str, Any]:
    """The report of the module's first program."""
    found = [op for op in module.body.block.ops if isinstance(op, FuncOp) and op.body.blocks]
    main = next((f for f in found if f.sym_visibility is None or f.sym_visibility.data != "private"), None)
    if main is None:
        return {"program": None, "kernels": []}
    kernels = {f.sym_name.data: f.body.block for f in found}
    block = main.body.block
    bodies: dict[str, Block] = {}
    calls: dict[str, Dim] = {}
    operands: dict[str, Sequence[SSAValue]] = {}
    copies: Dim = 0
    before, after, unfused = Amount(), Amount(), Amount()
    for op, trips in counted(block):
        if isinstance(op, KernelOp):
            name = op.label.data
            while name in bodies:
                name += "'"
            bodies[name], calls[name], operands[name] = op.body.block, trips, op.args
        elif isinstance(op, LaunchOp):
            bodies[op.kernel] = kernels[op.kernel]
            calls[op.kernel] = calls.get(op.kernel, 0) + trips
            operands.setdefault(op.kernel, op.args)
        elif isinstance(op, CopyOp):
            copies = copies + trips
        elif works(op) and isinstance(op, NdOp):
            unfused += alone(op).times(trips)
    amounts = {name: Amounts.of(body) for name, body in bodies.items()}
    for name, found_ in amounts.items():
        if found_ is not None:
            after += found_.whole.times(calls[name])
            for _, amount in found_.alone:
                before += amount.times(calls[name])
    arena = main.attributes.get(ARENA)
    last = block.last_op
    assert isinstance(last, ReturnOp)
    named = Names()
    memory = memory_of(main, named)
    reports = [
        kernel_report(name, body, amounts[name], calls[name], operands[name], named) for name, body in bodies.items()
    ]
    for kernel in reports:
        copies = copies + (calls[kernel["name"]] if kernel.get("copy") else 0)
    return {
        "program": main.sym_name.data,
        "kernels": reports,
        "before": (before + unfused).plain(),
        "after": (after + unfused).plain(),
        "arguments": [placed(a, view_of(a), named) for a in block.args],
        "views": [
            placed(op.results[0], view_of(op.results[0]), named)
            for op in program_ops(block)
            if type(op) in VIEWS and view_of(op.results[0]).base is not op.results[0]
        ],
        "results": [placed(v, view_of(v), named) for v in last.operands],
        "arena_bytes": plain(arena.data) if isinstance(arena, SizeAttr) else None,
        "live_bytes_max": plain(memory.peak.bytes),
        "memory": memory.plain(),
        "copies": plain(copies),
    }


def counted(block: Block, trips: Dim = 1) -> Iterator[tuple[Operation, Dim]]:
    """The ops of a program, each with how often it runs."""
    for op in block.ops:
        yield op, trips
        if isinstance(op, Control):
            inside = trips * op.length if isinstance(op, Scan) else trips
            for region in op.regions:
                yield from counted(region.block, inside)


def add_parallel(facts: dict[str, Any], module: ModuleOp, threads: int) -> None:
    """Say of each kernel which of its loops are parallel, now that they are lowered."""
    functions = {f.sym_name.data: f for f in module.body.block.ops if isinstance(f, FuncOp)}
    facts["threads"] = threads
    for kernel in facts["kernels"]:
        f = functions.get(kernel["name"])
        loops = [op for op in f.walk() if op.name == "scf.parallel"] if f is not None else []
        outer = [op for op in loops if not any(o is not op and o.is_ancestor(op) for o in loops)]
        kernel["parallel"] = (
            [a.name_hint or "" for op in outer for a in op.regions[0].block.args] if threads > 1 else []
        )


def add_schedules(facts: dict[str, Any], module: ModuleOp) -> None:
    """Say of each kernel its steps, and who wrote them: the user, the tuner or the compiler's rules."""
    from .schedules import chosen
    from .spec import parse_pipeline

    found = chosen(module)
    for kernel in facts["kernels"]:
        if kernel["name"] in found:
            origin, schedule = found[kernel["name"]]
            kernel["schedule"] = [str(step) for step in parse_pipeline(schedule)]
            kernel["schedule_from"] = origin


# Text.


def fraction(found: dict[str, Any], what: str) -> str:
    """A ratio as a short fraction where it is one."""
    a, b = found["ops"], found["accesses" if what == "per_access" else "bytes"]
    if isinstance(a, int) and isinstance(b, int) and b:
        f = Fraction(a, b)
        if f.denominator <= 100:
            return str(f)
    value = found[what]
    return "-" if value is None else f"{value:.3g}"


def amount_text(found: dict[str, Any]) -> str:
    return (
        f"{found['ops']} operations, {found['accesses']} accesses, {found['bytes']} bytes: "
        f"{fraction(found, 'per_access')} per access, {fraction(found, 'per_byte')} per byte"
    )


def place_text(what: str, found: dict[str, Any]) -> str:
    of = f" of %{found['of']}" if found["of"] != found["name"] else ""
    strides = ", ".join(map(str, found["strides"]))
    return f"{what} %{found['name']}{of}: {found['type']} strides [{strides}] offset {found['offset']}"


def format_report(found: dict[str, Any]) -> str:
    """The report as text."""
    if found["program"] is None:
        return "no program\n"
    numbers = [k["calls"] for k in found["kernels"]]
    calls = " + ".join(n for n in numbers if isinstance(n, str))
    total = sum(n for n in numbers if isinstance(n, int))
    calls = f"{calls} + {total}" if calls and total else calls or total
    lines = [f"program @{found['program']}: {calls} kernel call{'s' * (calls != 1)}"]
    for kernel in found["kernels"]:
        n = kernel["calls"]
        head = f"kernel {kernel['name']}: {n} call{'s' * (n != 1)}"
        lines.append(f"{head}, {amount_text(kernel)}" if "ops" in kernel else head)
        if kernel.get("parallel"):
            lines.append(f"  parallel {', '.join(kernel['parallel'])}: {found['threads']} threads")
        if kernel.get("schedule_from", "automatic") != "automatic":
            origin = {"user": "from the user", "tuned": "tuned"}[kernel["schedule_from"]]
            lines.append(f"  schedule {origin}: {','.join(kernel['schedule']) or 'plain loops'}")
        for op in kernel.get("alone", []):
            lines.append(f"  alone {op['op']}: {amount_text(op)}")
        lines += ["  " + place_text("argument", a) for a in kernel["arguments"]]
    lines.append(f"before fusion: {amount_text(found['before'])}")
    lines.append(f"after fusion: {amount_text(found['after'])}")
    if found["arena_bytes"] is not None:
        lines.append(f"arena: {found['arena_bytes']} bytes, at most {found['live_bytes_max']} live")
        lines += draw(found["memory"])
    lines.append(f"copies: {found['copies']}")
    for c in found.get("conversions", []):
        orders = f"{c['from']} to {c['to']}"
        lines.append(f"conversion %{c['value']} in {c['kernel']}: {orders}, {c['bytes']} bytes: {c['why']}")
    for what in ("argument", "view", "result"):
        lines += [place_text(what, a) for a in found[what + "s"]]
    return "\n".join(lines) + "\n"

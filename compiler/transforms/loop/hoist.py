"""hoist-constants: what a kernel makes of constants alone is made once, before the program runs.

It works on whole programs: a kernel's statements become a function of their own, every launch of the kernel gets what
that function prepares. So a copy that a schedule packs at the top of a kernel costs nothing when the program runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, FunctionType, ModuleOp, UnitAttr
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, BlockArgument, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from ....dialects.graph.ops import CONSTANT, LaunchOp, PrepareOp
from ....dialects.graph.regions import program_ops
from ....dialects.loop.ops import element_of, shape
from ..graph_outline import GROWTH
from .steptext import bytes_of

NOALIAS = "llvm.noalias"


def constants_of(f: FuncOp) -> list[BlockArgument]:
    """The arguments of a kernel that are constants of the program at every launch."""
    if f.arg_attrs is None:
        return []
    return [a for a, given in zip(f.body.block.args, f.arg_attrs.data) if CONSTANT in given.data]


def read_by(op: Operation) -> list[SSAValue]:
    """The values from outside that an op and what is in it read, each once."""
    inside = {v for inner in op.walk() for v in inner.results}
    inside |= {a for inner in op.walk() for region in inner.regions for block in region.blocks for a in block.args}
    return [v for v in dict.fromkeys(v for inner in op.walk() for v in inner.operands) if v not in inside]


def slice_of(value: SSAValue) -> list[Operation]:
    """The ops of a block that a value depends on, in order."""
    home, wanted = value.owner, {value.owner}
    assert isinstance(home, Operation) and home.parent is not None
    ops = [home]
    at = home.prev_op
    for made in read_by(home):
        wanted.add(made.owner)
    while at is not None:
        if at in wanted:
            ops.append(at)
            wanted |= {v.owner for v in read_by(at)}
        at = at.prev_op
    return ops[::-1]


def size_of(values: Iterable[SSAValue]) -> int | None:
    """Bytes; None where they are known at run time only."""
    total = 0
    for value in values:
        dims = [d for d in shape(value) if isinstance(d, int)]
        if len(dims) != len(shape(value)):
            return None
        total += prod(dims) * bytes_of(element_of(value))
    return total


def prepared(f: FuncOp) -> list[SSAValue]:
    """What the rest of a kernel reads of its statements on constants alone."""
    given = constants_of(f)
    known: dict[SSAValue, set[SSAValue]] = {a: {a} for a in given}
    """The arguments on which values depend that depend on constants alone."""
    if not given:
        return []
    for op in f.body.block.ops:
        reads = read_by(op)
        if op.results and all(v in known for v in reads):
            sources = {a for v in reads for a in known[v]}
            known |= dict.fromkeys(op.results, sources)
    found: list[SSAValue] = []
    for op in f.body.block.ops:
        if op.results and all(r in known for r in op.results):
            continue
        for value in read_by(op):
            if value in known and isinstance(value.owner, Operation) and value not in found:
                found.append(value)
    return [v for v in found if known[v] and not grows(known[v], v)]


def grows(sources: set[SSAValue], value: SSAValue) -> bool:
    """Is a value much larger than what it is made of?"""
    made, given = size_of([value]), size_of(sources)
    return made is None or given is None or made > GROWTH * given


def outline(f: FuncOp, value: SSAValue, name: str) -> tuple[FuncOp, list[BlockArgument]]:
    """A function that makes a value, and the arguments of `f` that it takes."""
    ops = slice_of(value)
    block = f.body.block
    reads = {v for op in ops for v in read_by(op)}
    taken = [a for a in block.args if a in reads]
    inner = Block(arg_types=[a.type for a in taken])
    mapping: dict[SSAValue, SSAValue] = {}
    for old, new in zip(taken, inner.args):
        new.name_hint, new.location = old.name_hint, old.location
        mapping[old] = new
    for op in ops:
        inner.add_op(op.clone(mapping))
    home = value.owner
    assert isinstance(home, Operation)
    inner.add_op(ReturnOp.create(operands=[mapping[value]], location=home.location))
    made = FuncOp(name, ([a.type for a in taken], [value.type]), Region(inner), visibility="private")
    made.location = home.location
    assert f.arg_attrs is not None
    given = [dict(f.arg_attrs.data[a.index].data) for a in taken]
    made.properties["arg_attrs"] = ArrayAttr([DictionaryAttr({**d, NOALIAS: UnitAttr()}) for d in given])
    made.properties["res_attrs"] = ArrayAttr([DictionaryAttr({NOALIAS: UnitAttr()})])
    return made, taken


def hoist(module: ModuleOp, f: FuncOp, launches: list[LaunchOp], taken: set[str]) -> None:
    """Move what one kernel makes of constants alone in front of the program."""
    block = f.body.block
    for value in prepared(f):
        label, number = value.name_hint or "constant", 0
        name = f"{f.sym_name.data}_{label}"
        while name in taken:
            number += 1
            name = f"{f.sym_name.data}_{label}_{number}"
        taken.add(name)
        made, sources = outline(f, value, name)
        module.body.block.add_op(made)
        places = [a.index for a in sources]
        argument = block.insert_arg(value.type, len(block.args), made.location)
        argument.name_hint = value.name_hint
        value.replace_all_uses_with(argument)
        assert f.arg_attrs is not None
        own = DictionaryAttr({CONSTANT: UnitAttr(), NOALIAS: UnitAttr()})
        f.properties["arg_attrs"] = ArrayAttr([*f.arg_attrs.data, own])
        for launch in launches:
            op = PrepareOp.make(name, [launch.args[k] for k in places], value.type, launch.location)
            op.result.name_hint = value.name_hint
            home = launch.parent
            assert home is not None
            home.insert_op_before(op, launch)
            launch.operands = [*launch.operands, op.result]
    drop_dead(f, launches)


def drop_dead(f: FuncOp, launches: list[LaunchOp]) -> None:
    """Erase statements, and arguments that are constants, that nothing reads any more."""
    block = f.body.block
    for op in reversed(list(block.ops)):
        if op.results and all(r.first_use is None for r in op.results):
            op.detach()
            op.erase()
    for argument in reversed(constants_of(f)):
        if argument.first_use is not None:
            continue
        k = argument.index
        assert f.arg_attrs is not None
        f.properties["arg_attrs"] = ArrayAttr([a for n, a in enumerate(f.arg_attrs.data) if n != k])
        block.erase_arg(argument)
        for launch in launches:
            launch.operands = [v for n, v in enumerate(launch.operands) if n != k]
    outputs = f.function_type.outputs.data
    f.properties["function_type"] = FunctionType.from_lists([a.type for a in block.args], outputs)


@dataclass(frozen=True)
class HoistConstants(ModulePass):
    """Make what kernels compute of constants alone before the program runs.

        %w = nd.resource "w", "9f3c.." : tensor<64x64xf32>
        %0 = graph.launch @matmul(%x, %w) : ..
        func.func private @matmul(%x: tensor<8x64xf32>, %w: tensor<64x64xf32> {mlc.constant}) -> tensor<8x64xf32> {
          %pack_w = loop.stage pack_w [j0: 2, k: 64, j: 32] (%0 = %w[k, 32 * j0 + j]) -> [j0, k, j] {..}
          %mm = loop.for j0 = 2 -> [0, 32 * j0] {..}
    becomes
        %w = nd.resource "w", "9f3c.." : tensor<64x64xf32>
        %pack_w = graph.prepare @matmul_pack_w(%w) : (tensor<64x64xf32>) -> tensor<2x64x32xf32>
        %0 = graph.launch @matmul(%x, %pack_w) : ..
        func.func private @matmul(%x: .., %pack_w: tensor<2x64x32xf32> {mlc.constant}) -> tensor<8x64xf32> {
          %mm = loop.for j0 = 2 -> [0, 32 * j0] {..}
        func.func private @matmul_pack_w(%w: tensor<64x64xf32> {mlc.constant}) -> tensor<2x64x32xf32> {
          %pack_w = loop.stage pack_w [j0: 2, k: 64, j: 32] (%0 = %w[k, 32 * j0 + j]) -> [j0, k, j] {..}

    Statements inside of loops stay, and so does what would take much more memory than the constants that it is made of.
    A kernel that reads constants only is prepared as a whole by graph-outline.
    """

    name = "hoist-constants"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        functions = {f.sym_name.data: f for f in op.ops if isinstance(f, FuncOp) and f.body.blocks}
        launches: dict[str, list[LaunchOp]] = {}
        whole: set[str] = set()
        for f in functions.values():
            for inner in program_ops(f.body.block):
                if isinstance(inner, LaunchOp):
                    launches.setdefault(inner.kernel, []).append(inner)
                elif isinstance(inner, PrepareOp):
                    whole.add(inner.kernel)
        taken = {f.sym_name.data for f in op.ops if isinstance(f, FuncOp)}
        for name, found in launches.items():
            if name in functions and name not in whole:
                hoist(op, functions[name], found, taken)

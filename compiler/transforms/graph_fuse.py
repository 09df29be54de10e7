"""graph-fuse: put every op that computes into a kernel; what only views a value stays outside.

    %0 = nd.contract %x, %w "a b, b c -> a c"
    %1 = nd.broadcast %b "b -> a b"
    %2 = nd.add %0, %1
    %3 = nd.transpose %2 "a b -> b a"
    func.return %3
becomes
    %0 = graph.kernel "matmul_add" (%x_1 = %x, %w_1 = %w, %b_1 = %b) -> (tensor<8x4xf32>) {
      %1 = nd.contract %x_1, %w_1 "a b, b c -> a c"
      %2 = nd.broadcast %b_1 "b -> a b"
      %3 = nd.add %1, %2
      graph.yield %3
    }
    %4 = nd.transpose %0 "a b -> b a"
    func.return %4

Composites and checkpoints are taken apart first. Which ops share a kernel: `fusion_groups`. A value that several
kernels read is computed once and becomes a result; constants of one value, iota and sizes are repeated in each kernel,
and so are comparisons of these (`repeat_positions.py`). Transposes, slices and reversals of program values stay outside
as views where their strides are numbers, else they move into the kernel with broadcasts. A reshape is a view of dense
rows; other operands are copied by a kernel of their own; so is a result that views an argument of a function with the
attribute `mlc.written`. No kernel computes both what a barrier reads and what reads the barrier; then barriers go.

Ops with regions and effects stay between the kernels, each after what it reads and effects in program order; the blocks
of regions are fused like programs:

    %0 = nd.scan 8 (%w_1 = %w) carry (%c = %x) -> (tensor<4xf32>) {
      %1 = graph.kernel "mul_tanh" (%c_1 = %c, %w_2 = %w_1) -> (tensor<4xf32>) { ... }
      nd.yield %1 : tensor<4xf32>
    }
    %2 = graph.kernel "all" (%p_1 = %p) -> (tensor<i1>) { ... }
    nd.check %2 "positive" : tensor<i1>

What they read lies in memory, so that a constant or replication is repeated inside of a region or made by a kernel.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from ...dialects.errors import CompileError
from ...dialects.graph.ops import WRITTEN, KernelOp, LaunchOp, YieldOp, donated
from ...dialects.graph.views import VIEWS, is_view, unit_reshape, view_of
from ...dialects.nd.attributes import DimsAttr
from ...dialects.nd.checkpoint import Barrier
from ...dialects.nd.constant import Constant, Source
from ...dialects.nd.control import Control, Scan, While, Yield
from ...dialects.nd.dims import Sym
from ...dialects.nd.dims import symbol as symbol_of
from ...dialects.nd.effects import EFFECTS, Check
from ...dialects.nd.movement import Broadcast, Reshape, Transpose
from ...dialects.nd.op import NdOp
from ...dialects.nd.resource import is_stored
from ...dialects.nd.types import shape_of
from ..blocks import has_effects
from .decompose import decompose
from .fused_values import base_of, chain, identity, is_source, place_of, rename
from .fusion_chains import link_chains
from .fusion_groups import Group, Grouping
from .fusion_nodes import Axes, Node, Read, make_node
from .fusion_order import ordered, update_last
from .inline import open_checkpoints
from .kernel_names import kernel_name
from .region_operands import all_of, is_small, prepare_regions, read_where_it_lies
from .repeat_positions import repeat_positions
from .rewriting import erase, functions, fuse

BARRIERS = (Control, *EFFECTS)
"""Ops that stay outside of kernels."""


class Fuser:
    """Fuses one block."""

    def __init__(self, block: Block, chains: bool = True, apart: bool = False) -> None:
        self.block = block
        self.chains, self.apart = chains, apart
        self.computed: set[Operation] = set()
        """Views and sources that a kernel must compute all the same."""
        self.behind: set[tuple[Operation, int]] = set()
        """Operands that stood behind a barrier."""
        last = block.last_op
        assert isinstance(last, ReturnOp | Yield)
        self.last = last

    def run(self) -> None:
        self._drop_barriers()
        repeat_positions(self.block)
        self._normalize()
        axes = Axes()
        nodes: list[Node] = []
        for op in self.block.ops:
            if self._computes(op):
                nodes.append(make_node(op, [self._read(op, k) for k in range(len(op.operands))], axes))
        index = {n.op: k for k, n in enumerate(nodes)}
        effect: int | None = None
        for k, node in enumerate(nodes):
            bases = (base_of(v, self.computed).owner for v in node.op.operands)
            node.depends = {index[b] for b in bases if isinstance(b, Operation) and b in index}
            if isinstance(node.op, BARRIERS) and has_effects(node.op):
                node.depends |= {effect} if effect is not None else set()
                effect = k
        ends = (base_of(v, self.computed).owner for v in self.last.operands)
        returned = {index[b] for b in ends if isinstance(b, Operation) and b in index}
        grouping = Grouping(nodes, axes, returned, [link_chains] if self.chains else [], self.apart)
        self.nodes, self.grouping, self.groups, self.returned = nodes, grouping, grouping.groups, returned
        self.home = {n.op: grouping.home[k] for k, n in enumerate(nodes)}
        self._rebuild()

    def _computes(self, op: Operation) -> bool:
        if op is self.last:
            return False
        if op in self.computed:
            return True
        return type(op) not in VIEWS and not isinstance(op, Source)

    def _drop_barriers(self) -> None:
        """Let readers of barriers read what these read, and remember them: no kernel computes both."""
        for op in list(self.block.ops):
            if isinstance(op, Barrier):
                self.behind.update((use.operation, use.index) for use in op.result.uses)
                op.result.replace_all_uses_with(op.x)
                erase(op)

    def _normalize(self) -> None:
        """Make every view op a view indeed, and results that no kernel would compute into work for one."""
        for op in list(self.block.ops):
            if isinstance(op, Check) and shape_of(op.predicate.type):
                op.operands[0] = all_of(op.predicate, op)
            if isinstance(op, Reshape):
                base = base_of(op.x, self.computed).owner
                if not unit_reshape(op) and isinstance(base, Operation) and is_source(base):
                    self.computed.add(base)
                if not is_view(op):
                    copy = identity(op.x, op)
                    self.computed.add(copy)
                    op.operands[0] = copy.results[0]
        for op in list(self.block.ops):
            if isinstance(op, (*BARRIERS, Yield)):
                for k in range(len(op.operands)):
                    self._in_memory(op, k)
        main = self.block.parent_op()
        written = main is not None and WRITTEN in main.attributes
        for k, value in enumerate(self.last.operands if isinstance(self.last, ReturnOp) else ()):
            base = base_of(value, self.computed).owner
            if isinstance(base, Operation) and is_source(base):
                self.computed.add(base)
            elif is_stored(base) or (written and isinstance(base, Block)):
                copy = identity(value, self.last)
                self.computed.add(copy)
                self.last.operands[k] = copy.results[0]

    def _in_memory(self, op: Operation, k: int) -> None:
        """Give an operand of a region op, an effect or a yield a place in memory, in an order that its reader takes."""
        value = op.operands[k]
        views = chain(value, self.computed)
        base = views[0].operands[0] if views else value
        view = view_of(value)
        rows = view.rows(shape_of(value.type))
        if isinstance(op, Control) and read_where_it_lies(op, k):
            rows = rows or (view.static and not any(isinstance(v, Broadcast) for v in views))
        owner = base.owner
        if isinstance(owner, Operation) and is_source(owner) and owner not in self.computed:
            if isinstance(owner, Constant) and not views and is_small(owner):
                return
            if not views:
                self.computed.add(owner)
                return
            rows = False
        if not rows:
            copy = identity(value, op)
            self.computed.add(copy)
            op.operands[k] = copy.results[0]

    def _read(self, reader: Operation, k: int) -> Read:
        """An operand through replications, permutations and dimensions of one element."""
        value = reader.operands[k]
        views = chain(value, self.computed)
        dims: list[int | None] = list(range(len(shape_of(value.type))))
        root = value
        for op in reversed(views):
            match op:
                case Broadcast() | Transpose():
                    m = op.dims
                    dims = [dims[m.result.index(i)] for i in m.operands[0]]
                case Reshape() if unit_reshape(op):
                    wide = iter([d for d, n in zip(dims, shape_of(op.type)) if n != 1])
                    dims = [next(wide) if n != 1 else None for n in shape_of(op.x.type)]
                case _:
                    break
            root = op.operands[0]
        behind = bool(self.behind) and ((reader, k) in self.behind or any((v, 0) in self.behind for v in views))
        return Read(value, root, tuple(dims), behind)

    # Building.

    def _rebuild(self) -> None:
        ops = list(self.block.ops)
        for op in ops:
            op.detach()
        for g in self._order():
            only = self.nodes[self.groups[g].nodes[0]].op
            if isinstance(only, BARRIERS):
                for value in only.operands:
                    self._place(value)
                self.block.add_op(only)
                continue
            kernel, inputs, outputs = self._kernel(self.groups[g])
            for value in inputs:
                self._place(value)
            self.block.add_op(kernel)
            body = kernel.body.block
            for old, new in zip(outputs, kernel.results):
                new.name_hint = old.name_hint
                old.replace_uses_with_if(new, lambda use, body=body: use.operation.parent is not body)
        for value in self.last.operands:
            self._place(value)
        self.block.add_op(self.last)
        for op in ops:
            if op.parent is None:
                op.drop_all_references()

    def _order(self) -> Iterator[int]:
        earlier = {g: self.grouping.earlier(g) for g in self.groups}
        written = overwritten(self.block)
        readers: dict[SSAValue, dict[int, None]] = {value: {} for value in written}
        for node in self.nodes if written else ():
            for v in node.op.operands:
                if (base := base_of(v, self.computed)) in readers:
                    readers[base][self.home[node.op]] = None
        for value, groups in readers.items():
            for g in groups:
                made = (self.nodes[n].op.results for n in self.groups[g].nodes if n in self.returned)
                if any(r.type == value.type for results in made for r in results):
                    update_last(earlier, list(groups), g)
        return ordered(earlier, {g: min(group.nodes) for g, group in self.groups.items()})

    def _place(self, value: SSAValue) -> None:
        """Put the views that a value goes through into the block."""
        op = value.owner
        if isinstance(op, Operation) and op.parent is None:
            for operand in op.operands:
                self._place(operand)
            self.block.add_op(op)

    def _kernel(self, group: Group) -> tuple[KernelOp, list[SSAValue], list[SSAValue]]:
        ops = [self.nodes[k].op for k in group.nodes]
        body = Block()
        env: dict[SSAValue, SSAValue] = {}
        inputs: list[SSAValue] = []
        here = set(ops)
        for op in ops:
            for value in op.operands:
                self._inside(value, here, env, inputs, body)
            rename(op, env)
            body.add_op(op)
            env.update((r, r) for r in op.results)
        outputs: list[SSAValue] = [op.results[0] for op in ops if self._seen_outside(op, here)]
        self._symbols(body, inputs)
        locations = [op.location for op in ops]
        body.add_op(YieldOp.create(operands=[env[v] for v in outputs], location=ops[-1].location))
        kernel = KernelOp.make(kernel_name(ops), inputs, Region(body), fuse(locations))
        return kernel, inputs, outputs

    def _inside(
        self, value: SSAValue, here: set[Operation], env: dict[SSAValue, SSAValue], inputs: list[SSAValue], body: Block
    ) -> None:
        """Make an operand available in a kernel: views inside of it, an argument where they begin."""
        if value in env:
            return
        views = chain(value, self.computed)
        base = views[0].operands[0] if views else value
        owner = base.owner
        if base not in env:
            if isinstance(owner, Operation) and is_source(owner) and owner not in self.computed:
                body.add_op(owner.clone(env))
            elif owner not in here:
                cut = self._outside(views)
                base = views[cut - 1].results[0] if cut else base
                views = views[cut:]
        if base not in env:
            argument = body.insert_arg(base.type, len(body.args), place_of(base))
            argument.name_hint = base.name_hint
            inputs.append(base)
            env[base] = argument
        for op in views:
            if op.results[0] not in env:
                body.add_op(op.clone(env))

    def _outside(self, views: list[Operation]) -> int:
        """How many of the views of a program value stay outside of a kernel that reads it."""
        first = next((k for k, op in enumerate(views) if isinstance(op, Broadcast)), len(views))
        regrouped = [k for k, op in enumerate(views) if isinstance(op, Reshape) and not unit_reshape(op)]
        least = regrouped[-1] + 1 if regrouped else 0
        for cut in range(first, least, -1):
            result = views[cut - 1].results[0]
            view = view_of(result)
            if view.static or view.rows(shape_of(result.type)):
                return cut
        return least

    def _seen_outside(self, op: Operation, here: set[Operation]) -> bool:
        """Is the result read by another kernel, or returned, be it through views?"""
        todo = [op.results[0]]
        while todo:
            for use in todo.pop().uses:
                user = use.operation
                if user is self.last:
                    return True
                if self._computes(user):
                    if user not in here:
                        return True
                elif type(user) in VIEWS:
                    todo.append(user.results[0])
        return False

    def _symbols(self, body: Block, inputs: list[SSAValue]) -> None:
        """Every symbol of a kernel is the size of some argument: pass one for its size if need be."""
        named = {d for v in inputs for d in shape_of(v.type)}
        needed: dict[str, None] = {}
        for op in body.ops:
            for value in op.results:
                needed.update(dict.fromkeys(n for d in shape_of(value.type) if isinstance(d, Sym) for n in d.names()))
            for attribute in op.properties.values():
                if isinstance(attribute, DimsAttr):
                    needed.update(dict.fromkeys(n for d in attribute.data if isinstance(d, Sym) for n in d.names()))
        for v in inputs:
            needed.update(dict.fromkeys(n for d in shape_of(v.type) if isinstance(d, Sym) for n in d.names()))
        for name in needed:
            if (symbol := symbol_of(name)) in named:
                continue
            for arg in self.block.args:
                if isinstance(arg.type, TensorType) and symbol in shape_of(arg.type):
                    inputs.append(arg)
                    body.insert_arg(arg.type, len(body.args), arg.location).name_hint = arg.name_hint
                    named.update(shape_of(arg.type))
                    break


def overwritten(block: Block) -> Sequence[SSAValue]:
    """The arguments whose memory may be that of a result: donated ones, and what a loop carries."""
    op = block.parent_op()
    if isinstance(op, FuncOp):
        return [block.args[k] for k in donated(op) if 0 <= k < len(block.args)]
    if isinstance(op, Scan | While) and block is op.block:
        return block.args[len(op.invariants) :][: len(op.inits)]
    return []


def fuse_block(block: Block, chains: bool = True, apart: bool = False) -> None:
    """Fuse the ops of a block that ends in func.return or nd.yield, and those of the regions in it."""
    decompose(block)
    Fuser(block, chains, apart).run()
    for op in block.ops:
        if isinstance(op, Control):
            for region in op.regions:
                fuse_block(region.block, chains, apart)


def is_program(f: FuncOp) -> bool:
    """Has tensor ops of its own and no kernels yet."""
    ops = list(f.walk())[1:]
    private = f.sym_visibility is not None and f.sym_visibility.data == "private"
    if private or any(isinstance(op, KernelOp | LaunchOp) for op in ops):
        return False
    foreign = next((op for op in ops if not isinstance(op, (NdOp, ReturnOp, Yield, *BARRIERS))), None)
    if foreign is not None and any(isinstance(op, NdOp) for op in ops):
        raise CompileError(f"graph-fuse: expected ops of the nd dialect, found {foreign.name}", foreign.location)
    return foreign is None and isinstance(f.body.block.last_op, ReturnOp)


@dataclass(frozen=True)
class GraphFuse(ModulePass):
    """Put every op that computes into a kernel; contractions that feed each other into one, if `chains`. With `apart`
    every op has a kernel of its own: what fusion gains is measured against it."""

    name = "graph-fuse"

    chains: bool = True
    apart: bool = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for f in functions(op):
            if len(f.body.blocks) == 1 and is_program(f):
                open_checkpoints(f.body.block)
                prepare_regions(f.body.block)
                fuse_block(f.body.block, self.chains, self.apart)

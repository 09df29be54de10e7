"""The walk over functions and regions: every op with complex operands or results is replaced through the table.

Invariants: a complex value that was met has a pair; its old definition stays until the function is done, then goes. New
ops stand before the old one, with its location; the parts of a value named `z` are named `z_re` and `z_im`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, FunctionType, IntegerAttr, StridedLayoutAttr, i64
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ....dialects.errors import CompileError
from ....dialects.graph.ops import LAYOUT
from ....dialects.nd.complex_boundary import ARGUMENTS, PRINTED, RESULTS
from ....dialects.nd.composite import Composite
from ....dialects.nd.control import If, Scan, While, segments
from ....dialects.nd.effects import Print
from ....dialects.nd.op import Array, NdOp, building
from ....dialects.nd.region_op import Control, Yield
from ....dialects.nd.types import is_complex
from ..decompose import decompose
from .parts import Pair, pack, packed_type, split_types, unpack
from .table import TABLE


def expand_function(f: FuncOp) -> None:
    Expansion().function(f)


class Expansion:
    def __init__(self) -> None:
        self.env: dict[SSAValue, Pair] = {}
        self.dead: list[Operation] = []
        self.blocks: list[Block] = []

    # Functions.

    def function(self, f: FuncOp) -> None:
        block, inputs, outputs = f.body.block, f.function_type.inputs.data, f.function_type.outputs.data
        complex_args = [k for k, t in enumerate(inputs) if is_complex(t)]
        complex_results = [k for k, t in enumerate(outputs) if is_complex(t)]
        scratch = Block()
        for old in [block.args[k] for k in complex_args]:
            new = block.insert_arg(packed_type(old.type), old.index + 1, old.location)
            new.name_hint = old.name_hint
            with building(scratch, old.location):
                self.bind(old, unpack(Array(new)))
        self.move(scratch, block.first_op)
        self.block(block)
        self.clean()
        for b in self.blocks:
            for arg in [a for a in b.args if is_complex(a.type)]:
                b.erase_arg(arg)
        types = [[packed_type(t) if is_complex(t) else t for t in side] for side in (inputs, outputs)]
        f.properties["function_type"] = FunctionType.from_lists(*types)
        for name, places in ((ARGUMENTS, complex_args), (RESULTS, complex_results)):
            if places:
                f.attributes[name] = ArrayAttr([IntegerAttr(k, i64) for k in places])
        set_layouts(f, complex_args)
        for b in self.blocks:
            decompose(b)

    def block(self, block: Block) -> None:
        self.blocks.append(block)
        for op in list(block.ops):
            self.op(op)

    def clean(self) -> None:
        """The old ops go, readers first."""
        for op in reversed(self.dead):
            op.detach()
            op.erase()

    # Ops.

    def op(self, op: Operation) -> None:
        mine = any(is_complex(v.type) for v in op.operands) or any(is_complex(r.type) for r in op.results)
        if isinstance(op, Control):
            self.control(op)
        elif mine:
            match op:
                case Yield():
                    self.end(op, self.split(op.operands))
                case ReturnOp():
                    self.end(op, self.packed(op))
                case CallOp():
                    self.call(op)
                case Print():
                    self.print(op)
                case NdOp():
                    self.replace(op)
                case _:
                    raise CompileError(f"{op.name}: expected no complex operands or results", op.location)

    def replace(self, op: NdOp) -> None:
        scratch = Block()
        with building(scratch, op.location):
            built: Any
            expand: Any = TABLE.get(type(op))
            if expand is None and not isinstance(op, Composite):
                raise CompileError(f"{op.name}: expected real numbers, found complex ones", op.location)
            if expand is None:
                composite: Any = op
                built = composite.expand(*map(Array, op.operands))
            else:
                built = expand(op, [self.env.get(v) or Array(v) for v in op.operands])
        made = self.move(scratch, op)
        if expand is None:
            for new in made:
                self.op(new)
            built = self.env.get(built.value) or built
        self.bind(op.results[0], built)
        self.dead.append(op)

    def bind(self, old: SSAValue, new: Array | Pair) -> None:
        """What stands for a value."""
        if isinstance(new, Pair):
            self.env[old] = new
            for part, word in zip(new, ("re", "im"), strict=True):
                if part.value.name_hint is None and old.name_hint is not None:
                    part.value.name_hint = f"{old.name_hint}_{word}"
            return
        if new.value.name_hint is None:
            new.value.name_hint = old.name_hint
        old.replace_all_uses_with(new.value)

    def move(self, scratch: Block, before: Operation | None) -> list[Operation]:
        made = list(scratch.ops)
        assert before is not None and before.parent is not None
        for op in made:
            op.detach()
            before.parent.insert_op_before(op, before)
        return made

    def split(self, values: Sequence[SSAValue]) -> list[SSAValue]:
        """Each complex value as its two parts."""
        out: list[SSAValue] = []
        for v in values:
            pair = self.env.get(v)
            out += [v] if pair is None else [p.value for p in pair]
        return out

    def packed(self, op: Operation) -> list[SSAValue]:
        """The operands of an op, complex ones in one tensor each, which is built before it."""
        scratch = Block()
        out: list[SSAValue] = []
        with building(scratch, op.location):
            for v in op.operands:
                pair = self.env.get(v)
                out.append(v if pair is None else pack(pair).value)
        self.move(scratch, op)
        return out

    def end(self, op: Operation, values: Sequence[SSAValue]) -> None:
        op.operands = values

    def call(self, op: CallOp) -> None:
        types = [packed_type(r.type) if is_complex(r.type) else r.type for r in op.results]
        new = CallOp.create(
            operands=self.packed(op), result_types=types, properties=op.properties, attributes=op.attributes,
            location=op.location,
        )  # fmt: skip
        assert op.parent is not None
        op.parent.insert_op_before(new, op)
        scratch = Block()
        with building(scratch, op.location):
            for old, r in zip(op.results, new.results, strict=True):
                self.bind(old, unpack(Array(r)) if is_complex(old.type) else Array(r))
        self.move(scratch, op)
        self.dead.append(op)

    def print(self, op: Print) -> None:
        places = [IntegerAttr(k, i64) for k, v in enumerate(op.operands) if is_complex(v.type)]
        op.operands = self.packed(op)
        op.attributes[PRINTED] = ArrayAttr(places)

    # Regions.

    def control(self, op: Control) -> None:
        """Complex arguments of regions, what they yield and results become two; the rest stays."""
        types = [v.type for v in (*op.operands, *op.results)]
        types += [a.type for r in op.regions for a in r.block.args]
        if not any(map(is_complex, types)):
            for region in op.regions:
                self.block(region.block)
            return
        groups = [self.split(g) for g in op.groups]
        regions: list[Region] = []
        for region in list(op.regions):
            block = region.block
            for arg in list(block.args):
                if is_complex(arg.type):
                    (part, _) = split_types([arg.type])
                    pair = [block.insert_arg(part, arg.index + k, arg.location) for k in (1, 2)]
                    self.bind(arg, Pair(*map(Array, pair)))
            self.block(block)
            op.detach_region(region)
            regions.append(region)
        properties = dict(op.properties)
        if isinstance(op, While | Scan):
            properties.update(segments(*groups))
        head = [op.operands[0]] if isinstance(op, If) else []
        new = type(op).create(
            operands=[*head, *(v for g in groups for v in g)],
            result_types=split_types([r.type for r in op.results]),
            properties=properties,
            attributes=op.attributes,
            regions=regions,
            location=op.location,
        )
        assert op.parent is not None
        op.parent.insert_op_before(new, op)
        results = iter(new.results)
        for old in op.results:
            if is_complex(old.type):
                self.bind(old, Pair(Array(next(results)), Array(next(results))))
            else:
                self.bind(old, Array(next(results)))
        self.dead.append(op)


def set_layouts(f: FuncOp, places: Sequence[int]) -> None:
    """Memory orders of complex arguments, in elements of the parts; one that is known at run time only is not kept."""
    given: Any = f.arg_attrs
    if given is None:
        return
    entries = list(given.data)
    for k in places:
        layout = entries[k].data.get(LAYOUT)
        if not isinstance(layout, StridedLayoutAttr):
            continue
        rest: dict[str, Attribute] = {n: a for n, a in entries[k].data.items() if n != LAYOUT}
        strides: list[Any] = [getattr(s, "data", None) for s in layout.strides.data]
        if None not in strides:
            rest[LAYOUT] = StridedLayoutAttr([*(2 * s for s in strides), 1], 0)
        entries[k] = DictionaryAttr(rest)
    f.properties["arg_attrs"] = ArrayAttr(entries)

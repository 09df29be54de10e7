"""lower-loop: kernels of the loop level to upstream's dialects.

What it produces, and nothing else:

    func.func @k(%a: memref<..>, .. inputs .., %out0: memref<..>, .. results ..) { .. func.return }
    arith.constant           index, scalars, splat vectors; at the head of the function
    memref.dim               of arguments, at the head; memref.extract_strided_metadata where a layout has `?` strides
    memref.alloc             static or with run-time sizes, alignment 64, outside of plain loops; never freed
    memref.reinterpret_cast  one run-time offset, static sizes, static or run-time strides, of arguments and allocations
                             (for gathers, of one dimension, whose size may be a run-time one)
    memref.load, store       single elements
    vector.transfer_read     n-D, all in bounds, permutation map with dims and 0; padding is the constant 0
    vector.transfer_write    n-D, all in bounds, permutation map without 0; `{nontemporal}` for streamed results
    vector.gather            n-D, of flat memory (a memref.reinterpret_cast of one dimension), all lanes
    vector.broadcast         scalar or vector to n-D;  vector.shape_cast adding unit dimensions;  vector.transpose
    vector.multi_reduction   to a vector or a scalar;  vector.step, on which arith.addi and arith.muli of index vectors
    scf.for                  with vectors and scalars of any type carried;  scf.if without results;  scf.parallel
    affine.apply             linear maps without symbols;  arith.addi, muli, floordivsi, minsi, cmpi of index
    arith.*, math.*          the ops of the stages' bodies and the combiners, on scalars and n-D vectors
    arith.extui, trunci      between i1 and the i8 of memory, on scalars and vectors

`fastmath<contract>` stands on the additions of reductions and the products that they add, nowhere else. Names and
locations come from the ops that are lowered.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, builtin, func, memref
from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    FunctionType,
    IntAttr,
    IntegerAttr,
    MemRefType,
    StridedLayoutAttr,
    StringAttr,
)
from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue
from xdsl.passes import ModulePass

from ..dialects.loop.ops import Loop, SizeOp, element_of, shape
from ..dialects.nd.dims import Dim, Sym, symbol
from .loop_control import Kernel
from .loop_memory import memref_of, row_major
from .loop_state import INDEX
from .storage import View, whole_view, written_in_place

LAYOUT, INPLACE, SIZES = "mlc.layout", "mlc.inplace", "mlc.sizes"
LOOP_OPS = tuple(Loop.operations)


def is_kernel(f: func.FuncOp) -> bool:
    """A function on tensors that has loop ops, or does nothing but return its arguments; not a planned program."""
    if not f.body.blocks or any(isinstance(t, MemRefType) for t in f.function_type.inputs):
        return False
    ops = list(f.body.block.ops)
    return any(isinstance(op, LOOP_OPS) for op in ops) or (len(ops) == 1 and "graph.results" not in f.attributes)


class Lowered:
    """One function before and after."""

    def __init__(self, f: func.FuncOp, device: bool = False) -> None:
        self.f = f
        self.old = f.body.block
        self.block = Block()
        self.kernel = Kernel(self.block)
        self.kernel.device = device
        self.kernel.strides, self.kernel.shapes = {}, {}
        self.kernel.location = f.location
        self.attributes = [dict(d.data) for d in f.arg_attrs.data] if f.arg_attrs else [{} for _ in self.old.args]

    def run(self) -> None:
        self.arguments()
        self.sizes()
        self.strides()
        outputs, copies = self.outputs()
        kernel = self.kernel
        kernel.body(self.old, outputs, {})
        kernel.location = self.f.location
        for made, to, result in copies:
            kernel.move(made, to, result)
        kernel.location = self.ending.location
        kernel.add(func.ReturnOp.create())
        first = self.block.first_op
        assert first is not None
        self.block.insert_ops_before(kernel.used_head(), first)
        self.finish()

    @property
    def ending(self) -> Operation:
        last = self.old.last_op
        assert last is not None
        return last

    def arguments(self) -> None:
        """Inputs, then results; an input's layout becomes part of its type."""
        ends = self.ending.operands
        for value, attributes in zip(self.old.args, self.attributes):
            layout = attributes.pop(LAYOUT, None)
            assert layout is None or isinstance(layout, StridedLayoutAttr)
            self.argument(value, value.name_hint, layout)
        for k, value in enumerate(ends):
            self.argument(value, f"out{k}", None)
            self.attributes.append({})
        for arg, value, attributes in zip(self.block.args, (*self.old.args, *ends), self.attributes):
            if run_time := [d for d in shape(value) if isinstance(d, Sym)]:
                attributes[SIZES] = StringAttr(", ".join(map(str, run_time)))
            arg.location = value.location if isinstance(value, BlockArgument) else self.f.location
        if self.kernel.device:
            given = zip(self.block.args, self.old.args, self.attributes)
            self.kernel.unchanging = [arg for arg, _, attributes in given if INPLACE not in attributes]

    def argument(self, value: SSAValue, name: str | None, layout: StridedLayoutAttr | None) -> None:
        kind = memref_of(shape(value), element_of(value), layout)
        arg = self.block.insert_arg(kind, len(self.block.args))
        arg.name_hint = name

    def sizes(self) -> None:
        """Every symbol that an argument's dimension binds."""
        kernel = self.kernel
        for value, arg in zip(self.old.args, self.block.args):
            kernel.views[value] = whole_view(arg, len(shape(value)))
        named = [(op.symbol.data, op.of, op.dimension, op.form) for op in self.old.ops if isinstance(op, SizeOp)]
        others = [
            (str(d), value, n, (1, 0))
            for value in self.old.args
            for n, d in enumerate(shape(value))
            if isinstance(d, Sym) and d.is_symbol()
        ]
        for name, value, n, (c, k) in (*named, *others):
            if symbol(name) not in kernel.sizes and value in kernel.views:
                position = kernel.number(n)
                op = memref.DimOp.create(operands=[kernel.views[value].buffer, position], result_types=[INDEX])
                size = kernel.at_head(op)
                op.location = self.f.location
                if k:
                    size = kernel.index_op(arith.AddiOp, size, kernel.number(-k))
                if c != 1:
                    size = kernel.index_op(arith.FloorDivSIOp, size, kernel.number(c))
                kernel.sizes[symbol(name)] = size
                size.name_hint = name

    def strides(self) -> None:
        """The strides of every argument: row-major, or as its layout says."""
        values = [*self.old.args, *self.ending.operands]
        for n, (arg, value) in enumerate(zip(self.block.args, values)):
            self.kernel.shapes[arg] = shape(value)
            layout = arg.type.layout if isinstance(arg.type, MemRefType) else None
            if not isinstance(layout, StridedLayoutAttr):
                self.kernel.strides[arg] = row_major(shape(value))
                continue
            static = [s.data if isinstance(s, IntAttr) else None for s in layout.strides.data]
            dynamic = self.run_time_strides(arg) if None in static else []
            self.kernel.strides[arg] = [
                s if s is not None else self.stride_symbol(n, d, dynamic[d]) for d, s in enumerate(static)
            ]

    def run_time_strides(self, arg: SSAValue) -> list[SSAValue]:
        kind = arg.type
        assert isinstance(kind, MemRefType)
        rank = kind.get_num_dims()
        kinds: list[Attribute] = [MemRefType(kind.element_type, []), *[INDEX] * (1 + 2 * rank)]
        op = memref.ExtractStridedMetaDataOp.create(operands=[arg], result_types=kinds)
        self.kernel.at_head(op)
        return list(op.results[2 + rank :])

    def stride_symbol(self, n: int, d: int, value: SSAValue) -> Dim:
        """A stride that is known only at run time, as a symbol that no program can name."""
        stride = symbol(f"stride {n} {d}")
        self.kernel.sizes[stride] = value
        return stride

    def outputs(self) -> tuple[list[View | None], list[tuple[View, View, SSAValue]]]:
        """The place of each result. One that may not overwrite its argument yet is made elsewhere and copied last."""
        count = len(self.old.args)
        places: list[View | None] = []
        copies: list[tuple[View, View, SSAValue]] = []
        for k, value in enumerate(self.ending.operands):
            view = whole_view(self.block.args[count + k], len(shape(value)))
            for argument, attributes in zip(self.old.args, self.attributes):
                if self.shares(attributes, k):
                    self.kernel.protected.append(view.buffer)
                    plain = self.kernel.views[argument].buffer.type == view.buffer.type
                    if plain and written_in_place(argument, value):
                        self.kernel.shared.append((self.kernel.views[argument].buffer, view.buffer))
                    else:
                        made = self.kernel.alloc(value)
                        copies.append((made, view, value))
                        view = made
                    break
            places.append(view)
        return places, copies

    @staticmethod
    def shares(attributes: dict[str, Attribute], k: int) -> bool:
        """Does the argument share its buffer with result k? A mark without a number may mean any result."""
        mark = attributes.get(INPLACE)
        return mark is not None and (not isinstance(mark, IntegerAttr) or mark.value.data == k)

    def finish(self) -> None:
        """Put the new body and type in place of the old."""
        f, kinds = self.f, [a.type for a in self.block.args]
        if f.res_attrs is not None:
            for attributes, more in zip(self.attributes[len(self.old.args) :], f.res_attrs.data):
                attributes.update(more.data)
            del f.properties["res_attrs"]
        f.properties["function_type"] = FunctionType.from_lists(kinds, [])
        f.properties.pop("arg_attrs", None)
        if any(self.attributes):
            f.properties["arg_attrs"] = ArrayAttr([DictionaryAttr(a) for a in self.attributes])
        f.body.detach_block(self.old)
        self.old.erase(safe_erase=False)
        f.body.add_block(self.block)


@dataclass(frozen=True)
class LowerLoop(ModulePass):
    """Loop programs on tensors become loops, memory and n-D vectors; results are written to extra arguments.

        func.func @double(%x: tensor<64xf32>) -> tensor<64xf32> {
          %y = loop.stage double [i0: 4, i: vec 16] (%a = %x[16 * i0 + i]) -> [16 * i0 + i] {
            %b = arith.addf %a, %a : f32
            loop.yield %b : f32
          }
          func.return %y : tensor<64xf32>
        }
    becomes
        func.func @double(%x: memref<64xf32>, %out0: memref<64xf32>) {
          scf.for %i0 = %c0 to %c4 step %c1 {
            %0 = affine.apply affine_map<(d0) -> (d0 * 16)> (%i0)
            %a = vector.transfer_read %x[%0], %pad {in_bounds = [true]} : memref<64xf32>, vector<16xf32>
            %b = arith.addf %a, %a : vector<16xf32>
            vector.transfer_write %b, %out0[%0] {in_bounds = [true]} : vector<16xf32>, memref<64xf32>
          }
          func.return
        }

    With `launch`, every statement of a function becomes a `gpu.launch`, its block loops the grid, its mapped axes the
    threads; one that is not mapped runs on one thread. Values between statements are in memory.
    """

    name = "lower-loop"

    launch: bool = False

    def apply(self, ctx: Context, op: builtin.ModuleOp) -> None:
        for f in [f for f in op.walk() if isinstance(f, func.FuncOp)]:
            if is_kernel(f):
                Lowered(f, self.launch).run()

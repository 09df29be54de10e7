"""nd-to-stablehlo: programs of the tensor level as StableHLO, which JAX, XLA and IREE take.

    func.func @main(%x: tensor<4x8xf32>, %w: tensor<8x2xf32>) -> tensor<4x2xf32> {
      %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<4x8xf32>, tensor<8x2xf32>) -> tensor<4x2xf32>
      ...
becomes
      %0 = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : ...

An op has a row of `ROWS`, or is a composite, which is taken apart. Functions, calls and regions stay, places and names
too; where arguments lie in memory is not said. The effects `nd.print` and `nd.check`, which StableHLO lacks, are errors
or, with `effects=drop`, left out. Sizes must be numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, ModuleOp
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects.errors import CompileError
from ...dialects.nd import op as nd
from ...dialects.nd.array import Array
from ...dialects.nd.checkpoint import Checkpoint
from ...dialects.nd.composite import Composite
from ...dialects.nd.control import CONTROL, Yield
from ...dialects.nd.dims import Sym
from ...dialects.nd.effects import EFFECTS
from ...dialects.nd.types import is_tensor, shape_of
from . import build as b
from . import complex as complex_numbers
from . import contraction, control, elementwise, generators, indirect, linear_algebra, movement, reductions
from .build import Value

ROWS: dict[str, Callable[..., Value]] = {
    **elementwise.ROWS,
    **complex_numbers.ROWS,
    **movement.ROWS,
    **contraction.ROWS,
    **reductions.ROWS,
    **indirect.ROWS,
    **generators.ROWS,
    **linear_algebra.ROWS,
}
"""How each op is written, by its name without `nd.`: called with the op and its operands."""

OWN = ("mlc.", "nd.", "graph.", "loop.")
"""Attributes that StableHLO's readers do not know."""

EFFECT_CHOICES = ("error", "drop")


@dataclass
class Converter:
    """Emits the ops of one function."""

    env: dict[SSAValue, Value]
    effects: str = "error"

    def region(self, block: Block, values: Sequence[Value]) -> list[Value]:
        self.env.update(zip(block.args, values, strict=True))
        for op in block.ops:
            if isinstance(op, Yield | ReturnOp):
                return [self.env[v] for v in op.operands]
            self.convert(op)
        raise AssertionError("a block ends in a terminator")

    def convert(self, op: Operation) -> None:
        b.located(op.location)
        check_types(op)
        results = self.emit(op, [self.env[v] for v in op.operands])
        for old, new in zip(op.results, results, strict=True):
            assert old.type == new.type, f"{op.name}: {old.type} became {new.type}"
            if new.ssa.name_hint is None:
                new.ssa.name_hint = old.name_hint
            self.env[old] = new

    def emit(self, op: Operation, values: Sequence[Value]) -> Sequence[Value]:
        name = op.name.removeprefix("nd.")
        if isinstance(op, nd.NdOp):
            if name in ROWS:
                return [ROWS[name](op, *values)]
            if isinstance(op, Composite):
                return self.taken_apart(op, values)
        elif isinstance(op, CONTROL):
            return control.ROWS[name](self, op, *values)
        elif isinstance(op, Checkpoint):
            return self.region(op.body.block, values)
        elif isinstance(op, EFFECTS):
            return self.effect(op)
        elif isinstance(op, CallOp):
            call = CallOp(op.callee, [v.ssa for v in values], op.result_types)
            b.insert(call)
            return [Value(r) for r in call.results]
        raise CompileError(f"nd-to-stablehlo: expected ops of the tensor level, found {op.name}", op.location)

    def taken_apart(self, op: Composite, values: Sequence[Value]) -> Sequence[Value]:
        block = Block(arg_types=op.operand_types)
        with nd.building(block, op.location):  # pyright: ignore[reportArgumentType]
            out = op.expand(*map(Array, block.args))
        self.env.update(zip(block.args, values, strict=True))
        for inner in block.ops:
            self.convert(inner)
        return [self.env[out.value]]

    def effect(self, op: Operation) -> Sequence[Value]:
        if self.effects == "drop":
            return []
        raise CompileError(
            f"nd-to-stablehlo: expected a program without effects, found {op.name}, which StableHLO cannot say; "
            "effects=drop leaves it out",
            op.location,
        )


def check_types(op: Operation) -> None:
    for v in (*op.operands, *op.results):
        check_type(v.type, op)


def check_type(t: Attribute, op: Operation) -> None:
    if is_tensor(t) and any(isinstance(d, Sym) for d in shape_of(t)):
        raise CompileError(
            f"nd-to-stablehlo: expected sizes that are numbers, found {t}; write the program for one size, as in "
            "mlc.spec((4, 8)), and export it for each that you need",
            op.location,
        )


def plain(attributes: Mapping[str, Attribute]) -> dict[str, Attribute]:
    return {name: a for name, a in attributes.items() if not name.startswith(OWN)}


def convert_function(f: FuncOp, effects: str) -> None:
    """Replace the body by StableHLO ops."""
    if f.is_declaration:
        return
    old = f.body.block
    for a in old.args:
        check_type(a.type, f)
    new = Block(arg_types=old.arg_types)
    for a, was in zip(new.args, old.args, strict=True):
        a.name_hint = was.name_hint
        a.location = was.location
    with b.building(new, f.location):  # pyright: ignore[reportArgumentType]
        out = Converter({}, effects).region(old, [Value(a) for a in new.args])
        b.insert(ReturnOp(*(v.ssa for v in out)))
    region = f.body
    region.detach_block(old)
    old.erase()
    region.add_block(new)
    f.attributes = plain(f.attributes)
    for name in ("arg_attrs", "res_attrs"):
        found = f.properties.get(name)
        if found is not None:
            items: Any = found
            f.properties[name] = ArrayAttr([DictionaryAttr(plain(d.data)) for d in items.data])


def nd_to_stablehlo(module: ModuleOp, effects: str = "error") -> None:
    """The pass, on a module."""
    if effects not in EFFECT_CHOICES:
        raise CompileError(f"nd-to-stablehlo: effects: expected {' or '.join(EFFECT_CHOICES)}, found {effects}")
    for f in module.ops:
        if isinstance(f, FuncOp):
            convert_function(f, effects)


@dataclass(frozen=True)
class NdToStablehlo(ModulePass):
    """Write programs of the tensor level as StableHLO. `effects=drop` leaves prints and checks out."""

    name = "nd-to-stablehlo"
    effects: str = "error"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        nd_to_stablehlo(op, self.effects)

"""Drop pure ops that nobody reads, and private functions that nobody names.

    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {        func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %0 = nd.exp %x : tensor<4xf32>                       ->      func.return %x : tensor<4xf32>
      func.return %x : tensor<4xf32>                             }
    }
    func.func private @unused() { func.return }

Ops with effects and terminators stay. Control flow without effects goes as a whole when nobody reads it; else its
regions are treated alike, and results that nobody reads go with what only they needed (`prune_control.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DictionaryAttr,
    FloatAttr,
    FunctionType,
    IntegerAttr,
    ModuleOp,
    StringAttr,
    SymbolRefAttr,
    TensorType,
)
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, Operation, ParametrizedAttribute
from xdsl.passes import ModulePass

from ...dialects.nd.control import Control
from .prune_control import prune
from .rewriting import erase, functions, is_dead

NAMELESS: tuple[type[Attribute], ...] = (
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    FunctionType,
    IntegerAttr,
    StringAttr,
    TensorType,
)
"""Attributes without symbols, most of a program's."""


def dce(block: Block) -> int:
    """Drop dead ops in a block and the regions below it, readers before what they read; returns their number."""
    count = 0
    op = block.last_op
    while op is not None:
        before = op.prev_op
        if is_dead(op):
            erase(op)
            count += 1
        else:
            count += sum(dce(inner) for region in op.regions for inner in region.blocks)
            if isinstance(op, Control):
                count += prune(op) is not op
        op = before
    return count


def drop_unused_functions(module: ModuleOp) -> int:
    """Drop private functions that no public one reaches; returns their number."""
    named = {op.sym_name.data: op for op in module.body.ops if isinstance(op, FuncOp)}
    todo: list[Operation] = [op for op in module.body.ops if not _private(op)]
    reached: set[str] = set()
    while todo:
        for symbol in _symbols(todo.pop()):
            if symbol in named and symbol not in reached:
                reached.add(symbol)
                todo.append(named[symbol])
    dead = [op for name, op in named.items() if _private(op) and name not in reached]
    for op in dead:
        erase(op)
    return len(dead)


def _private(op: Operation) -> bool:
    return isinstance(op, FuncOp) and op.sym_visibility is not None and op.sym_visibility.data == "private"


def _symbols(op: Operation) -> Iterator[str]:
    """The symbols that an op and the ops inside it refer to."""
    for inner in op.walk():
        for attribute in (*inner.properties.values(), *inner.attributes.values()):
            if type(attribute) not in NAMELESS:
                yield from _references(attribute)


def _references(attribute: Attribute) -> Iterator[str]:
    match attribute:
        case SymbolRefAttr():
            yield attribute.root_reference.data
        case ArrayAttr():
            for inner in attribute.data:
                yield from _references(inner)
        case DictionaryAttr():
            for inner in attribute.data.values():
                yield from _references(inner)
        case ParametrizedAttribute():
            for inner in attribute.parameters:
                yield from _references(inner)
        case _:
            pass


@dataclass(frozen=True)
class Dce(ModulePass):
    """Drop dead ops and functions."""

    name = "dce"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            for block in func.body.blocks:
                dce(block)
        drop_unused_functions(op)

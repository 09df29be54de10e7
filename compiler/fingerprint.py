"""What a module is, as text that costs less than its printed form: a key of caches.

Equal texts are of modules that print alike. Names, types and attributes all count; locations do not.
"""

from __future__ import annotations

from functools import lru_cache
from io import StringIO

from xdsl.ir import Attribute, Block, Operation, SSAValue, TypeAttribute
from xdsl.printer import Printer

END, PART = "\n", "\x1f"
"""Neither stands in the text of an attribute, which escapes what a string holds."""


def fingerprint(op: Operation) -> str:
    """The op with everything in it."""
    writer = _Writer()
    writer.op(op)
    return writer.stream.getvalue()


@lru_cache(4096)
def _type(t: Attribute) -> str:
    return str(t)


class _Writer:
    """Text of ops, in which values and blocks are numbers."""

    def __init__(self) -> None:
        self.stream = StringIO()
        self.printer = Printer(self.stream)
        self.values: dict[SSAValue, int] = {}
        self.blocks: dict[Block, int] = {}

    def attribute(self, attribute: Attribute) -> None:
        # attributes that are equal may still print differently, as 0.0 and -0.0 do; types do not
        if isinstance(attribute, TypeAttribute):
            self.stream.write(_type(attribute))
        else:
            self.printer.print_attribute(attribute)

    def value(self, value: SSAValue) -> None:
        number = self.values.setdefault(value, len(self.values))
        self.stream.write(f"{PART}{number} {value.name_hint or ''} {_type(value.type)}")

    def block(self, block: Block) -> str:
        return f"{PART}^{self.blocks.setdefault(block, len(self.blocks))}"

    def op(self, op: Operation) -> None:
        write, values = self.stream.write, self.values
        write(op.name)
        for operand in op.operands:
            write(f"{PART}{values.setdefault(operand, len(values))}")
        write(f"{PART}:")
        for result in op.results:
            self.value(result)
        for found in (op.properties, op.attributes):
            write(f"{PART}{{")
            for name, attribute in found.items():
                write(f"{PART}{name}=")
                self.attribute(attribute)
        for block in op.successors:
            write(self.block(block))
        write(END)
        for region in op.regions:
            write(f"({END}")
            for block in region.blocks:
                write(self.block(block))
                for argument in block.args:
                    self.value(argument)
                write(END)
                for inner in block.ops:
                    self.op(inner)
            write(f"){END}")

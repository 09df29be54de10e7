"""Constants whose data stay outside of the text: `nd.resource "w1", "9f3c..." : tensor<1024x1024xf32>`.

The op names its data by the hash of dtype, shape and bytes. The attribute holds the array, which is read-only; where a
text was parsed, it finds the array of its hash among those that are alive in this process, or stays unbound until one
is given. Copies of an op share the array, and the IR is what keeps it alive.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from mmap import mmap
from typing import Any, ClassVar
from weakref import WeakValueDictionary

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Block, Data, Operation
from xdsl.irdl import VarConstraint, irdl_attr_definition, prop_def, result_def
from xdsl.parser import AttrParser, Parser
from xdsl.printer import Printer

from ..errors import CompileError
from .constant import Constant, Np, Source
from .op import EXACT, Array, Linear, bind, op
from .types import ANY, dtype_of, is_tensor, shape_of, tensor

LARGE = 1024
"""Arrays of more elements that a program meets while it is traced become resources."""

FOLDED = 64 * 1024
"""Bytes of the largest arrays whose data passes look at."""

DIGEST = 16
_alive: WeakValueDictionary[str, Np] = WeakValueDictionary()


def content_hash(x: Np) -> str:
    """Names an array by dtype, shape and the bytes of its elements in row order."""
    digest = hashlib.blake2b(f"{x.dtype.name} {x.shape} ".encode(), digest_size=DIGEST)
    flat = np.ascontiguousarray(x).reshape(-1)
    digest.update(flat.view(np.uint8).data)
    return digest.hexdigest()


@dataclass(frozen=True)
class Resource:
    """A name for readers, the hash that is its identity, and the data if they are known."""

    name: str = field(compare=False)
    hash: str
    array: Np | None = field(default=None, compare=False, repr=False)


@irdl_attr_definition
class ResourceAttr(Data[Resource]):
    """`"w1", "9f3c..."`: data by name and hash."""

    name = "nd.resource_data"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Resource:
        with parser.in_angle_brackets():
            return parse_resource(parser)

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            print_resource(printer, self.data)


def parse_resource(parser: AttrParser) -> Resource:
    name = parser.parse_str_literal()
    parser.parse_punctuation(",")
    at = parser.pos
    digest = parser.parse_str_literal()
    if len(digest) != 2 * DIGEST or set(digest) - set("0123456789abcdef"):
        parser.raise_error(f"expected a hash of {2 * DIGEST} hexadecimal digits, found {digest!r}", at, parser.pos)
    return Resource(name, digest, _alive.get(digest))


def print_resource(printer: Printer, data: Resource) -> None:
    printer.print_string_literal(data.name)
    printer.print_string(", ")
    printer.print_string_literal(data.hash)


@op("resource", linear=Linear.NEVER, tolerance=EXACT, flops=0, dtypes=ANY)
class ResourceOp(Source):
    """`nd.resource "w1", "9f3c..." : tensor<1024x1024xf32>`: an array that lives beside the program."""

    T: ClassVar = VarConstraint("T", TensorType.constr())
    data = prop_def(ResourceAttr)
    shape = prop_def(T)
    result = result_def(T)

    def reference(self) -> Np:
        return data_of(self)

    @classmethod
    def parse(cls, parser: Parser) -> ResourceOp:
        data = ResourceAttr(parse_resource(parser))
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        at = parser.pos
        t = parser.parse_type()
        if not is_tensor(t) or not all(isinstance(d, int) for d in shape_of(t)):
            parser.raise_error(f"expected a tensor of known sizes, found {t}", at, parser.pos)
        return cls.create(result_types=[t], properties={"data": data, "shape": t}, attributes=attributes)

    def print_value(self, printer: Printer) -> None:
        print_resource(printer, self.data.data)


def data_of(op_: ResourceOp) -> Np:
    """The array of a resource; CompileError where nothing gave it."""
    found = op_.data.data
    if found.array is None:
        message = f'nd.resource "{found.name}": expected its data, found none; give them with constants={{...}}'
        raise CompileError(message, op_.location)
    return found.array


def is_bound(op_: Operation | Block) -> bool:
    """A resource whose data are here."""
    return isinstance(op_, ResourceOp) and op_.data.data.array is not None


def keep(x: Np, name: str = "") -> ResourceAttr:
    """An array as a resource. What others could write to is copied, once for equal contents."""
    digest = content_hash(x)
    array = _alive.get(digest)
    if array is None:
        array = x if _fixed(x) else np.array(x, order="C", copy=True)
        array.flags.writeable = False
        _alive[digest] = array
    return ResourceAttr(Resource(name or f"c{digest[:8]}", digest, array))


def _fixed(x: Np) -> bool:
    """Row-major, and read-only down to the memory that it views; a file's may be aligned to bytes only."""
    if not (x.flags.c_contiguous and x.dtype.isnative):
        return False
    base: Any = x
    while isinstance(base, np.ndarray):
        if base.flags.writeable:
            return False
        base = base.base
    return base is None or isinstance(base, bytes | mmap)


def resource(x: Np, name: str = "") -> Array:
    """`nd.resource` of an array."""
    t = tensor(x.shape, dtype_of(x))
    return bind(ResourceOp, data=keep(x, name), shape=t)


def is_stored(op_: Operation | Block) -> bool:
    """An array that lies in memory when the program runs: a dense constant or a resource."""
    return isinstance(op_, ResourceOp) or (isinstance(op_, Constant) and op_.splat is None)

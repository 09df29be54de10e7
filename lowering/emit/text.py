"""LLVM IR text in scopes: one list of lines per open region, and what is already computed in each.

A value is emitted once per scope in which it is visible (`once`). A computation whose operands come from an outer
region may be appended to that region's scope (`depth`): an inner region's lines join the outer ones only when it
closes, so the value then stands before the region that uses it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from math import isnan

from xdsl.dialects.builtin import (
    BFloat16Type,
    Float16Type,
    Float32Type,
    Float64Type,
    IndexType,
    IntegerType,
)
from xdsl.ir import Attribute

BITS = {"double": 64, "float": 32, "half": 16, "bfloat": 16}
MANGLED = {"double": "f64", "float": "f32", "half": "f16", "bfloat": "bf16"}


def kind_of(element: Attribute) -> str:
    """The LLVM type of a scalar type."""
    match element:
        case Float32Type():
            return "float"
        case Float64Type():
            return "double"
        case Float16Type():
            return "half"
        case BFloat16Type():
            return "bfloat"
        case IndexType():
            return "i64"
        case IntegerType():
            return f"i{element.width.data}"
        case _:
            raise AssertionError(f"no LLVM type for {element}")


def bits_of(kind: str) -> int:
    """Width of a scalar type as a value; `bytes_of` gives its size in memory."""
    return BITS[kind] if kind in BITS else int(kind[1:])


def bytes_of(kind: str) -> int:
    return max(1, bits_of(kind) // 8)


def is_float(kind: str) -> bool:
    return kind in BITS


def vector_of(kind: str, width: int) -> str:
    return f"<{width} x {kind}>"


def mangled(kind: str, width: int = 0) -> str:
    """The suffix of an overloaded intrinsic; width 0: scalar."""
    return (f"v{width}" if width else "") + MANGLED.get(kind, kind)


def literal(value: float | int | bool, kind: str) -> str:
    """A scalar constant, exact for every bit pattern of a float."""
    if not is_float(kind):
        bits = bits_of(kind)
        if bits == 1:
            return "true" if value else "false"
        return str((int(value) + (1 << (bits - 1))) % (1 << bits) - (1 << (bits - 1)))
    if kind == "half":
        return f"0xH{struct.unpack('<H', struct.pack('<e', value))[0]:04X}"
    if kind == "bfloat":
        word = struct.unpack("<I", struct.pack("<f", value))[0]
        return f"0xR{0x7FC0 if isnan(value) else (word + 0x7FFF + (word >> 16 & 1)) >> 16:04X}"
    if kind == "float":
        value = rounded(value)
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def rounded(value: float) -> float:
    """`value` as the nearest f32; beyond its range the infinity of its sign."""
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def mask(lanes: int, width: int) -> str:
    """The constant that selects the first `lanes` of `width`."""
    return "<" + ", ".join(f"i1 {int(i < lanes)}" for i in range(width)) + ">"


def shuffle_of(lanes: Sequence[int]) -> str:
    return f"<{len(lanes)} x i32> <" + ", ".join(f"i32 {i}" for i in lanes) + ">"


class Writer:
    """Lines, names and known values of one LLVM function."""

    weaves = True
    """Are long chains computed for several vectors side by side?"""

    def __init__(self) -> None:
        self.count = 0
        self.declarations: dict[str, None] = {}
        self.globals: list[str] = []
        self.scopes: list[list[str]] = [[]]
        self.memo: list[dict[object, str]] = [{}]
        self.label = "entry"

    def fresh(self) -> int:
        self.count += 1
        return self.count

    def line(self, text: str) -> None:
        self.scopes[-1].append("  " + text)

    def start_block(self, label: str) -> None:
        self.scopes[-1].append(f"{label}:")
        self.label = label

    def op(self, text: str, depth: int = -1) -> str:
        self.count += 1
        name = f"%v{self.count}"
        self.scopes[depth].append(f"  {name} = {text}")
        return name

    def once(self, key: object, make: Callable[[], str], depth: int = -1) -> str:
        for scope in self.memo if depth == -1 else self.memo[: depth + 1]:
            if key in scope:
                return scope[key]
        value = make()
        self.memo[depth][key] = value
        return value

    def declare(self, result: str, name: str, *arguments: str) -> None:
        self.declarations.setdefault(f"declare {result} @{name}({', '.join(arguments)})")

    def open(self) -> None:
        self.scopes.append([])
        self.memo.append({})

    def close(self) -> list[str]:
        self.memo.pop()
        return self.scopes.pop()

    def splat(self, value: str, kind: str, width: int) -> str:
        """A scalar in every lane."""
        if not value.startswith("%"):
            return f"splat ({kind} {value})"

        def make() -> str:
            native = vector_of(kind, width)
            one = self.op(f"insertelement {native} poison, {kind} {value}, i64 0")
            return self.op(f"shufflevector {native} {one}, {native} poison, <{width} x i32> zeroinitializer")

        return self.once(("splat", value, width), make)

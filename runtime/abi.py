"""The program ABI, and the description that whoever calls a program needs.

A program is one native function:

    int32_t mlc_entry(void **buffers, const int64_t *sizes, void *arena, const mlc_context *context);

`buffers`  pointers to the arguments, then the constants, then the slots, each in order. A pointer names the element at
           index 0 in every dimension, also where strides are negative. A slot is memory that the program writes: each
           result that is no view of something else is one. The program writes to donated arguments, too.
`sizes`    values of the symbols in the order of `Program.symbols`, then the run-time strides, in elements, of each
           argument that has any, in order of arguments and dimensions.
`arena`    `Program.arena` bytes for what lives only during the call, aligned to 64; no other call may use it meanwhile.
`context`  NULL, or services for the call:

               struct mlc_context {
                   void *pool, *stream;                 of parallel work (see runtime/pool.py); NULL: serial, and on the
                                                        calling thread
                   int64_t *error;                      8 numbers about a failed check
                   int32_t (*host)(int32_t which, void **buffers, const int64_t *sizes, struct mlc_context *);
                                                        NULL, or called for a print: its number, its values, their
                                                        run-time sizes; nonzero: stop and return that
                   int32_t threads;
                   int32_t (*poll)(struct mlc_context *);   NULL, or called between long pieces of work: nonzero, stop
                   int64_t polled;                      the rest belongs to poll
                   void *raised[3];
               };

returns    0; 1 + the number of a failed check (of `Program.effects`); -2 where poll said stop; what host said, where
           that is not 0.

Where only pointers have to be taken out of NumPy's array objects (arguments, then slots), a second form does that:

    int32_t mlc_call(PyObject *array, ..., void **constants, const int64_t *sizes, void *arena, mlc_context *context);

It returns -1 and does nothing if an argument is not aligned to its elements, or a donated one is read-only or overlaps
another. There is none for donated arguments of symbolic sizes.

Elements are stored in the host's byte order at their own alignment, i1 as a byte; sizes and strides are int64.
Arguments are row-major unless they declare strides. Slots are row-major; what is marked `aligned` starts at a multiple
of 64. No slot overlaps another or an argument, and a donated argument overlaps no other.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

ENTRY = "mlc_entry"
CALL = "mlc_call"
ALIGNMENT = 64
REFUSED = -1
"""What `mlc_call` returns where `mlc_entry` must be called with other arrays."""

Size = int | list[Any]
"""A number, or a polynomial: [[coefficient, [atom, ...]], ...]; an atom is a symbol's name or [size, divisor]."""

DTYPES = {
    "f64": "float64",
    "f32": "float32",
    "f16": "float16",
    "bf16": "bfloat16",
    "i64": "int64",
    "i32": "int32",
    "i16": "int16",
    "i8": "int8",
    "ui64": "uint64",
    "ui32": "uint32",
    "ui16": "uint16",
    "ui8": "uint8",
    "i1": "bool",
    "complex<f32>": "complex64",
    "complex<f64>": "complex128",
    "f8E4M3FN": "float8_e4m3fn",
    "f8E5M2": "float8_e5m2",
    "f8E4M3": "float8_e4m3",
    "f8E3M4": "float8_e3m4",
    "f8E4M3B11FNUZ": "float8_e4m3b11fnuz",
    "f8E4M3FNUZ": "float8_e4m3fnuz",
    "f8E5M2FNUZ": "float8_e5m2fnuz",
    "f4E2M1FN": "float4_e2m1fn",
    "i4": "int4",
    "ui4": "uint4",
    "i2": "int2",
    "ui2": "uint2",
}
"""Element types by the names that NumPy, or `ml_dtypes`, has for them; types of less than 8 bits take a byte."""


def numpy_type(dtype: str) -> np.dtype[Any]:
    """NumPy's side of an element type."""
    return numpy_named(DTYPES[dtype])


@functools.cache
def numpy_named(name: str) -> np.dtype[Any]:
    """The type that NumPy, or `ml_dtypes`, calls so; `ml_dtypes` is loaded when one of its types is met."""
    try:
        return np.dtype(name)
    except TypeError:
        import ml_dtypes

        return np.dtype(getattr(ml_dtypes, name))


@dataclass(frozen=True)
class Argument:
    """`strides`: in elements, None for row-major; each a number, or None for one that is passed at run time."""

    name: str
    dtype: str
    shape: list[Size]
    strides: list[int | None] | None = None
    donated: bool = False
    aligned: bool = False


@dataclass(frozen=True)
class Constant:
    """`hash`: of a resource, whose data whoever loads the program gives; "": the data go with the program, or are
    `made` of resources (runtime/prepared.py)."""

    dtype: str
    elements: int
    name: str = ""
    hash: str = ""
    made: dict[str, Any] | None = None


@dataclass(frozen=True)
class Slot:
    """Memory that the program writes."""

    bytes: Size
    aligned: bool = False


@dataclass(frozen=True)
class Result:
    """What the caller gets: a view, with offset and strides in elements; None: row-major.

    `source`: slot, argument, constant, or arena (then it is copied out).
    """

    dtype: str
    shape: list[Size]
    source: str
    index: int
    offset: Size = 0
    strides: list[Size] | None = None


@dataclass(frozen=True)
class Effect:
    """A check or a print, by its number: `text` is the message or the format, `operands` what is printed."""

    kind: str
    text: str
    operands: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """`dtype` and `shape` of each; they lie in dense rows."""
    location: list[Any] | None = None
    """File, line and column."""


@dataclass(frozen=True)
class Image:
    """Code for a GPU of one kernel: its entry functions in the order of their launches, the bytes of shared memory of
    each, and the architecture. The host's code takes the function of launch j from the external cell
    `mlc.<kernel>.launch<j>`."""

    kernel: str
    entries: list[str]
    shared: list[int]
    target: str = ""


@dataclass(frozen=True)
class Program:
    name: str
    arguments: list[Argument]
    slots: list[Slot]
    results: list[Result]
    constants: list[Constant] = field(default_factory=list[Constant])
    symbols: list[str] = field(default_factory=list[str])
    arena: Size = 0
    work: Size = 0
    """An estimate of what a call takes, in picoseconds; 0 is not known."""
    effects: list[Effect] = field(default_factory=list[Effect])
    threads: int = 1
    """Above 1: it has parallel loops, which call `mlc_parallel`, and memory for so many threads."""
    images: list[Image] = field(default_factory=list[Image])
    """Of a program for a GPU: the last of its objects are their PTX, in this order."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Program:
        return Program(
            data["name"],
            [Argument(**a) for a in data["arguments"]],
            [Slot(**s) for s in data["slots"]],
            [Result(**r) for r in data["results"]],
            [Constant(**c) for c in data["constants"]],
            data["symbols"],
            data["arena"],
            data.get("work", 0),
            [Effect(**e) for e in data.get("effects", ())],
            data.get("threads", 1),
            [Image(**i) for i in data.get("images", ())],
        )


def evaluate(size: Size, symbols: Mapping[str, int]) -> int:
    if isinstance(size, int):
        return size
    total = 0
    for coefficient, atoms in size:
        for atom in atoms:
            coefficient *= symbols[atom] if isinstance(atom, str) else evaluate(atom[0], symbols) // atom[1]
        total += coefficient
    return total


def names(size: Size) -> list[str]:
    """The symbols of a size."""
    if isinstance(size, int):
        return []
    return [n for _, atoms in size for a in atoms for n in ([a] if isinstance(a, str) else names(a[0]))]


def text(size: Size) -> str:
    """`2*b + 1`"""
    if isinstance(size, int):
        return str(size)
    terms: list[str] = []
    for coefficient, atoms in size:
        factors = [a if isinstance(a, str) else f"(({text(a[0])}) floordiv {a[1]})" for a in atoms]
        terms.append("*".join([str(coefficient)] * (coefficient != 1 or not factors) + factors))
    return " + ".join(terms)


def row_major(shape: Sequence[int]) -> tuple[int, ...]:
    """Strides in elements."""
    out: list[int] = []
    step = 1
    for size in reversed(shape):
        out.append(step)
        step *= size
    return tuple(reversed(out))


def count(shape: Sequence[int]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total

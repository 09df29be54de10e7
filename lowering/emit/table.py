"""The operations of one result per element, as LLVM text: one row per operation of arith and math.

A row is a template of one or more instructions; the value of each is appended to the operands, so that `{2}` in a
binary row is the first instruction's value. Types stand as

    $T $U  type of operand 0, 1          $R  type of the result        $B  i1, as wide as operand 0
    $I $0  the integer type as wide as $T, and its zero
    $M $N  intrinsic suffix of $T, $R    $W  bits of an element of $T  $F  fast-math flags, as in the IR
    $P     comparison predicate          $K(x)  the constant x of type $T, splat where that is a vector

Every row is defined on every input: no trap, no poison. Division by zero gives 0 and the remainder 0; the overflow of
INT_MIN / -1 wraps; shifts by the width or more give 0, or the sign; conversions to integers give some number for what
is out of range (LLVM does not vectorize its saturating ones).
`maximumf` and `minimumf` propagate NaN and hold -0 below +0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from .text import bits_of, is_float, literal, mangled, vector_of

Row = str | tuple[str, ...]

INTEGER_PREDICATES = ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")
FLOAT_PREDICATES = (
    *("false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord"),
    *("ueq", "ugt", "uge", "ult", "ule", "une", "uno", "true"),
)


def intrinsic(name: str, operands: int = 1, flags: str = "$F") -> str:
    return f"call{flags} $T @llvm.{name}.$M(" + ", ".join(f"$T {{{i}}}" for i in range(operands)) + ")"


# Each operand once where they are equal or one is NaN. Their signs are and-ed, all other bits or-ed, which keeps NaN.
MAXIMUM: Row = (
    "fcmp ogt $T {1}, {0}",
    "select $B {2}, $T {1}, $T {0}",
    "fcmp ogt $T {0}, {1}",
    "select $B {4}, $T {0}, $T {1}",
    "bitcast $T {3} to $I",
    "bitcast $T {5} to $I",
    "bitcast $T $K(-0.0) to $I",
    "sext $B $b(true) to $I",
    "xor $I {8}, {9}",
    "or $I {7}, {10}",
    "and $I {6}, {11}",
    "and $I {7}, {10}",
    "or $I {12}, {13}",
    "bitcast $I {14} to $T",
)
# Each operand once where they are equal or one is NaN: their bits together are -0 if either is, NaN if either is.
MINIMUM: Row = (
    "fcmp olt $T {1}, {0}",
    "select $B {2}, $T {1}, $T {0}",
    "fcmp olt $T {0}, {1}",
    "select $B {4}, $T {0}, $T {1}",
    "bitcast $T {3} to $I",
    "bitcast $T {5} to $I",
    "or $I {6}, {7}",
    "bitcast $I {8} to $T",
)


def number_extreme(compare: str) -> Row:
    """The operand that is a number, where only one is."""
    return (
        f"fcmp {compare} $T {{0}}, {{1}}",
        "select $B {2}, $T {0}, $T {1}",
        "fcmp uno $T {1}, {1}",
        "select $B {4}, $T {0}, $T {3}",
    )


# d: the divisor, or 1 where it is 0 or (signed) -1.
SIGNED_QUOTIENT = (
    "freeze $T {1}",
    "icmp eq $T {2}, $K(0)",
    "icmp eq $T {2}, $K(-1)",
    "or $B {3}, {4}",
    "select $B {5}, $T $K(1), $T {2}",
    "sdiv $T {0}, {6}",
    "sub $T $K(0), {0}",
    "select $B {4}, $T {8}, $T {7}",
    "select $B {3}, $T $K(0), $T {9}",  # {10}
)
SIGNED_REMAINDER = (*SIGNED_QUOTIENT[:5], "srem $T {0}, {6}", "select $B {5}, $T $K(0), $T {7}")
UNSIGNED_DIVISOR = ("freeze $T {1}", "icmp eq $T {2}, $K(0)", "select $B {3}, $T $K(1), $T {2}")

TABLE: dict[str, Row] = {
    # integers
    "arith.addi": "add $T {0}, {1}",
    "arith.subi": "sub $T {0}, {1}",
    "arith.muli": "mul $T {0}, {1}",
    "arith.divsi": SIGNED_QUOTIENT,
    "arith.remsi": SIGNED_REMAINDER,
    # q - 1 where the remainder is not 0 and its sign differs from the divisor's
    "arith.floordivsi": (
        *SIGNED_QUOTIENT,
        "mul $T {10}, {2}",
        "sub $T {0}, {11}",
        "icmp ne $T {12}, $K(0)",
        "xor $T {12}, {2}",
        "icmp slt $T {14}, $K(0)",
        "and $B {13}, {15}",
        "xor $B {3}, $b(true)",
        "and $B {16}, {17}",
        "sext $B {18} to $T",
        "add $T {10}, {19}",
    ),
    # q + 1 where the remainder is not 0 and its sign is the divisor's
    "arith.ceildivsi": (
        *SIGNED_QUOTIENT,
        "mul $T {10}, {2}",
        "sub $T {0}, {11}",
        "icmp ne $T {12}, $K(0)",
        "xor $T {12}, {2}",
        "icmp sge $T {14}, $K(0)",
        "and $B {13}, {15}",
        "xor $B {3}, $b(true)",
        "and $B {16}, {17}",
        "zext $B {18} to $T",
        "add $T {10}, {19}",
    ),
    "arith.divui": (*UNSIGNED_DIVISOR, "udiv $T {0}, {4}", "select $B {3}, $T $K(0), $T {5}"),
    "arith.remui": (*UNSIGNED_DIVISOR, "urem $T {0}, {4}", "select $B {3}, $T $K(0), $T {5}"),
    "arith.minsi": intrinsic("smin", 2, ""),
    "arith.maxsi": intrinsic("smax", 2, ""),
    "arith.minui": intrinsic("umin", 2, ""),
    "arith.maxui": intrinsic("umax", 2, ""),
    "arith.andi": "and $T {0}, {1}",
    "arith.ori": "or $T {0}, {1}",
    "arith.xori": "xor $T {0}, {1}",
    "arith.shli": (
        "icmp ult $T {1}, $K($W)",
        "select $B {2}, $T {1}, $T $K(0)",
        "shl $T {0}, {3}",
        "select $B {2}, $T {4}, $T $K(0)",
    ),
    "arith.shrui": (
        "icmp ult $T {1}, $K($W)",
        "select $B {2}, $T {1}, $T $K(0)",
        "lshr $T {0}, {3}",
        "select $B {2}, $T {4}, $T $K(0)",
    ),
    "arith.shrsi": (
        "icmp ult $T {1}, $K($W)",
        "select $B {2}, $T {1}, $T $K($W-1)",
        "ashr $T {0}, {3}",
    ),
    "arith.cmpi": "icmp $P $T {0}, {1}",
    "math.absi": "call $T @llvm.abs.$M($T {0}, i1 false)",
    "math.ctpop": intrinsic("ctpop", 1, ""),
    "math.ctlz": "call $T @llvm.ctlz.$M($T {0}, i1 false)",
    # floats
    "arith.addf": "fadd$F $T {0}, {1}",
    "arith.subf": "fsub$F $T {0}, {1}",
    "arith.mulf": "fmul$F $T {0}, {1}",
    "arith.divf": "fdiv$F $T {0}, {1}",
    "arith.negf": "fneg$F $T {0}",
    "arith.maximumf": MAXIMUM,
    "arith.minimumf": MINIMUM,
    "arith.maxnumf": number_extreme("ogt"),
    "arith.minnumf": number_extreme("olt"),
    "arith.cmpf": "fcmp$F $P $T {0}, {1}",
    "math.fma": intrinsic("fma", 3),
    "vector.fma": intrinsic("fma", 3, ""),
    "math.sqrt": intrinsic("sqrt"),
    "math.rsqrt": (intrinsic("sqrt"), "fdiv$F $T $K(1.0), {1}"),
    "math.absf": intrinsic("fabs"),
    "math.floor": intrinsic("floor"),
    "math.ceil": intrinsic("ceil"),
    "math.trunc": intrinsic("trunc"),
    "math.round": intrinsic("round"),
    "math.roundeven": intrinsic("roundeven"),
    "math.copysign": intrinsic("copysign", 2),
    # selection and conversions
    "arith.select": "select$F $T {0}, $U {1}, $U {2}",
    "arith.sitofp": "sitofp $T {0} to $R",
    "arith.uitofp": "uitofp $T {0} to $R",
    "arith.fptosi": ("fptosi $T {0} to $R", "freeze $R {1}"),
    "arith.fptoui": ("fptoui $T {0} to $R", "freeze $R {1}"),
    "arith.extf": "fpext$F $T {0} to $R",
    "arith.truncf": "fptrunc$F $T {0} to $R",
    "arith.trunci": "trunc $T {0} to $R",
    "arith.extsi": "sext $T {0} to $R",
    "arith.extui": "zext $T {0} to $R",
    "arith.bitcast": "bitcast $T {0} to $R",
    "arith.index_cast": "$CAST $T {0} to $R",
    "arith.index_castui": "$UCAST $T {0} to $R",
    # their first operand is a number (numbers.py): one instruction of x86
    "number.maxnumf": ("fcmp ogt $T {1}, {0}", "select $B {2}, $T {1}, $T {0}"),
    "number.minnumf": ("fcmp olt $T {1}, {0}", "select $B {2}, $T {1}, $T {0}"),
}


ON_GPU: dict[str, Row] = {
    # instructions that propagate NaN and hold -0 below +0, and others that leave NaN out
    "arith.maximumf": intrinsic("maximum", 2, ""),
    "arith.minimumf": intrinsic("minimum", 2, ""),
    "arith.maxnumf": intrinsic("maxnum", 2, ""),
    "arith.minnumf": intrinsic("minnum", 2, ""),
}
"""Rows of threads of a GPU where they differ."""


class Types(NamedTuple):
    """What a row's placeholders stand for. Width 0: scalars."""

    operand: str
    second: str
    result: str
    width: int
    second_width: int
    flags: str = ""
    predicate: str = ""


class Prepared(NamedTuple):
    """A row with its types filled in; `{i}` remain. `declarations`: of the intrinsics that it calls."""

    lines: tuple[str, ...]
    declarations: tuple[str, ...]


CALL = re.compile(r"call[a-z ]*? (<[^>]*>|\w+) @([\w.]+)\((.*)\)")
ARGUMENT = re.compile(r"(<[^>]*>|\w+) [^,<>]+(?:, |$)")
_PREPARED: dict[tuple[str, Types, bool], Prepared] = {}


def prepare(name: str, types: Types, gpu: bool = False) -> Prepared:
    """The row of `name` for these types, from a cache."""
    key = (name, types, gpu and name in ON_GPU)
    found = _PREPARED.get(key)
    if found is None:
        found = _PREPARED[key] = _fill(ON_GPU[name] if key[2] else TABLE[name], types)
    return found


def is_nothing(name: str, types: Types) -> bool:
    """A cast between equal types is no instruction."""
    return name in ("arith.index_cast", "arith.index_castui", "arith.bitcast") and types.operand == types.result


def _typed(kind: str, width: int) -> str:
    return vector_of(kind, width) if width else kind


def _constant(text: str, kind: str, width: int) -> str:
    value = float(text) if is_float(kind) else sum(int(part) for part in re.findall(r"-?\d+", text))
    return f"splat ({kind} {literal(value, kind)})" if width else literal(value, kind)


def _fill(row: Row, types: Types) -> Prepared:
    wide = types.width
    narrower = bits_of(types.operand) > bits_of(types.result)
    names = {
        "$CAST": "trunc" if narrower else "sext",
        "$UCAST": "trunc" if narrower else "zext",
        "$T": _typed(types.operand, wide),
        "$U": _typed(types.second, types.second_width),
        "$R": _typed(types.result, types.second_width or wide),
        "$B": _typed("i1", wide),
        "$I": _typed(f"i{bits_of(types.operand)}", wide),
        "$0": "zeroinitializer" if wide else "0",
        "$M": mangled(types.operand, wide),
        "$N": mangled(types.result, wide),
        "$W": str(bits_of(types.operand)),
        "$F": types.flags,
        "$P": types.predicate,
        "$b(true)": "splat (i1 true)" if wide else "true",
    }
    lines: list[str] = []
    declarations: list[str] = []
    for line in (row,) if isinstance(row, str) else row:
        for mark in ("$b(true)", "$CAST", "$UCAST", "$W"):
            line = line.replace(mark, names[mark])
        line = re.sub(r"\$K\(([^)]*)\)", lambda m: _constant(m[1], types.operand, wide), line)
        line = re.sub(r"\$[TURBIMNFP0]", lambda m: names[m[0]], line)
        call = CALL.match(line)
        if call:
            arguments = ARGUMENT.findall(call[3])
            declarations.append(f"declare {call[1]} @{call[2]}({', '.join(arguments)})")
        lines.append(line)
    return Prepared(tuple(lines), tuple(declarations))


def flags_of(names: Sequence[str]) -> str:
    return "".join(f" {name}" for name in names if name != "none")

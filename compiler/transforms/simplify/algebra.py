"""Arithmetic: neutral elements, signs, constants, distribution.

Each rule has its equation as comment; c, d are constants with one value for all elements, s a value replicated along
dimensions.
"""

# Rules read the operands and properties of their op by name, so `op` is Any.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from math import inf
from typing import Any

from ....dialects.nd.array import Array
from ....dialects.nd.elementwise import (
    Abs,
    Add,
    And,
    Div,
    Exp,
    Log,
    Max,
    Min,
    Mul,
    Neg,
    Not,
    Or,
    Pow,
    Rsqrt,
    Sign,
    Sqrt,
    Sub,
    Xor,
)
from ....dialects.nd.movement import Broadcast
from ....dialects.nd.op import bind
from ....dialects.nd.types import is_unsigned
from ..rewriting import Table
from .patterns import A, add, defined, either, floats, is_negative_zero, is_power_of_two, like, mul, neg, splat, sub

rules = Table()
on = rules.on

# Neutral elements.


@on(Add, level="exact")
def add_neutral(op: Any) -> Array | None:  # x + 0 -> x for integers; x + -0.0 -> x
    for x, y in either(op):
        if splat(y) == 0 and (not floats(y) or is_negative_zero(splat(y))):
            return A(x)


@on(Add, level="fast")
def add_zero(op: Any) -> Array | None:  # x + 0.0 -> x, but for x = -0
    for x, y in either(op):
        if splat(y) == 0:
            return A(x)


@on(Sub, level="exact")
def sub_zero(op: Any) -> Array | None:  # x - 0 -> x
    if splat(op.y) == 0 and not is_negative_zero(splat(op.y)):
        return A(op.x)


@on(Sub, level="ieee")
def zero_sub(op: Any) -> Array | None:  # 0 - x -> -x
    if splat(op.x) == 0:
        return neg(op.y)


@on(Mul, level="exact")
def mul_one(op: Any) -> Array | None:  # x * 1 -> x;  x * -1 -> -x
    for x, y in either(op):
        if splat(y) == 1:
            return A(x)
        if splat(y) == -1:
            return neg(x)


@on(Mul, level="exact")
def mul_zero(op: Any) -> Array | None:  # x * 0 -> 0 for integers
    if not floats(op.x) and 0 in (splat(op.x), splat(op.y)):
        return like(0, op.result)


@on(Mul, level="fast")
def mul_zero_finite(op: Any) -> Array | None:  # x * 0.0 -> 0.0 unless x is NaN or infinite
    if 0 in (splat(op.x), splat(op.y)):
        return like(0, op.result)


@on(Div, level="exact")
def div_one(op: Any) -> Array | None:  # x / 1 -> x;  x / -1 -> -x
    if splat(op.y) == 1:
        return A(op.x)
    if splat(op.y) == -1:
        return neg(op.x)


@on(Div, level="exact")
def div_power_of_two(op: Any) -> Array | None:  # x / c -> x * (1/c) where c is a power of two
    if floats(op.x) and is_power_of_two(c := splat(op.y)) and c is not None:
        return mul(op.x, like(1 / c, op.y))


@on(Sub, level="exact")
def sub_self(op: Any) -> Array | None:  # x - x -> 0 for integers
    if op.x is op.y and not floats(op.x):
        return like(0, op.result)


@on(Sub, level="fast")
def sub_self_finite(op: Any) -> Array | None:  # x - x -> 0.0 unless x is NaN or infinite
    if op.x is op.y:
        return like(0, op.result)


@on(Div, level="fast")
def div_self(op: Any) -> Array | None:  # x / x -> 1.0 unless x is 0, NaN or infinite
    if op.x is op.y and floats(op.x):
        return like(1, op.result)


@on(Pow, level="exact")
def pow_trivial(op: Any) -> Array | None:  # x ** 0 -> 1;  x ** 1 -> x
    if splat(op.y) == 0:
        return like(1, op.result)
    if splat(op.y) == 1:
        return A(op.x)


@on(Pow, level="ieee")
def pow_small(op: Any) -> Array | None:  # x**2 -> x*x;  x**3 -> x*x*x;  x**-1 -> 1/x
    match splat(op.y):
        case 2:
            return mul(op.x, op.x)
        case 3:
            return mul(mul(op.x, op.x), op.x)
        case -1:
            return bind(Div, like(1, op.x), A(op.x))
        case _:
            return None


@on(Pow, level="fast")
def pow_root(op: Any) -> Array | None:  # x**0.5 -> sqrt(x);  x**-0.5 -> rsqrt(x), but for x = -0
    if splat(op.y) == 0.5:
        return bind(Sqrt, A(op.x))
    if splat(op.y) == -0.5:
        return bind(Rsqrt, A(op.x))
    return None


# Signs.


@on(Neg, level="exact")
def neg_neg(op: Any) -> Array | None:  # -(-x) -> x
    if n := defined(op.x, Neg):
        return A(n.x)


@on(Neg, level="ieee")
def neg_sub(op: Any) -> Array | None:  # -(x - y) -> y - x
    if (s := defined(op.x, Sub)) and s.result.has_one_use():
        return sub(s.y, s.x)


@on(Neg, level="exact")
def neg_scaled(op: Any) -> Array | None:  # -(x * c) -> x * -c
    if (m := defined(op.x, Mul)) and m.result.has_one_use():
        for x, c in either(m):
            if (v := splat(c)) is not None and floats(c):
                return mul(x, like(-v, c))


@on(Add, level="exact")
def add_neg(op: Any) -> Array | None:  # x + -y -> x - y
    for x, y in either(op):
        if n := defined(y, Neg):
            return sub(x, n.x)


@on(Add, level="exact")
def add_negative_scale(op: Any) -> Array | None:  # y + x * -c -> y - x * c
    for y, product in either(op):
        if (positive := _flipped(product)) is not None:
            return sub(y, positive)


@on(Sub, level="exact")
def sub_negative_scale(op: Any) -> Array | None:  # y - x * -c -> y + x * c
    if (positive := _flipped(op.y)) is not None:
        return add(op.x, positive)


def _flipped(product: Any) -> Array | None:
    """x * c for a product x * -c that nobody else reads."""
    m = defined(product, Mul)
    if m is None or not floats(product) or not m.result.has_one_use():
        return None
    for x, c in either(m):
        if (v := splat(c)) is not None and v < 0:
            return mul(x, like(-v, c))
    return None


@on(Sub, level="exact")
def sub_neg(op: Any) -> Array | None:  # x - -y -> x + y
    if n := defined(op.y, Neg):
        return add(op.x, n.x)


@on(Sub, level="ieee")
def neg_minus(op: Any) -> Array | None:  # -x - y -> -(x + y)
    if (n := defined(op.x, Neg)) and n.result.has_one_use():
        return neg(add(n.x, op.y))


@on(Mul, level="exact")
def mul_neg(op: Any) -> Array | None:  # x * -y -> -(x * y), and x * -c for -y * c
    for x, y in either(op):
        if n := defined(y, Neg):
            return mul(n.x, like(-v, x)) if floats(x) and (v := splat(x)) is not None else neg(mul(x, n.x))


@on(Div, level="exact")
def div_neg(op: Any) -> Array | None:  # -x / -y -> x / y;  -x / y -> -(x / y);  x / -y -> -(x / y)
    if not floats(op.x):
        return None  # the integer quotient is rounded down
    x, y = defined(op.x, Neg), defined(op.y, Neg)
    if x and y:
        return bind(Div, A(x.x), A(y.x))
    if x:
        return neg(bind(Div, A(x.x), A(op.y)))
    if y:
        return neg(bind(Div, A(op.x), A(y.x)))


@on(Abs, level="exact")
def abs_sign(op: Any) -> Array | None:  # |-x| -> |x| of signed numbers, since others wrap;  ||x|| -> |x|
    if (n := defined(op.x, Neg)) and not is_unsigned(op.x.type):
        return bind(Abs, A(n.x))
    if defined(op.x, Abs):
        return A(op.x)


@on(Sign, level="exact")
def sign_sign(op: Any) -> Array | None:  # sign(sign(x)) -> sign(x)
    if defined(op.x, Sign):
        return A(op.x)


# Constants.


@on(Mul, level="ieee")
def scale_scaled(op: Any) -> Array | None:  # (x * c) * d -> x * (c * d)
    if not floats(op.result):
        return None
    for product, d in either(op):
        if (m := defined(product, Mul)) and splat(d) is not None and m.result.has_one_use():
            for x, c in either(m):
                if splat(c) is not None:
                    return mul(x, mul(c, d))


@on(Add, Mul, level="exact")
def constants_together(op: Any) -> Array | None:  # (x + c) + d -> x + (c + d), also with *, for integers
    if floats(op.result):
        return None
    kind = type(op)
    for inner, d in either(op):
        if (i := defined(inner, kind)) and splat(d) is not None and i.result.has_one_use():
            for x, c in either(i):
                if splat(c) is not None:
                    return bind(kind, A(x), bind(kind, A(c), A(d)))


# Distribution.


@on(Add, Sub, level="ieee")
def factor(op: Any) -> Array | None:  # x*s + y*s -> (x + y)*s
    x, y = defined(op.x, Mul), defined(op.y, Mul)
    if x is None or y is None or not (x.result.has_one_use() and y.result.has_one_use()):
        return None
    for a, s in either(x):
        for b, t in either(y):
            if s is t and (splat(s) is not None or defined(s, Broadcast)):
                return mul(op.again([A(a), A(b)]), s)


@on(Add, level="exact")
def add_self(op: Any) -> Array | None:  # x + x -> x * 2
    if op.x is op.y:
        return mul(op.x, like(2, op.y))


@on(Add, Sub, level="ieee")
def factor_constants(op: Any) -> Array | None:  # x*c + x*d -> x * (c + d)
    x, y = defined(op.x, Mul), defined(op.y, Mul)
    if x is None or y is None:
        return None
    for a, c in either(x):
        for b, d in either(y):
            if a is b and splat(c) is not None and splat(d) is not None:
                return mul(a, op.again([A(c), A(d)]))


# Choices and logic.


@on(Max, Min, And, Or, level="exact")
def same_twice(op: Any) -> Array | None:  # max(x, x) -> x, also min, and, or
    if op.x is op.y:
        return A(op.x)


@on(Max, Min, level="exact")
def extreme_neutral(op: Any) -> Array | None:  # max(x, -inf) -> x; min(x, inf) -> x
    for x, y in either(op):
        if splat(y) == (-inf if type(op) is Max else inf):
            return A(x)


@on(Max, Min, level="exact")
def absorb(op: Any) -> Array | None:  # max(max(x, y), y) -> max(x, y), also min
    for inner, y in either(op):
        if (i := defined(inner, type(op))) and (i.x is y or i.y is y):
            return A(inner)


@on(Not, level="exact")
def not_not(op: Any) -> Array | None:  # not not x -> x
    if n := defined(op.x, Not):
        return A(n.x)


@on(And, Or, Xor, level="exact")
def logic_neutral(
    op: Any,
) -> Array | None:  # x & ~0 -> x;  x & 0 -> 0;  x | 0 -> x;  x | ~0 -> ~0;  x ^ 0 -> x;  x ^ x -> 0
    kind = type(op)
    if kind is Xor and op.x is op.y:
        return like(0, op.result)
    for x, y in either(op):
        c = splat(y)
        if c is None:
            continue
        ones = c in (-1, True) if op.result.type.element_type.width.data == 1 else c == -1
        if (kind is And and ones) or (kind is not And and c == 0):
            return A(x)
        if (kind is And and c == 0) or (kind is Or and ones):
            return A(y)


# Inverse functions.


@on(Log, level="fast")
def log_exp(op: Any) -> Array | None:  # log(exp(x)) -> x, where exp(x) is finite and not 0
    if x := defined(op.x, Exp):
        return A(x.x)

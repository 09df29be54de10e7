"""Powers of integers by integers that are values: by squaring, as long as an exponent has a bit left."""

from __future__ import annotations

from . import control
from .array import Array
from .constant import full
from .elementwise import And, Mul, Or
from .functions import equal, greater, less, select
from .op import bind
from .reduction import reduce
from .scalar_functions import right_shift
from .types import is_unsigned


def integer_power(x: Array, y: Array) -> Array:
    """x^y of one integer type and shape, which wraps; of a negative exponent 1 / x^-y, rounded towards 0."""
    one = full(1, x.type)

    def go_on(out: Array, x: Array, y: Array) -> list[Array]:
        return [reduce("any", greater(y, 0), list(range(y.ndim)))]

    def step(out: Array, x: Array, y: Array) -> list[Array]:
        # x^y = (x^2)^(y floordiv 2) * x^(y mod 2)
        odd = bind(And, equal(bind(And, y, full(1, y.type)), 1), greater(y, 0))
        return [select(odd, bind(Mul, out, x), out), bind(Mul, x, x), right_shift(y, 1)]

    blocks = [control.region(fn, [x.type] * 3) for fn in (go_on, step)]
    out = control.while_([], [one, x, y], *blocks)[0]
    if is_unsigned(x.dtype):
        return out
    odd = equal(bind(And, y, one), 1)
    sign = select(bind(And, equal(x, -1), odd), full(-1, x.type), one)
    inverse = select(bind(Or, equal(x, 1), equal(x, -1)), sign, full(0, x.type))
    return select(less(y, 0), inverse, out)

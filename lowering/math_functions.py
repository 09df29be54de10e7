"""The functions that expand-math knows, by range reduction and polynomials, for f32 and f64.

Each takes a builder of the result's type and the operands, and returns the result. Errors are the largest seen over
dense samples of the whole range, in units in the last place (test_expand_math.py holds them to it):

           exp  exp2  expm1  tanh  sinh  cosh   log  log2  log10  log1p  asinh  acosh  atanh
    f32    1.0   1.0    1.5   2.4   2.2   1.5   1.0   1.0    1.0    1.0    1.6    2.4    2.0
    f64    1.0   1.0    2.0   2.5   2.5   1.5   1.0   1.0    1.0    1.0    1.8    2.4    1.6

           sin   cos    tan  asin  acos  atan  atan2  cbrt    erf    pow
    f32    1.6   1.6    2.6   1.6   0.9   1.8    2.0   0.7    1.1    1.0
    f64    1.6   1.6    2.5   1.7   0.9   1.5    2.0   0.7    1.4    2.0

NaN, infinities, -0 and subnormal numbers, as operand or result, are as IEEE 754 and C say. The remainder is exact.
"""

from __future__ import annotations

from collections.abc import Callable

from xdsl.ir import SSAValue

from . import math_angles as angles
from . import math_exponential as exponential
from . import math_logarithm as logarithm
from . import math_power as power
from . import math_special as special

Function = Callable[..., SSAValue]
FUNCTIONS: dict[str, Function] = {
    "math.exp": exponential.exp,
    "math.exp2": exponential.exp2,
    "math.expm1": exponential.expm1,
    "math.tanh": exponential.tanh,
    "math.sinh": exponential.sinh,
    "math.cosh": exponential.cosh,
    "math.log": logarithm.log,
    "math.log2": logarithm.log2,
    "math.log10": logarithm.log10,
    "math.log1p": logarithm.log1p,
    "math.asinh": logarithm.asinh,
    "math.acosh": logarithm.acosh,
    "math.atanh": logarithm.atanh,
    "math.powf": power.pow_,
    "math.sin": angles.sin,
    "math.cos": angles.cos,
    "math.tan": angles.tan,
    "math.asin": angles.asin,
    "math.acos": angles.acos,
    "math.atan": angles.atan,
    "math.atan2": angles.atan2,
    "math.cbrt": special.cbrt,
    "math.erf": special.erf,
    "arith.remf": special.remainder,
}

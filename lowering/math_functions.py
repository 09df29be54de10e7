"""The functions that expand-math knows, by range reduction and polynomials, for f32 and f64, and how accurate they are.

Each takes a builder of the result's type and the operands, and returns the result. NaN, infinities, -0 and subnormal
numbers, as operand or result, are as IEEE 754 and C say. Elements of f16 and bf16 are computed in f32 and rounded.
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

ACCURACY: dict[str, tuple[float, float]] = {
    "math.exp": (1.0, 1.0),
    "math.exp2": (1.0, 1.0),
    "math.expm1": (1.5, 2.0),
    "math.tanh": (2.5, 2.5),
    "math.sinh": (2.2, 2.5),
    "math.cosh": (1.5, 1.5),
    "math.log": (1.0, 1.0),
    "math.log2": (1.0, 1.0),
    "math.log10": (1.0, 1.0),
    "math.log1p": (1.0, 1.0),
    "math.asinh": (1.7, 1.8),
    "math.acosh": (2.4, 2.5),
    "math.atanh": (2.0, 1.6),
    "math.powf": (1.1, 1.3),
    "math.sin": (1.6, 1.6),
    "math.cos": (1.6, 1.6),
    "math.tan": (2.6, 2.5),
    "math.asin": (1.6, 1.7),
    "math.acos": (0.9, 0.9),
    "math.atan": (1.8, 1.5),
    "math.atan2": (2.0, 2.0),
    "math.cbrt": (0.7, 0.7),
    "math.erf": (1.1, 1.4),
    "arith.remf": (0.0, 0.0),
}
"""The largest errors of f32 and of f64, in units in the last place, over the whole range, with a machine's instructions
and without: test_expand_math.py holds the functions to them."""

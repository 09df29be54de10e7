"""The special cases of the Array API standard's elementwise functions on real numbers, line by line.

A line is `operands -> result`: each operand is a set of values (`VALUES`), each combination of them a row; the result
is an expression of x1, x2 .. (x is x1). `~` allows 4 units in the last place, `sign` compares only the sign, `zero` is
of either sign, and `or` gives alternatives that the standard allows.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

POSITIVE = ("1e-40", "0.25", "0.75", "1", "1.5", "2", "3", "1e6", "3e38")
LESS_THAN_1 = ("1e-40", "0.25", "0.75")
MORE_THAN_1 = ("1.5", "2", "3", "1e6", "3e38")
ZERO, INFINITE = ("+0", "-0"), ("+inf", "-inf")


def minus(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple("-" + v.removeprefix("+") for v in values)


NONZERO = (*POSITIVE, *minus(POSITIVE))
FINITE = (*NONZERO, *ZERO)
NUMBER = (*FINITE, *INFINITE)
VALUES: dict[str, tuple[str, ...]] = {
    "pos": POSITIVE,
    "neg": minus(POSITIVE),
    "nonzero": NONZERO,
    "finite": FINITE,
    "number": NUMBER,
    "any": (*NUMBER, "nan"),
    "finite/nan": (*FINITE, "nan"),
    "+-0": ZERO,
    "+-inf": INFINITE,
    ">0": (*POSITIVE, "+inf"),
    "<0": (*minus(POSITIVE), "-inf"),
    "!=0": (*NONZERO, *INFINITE),
    "!=0 or nan": (*NONZERO, *INFINITE, "nan"),
    "!=1": tuple(v for v in (*NUMBER, "nan") if v != "1"),
    ">1": (*MORE_THAN_1, "+inf"),
    "<-1": (*minus(MORE_THAN_1), "-inf"),
    "<1": (*LESS_THAN_1, *ZERO, *minus(POSITIVE), "-inf"),
    "abs>1": (*MORE_THAN_1, *minus(MORE_THAN_1), *INFINITE),
    "abs<1": (*LESS_THAN_1, *minus(LESS_THAN_1), *ZERO),
    "abs1": ("1", "-1"),
    "odd+": ("1", "3", "5"),
    "odd-": ("-1", "-3", "-5"),
    "not odd+": ("0.5", "1.5", "2", "4", "1e6", "3e38", "+inf"),
    "not odd-": ("-0.5", "-1.5", "-2", "-4", "-1e6", "-3e38", "-inf"),
    "no integer": ("0.5", "-0.5", "1.5", "-2.75"),
    "integer": ("1", "-1", "3", "1e6", "-7", "3e38"),
    "half": ("0.5", "-0.5", "1.5", "-1.5", "2.5", "4.5", "-7.5", "8388607.5"),
}

ROUND = """
integer -> x
+inf -> inf
-inf -> -inf
+0 -> +0
-0 -> -0
nan -> nan
"""
ODD = """
nan -> nan
+0 -> +0
-0 -> -0
"""
LOG = """
nan -> nan
<0 -> nan
+-0 -> -inf
1 -> +0
+inf -> inf
"""
TABLES = {
    "abs": "nan -> nan \n -0 -> +0 \n -inf -> inf",
    "acos": "nan -> nan \n >1 -> nan \n <-1 -> nan \n 1 -> +0",
    "acosh": "nan -> nan \n <1 -> nan \n 1 -> +0 \n +inf -> inf",
    "add": """
nan,any -> nan
any,nan -> nan
+inf,-inf -> nan
-inf,+inf -> nan
+inf,+inf -> inf
-inf,-inf -> -inf
+inf,finite -> inf
-inf,finite -> -inf
finite,+inf -> inf
finite,-inf -> -inf
-0,-0 -> -0
-0,+0 -> +0
+0,-0 -> +0
+0,+0 -> +0
+-0,nonzero -> x2
nonzero,+-0 -> x1
3,-3 -> +0
nonzero,nonzero -> x1 + x2
""",
    "asin": ODD + ">1 -> nan \n <-1 -> nan",
    "asinh": ODD + "+inf -> inf \n -inf -> -inf",
    "atan": ODD + "+inf -> ~pi / 2 \n -inf -> ~-pi / 2",
    "atan2": """
nan,any -> nan
any,nan -> nan
>0,+0 -> ~pi / 2
>0,-0 -> ~pi / 2
+0,>0 -> +0
+0,+0 -> +0
+0,-0 -> ~pi
+0,<0 -> ~pi
-0,>0 -> -0
-0,+0 -> -0
-0,-0 -> ~-pi
-0,<0 -> ~-pi
<0,+0 -> ~-pi / 2
<0,-0 -> ~-pi / 2
pos,+inf -> +0
pos,-inf -> ~pi
neg,+inf -> -0
neg,-inf -> ~-pi
+inf,finite -> ~pi / 2
-inf,finite -> ~-pi / 2
+inf,+inf -> ~pi / 4
+inf,-inf -> ~3 * pi / 4
-inf,+inf -> ~-pi / 4
-inf,-inf -> ~-3 * pi / 4
""",
    "atanh": ODD + "<-1 -> nan \n >1 -> nan \n -1 -> -inf \n 1 -> inf",
    "ceil": ROUND,
    "clip": """
nan,-2,2 -> nan
number,nan,+inf -> nan
number,-inf,nan -> nan
""",
    "copysign": """
number,<0 -> -abs(x1)
number,-0 -> -abs(x1)
number,+0 -> abs(x1)
number,>0 -> abs(x1)
number,-nan -> -abs(x1)
number,nan -> abs(x1)
nan,<0 -> sign -nan
nan,-0 -> sign -nan
-nan,+0 -> sign nan
-nan,>0 -> sign nan
nan,-nan -> sign -nan
-nan,nan -> sign nan
""",
    "cos": "nan -> nan \n +0 -> 1 \n -0 -> 1 \n +inf -> nan \n -inf -> nan",
    "cosh": "nan -> nan \n +0 -> 1 \n -0 -> 1 \n +inf -> inf \n -inf -> inf",
    "divide": """
nan,any -> nan
any,nan -> nan
+-inf,+-inf -> nan
+-0,+-0 -> nan
+0,>0 -> +0
-0,>0 -> -0
+0,<0 -> -0
-0,<0 -> +0
>0,+0 -> inf
>0,-0 -> -inf
<0,+0 -> -inf
<0,-0 -> inf
+inf,pos -> inf
+inf,neg -> -inf
-inf,pos -> -inf
-inf,neg -> inf
pos,+inf -> +0
pos,-inf -> -0
neg,+inf -> -0
neg,-inf -> +0
pos,pos -> sign 1
neg,neg -> sign 1
pos,neg -> sign -1
neg,pos -> sign -1
nonzero,nonzero -> x1 / x2
""",
    "equal": """
nan,any -> False
any,nan -> False
+inf,+inf -> True
-inf,-inf -> True
-0,+-0 -> True
+0,+-0 -> True
number,number -> x1 == x2
""",
    "exp": "nan -> nan \n +0 -> 1 \n -0 -> 1 \n +inf -> inf \n -inf -> +0",
    "expm1": ODD + "+inf -> inf \n -inf -> -1",
    "floor": ROUND,
    "floor_divide": """
nan,any -> nan
any,nan -> nan
+-inf,+-inf -> nan
+-0,+-0 -> nan
+0,>0 -> +0
-0,>0 -> -0
+0,<0 -> -0
-0,<0 -> +0
>0,+0 -> inf
>0,-0 -> -inf
<0,+0 -> -inf
<0,-0 -> inf
+inf,pos -> inf or nan
+inf,neg -> -inf or nan
-inf,pos -> -inf or nan
-inf,neg -> inf or nan
pos,+inf -> +0
pos,-inf -> -0 or -1
neg,+inf -> -0 or -1
neg,-inf -> +0
pos,pos -> sign 1
neg,neg -> sign 1
pos,neg -> sign -1
neg,pos -> sign -1
half,half -> x1 // x2
""",
    "hypot": """
+-inf,any -> inf
any,+-inf -> inf
+-0,number -> abs(x2)
number,+-0 -> abs(x1)
finite/nan,nan -> nan
nan,finite/nan -> nan
half,half -> ~np.hypot(x1, x2)
half,half -> ~np.hypot(-x2, x1)
""",
    "isfinite": "+-inf -> False \n nan -> False \n finite -> True",
    "isinf": "+-inf -> True \n finite/nan -> False",
    "isnan": "nan -> True \n number -> False",
    "log": LOG,
    "log1p": ODD + "<-1 -> nan \n -1 -> -inf \n +inf -> inf",
    "log2": LOG,
    "log10": LOG,
    "logaddexp": "nan,any -> nan \n any,nan -> nan \n +inf,number -> inf \n number,+inf -> inf",
    "maximum": "nan,any -> nan \n any,nan -> nan",
    "minimum": "nan,any -> nan \n any,nan -> nan",
    "multiply": """
nan,any -> nan
any,nan -> nan
+-inf,+-0 -> nan
+-0,+-inf -> nan
>0,>0 -> sign 1
<0,<0 -> sign 1
>0,<0 -> sign -1
<0,>0 -> sign -1
+-inf,+-inf -> x1 * x2
+-inf,nonzero -> x1 * x2
nonzero,+-inf -> x1 * x2
finite,finite -> x1 * x2
""",
    "nextafter": """
nan,any -> nan
any,nan -> nan
-0,+0 -> +0
+0,-0 -> -0
number,number -> x2 if x1 == x2 else np.nextafter(x1, x2)
""",
    "not_equal": """
nan,any -> True
any,nan -> True
+inf,-inf -> True
-inf,+inf -> True
finite,finite -> x1 != x2
number,number -> x1 != x2
""",
    "pow": """
!=1,nan -> nan
any,+0 -> 1
any,-0 -> 1
nan,!=0 or nan -> nan
abs>1,+inf -> inf
abs>1,-inf -> +0
abs1,+inf -> 1
abs1,-inf -> 1
1,number -> 1
abs<1,+inf -> +0
abs<1,-inf -> inf
+inf,>0 -> inf
+inf,<0 -> +0
-inf,odd+ -> -inf
-inf,not odd+ -> inf
-inf,odd- -> -0
-inf,not odd- -> +0
+0,>0 -> +0
+0,<0 -> inf
-0,odd+ -> -0
-0,not odd+ -> +0
-0,odd- -> -inf
-0,not odd- -> inf
neg,no integer -> nan
""",
    "reciprocal": "any -> 1 / x",
    "remainder": """
nan,any -> nan
any,nan -> nan
+-inf,+-inf -> nan
+-0,+-0 -> nan
+0,>0 -> +0
-0,>0 -> +0
+0,<0 -> -0
-0,<0 -> -0
>0,+0 -> nan
>0,-0 -> nan
<0,+0 -> nan
<0,-0 -> nan
+inf,pos -> nan
+inf,neg -> nan
-inf,pos -> nan
-inf,neg -> nan
pos,+inf -> x1
pos,-inf -> x2
neg,+inf -> x2
neg,-inf -> x1
nonzero,nonzero -> x1 % x2
""",
    "round": ROUND + "half -> np.round(x)",
    "sign": "<0 -> -1 \n +-0 -> zero \n >0 -> 1 \n nan -> nan",
    "signbit": """
+0 -> False
-0 -> True
+inf -> False
-inf -> True
pos -> False
neg -> True
nan -> False
-nan -> True
""",
    "sin": ODD + "+-inf -> nan",
    "sinh": ODD + "+inf -> inf \n -inf -> -inf",
    "square": "any -> x * x",
    "sqrt": ODD + "<0 -> nan \n +inf -> inf \n pos -> np.sqrt(x)",
    "subtract": "any,any -> x1 + -x2",
    "tan": ODD + "+-inf -> nan",
    "tanh": ODD + "+inf -> 1 \n -inf -> -1",
    "trunc": ROUND,
}


class Line(NamedTuple):
    function: str
    text: str
    rows: tuple[tuple[float, ...], ...]
    """The operands."""
    results: tuple[str, ...]
    """Expressions that are allowed."""


def number(text: str, dtype: Any) -> Any:
    """In f32 the largest and least numbers are those of f32; `-nan` has its sign bit."""
    value = np.float64(text.removeprefix("-") if text == "-nan" else text)
    return np.copysign(value, -1 if text.startswith("-") else 1).astype(dtype)


def lines(dtype: Any) -> Iterator[Line]:
    for function, table in TABLES.items():
        for text in filter(None, map(str.strip, table.splitlines())):
            given, _, result = text.partition(" -> ")
            sets = [VALUES.get(part, (part,)) for part in given.split(",")]
            rows = tuple(tuple(number(v, dtype) for v in row) for row in itertools.product(*sets))
            yield Line(function, text, rows, tuple(result.split(" or ")))


SCOPE = {"np": np, "pi": np.pi, "inf": np.inf, "nan": np.nan, "zero": 0.0, "abs": abs}


def expected(line: Line, alternative: str, dtype: Any) -> np.ndarray:
    """One value for each row."""
    text = alternative.removeprefix("~").removeprefix("sign ")
    code = compile("-0.0" if text == "-0" else text, line.text, "eval")  # Python's -0 is 0
    out = []
    with np.errstate(all="ignore"):
        for row in line.rows:
            names = {f"x{k}": v for k, v in enumerate(row, 1)}
            out.append(eval(code, {**SCOPE, **names, "x": row[0]}))
    array = np.array(out)
    return array if array.dtype == bool else array.astype(dtype)

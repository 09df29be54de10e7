"""nd-to-stablehlo over the registry: every op's text is taken, verified and run by JAX, with the op's own results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mlc.compiler.printing import print_ir
from mlc.dialects.nd.composite import Composite
from mlc.dialects.nd.op import OPS, Tolerance
from mlc.dialects.nd.types import COMPLEX
from mlc.lowering.nd_to_stablehlo.convert import ROWS, nd_to_stablehlo
from mlc.runtime.matching import assert_matches
from op_cases import CASES, Case, dtypes_of, sampled_dtypes, specials, values
from sampling import FULL, sample
from test_ops import module_of, operands

EVERY = sample([(c, d) for c in CASES for d in (dtypes_of(c) if FULL else sampled_dtypes(c, 1))], 40, "stablehlo")
IDS = [f"{c.op} {c.label} {d} {c.shapes}" for c, d in EVERY]


DIFFERENT = {("sign", d): Tolerance(ulp=4) for d in COMPLEX}
"""z / |z| is rounded, by the op itself always in one way."""


@pytest.mark.parametrize("name", OPS)
def test_every_op_has_a_row_or_is_taken_apart(name: str) -> None:
    assert name in ROWS or issubclass(OPS[name], Composite)


def test_rows_are_of_ops() -> None:
    assert set(ROWS) <= set(OPS)


@pytest.mark.parametrize(("case", "dtype"), EVERY, ids=IDS)
def test_jax_runs_every_op(case: Case, dtype: Any) -> None:
    from jax_oracle import run

    module = module_of(case, dtype)
    op = case.trace(dtype)
    nd_to_stablehlo(module)
    module.verify()
    text = print_ir(module)
    draws = [case.regular(values(operands(op)))]
    if op.tolerance.exact and not isinstance(op, Composite):
        draws.append(specials(operands(op)))
    for inputs in draws:
        with np.errstate(all="ignore"):
            want = np.asarray(op.reference(*inputs))
        (got,) = run(text, inputs)
        assert_matches(DIFFERENT.get((case.op, dtype), op), got, want, inputs=inputs)

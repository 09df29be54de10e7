"""`check`: what the self-checking programs of StableHLO assert."""

from __future__ import annotations

from xdsl.ir import Dialect

from .op import OPS, op

for name in ("expect_eq", "expect_close", "expect_almost_eq"):
    op(f"check.{name}", 2, 0, properties="max_ulp_difference:int? min_ulp_difference:int? tolerance:any?", traits=())
for name in ("expect_eq_const", "expect_almost_eq_const", "expect_close_const"):
    op(
        f"check.{name}",
        1,
        0,
        properties="value:any tolerance:any? max_ulp_difference:int? min_ulp_difference:int?",
        traits=(),
    )

CheckDialect = Dialect("check", [c for n, c in OPS.items() if n.startswith("check.")], [])

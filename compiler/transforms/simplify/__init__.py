"""The rules of `canonicalize`, by topic.

Law for a rule: the type stays, the program never gets worse, and no other rule undoes it.
"""

from __future__ import annotations

from ..rewriting import Rewrite
from . import affine, algebra, composite, contraction, movement, phases, scalar

REWRITES: tuple[Rewrite, ...] = tuple(
    r for topic in (movement, algebra, affine, scalar, contraction, phases, composite) for r in topic.rules.rewrites
)
"""In the order in which they are tried on an op."""

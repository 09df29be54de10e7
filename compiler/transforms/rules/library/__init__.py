"""The rules that come with the compiler, by topic: a module of pairs each, whose name is the group of its rules.

A rule of kind simplify is what `apply-rules` applies and its measure strictly falls. A rule of kind explore is an
equality for a search: its right side may be better or worse. What `canonicalize` does by itself is not here again.
"""

from __future__ import annotations

from ..define import Rule
from . import algebra, choice, composite, contraction, merging, movement, reduction

TOPICS = (merging, contraction, reduction, movement, composite, algebra, choice)

LIBRARY: dict[str, Rule] = {
    rule.name: rule for topic in TOPICS for rule in vars(topic).values() if isinstance(rule, Rule)
}
"""Every rule, by name, in the order in which they are tried."""

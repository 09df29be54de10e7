"""What a module is, as text that costs less than its printed form: a key of caches.

Equal texts are of modules that print alike. Names, types and attributes all count; locations do not.
"""

from __future__ import annotations

from functools import lru_cache

from xdsl.ir import Attribute, Block, Operation, SSAValue, TypeAttribute

END, PART = "\n", "\x1f"
"""Neither stands in the text of an attribute, which escapes what a string holds."""


def fingerprint(op: Operation) -> str:
    """The op with everything in it."""
    out: list[str] = []
    _op(op, {}, {}, out)
    return END.join(out)


@lru_cache(4096)
def _type(t: Attribute) -> str:
    return str(t)


def _text(attribute: Attribute) -> str:
    # attributes that are equal may still print differently, as 0.0 and -0.0 do; types do not
    return _type(attribute) if isinstance(attribute, TypeAttribute) else str(attribute)


def _value(value: SSAValue, values: dict[SSAValue, int]) -> str:
    return f"{values.setdefault(value, len(values))} {value.name_hint or ''} {_type(value.type)}"


def _op(op: Operation, values: dict[SSAValue, int], blocks: dict[Block, int], out: list[str]) -> None:
    parts = [op.name]
    parts += [str(values.setdefault(v, len(values))) for v in op.operands]
    parts.append(":")
    parts += [_value(v, values) for v in op.results]
    for found in (op.properties, op.attributes):
        parts.append("{")
        parts += [f"{name}={_text(a)}" for name, a in found.items()]
    parts += [f"^{blocks.setdefault(b, len(blocks))}" for b in op.successors]
    out.append(PART.join(parts))
    for region in op.regions:
        out.append("(")
        for block in region.blocks:
            head = [f"^{blocks.setdefault(block, len(blocks))}", *(_value(a, values) for a in block.args)]
            out.append(PART.join(head))
            for inner in block.ops:
                _op(inner, values, blocks, out)
        out.append(")")

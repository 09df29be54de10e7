"""Cases of bitcast, pack, unpack and random words, for `op_cases` and `native_cases`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlc.dialects.nd import philox
from mlc.dialects.nd.bits import FOUR_BITS
from mlc.dialects.nd.op import OPS, Array, bind
from mlc.dialects.nd.threefry import WORDS, words
from mlc.dialects.nd.types import SIGNLESS, ui2, ui4, width
from xdsl.dialects.builtin import i1


def same_bits(x: Array) -> Array:
    """As a signed integer, or of that as one without a sign."""
    bits = width(x.dtype)
    to = x.dtype if x.dtype == i1 else {2: ui2, 4: ui4}.get(bits) or SIGNLESS[bits]
    return bind(OPS["bitcast"], x, to=to)


def unpacked(to: Any) -> Callable[..., Array]:
    return lambda x: bind(OPS["unpack"], x, to=to)


def cases(case: Callable[..., Any]) -> list[Any]:
    out = [case("bitcast", [s], same_bits) for s in ((3, 4), (), (0, 2))]
    for to in FOUR_BITS:
        out.append(case("unpack", [(3, 4)], unpacked(to), label=str(to)))
    out += [case("pack", [s], lambda x: bind(OPS["pack"], x)) for s in ((3, 4), (2, 0))]
    for word in WORDS:
        out.append(case("threefry", [(3, 4)] * 4, lambda *xs, word=word: words(word, xs[:2], xs[2:]), label=word))
    for name in philox.NAMES:
        out.append(case("philox", [(3, 2)] * 6, lambda *xs, name=name: philox.word(name, xs[:2], xs[2:]), label=name))
    return out


def templates(template: Callable[..., Any]) -> list[Any]:
    return [
        template("bitcast", same_bits),
        *(
            template("unpack", lambda x, to=to: bind(OPS["unpack"], x, to=to), label=str(to), rank=1)
            for to in FOUR_BITS
        ),
        template("threefry", lambda *xs: words("mixed", xs[:2], xs[2:]), lambda s: [s] * 4),
        template("philox", lambda *xs: philox.word("third", xs[:2], xs[2:]), lambda s: [s] * 6),
        template("pack", lambda x: bind(OPS["pack"], x), lambda s: [(*s[:-1], s[-1] * 2)], rank=1),
    ]

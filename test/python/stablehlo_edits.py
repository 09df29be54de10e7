"""Seeded mutations of StableHLO text that leave it parseable: they reach verifier, importer and compiler.

Names of ops within a family, dimensions and element types through a line or a file, numbers of attributes, operands,
constants. Where a type changes, constants of it become splats, since their values would be refused first.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

FAMILIES = (
    "abs cbrt ceil cosine count_leading_zeros exponential exponential_minus_one floor imag is_finite log "
    "log_plus_one logistic negate not optimization_barrier popcnt real round_nearest_afz round_nearest_even rsqrt "
    "sign sine sqrt tan tanh",
    "add and atan2 divide maximum minimum multiply or power remainder shift_left shift_right_arithmetic "
    "shift_right_logical subtract xor",
    "all_gather all_reduce all_to_all collective_broadcast reduce_scatter",
    "select clamp",
    "convert bitcast_convert reshape",
    "dynamic_slice real_dynamic_slice dynamic_broadcast_in_dim dynamic_reshape",
    "reduce map sort reduce_window select_and_scatter scatter",
    "gather dynamic_gather torch_index_select",
)
CHLO = (
    "acos acosh asin asinh atan atanh bessel_i1e conj cosh digamma erf erf_inv erfc is_inf is_neg_inf is_pos_inf "
    "lgamma sinh square tan",
    "next_after polygamma zeta",
)
WORDS = (
    ("EQ", "NE", "LT", "LE", "GT", "GE"),
    ("FLOAT", "TOTALORDER", "SIGNED", "UNSIGNED"),
    ("FFT", "IFFT", "RFFT", "IRFFT"),
    ("NO_TRANSPOSE", "TRANSPOSE", "ADJOINT"),
    ("DEFAULT", "THREE_FRY", "PHILOX"),
    ("true", "false"),
)
ELEMENTS = (
    "f64",
    "f32",
    "f16",
    "bf16",
    "i1",
    "i8",
    "i16",
    "i32",
    "i64",
    "ui8",
    "ui16",
    "ui32",
    "ui64",
    "complex<f32>",
    "complex<f64>",
)
FLOATS = ("0.0", "-0.0", "1.0", "-2.5", "1.0e300", "1.0e-40")
INTEGERS = ("0", "1", "-1", "2", "127", "128", "2147483647", "-2147483648", "9223372036854775807")
BITS = {"f64": 16, "f32": 8, "f16": 4, "bf16": 4, "i8": 2, "i16": 4, "i32": 8, "i64": 16, "ui8": 2, "ui32": 8}
"""Hexadecimal digits of an element."""
SPECIAL = {
    "f64": ("0x7FF0000000000000", "0xFFF0000000000000", "0x7FF8000000000000", "0x7FEFFFFFFFFFFFFF"),
    "f32": ("0x7F800000", "0xFF800000", "0x7FC00000", "0x7F7FFFFF"),
    "f16": ("0x7C00", "0xFC00", "0x7E00"),
    "bf16": ("0x7F80", "0xFF80", "0x7FC0"),
}
SIZES = ("?", "0", "1", "2", "3", "5", "17", "65", "1025", "4294967296", "9223372036854775807")

OP = re.compile(rf"(?<!#)\b(stablehlo|chlo)\.({'|'.join(' '.join((*FAMILIES, *CHLO)).split())})\b")
WORD = re.compile(rf"\b(?:{'|'.join(word for row in WORDS for word in row)})\b")
SHAPE = re.compile(r"(?<=tensor<)(?:\d+x|\?x)+")
ELEMENT = re.compile(r"(?<=[x<])(?:complex<f\d\d>|f64|f32|f16|bf16|u?i\d+)(?=[>,])")
DENSE = re.compile(r"dense<(?:\"[^\"]*\"|[^>\"]*)> : (tensor<(?:[\d?]+x)*(complex<f\d\d>|\w+)[^>]*>)")
LIST = re.compile(r"(?<=[\[:] )-?\d+(?:, -?\d+)+|(?<=\[)-?\d+(?:, -?\d+)*(?=\])")
SCALAR = re.compile(r"(?<== )-?\d+(?= :|[,}>\s])")
CONVOLUTION = re.compile(r"(?<=\[)(?:[bfio\d], )+[bfio\d](?=\])")
VALUE = re.compile(r"%[\w$.-]+(?:#\d+)?")
DEFINITION = re.compile(r"^\s*(%[\w$.-]+) = .*?(tensor<[^()]*>+)$", re.MULTILINE)
ARGUMENT = re.compile(r"(%\w+): (tensor<[^{}(),]*>)(?=[,) {])")
REGION = re.compile(r"\^bb0.*?stablehlo\.return", re.DOTALL)


def edit(text: str, rng: random.Random) -> str:
    """One or two changes; what finds nothing to change is followed by another."""
    for _ in range(rng.randint(1, 2)):
        before = text
        for _ in range(10):
            text = rng.choice(EDITS)(before, rng)
            if text != before:
                break
    return text


def names(text: str, rng: random.Random) -> str:
    """An op becomes another of its family."""
    return _one(OP, text, rng, lambda m: _renamed(m, rng))


def in_regions(text: str, rng: random.Random) -> str:
    """An op of a region becomes another of its family."""
    return _one(REGION, text, rng, lambda m: names(m[0], rng))


def words(text: str, rng: random.Random) -> str:
    """A word of an enumeration, or a truth value."""
    known = {w: row for row in WORDS for w in row}
    return _one(WORD, text, rng, lambda m: rng.choice(known[m[0]]))


def dimensions(text: str, rng: random.Random) -> str:
    """A size changes in every type of a line or of the text."""
    shape = _any(SHAPE, text, rng)
    if shape is None:
        return text
    old = rng.choice(shape[0].split("x")[:-1])
    near = str(int(old) + rng.choice([-1, 1])) if old != "?" else "4"
    new = rng.choice((near, str(2 * int(old)) if old != "?" else "8", *SIZES))
    if rng.random() < 0.3:
        start, end = text.rfind("\n", 0, shape.start()) + 1, (text + "\n").index("\n", shape.start())
        return text[:start] + _sized(text[start:end], old, new, rng) + text[end:]
    return _sized(text, old, new, rng)


def ranks(text: str, rng: random.Random) -> str:
    """A shape loses, gains or exchanges dimensions wherever it stands."""
    shape = _any(SHAPE, text, rng)
    if shape is None:
        return text
    sizes = shape[0].split("x")[:-1]
    match rng.randrange(3):
        case 0:
            del sizes[rng.randrange(len(sizes))]
        case 1:
            sizes.insert(rng.randrange(len(sizes) + 1), rng.choice(("1", "2", sizes[0])))
        case _:
            rng.shuffle(sizes)
    new = "".join(f"{n}x" for n in sizes)
    return _splats(SHAPE.sub(lambda m: new if m[0] == shape[0] else m[0], text), text, rng)


def elements(text: str, rng: random.Random) -> str:
    """An element type becomes another in the whole text."""
    found = _any(ELEMENT, text, rng)
    if found is None:
        return text
    new = rng.choice(ELEMENTS)
    return _splats(ELEMENT.sub(lambda m: new if m[0] == found[0] else m[0], text), text, rng)


def lists(text: str, rng: random.Random) -> str:
    """Numbers of an attribute are permuted, or one of them is another."""
    return _one(LIST, text, rng, lambda m: _numbers(m[0], rng))


def scalars(text: str, rng: random.Random) -> str:
    return _one(SCALAR, text, rng, lambda m: _numbers(m[0], rng))


def letters(text: str, rng: random.Random) -> str:
    """The dimensions of a convolution in another order."""

    def permuted(m: re.Match[str]) -> str:
        found = m[0].split(", ")
        rng.shuffle(found)
        return ", ".join(found)

    return _one(CONVOLUTION, text, rng, permuted)


def swapped(text: str, rng: random.Random) -> str:
    """Two values that a line uses."""
    rows = text.split("\n")
    some = [k for k, row in enumerate(rows) if len(VALUE.findall(row.split(" = ")[-1])) > 1]
    if not some:
        return text
    at = rng.choice(some)
    start = rows[at].find(" = ") + 1
    a, b = sorted(rng.sample(list(VALUE.finditer(rows[at], start)), 2), key=lambda m: m.start())
    rows[at] = rows[at][: a.start()] + b[0] + rows[at][a.end() : b.start()] + a[0] + rows[at][b.end() :]
    return "\n".join(rows)


def operands(text: str, rng: random.Random) -> str:
    """A use of a value becomes one of another value that was defined before with the same printed type."""
    known = [(m.start(), m[1], m[2]) for row in (DEFINITION, ARGUMENT) for m in row.finditer(text)]
    types = {name: kind for _, name, kind in known}
    uses = [m for m in VALUE.finditer(text) if m[0] in types and not text.startswith((" =", ":"), m.end())]
    if not uses:
        return text
    use = rng.choice(uses)
    others = [name for at, name, kind in known if at < use.start() and kind == types[use[0]] and name != use[0]]
    return text[: use.start()] + rng.choice(others) + text[use.end() :] if others else text


def constants(text: str, rng: random.Random) -> str:
    """The values of a constant: extreme, special, given in hexadecimal digits."""
    return _one(DENSE, text, rng, lambda m: f"dense<{_literal(m[2], rng)}> : {m[1]}")


EDITS = (
    names,
    names,
    in_regions,
    words,
    dimensions,
    dimensions,
    ranks,
    elements,
    elements,
    lists,
    lists,
    scalars,
    letters,
    swapped,
    operands,
    constants,
)


def _any(what: re.Pattern[str], text: str, rng: random.Random) -> re.Match[str] | None:
    found = list(what.finditer(text))
    return rng.choice(found) if found else None


def _one(what: re.Pattern[str], text: str, rng: random.Random, by: Callable[[re.Match[str]], str]) -> str:
    m = _any(what, text, rng)
    return text if m is None else text[: m.start()] + by(m) + text[m.end() :]


def _renamed(m: re.Match[str], rng: random.Random) -> str:
    rows = [row.split() for row in (FAMILIES if m[1] == "stablehlo" else CHLO)]
    return f"{m[1]}.{rng.choice(next((row for row in rows if m[2] in row), [m[2]]))}"


def _sized(text: str, old: str, new: str, rng: random.Random) -> str:
    def changed(m: re.Match[str]) -> str:
        return "".join(f"{new if n == old else n}x" for n in m[0].split("x")[:-1])

    return _splats(SHAPE.sub(changed, text), text, rng)


def _splats(text: str, before: str, rng: random.Random) -> str:
    """Constants whose type is another than before have one value."""
    types = [m[1] for m in DENSE.finditer(before)]

    def splat(m: re.Match[str]) -> str:
        return m[0] if types and m[1] == types.pop(0) else f"dense<{_plain(m[2], rng)}> : {m[1]}"

    return DENSE.sub(splat, text)


def _plain(element: str, rng: random.Random) -> str:
    if element.startswith("complex"):
        return f"({rng.choice(FLOATS[:4])}, {rng.choice(FLOATS[:4])})"
    if element == "i1":
        return rng.choice(("true", "false"))
    return rng.choice(FLOATS[:4] if "f" in element else ("0", "1", "2", "3"))


def _literal(element: str, rng: random.Random) -> str:
    if element == "i1" or element.startswith("complex"):
        return _plain(element, rng)
    if element in BITS and rng.random() < 0.3:
        return f'"0x{rng.getrandbits(4 * BITS[element]):0{BITS[element]}X}"'
    return rng.choice((*FLOATS, *SPECIAL.get(element, ())) if "f" in element else INTEGERS)


def _numbers(given: str, rng: random.Random) -> str:
    found = given.split(", ")
    if len(found) > 1 and rng.random() < 0.4:
        rng.shuffle(found)
    else:
        at = rng.randrange(len(found))
        found[at] = str(int(found[at]) + rng.choice((-1, 1, 1, 2, 100, 1 << 31, 1 << 62)))
    return ", ".join(found)

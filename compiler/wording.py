"""xDSL's messages in the form of all others: what was expected, then what was found. A table of patterns."""

from __future__ import annotations

import re

_TABLE = (
    # parser
    (r"Could not parse entire input", "expected an operation"),
    (r"undefined symbol alias '(\S+)'", r"unknown alias \1"),
    (r"expected suffix identifier after .*", "expected a name"),
    (r"Unexpected character: .*", "expected the beginning of a token"),
    (r"Integer value (\S+) is out of range for type (\S+) .*", r"expected an integer of type \2, found \1"),
    (r"Operation has (\d+) results, but was given (\d+) to bind", r"expected names for \1 results, found \2"),
    (r"'(\S+)' is not registered", r"unknown type or attribute \1"),
    (r"(?:SSA value )?(%\S+) is already defined", r"expected a name that is not defined yet, found \1"),
    (r"re-declaration of block '(.*)'", r"expected a label that is not defined yet, found ^\1"),
    (
        r"region ends with missing block declarations for block\(s\) (.*)",
        r"expected a block with this label, found none",
    ),
    (r"in block definition", "expected a block's label"),
    (r"identifier expected(.+)", r"\1"),
    (r"(?:expected )?shape type", "expected a shape and an element type"),
    (r"(expected .*), got \w+", r"\1"),
    (r"expect (.*)", r"expected \1"),
    (r"expected (\d+) operand types but had (\d+)", r"expected \1 operand types, found \2"),
    (r"(\w+(?: \w+)*) expected", r"expected \1"),
    # verifiers of ops
    (r"operand '(\w+)' at position (\d+) does not verify: (.*)", r"operand \2: \3"),
    (r"result '(\w+)' at position (\d+) does not verify: (.*)", r"result \2: \3"),
    (
        r"(operand \d+: |result \d+: |)attributes (.*) expected from variable '\w+', but got (.*)",
        r"\1expected \2, found \3",
    ),
    (r"(operand \d+: |result \d+: |)(.*) should be of base attribute (\w+)", r"\1expected a \3, found \2"),
    (r"(operand \d+: |result \d+: |)expected attribute (.*) but got (.*)", r"\1expected \2, found \3"),
    (
        r"expected arguments to have the same types as the function output types: expected \[(.*)\], got \[(.*)\]",
        r"expected values of the function's result types [\1], found [\2]",
    ),
    (r"'@(.*)' could not be found in symbol table", r"expected a function of the module, found @\1"),
    (
        r"operand type mismatch: expected operand type (.*), but provided (.*) for operand number (\d+)",
        r"operand \3: expected \1, found \2",
    ),
    (r"(.*) but got (.*)", r"\1, found \2"),
)


def reword(text: str) -> str:
    """The message on one line; each row that matches the whole of it applies, in order."""
    message = " ".join(text.split()).rstrip(".!")
    message = re.sub("(^|: )Expected", r"\1expected", message)
    for pattern, replacement in _TABLE:
        message = re.sub(f"^{pattern}$", replacement, message)
    return message

"""1,000 seeded mutations of the .mlir files of this repository: every one is accepted or refused with a message.

Mutations work on tokens, so that many survive the parser and reach verifiers and passes.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from mlc.compiler.driver import InternalError, Options, passes_of, run
from mlc.compiler.parsing import parse_module
from mlc.compiler.verify import verify
from mlc.dialects.errors import CompileError

ROOT = Path(__file__).resolve().parents[2]
COUNT, SHARDS = 1000, 10
TOKEN = re.compile(r'"[^"\n]*"|[%@#!^]?[\w.$]+|->|\s+|.', re.DOTALL)
EXTRA = [
    "",
    "%0",
    "%x",
    "-1",
    "0",
    "99999999999999999999",
    "f32",
    "i1",
    "tensor<?xf32>",
    "{",
    "}",
    "(",
    ")",
    "->",
    '"a b"',
]


def sources() -> list[str]:
    files = [*(ROOT / "examples").glob("*.mlir"), *(ROOT / "test").rglob("*.mlir")]
    texts = [part for f in sorted(files) if "planted" not in f.parts for part in f.read_text().split("// -----\n")]
    return [t for t in texts if 0 < len(t) < 4000]


def mutate(text: str, other: str, rng: random.Random) -> str:
    """One to three changes: drop, repeat, swap or replace tokens, cut the text, or splice in another file's token."""
    tokens, pool = TOKEN.findall(text), [*TOKEN.findall(other), *EXTRA]
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(tokens))
        match rng.randrange(7):
            case 0:
                del tokens[at : at + rng.randint(1, 4)]
            case 1:
                tokens.insert(at, tokens[at])
            case 2:
                to = rng.randrange(len(tokens))
                tokens[at], tokens[to] = tokens[to], tokens[at]
            case 3 | 4:
                tokens[at] = rng.choice(pool)
            case 5:
                tokens[at] = re.sub(r"\d+", lambda m: str(int(m[0]) + rng.choice([-1, 1, 7])), tokens[at])
            case _:
                tokens = tokens[:at] if rng.random() < 0.3 else [*tokens[:at], rng.choice(pool), *tokens[at:]]
        if not tokens:
            break
    return "".join(tokens)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_mutation_ends_in_a_traceback(shard):
    texts = sources()
    refused = 0
    for k in range(shard, COUNT, SHARDS):
        rng = random.Random(k)
        text = mutate(rng.choice(texts), rng.choice(texts), rng)
        try:
            module = parse_module(text, "mutated.mlir")
            verify(module)
            run(module, passes_of("cpu"), Options(verify_input=False))
        except CompileError as error:
            refused += 1
            assert error.message and "\n" not in error.message, text
            assert str(error)
        except InternalError as error:
            pytest.fail(f"seed {k}: {error}\n{text}")
    assert refused > COUNT // SHARDS // 4

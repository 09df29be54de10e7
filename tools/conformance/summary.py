"""Outcomes -> families, the printed summary, docs/conformance.md, and lists to compare with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from ...dialects.errors import CompileError
from .judge import CRASH, FOLDED, PASS, STATUSES, TIMEOUT, UNSUPPORTED, WRONG, Outcome, failed

_VARIANT = re.compile(r"bfloat16|float\d+|u?int\d+|complex\d+|bool|qi\d+|\d+|dtypes?|shape|indtype|")


def family(name: str) -> str:
    """The op that a file is about: the words of its name before the first type or number."""
    words = PurePath(name).stem.split("_")
    end = next((k for k, w in enumerate(words) if _VARIANT.fullmatch(w)), len(words))
    return "_".join(words[:end]) or words[0]


@dataclass(frozen=True)
class Family:
    name: str
    counts: Counter[str]
    launches: int

    @property
    def files(self) -> int:
        return self.counts.total()

    @property
    def rate(self) -> float:
        return self.counts[PASS] / self.files


def families(outcomes: Iterable[Outcome]) -> list[Family]:
    """By name."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in sorted(outcomes, key=lambda o: o.name):
        groups.setdefault(family(outcome.name), []).append(outcome)
    return [
        Family(name, Counter(o.status for o in group), sum(o.launches for o in group))
        for name, group in sorted(groups.items())
    ]


def line_of(outcome: Outcome) -> str:
    """`pass          1 kernel    0.31 s  add_float32_20_20.mlir`"""
    kernels = f"{outcome.launches} kernel{'' if outcome.launches == 1 else 's'}"
    detail = outcome.detail if outcome.detail.startswith(outcome.name) else f"{outcome.name}: {outcome.detail}"
    return f"{outcome.status:11} {kernels:>11} {outcome.seconds:7.2f} s  {detail.removesuffix(': ')}"


def summary(outcomes: Sequence[Outcome], seconds: float) -> str:
    """The families, what was wrong apart from what was refused, and `N passed, N failed`."""
    lines = [f"{'family':32} {'files':>5} " + " ".join(f"{s:>11}" for s in STATUSES)]
    for f in families(outcomes):
        lines.append(f"{f.name:32} {f.files:>5} " + " ".join(f"{f.counts[s] or '':>11}" for s in STATUSES))
    for status, title in ((WRONG, "wrong results"), (FOLDED, "launched nothing"), (CRASH, "faults of the compiler")):
        if found := [o for o in outcomes if o.status == status]:
            lines += ["", f"{title}:", *(f"  {o.name}: {_reason(o)}" for o in found)]
    refused = Counter(_reason(o) for o in outcomes if o.status in (UNSUPPORTED, TIMEOUT))
    if refused:
        lines += ["", "refused:"]
        lines += [f"  {n:>5}  {reason}" for reason, n in sorted(refused.items(), key=lambda r: (-r[1], r[0]))]
    launches, bad = sum(o.launches for o in outcomes), len(failed(outcomes))
    lines += ["", f"{launches} kernels launched, {seconds:.1f} s"]
    return "\n".join([*lines, f"{len(outcomes) - bad} passed, {bad} failed"])


def _reason(outcome: Outcome) -> str:
    """An error without its place."""
    return re.sub(r"^\S+:\d+:\d+: (error: )?", "", outcome.detail)


def document(outcomes: Sequence[Outcome]) -> str:
    """docs/conformance.md."""
    counts = Counter(o.status for o in outcomes)
    bad = len(outcomes) - counts[PASS]
    lines = [
        "# Conformance to StableHLO",
        "",
        "StableHLO comes with programs that check themselves: each computes something from constants and compares it",
        "with what JAX found. `mlc-conformance stablehlo DIR` runs such files ([tools.md](tools.md)) and wrote this",
        "page. The constants are passed at run time and the results are compared outside, so that nothing is computed",
        "while compiling; the comparison is that of StableHLO's own checks. A file is",
        "",
        "- **passed** if every check holds and its kernels ran (a result that is a constant needs none),",
        "- **wrong** if a check does not hold, or nothing ran though the result is no constant,",
        "- **refused** if it ends with an error at a line of the program, a fault of the compiler, or the time limit.",
        "",
        f"{len(outcomes)} files: {counts[PASS]} passed, {counts[WRONG] + counts[FOLDED]} wrong, "
        f"{bad - counts[WRONG] - counts[FOLDED]} refused.",
        "",
        "| family | files | passed | wrong | refused | kernels |",
        "|---|---|---|---|---|---|",
    ]
    for f in families(outcomes):
        wrong = f.counts[WRONG] + f.counts[FOLDED]
        lines.append(
            f"| {f.name} | {f.files} | {f.counts[PASS]} | {wrong} | {f.files - f.counts[PASS] - wrong} | {f.launches} |"
        )
    if bad:
        lines += ["", "What did not pass:", ""]
        lines += [f"- `{o.name}`, {o.status}: {_reason(o)}" for o in failed(outcomes)]
    return "\n".join(lines) + "\n"


def listed(outcomes: Iterable[Outcome]) -> str:
    """`STATUS NAME`, one line per file."""
    return "".join(f"{o.status} {o.name}\n" for o in sorted(outcomes, key=lambda o: o.name))


def read_list(text: str, name: str) -> dict[str, str]:
    """The statuses by file of a list; lines that begin with # are comments."""
    out: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        status, _, file = line.partition(" ")
        if status not in STATUSES or not file:
            raise CompileError(
                f"{name}:{number}: expected a status of {', '.join(STATUSES)} and a file, found {line!r}"
            )
        out[file] = status
    return out


def differences(outcomes: Iterable[Outcome], wanted: dict[str, str]) -> list[str]:
    """Where outcomes are worse than a list says or other failures, one line each; files that did not run are none."""
    return [line for worse, line in _compared(outcomes, wanted) if worse]


def improvements(outcomes: Iterable[Outcome], wanted: dict[str, str]) -> list[str]:
    """What passes although a list says otherwise, one line each."""
    return [line for worse, line in _compared(outcomes, wanted) if not worse]


def _compared(outcomes: Iterable[Outcome], wanted: dict[str, str]) -> Iterator[tuple[bool, str]]:
    for o in sorted(outcomes, key=lambda o: o.name):
        if (want := wanted.get(o.name)) != o.status:
            expected = f"expected {want}" if want is not None else "not in the list"
            yield (
                o.status != PASS or want is None,
                f"{o.name}: {o.status}, {expected}" + (o.detail and f" ({o.detail})"),
            )

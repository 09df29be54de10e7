"""Writes docs/reference/ from the registries: passes.md, ops.md and dialects.md.

python docs/generate.py            write the files
python docs/generate.py --check    exit code 1 and the names of those that are not current
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

from mlc.compiler.context import DIALECTS, OWN, dialect
from mlc.compiler.pipelines import PIPELINES
from mlc.compiler.registry import PASSES, documentation, lookup, type_text, usage
from mlc.dialects.nd.op import NdOp
from mlc.dialects.nd.types import described
from xdsl.ir import Operation
from xdsl.passes import ModulePass

HERE = Path(__file__).resolve().parent / "reference"
HEAD = "<!-- Written by docs/generate.py; `python docs/generate.py` writes it again. -->\n\n"


def main() -> int:
    files = {"passes.md": passes(), "ops.md": ops(), "dialects.md": dialects()}
    stale = [name for name, text in files.items() if not current(HERE / name, text)]
    if "--check" in sys.argv[1:]:
        for name in stale:
            print(f"docs/reference/{name} is not current: run python docs/generate.py", file=sys.stderr)
        return 1 if stale else 0
    HERE.mkdir(exist_ok=True)
    for name in stale:
        (HERE / name).write_text(files[name])
    return 0


def current(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text() == text


def doc(of: object) -> list[str]:
    """A docstring's lines."""
    return (inspect.getdoc(of) or "").strip().splitlines()


def markdown(lines: list[str]) -> Iterator[str]:
    """Docstring lines as Markdown: indented blocks become code blocks."""
    block: list[str] = []
    for line in [*lines, "."]:
        if line.startswith("    ") or (block and not line.strip()):
            block.append(line[4:])
            continue
        if block:
            while block and not block[-1].strip():
                block.pop()
            yield from ("```mlir", *block, "```", "")
            block = []
        yield line.replace("|", "\\|") if line.startswith("|") else line


def text_of(lines: list[str]) -> list[str]:
    out: list[str] = []
    for line in list(markdown(lines))[:-1]:
        if line.startswith("```mlir") and out and out[-1]:
            out.append("")
        if line or (out and out[-1]):
            out.append(line)
    return out


def options(cls: type[ModulePass]) -> list[str]:
    """A table of a pass's options, or nothing."""
    fields = [f for f in dataclasses.fields(cls) if f.init]
    if not fields:
        return []
    hints, rows = get_type_hints(cls), list[str]()
    for f in fields:
        default = (
            "needed" if f.default is dataclasses.MISSING else "none" if f.default in (None, "", ()) else str(f.default)
        )
        kind = type_text(hints[f.name]).replace("|", "\\|")
        rows.append(f"| `{f.name.replace('_', '-')}` | {kind} | {default.lower()} |")
    return ["", "| option | type | default |", "|---|---|---|", *rows]


def pipeline_text(name: str, texts: list[str]) -> str:
    """The passes of a pipeline; one that begins with the whole of another is written as that one and the rest."""
    begins = [n for n, t in PIPELINES.items() if n != name and len(t) < len(texts) and texts[: len(t)] == t]
    longest = max(begins, key=lambda n: len(PIPELINES[n]), default=None)
    rest = texts[len(PIPELINES[longest]) :] if longest else texts
    return ", ".join([f"those of `{longest}`"] * (longest is not None) + [f"`{p}`" for p in rest])


def passes() -> str:
    out = ["# Passes", "", '`mlc-opt in.mlir -p "NAME{option=value option=value},NAME"` runs them in that order.', ""]
    out += ["| pipeline | passes |", "|---|---|"]
    out += [f"| `{name}` | {pipeline_text(name, texts)} |" for name, texts in PIPELINES.items()]
    for name in PASSES:
        cls = lookup(name)
        out += ["", f"## {name}", "", f"`{usage(name, cls)}`", "", *text_of(documentation(cls)), *options(cls)]
    return HEAD + "\n".join(out) + "\n"


def ops() -> str:
    out = ["# Operations", "", "The operations of the dialects that mlc defines, by level."]
    for name in OWN:
        own = [o for o in dialect(name).operations if o.__module__.startswith("mlc.")]
        out += ["", f"## {name}", ""]
        if name == "nd":
            out += ["| op | element types | derivative | tolerance |", "|---|---|---|---|"]
            out += [row(o) for o in sorted(own, key=lambda o: o.name) if issubclass(o, NdOp)]
        for op in sorted(own, key=lambda o: o.name):
            out += ["", f"### {op.name}", "", *text_of([*doc_of_op(op), *syntax(op)])]
    return HEAD + "\n".join(out) + "\n"


def row(op: type[NdOp]) -> str:
    types, tolerance = described(op.DTYPES), op.TOLERANCE
    error = (
        "exact"
        if tolerance.exact
        else " + ".join(
            [f"{tolerance.ulp:g} ulp"] * bool(tolerance.ulp)
            + [f"{tolerance.sums:g} eps sqrt(K) sum"] * bool(tolerance.sums)
        )
    )
    return f"| `{op.name}` | {types} | {op.LINEAR.value.partition(':')[0]} | {error} |"


def doc_of_op(op: type[Operation]) -> list[str]:
    """The class's own docstring; one that is inherited says nothing about the op."""
    return doc(op) if op.__doc__ and "__doc__" in op.__dict__ else []


def syntax(op: type[Operation]) -> list[str]:
    text = getattr(op, "assembly_format", None)
    return ["", "    " + f"{op.name} {text}"] if isinstance(text, str) else []


def dialects() -> str:
    out = ["# Dialects", "", "From the top level down; `mlc` marks what is defined here, the rest is upstream's."]
    for name in [*OWN, *sorted(n for n in DIALECTS if n not in OWN)]:
        found = dialect(name)
        mark = " (mlc)" if name in OWN else ""
        operations = sorted({o.name for o in found.operations})
        attributes = [] if name == "builtin" else sorted(a.name for a in found.attributes)
        out += ["", f"## {name}{mark}", ""]
        if name in OWN:
            out += [*text_of(doc(sys.modules[DIALECTS[name].partition(":")[0]])), ""]
        out += [f"Operations: {', '.join(f'`{o}`' for o in operations)}"]
        out += ["", f"Attributes and types: {', '.join(f'`{a}`' for a in attributes)}"] if attributes else []
    return HEAD + "\n".join(out) + "\n"


if __name__ == "__main__":
    sys.exit(main())

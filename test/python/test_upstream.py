"""What is printed below the loop level is upstream's: `mlir-opt-22 --verify-roundtrip` accepts it."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from kernel_cases import CASES, Case
from mlc.compiler.driver import run
from mlc.compiler.parsing import parse_module
from mlc.compiler.printing import print_ir
from mlc.compiler.verify import verify
from mlc.dialects.nd.bits import REAL
from mlc.dialects.nd.types import NUMERIC
from xdsl.ir import Attribute

MLIR_OPT = shutil.which("mlir-opt-22")
needs_upstream = pytest.mark.skipif(MLIR_OPT is None, reason="mlir-opt-22 (Debian: mlir-22-tools) is not installed")


def upstream(text: str) -> str:
    """The text as upstream prints it; fails with what upstream says about a text that it does not take."""
    assert MLIR_OPT is not None
    done = subprocess.run([MLIR_OPT, "--verify-roundtrip"], input=text, text=True, capture_output=True, check=False)
    assert done.returncode == 0, f"{done.stderr}\n{text}"
    return done.stdout


@needs_upstream
def test_upstream_takes_every_lowered_kernel() -> None:
    """All in one module, since starting the tool is what takes time."""
    texts: list[str] = []
    for case in CASES:
        module = parse_module(case.text.replace("@f(", f"@{case.name}("), f"{case.name}.mlir")
        run(module, [*([case.schedule] if case.schedule else []), "lower-loop"])
        texts.append(print_ir(module))
    printed = upstream("\n".join(texts))
    for case in CASES:
        assert f"func.func @{case.name}(" in printed


def moved(name: str, dtype: Attribute) -> str:
    """A function that computes with elements of a type, or moves what is only stored, and converts it to others."""
    t, result = f"tensor<6x40x{dtype}>", f"tensor<6x{dtype}>"
    truth = t.replace(str(dtype), "i1")
    lines = [f"  %s = nd.select %p, %x, %y : {truth}, {t}"]
    values = {"%s": t}
    if dtype in NUMERIC:
        lines.append(f"  %a = nd.add %x, %y : {t}")
        lines += [f'  %{k} = nd.reduce {k} %a "a b -> a" : ({t}) -> {result}' for k in ("sum", "max")]
        lines.append(f"  %c = nd.compare lt %x, %y : {t} -> {truth}")
        values |= {"%sum": result, "%max": result, "%c": truth}
    for to in (to for to in REAL if to != dtype):
        values[f"%to_{to}"] = f"tensor<6x40x{to}>"
        lines.append(f"  %to_{to} = nd.convert %x to {to} : {t} -> tensor<6x40x{to}>")
    types = ", ".join(values.values())
    head = f"func.func @{name}(%x: {t}, %y: {t}, %p: {truth}) -> ({types}) {{"
    return "\n".join([head, *lines, f"  func.return {', '.join(values)} : {types}", "}"])


@needs_upstream
def test_upstream_takes_every_element_type() -> None:
    """Narrow floats, bytes that stand for what is only stored, and all conversions, in vectors."""
    module = parse_module("\n".join(moved(f"of_{t}", t) for t in REAL), "types.mlir")
    run(module, ["nd-to-loop", "choose-schedule", "apply-schedule", "lower-loop"])
    text = print_ir(module)
    assert "vector<" in text and "xf16>" in text and "xbf16>" in text
    assert not re.search(r"[x ](ui\d+|i4|i2|f8\w+|f4\w+)>", text)
    printed = upstream(text)
    for t in REAL:
        assert f"func.func @of_{t}(" in printed


@needs_upstream
@pytest.mark.parametrize("name", ["matmul_packed", "softmax_rows", "argmax_whole", "truth_vec", "run_time_strides"])
def test_what_upstream_prints_reads_back(name: str) -> None:
    case: Case = next(c for c in CASES if c.name == name)
    module = parse_module(case.text, "kernel.mlir")
    run(module, [*([case.schedule] if case.schedule else []), "lower-loop"])
    again = parse_module(upstream(print_ir(module)), "upstream.mlir")
    verify(again)
    ours, theirs = ([op.name for op in m.walk()] for m in (module, again))
    assert sorted(ours) == sorted(theirs)


@needs_upstream
def test_upstream_refuses_what_is_wrong() -> None:
    text = "func.func @f(%a: vector<2x3xf32>) { %t = vector.transpose %a, [0, 1] : vector<2x3xf32> to vector<3x2xf32> }"
    with pytest.raises(AssertionError, match="dimension size mismatch"):
        upstream(text)

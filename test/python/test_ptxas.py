"""PTX of the emission in NVIDIA's assembler, for three architectures: it is taken, and no register is spilled."""

from __future__ import annotations

from pathlib import Path

import mlc
import pytest
from mlc.compiler import options
from mlc.compiler.driver import Options, run
from mlc.compiler.emission import emitted, ptx_of
from mlc.compiler.parsing import parse_module
from mlc.lowering.emit.launch import joined
from mlc.lowering.emit.table import TABLE
from mlc.runtime import ptx
from ptxas import ARCHITECTURES, Refused, Used, assembled, needs_ptxas
from sampling import FULL
from test_ptx import module_of

from bench.suite.programs import PROGRAMS as SUITE

pytestmark = needs_ptxas
ROOT = Path(__file__).resolve().parents[2]
LOWERED = sorted((ROOT / "test/lowering").glob("ptx_*.mlir"))


def ptx_text(text: str, sm: str) -> str:
    """PTX of a module: of kernels at the vector level, or of a program, whose schedules are the architecture's."""
    module = parse_module(text, "<test>")
    if "gpu.launch" not in text:
        run(module, options.passes(options.options_of(target="cuda", arch=sm)), Options())
    return ptx_of(joined(list(emitted(module, gpu=True).device.values())), sm)


@pytest.mark.parametrize("sm", ARCHITECTURES if FULL else ARCHITECTURES[:1])
def test_rows_of_the_table(sm: str) -> None:
    """All in one module, since the assembler takes a while to start."""
    head: dict[str, None] = {}
    functions: list[str] = []
    for number, name in enumerate(TABLE):
        for line in module_of(name).replace("@k", f"@f{number}_").splitlines():
            if line.startswith("declare "):
                head[line] = None
            else:
                functions.append(line)
    found = assembled(ptx.ptx("\n".join([*head, *functions]), sm, level=1), sm, level=0)
    assert len(found) > 4 * len(TABLE)


@pytest.mark.parametrize("sm", ARCHITECTURES)
@pytest.mark.parametrize("file", LOWERED, ids=lambda f: f.stem)
def test_lowered_kernels(file: Path, sm: str) -> None:
    found = assembled(ptx_text(file.read_text(), sm), sm)
    assert found and all(used.spilled == used.stack == 0 for used in found.values())
    assert any(used.barriers for used in found.values()) == ("gpu.barrier" in file.read_text())


PROGRAMS = {
    "elementwise": """func.func @main(%x: tensor<300x1000xf32>, %y: tensor<1000xf32>) -> tensor<300x1000xf32> {
      %0 = nd.broadcast %y "b -> a b" : tensor<1000xf32> -> tensor<300x1000xf32>
      %1 = nd.add %x, %0 : tensor<300x1000xf32>
      %2 = nd.tanh %1 : tensor<300x1000xf32>
      func.return %2 : tensor<300x1000xf32>
    }""",
    "symbols": """func.func @main(%x: tensor<?x?xbf16, #nd.sym<b, n>>) -> tensor<?x?xbf16, #nd.sym<b, n>> {
      %0 = nd.mul %x, %x : tensor<?x?xbf16, #nd.sym<b, n>>
      %1 = nd.exp %0 : tensor<?x?xbf16, #nd.sym<b, n>>
      func.return %1 : tensor<?x?xbf16, #nd.sym<b, n>>
    }""",
    "softmax": """func.func @main(%x: tensor<64x4096xf32>) -> tensor<64x4096xf32> {
      %0 = nd.softmax %x : tensor<64x4096xf32>
      func.return %0 : tensor<64x4096xf32>
    }""",
    "contraction": """func.func @main(%x: tensor<256x512xf32>, %w: tensor<512x256xf32>) -> tensor<256x256xf32> {
      %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<256x512xf32>, tensor<512x256xf32>) -> tensor<256x256xf32>
      func.return %0 : tensor<256x256xf32>
    }""",
    "sum": """func.func @main(%x: tensor<1000000xf32>) -> tensor<f32> {
      %0 = nd.reduce sum %x "a -> " : (tensor<1000000xf32>) -> tensor<f32>
      func.return %0 : tensor<f32>
    }""",
}


@pytest.mark.parametrize("sm", ARCHITECTURES)
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name: str, sm: str) -> None:
    found = assembled(ptx_text(PROGRAMS[name], sm), sm)
    assert found and all(used.spilled == 0 for used in found.values())


@pytest.mark.parametrize(("number", "name"), [*enumerate(SUITE)], ids=list(SUITE))
def test_programs_of_the_suite(number: int, name: str) -> None:
    """Each for one of the architectures, or for all."""
    for sm in ARCHITECTURES if FULL else ARCHITECTURES[number % 3 :][:1]:
        exe = mlc.compile(SUITE[name].path, target="cuda", arch=sm)
        found = {f: used for text in exe.ptx().values() for f, used in assembled(text, sm).items()}
        assert len(found) >= len(exe.report()["kernels"])
        assert not {f: used for f, used in found.items() if used.spilled or used.stack}


def test_what_the_assembler_says() -> None:
    good = ptx.ptx("define ptx_kernel void @k(ptr %a) { store i32 1, ptr %a\n ret void }", "sm_80")
    found = assembled(good, "sm_80")
    assert (
        list(found) == ["k"] and 0 < found["k"].registers < 32 and found["k"] == Used(found["k"].registers, 0, 0, 0, 0)
    )
    with pytest.raises(Refused, match="error"):
        assembled(good.replace("st.", "sd."), "sm_80")

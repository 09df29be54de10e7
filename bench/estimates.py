"""How well estimates predict: the suite's programs and their kernels, on a machine that is calibrated meanwhile.

What calibration measures and the programs take turns, so that all meet the same clock and the same neighbours; best
times count. A call from Python costs what the smallest program takes beyond its estimate, and is taken off.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator

import numpy as np
from mlc.compiler.blocks import clone_block, entry
from mlc.compiler.calibrate import Probe, described, probes
from mlc.compiler.compile import compile_module
from mlc.compiler.cost import estimate, fused, structure
from mlc.compiler.driver import run
from mlc.compiler.machine import Machine
from mlc.compiler.pipelines import ND
from mlc.compiler.report import works
from mlc.dialects.graph.ops import KernelOp
from mlc.dialects.nd.types import NUMPY, element, shape_of
from tqdm import tqdm
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Region

from .results import Row
from .suite.programs import PROGRAMS

SECONDS = 60.0
TURNS = 5

IDLE = """func.func @main(%x: tensor<16xf32>) -> tensor<16xf32> {
  %0 = nd.add %x, %x : tensor<16xf32>
  func.return %0 : tensor<16xf32>
}"""


def modules() -> Iterator[tuple[str, ModuleOp]]:
    """The programs, and the kernels of those that have several, each once."""
    seen: set[Hashable] = set()
    for name, program in PROGRAMS.items():
        module = program.tensors.clone()
        run(module, ND)
        yield name, module
        block = fused(clone_block(entry(module, "main").body.block), Machine.host())
        kernels = [op for op in block.ops if isinstance(op, KernelOp) and any(map(works, op.body.block.ops))]
        for kernel in kernels if len(kernels) > 1 else ():
            if (same := structure(kernel.body.block, frozenset())) not in seen:
                seen.add(same)
                yield f"{name}/{kernel.label.data}", program_of(kernel)


def program_of(kernel: KernelOp) -> ModuleOp:
    """A program of one kernel."""
    block = clone_block(kernel.body.block)
    last = block.last_op
    assert last is not None
    values = list(last.operands)
    last.detach()
    last.drop_all_references()
    block.add_op(ReturnOp.create(operands=values))
    return ModuleOp([FuncOp("main", ([a.type for a in block.args], [v.type for v in values]), Region(block))])


def timed(module: ModuleOp) -> Probe:
    rng, arrays = np.random.default_rng(0), []
    for t in entry(module, "main").function_type.inputs.data:
        drawn = rng.standard_normal(shape_of(t), np.float32) / max(1, len(shape_of(t)) and shape_of(t)[0]) ** 0.5
        arrays.append((drawn > 0 if NUMPY[element(t)].kind == "b" else drawn).astype(NUMPY[element(t)]))
    exe = compile_module(module)
    return Probe("", lambda: exe(*arrays), lambda s: s)


def ranks(values: list[float]) -> np.ndarray:
    return np.argsort(np.argsort(values))


def rows() -> list[Row]:
    from mlc.compiler.modules import parse

    host = Machine.host()
    idle = timed(parse(IDLE))
    found = [(name, module.clone(), timed(module)) for name, module in tqdm(list(modules()), desc="compiling")]
    calibrating = list(probes(host))
    begin, turns = time.perf_counter(), 0
    with tqdm(total=SECONDS, desc="measuring", unit="s", bar_format="{desc} {percentage:3.0f}%|{bar}|") as bar:
        while turns < TURNS or time.perf_counter() - begin < SECONDS:
            for probe in (*calibrating, idle, *(p for _, _, p in found)):
                probe.turn()
            turns += 1
            bar.update(min(time.perf_counter() - begin, SECONDS) - bar.n)
    machine = described(host, calibrating)
    call = idle.best - estimate(parse(IDLE), machine=machine).seconds
    out: list[Row] = []
    predicted, measured = [], []
    for name, module, probe in found:
        predicted.append(estimate(module, machine=machine).seconds)
        measured.append(max(probe.best - call, 1e-9))
        note = f"{predicted[-1] * 1e6:10.2f} us estimated, {measured[-1] * 1e6:10.2f} measured"
        out.append(Row(name, predicted[-1] / measured[-1], "x", note=note))
    off = np.log(predicted) - np.log(measured)
    return [
        *out,
        Row("estimates_mean", float(np.exp(off.mean())), "x", note="geometric mean of estimated / measured"),
        Row("estimates_off", float(np.exp(np.abs(off).mean())), "x", note="the same of the factor between them"),
        Row("estimates_worst", float(np.exp(np.abs(off).max())), "x"),
        Row("estimates_rank", float(np.corrcoef(ranks(predicted), ranks(measured))[0, 1]), "", note="rank correlation"),
    ]

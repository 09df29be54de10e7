"""mlc-compile: MLIR text -> LLVM IR, assembly, an object, or PTX, in a file.

    mlc-compile model.mlir --emit=obj -o model.o
    mlc-compile model.mlir --emit=asm --triple=aarch64-unknown-linux-gnu --cpu=neoverse-v1
    mlc-compile model.mlir --target=cuda --emit=ptx --arch=sm_90a -o model.ptx
    mlc-compile kernel.mlir --target=cuda --emit=llvm

The passes of the target run first, or those of --passes; of a module whose functions are kernels already, as after
lower-loop, only expand-math. An object has a function `mlc_entry` for its program (docs/api.md says how it is called)
and `mlc.<name>` for each kernel.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from xdsl.dialects.builtin import ModuleOp, TensorType

from ..compiler import options
from ..compiler.context import context
from ..compiler.driver import Options, passes_of, run
from ..compiler.emission import Emitted, emitted, functions_of, is_program, on_gpu, ptx_of
from ..compiler.machine import Machine
from ..compiler.parsing import parse_module
from ..compiler.registry import nearest
from ..compiler.spec import parse_pipeline
from ..compiler.verify import verify
from ..dialects.errors import CompileError
from ..runtime import jit, ptx
from .common import Arguments, HelpEnv, guarded, read_input, write_output

KINDS = {"llvm": "LLVM IR", "asm": "assembly of the host code", "obj": "an object of it", "ptx": "PTX of the GPU code"}


def arguments() -> Arguments:
    out = Arguments("mlc-compile", __doc__)
    out.add_argument("input", nargs="?", default="-", help="a file, or - for standard input (default)")
    out.add_argument(
        "-o", dest="output", default="-", metavar="FILE", help="where the result goes (default: standard output)"
    )
    kinds = ", ".join(f"{name}: {what}" for name, what in KINDS.items())
    out.add_argument("--emit", choices=list(KINDS), default="llvm", help=f"{kinds} (default: llvm)")
    out.add_argument("-p", "--passes", metavar="PASSES", help="what runs instead of the target's pipeline")
    out.add_argument("--entry", metavar="NAME", help="the program of several that is meant")
    out.add_argument("--threads", type=int, metavar="N", help="threads of parallel loops (default: MLC_THREADS, or 1)")
    out.add_argument(
        "--memory-limit",
        metavar="BYTES",
        help="what values between kernels may take at once, e.g. 64MiB: reorders, computes again, or refuses",
    )
    where = out.add_argument_group("what to compile for")
    where.add_argument("--target", choices=list(options.TARGETS), default="cpu", help="default: cpu")
    where.add_argument("--arch", default=options.ARCH, metavar="SM", help=f"of an NVIDIA GPU (default: {options.ARCH})")
    where.add_argument("--triple", metavar="TRIPLE", help="LLVM's for host code (default: this host's)")
    where.add_argument("--cpu", metavar="NAME", help="LLVM's name of the CPU (default: this host's, or of TRIPLE)")
    where.add_argument("--features", metavar="LIST", help='LLVM\'s, e.g. "+avx2,-avx512f" (default: those of the CPU)')
    out.add_argument("--help-env", action=HelpEnv)
    return out


def main(argv: Sequence[str] | None = None) -> int:
    parser = arguments()
    args = parser.parse_args(argv)
    if args.arch not in ptx.VERSIONS:
        parser.error(f"--arch: unknown architecture {args.arch!r}{nearest(args.arch, ptx.VERSIONS)}")
    if args.emit == "ptx" and args.target != "cuda":
        parser.error("--emit=ptx: expected --target=cuda")
    if args.memory_limit is not None and args.passes is not None:
        parser.error("--memory-limit: expected no --passes; write limit-memory{bytes=..} before the passes that fuse")
    return guarded(lambda: compile(args))


def compile(args: argparse.Namespace) -> int:
    name, text = read_input(args.input)
    module = parse_module(text, name, context())
    verify(module)
    run(module, _passes(module, args), Options(verify_input=False, source=text))
    if args.entry is not None:
        _keep(module, args.entry)
    code = emitted(module, _machine(args), args.threads, args.target == "cuda")
    if args.emit == "llvm":
        write_output(args.output, str(code))
    elif args.emit == "ptx":
        write_output(args.output, _ptx(code, args.arch))
    else:
        _native(code, args)
    return 0


def _passes(module: ModuleOp, args: argparse.Namespace) -> list[Any]:
    if args.passes is not None:
        return passes_of(parse_pipeline(args.passes))
    functions = functions_of(module)
    kernels = [f for f in functions if not is_program(f) and not any(isinstance(a.type, TensorType) for a in f.args)]
    if functions and len(kernels) == len(functions):
        if args.target == "cpu" and on_gpu(module):
            raise CompileError("expected --target=cuda for a module with gpu.launch, found --target=cpu")
        return passes_of(parse_pipeline("expand-math"))
    cuda = args.target == "cuda"
    arch = args.arch if cuda else None
    threads, limit = None if cuda else args.threads, args.memory_limit
    chosen = options.options_of(threads=threads, target=args.target, arch=arch, memory_limit=limit)
    return options.passes(chosen)


def _keep(module: ModuleOp, name: str) -> None:
    """The other programs go."""
    programs = [f for f in functions_of(module) if is_program(f)]
    if name not in [f.sym_name.data for f in programs]:
        names = [f.sym_name.data for f in programs]
        raise CompileError(f"--entry: unknown program {name!r}{nearest(name, names)}")
    for f in programs:
        if f.sym_name.data != name:
            f.detach()
            f.erase()


def _machine(args: argparse.Namespace) -> Machine:
    """The machine's description; instructions that only this host's CPU is known to have are left out for others."""
    machine = Machine.host()
    given = (args.triple, args.cpu, args.features)
    return machine if given == (None, None, None) else replace(machine, int8_dot="", bf16_dot=False)


def _ptx(code: Emitted, arch: str) -> str:
    if not code.device:
        raise CompileError("--emit=ptx: expected a module that launches something on a GPU, found none")
    from ..lowering.emit.launch import joined

    return ptx_of(joined(list(code.device.values())), arch)


def _native(code: Emitted, args: argparse.Namespace) -> None:
    entries = [name for name in code.host if name.endswith(" (entry)")]
    if len(entries) > 1:
        names = ", ".join(name.removesuffix(" (entry)") for name in entries)
        raise CompileError(f"--emit={args.emit}: expected one program, found {names}; choose one by --entry")
    cpu = args.cpu if args.cpu is not None or args.triple is None else ""
    features = args.features if args.features is not None else None if cpu is None else ""
    if (cpu, features, args.triple) != (None, None, None):
        _try(cpu, features, args.triple)
    text: str = jit.linked(list(code.host.values()))
    if args.emit == "asm":
        listing: str = jit.assembly(text, cpu, features, args.triple, False)
        write_output(args.output, listing)
        return
    data: bytes = jit.compile_object(text, cpu, features, args.triple, False)
    if args.output == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        Path(args.output).write_bytes(data)
    except OSError as error:
        raise CompileError(f"cannot write {args.output}: {error.strerror}") from error


TRY = """\
import sys
from mlc.runtime import jit
cpu, features, triple = (None if word == "-" else word[1:] for word in sys.argv[1:])
jit.compile_object("define void @f() { ret void }", cpu, features, triple)
"""


def _try(cpu: str | None, features: str | None, triple: str | None) -> None:
    """LLVM warns of, or dies of, CPUs and features that it does not know: a process of its own finds out."""
    words = ["-" if word is None else f"={word}" for word in (cpu, features, triple)]
    path = str(Path(__file__).resolve().parent.parent / "python")
    code = f"import sys\nsys.path.insert(0, {path!r})\n{TRY}"
    done = subprocess.run([sys.executable, "-P", "-c", code, *words], capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if line.strip()]
    wrong = next((line for line in said if "is not a recognized" in line or "LLVM ERROR" in line), None)
    if done.returncode or wrong:
        message = wrong or (said[-1] if said else f"LLVM ended with {done.returncode}")
        raise CompileError(f"--triple, --cpu, --features: expected what LLVM knows, found that {message}")


__all__ = ["arguments", "main"]

if __name__ == "__main__":
    sys.exit(main())

"""A module, text, file or function -> a compiled program: the passes, then code for each kernel and the entry.

    exe = compile_module(module)
    y = exe(x, w)
    exe.mlir("loop"), exe.llvm_ir(), exe.assembly(), exe.report(), exe.signature

A program is kept on disk by the text of its module and what else decides its code, so that a later process runs no
pass. The levels' texts are made again when they are asked for: passes are deterministic.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..dialects.errors import CompileError
from ..runtime import cache, jit
from ..runtime.abi import Constant, Program, text
from ..runtime.executable import Executable
from ..runtime.locks import ForkLock
from .collecting import seldom
from .modules import module_of, traced
from .options import CompileOptions, emit, machine_text, options_of, passes

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.dialects.func import FuncOp

    from ..lowering.emit.entry import ProgramCode
    from .bounds import Bound, Least, Room

COMPILING = ForkLock()
"""One thread at a time runs passes, which Python's own lock would make it wait for anyway."""

LEVELS = ("nd", "graph", "loop", "vector", "llvm")


class Compiled(Executable):
    """An executable that knows where it came from."""

    _source: str | ModuleOp = ""
    options: CompileOptions = CompileOptions()
    facts: dict[str, Any]
    bounds: tuple[Bound | Least | Room, ...] = ()
    resources: Mapping[str, Any] = {}
    """The arrays of the source's resources by hash, which its text does not hold; but those that were prepared."""

    @property
    def source(self) -> str:
        """The program's text, before passes."""
        if not isinstance(self._source, str):
            from .printing import print_ir

            self._source = print_ir(self._source)
        return self._source

    @source.setter
    def source(self, source: str | ModuleOp) -> None:
        self._source = source

    def _call(self, *arrays: Any, out: Any = None) -> Any:
        """CompileError also where sizes take a slice outside of its operand; the native way knows sizes that passed."""
        if self.bounds and len(arrays) == len(self.program.arguments):
            symbols = self._bind(arrays)
            for bound in self.bounds:
                bound.check(symbols)
        return super()._call(*arrays, out=out)

    @property
    def signature(self) -> str:
        """`main(%x: f32[b, 64]) -> (f32[])`"""
        given = ", ".join(f"%{a.name}: {a.dtype}[{', '.join(map(text, a.shape))}]" for a in self.program.arguments)
        got = ", ".join(f"{r.dtype}[{', '.join(map(text, r.shape))}]" for r in self.program.results)
        return f"{self.program.name}({given}) -> ({got})"

    def report(self) -> dict[str, Any]:
        """Kernels with what they do, arena, layouts: see compiler/report.py."""
        return {**self.facts, "copies": self.copies, "constants": [*map(self._constant, range(len(self.constants)))]}

    def _constant(self, k: int) -> dict[str, Any]:
        """A constant's name and bytes, and where it comes from, if it is made of others."""
        found = {"name": self.program.constants[k].name, "bytes": self.constants[k].nbytes}
        return {**found, "from": self.prepared[k]} if k in self.prepared else found

    def module(self, level: str) -> ModuleOp:
        """The program at a level, as a module."""
        from . import driver
        from .parsing import parse_module

        if level not in LEVELS:
            raise CompileError(f"unknown level {level!r}; expected one of {', '.join(LEVELS)}")
        module = parse_module(self.source, self.program.name)
        driver.run(module, passes(self._scheduled(), level), replace(driver.from_environment(), source=self.source))
        return module

    def mlir(self, level: str = "nd") -> str:
        """The program's text at a level: nd, graph, loop, vector, llvm (vector with math expanded)."""
        from .printing import print_ir

        return print_ir(self.module(level))

    def save(self, path: str | Path) -> None:
        """Write the program and its weights to a file, which `mlc.load` reads; see compiler/saved.py."""
        from .saved import save

        save(self, path)

    def _code(self) -> ProgramCode:
        from .parsing import parse_module

        return lower(parse_module(self.source, self.program.name), self.source, self._scheduled())[0]

    def _scheduled(self) -> CompileOptions:
        """The options with the schedules that the code has, as records (compiler/tuned.py) may have changed since."""
        from . import tuned
        from .schedules import for_every_kernel, given

        if self.options.schedule is not None and for_every_kernel(self.options.schedule):
            return self.options
        kernels = {k["name"]: k for k in self.facts["kernels"] if "schedule" in k}
        if not kernels or not (tuned.state() or any(k["schedule_from"] == "tuned" for k in kernels.values())):
            return self.options
        return replace(self.options, schedule=given({name: k["schedule"] for name, k in kernels.items()})[0])

    def llvm_ir(self) -> str:
        """LLVM IR of the kernels, then of the entry."""
        code = self._code()
        return "\n".join([*(k.llvm_ir for k in code.kernels), code.entry])

    def assembly(self) -> str:
        """Assembly of the kernels, then of the entry."""
        code, features = self._code(), jit.features_for(self.options.restricted)
        return "\n".join(jit.assembly(text, features=features, level=level) for text, level in modules(code))


def compiled_class(target: str) -> type[Compiled]:
    """What a program for a target is; code for GPUs is loaded when it is used."""
    if target == "cpu":
        return Compiled
    from .compile_cuda import CompiledCuda

    return CompiledCuda


KEPT = 1 << 14
"""A cached program whose module has a shorter fingerprint is printed when its text is asked for."""


@seldom()
def compile_module(
    module: ModuleOp,
    *,
    entry: str = "main",
    donate: Sequence[int] = (),
    options: CompileOptions | None = None,
    **given: Any,
) -> Compiled:
    """Compile the function `entry` of a module of the tensor or loop level; the module is used up.

    `donate`: arguments whose buffers the program may overwrite. Further keywords are fields of CompileOptions.
    Raises CompileError for a wrong program.
    """
    from . import tuned
    from .bounds import bounds_of
    from .fingerprint import fingerprint
    from .printing import print_ir
    from .weights import resources_of

    options = options or options_of(entry, **given)
    f = keep_entry(module, options.entry, donate)
    if sizes_unnamed(f):
        from ..lowering.stablehlo_to_nd import stablehlo_to_nd

        stablehlo_to_nd(module)
    bounds = bounds_of(f)
    resources = resources_of(module)
    found = fingerprint(module)
    key = cache.key("program", found, repr(options), machine_text(options), tuned.state())
    with COMPILING:
        stored = cache.get(key)
        if stored is not None:
            exe, facts = compiled_class(options.target).from_bytes(stored, resources)
            source = module if len(found) < KEPT and not resources else print_ir(module)
        else:
            source = print_ir(module)
            exe, facts = build_program(module, source, options, resources)
            if not cache.edited():
                cache.put(key, exe.to_bytes(facts))
    exe.source, exe.options, exe.facts, exe.bounds = source, options, facts, bounds
    exe.resources = resources_read(exe.program, resources)
    return exe


def resources_read(program: Program, resources: Mapping[str, Any]) -> dict[str, Any]:
    """Without those of which constants were made, and that nothing else reads."""
    from ..dialects.nd.resource import FOLDED
    from ..runtime.prepared import unread

    gone = unread(program)
    return {h: a for h, a in resources.items() if h not in gone or a.nbytes <= FOLDED}


def sizes_unnamed(f: FuncOp) -> bool:
    """Has an argument sizes that are unknown and have no names yet, as in StableHLO?"""
    from ..dialects.nd.attributes import SymAttr
    from ..dialects.nd.types import is_tensor

    types = f.body.block.arg_types
    return any(is_tensor(t) and not t.has_static_shape() and not isinstance(t.encoding, SymAttr) for t in types)


def keep_entry(module: ModuleOp, name: str, donate: Sequence[int]) -> FuncOp:
    """Mark donated arguments; functions that nothing can reach from the entry go."""
    from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, i64
    from xdsl.dialects.func import FuncOp

    from ..dialects.graph.ops import DONATED
    from .blocks import entry

    f = entry(module, name)
    count = len(f.body.block.args)
    for k in donate:
        if not 0 <= k < count:
            raise CompileError(f"donate: expected an argument from 0 to {count - 1}, found {k}", f.location)
    if donate:
        f.attributes[DONATED] = ArrayAttr([IntegerAttr(k, i64) for k in sorted(set(donate))])
    for other in [op for op in module.ops if isinstance(op, FuncOp) and op is not f]:
        if other.sym_visibility is None or other.sym_visibility.data != "private":
            other.detach()
            other.erase()
    return f


def lower(
    module: ModuleOp, source: str, options: CompileOptions, run: Sequence[Any] | None = None
) -> tuple[ProgramCode, dict[str, Any]]:
    """Run the passes, those of the options or `run`, and emit: the program's code, and its report."""
    from . import driver
    from .conversions import add_conversions
    from .report import add_parallel, add_schedules, report
    from .work import Work, work_of

    facts: dict[str, Any] = {}
    work = Work()

    def observe(pass_: Any, state: ModuleOp) -> None:
        nonlocal work
        if pass_.name == "graph-plan":
            facts.update(json.loads(json.dumps(report(state))))
            if options.target == "cpu":
                add_conversions(facts, state)
            work = work_of(state)
        elif pass_.name in ("set-schedule", "choose-schedule"):
            add_schedules(facts, state)
        elif pass_.name == "lower-loop":
            add_parallel(facts, state, options.threads)

    settings = replace(driver.from_environment(), source=source, observer=observe)
    driver.run(module, passes(options) if run is None else run, settings)
    return emit(module, options, work), facts


def build_program(
    module: ModuleOp,
    source: str,
    options: CompileOptions,
    resources: Mapping[str, Any] | None = None,
    run: Sequence[Any] | None = None,
) -> tuple[Compiled, dict[str, Any]]:
    """Run the passes, those of the options or `run`, emit, generate code; the executable and its report. Data that
    passes have made, which the source does not name, go with the program."""
    from ..dialects.nd.resource import data_of

    if options.target == "cuda":
        from ..runtime.ptx import start

        start()  # it is ready when the passes are done
    code, facts = lower(module, source, options, run)
    arrays = {**(resources or {})}
    arrays |= {h: data_of(op) for h, op in code.sources.items() if h not in arrays}
    preparations = {
        digest: Executable(Program.from_json(made.interface), objects_of(made, options)).to_bytes()
        for digest, made in code.preparations.items()
    }
    program, objects = Program.from_json(code.interface), objects_of(code, options)
    if options.target == "cuda":
        from .compile_cuda import with_images

        program, objects = with_images(program, objects, code, options)
    exe = compiled_class(options.target).prepare(program, objects, code.constants, preparations, arrays)
    if resources is not None:
        kept = [c if known(c, resources) else replace(c, hash="", made=None) for c in exe.program.constants]
        exe.program = replace(exe.program, constants=kept)
    return exe, facts


def known(constant: Constant, resources: Mapping[str, Any]) -> bool:
    """Can a later process find a constant by the resources of the source?"""
    from ..runtime.prepared import sources

    return all(h in resources for h in (sources(constant.made) if constant.made else [constant.hash]))


def modules(code: ProgramCode) -> list[tuple[str, int]]:
    """LLVM IR of the kernels, then of the entry, with the level at which code is generated for each."""
    entry = code.entry, jit.OPTIMISATION if code.loops else jit.QUICK
    return [*((k.llvm_ir, jit.OPTIMISATION) for k in code.kernels), entry]


def objects_of(code: ProgramCode, options: CompileOptions) -> list[bytes]:
    """Native code of the kernels, then of the entry."""
    return [jit.stored_object(text, options.restricted, level) for text, level in modules(code)]


@seldom()
def compile(
    program: Any,
    *specs: Any,
    entry: str = "main",
    donate: Sequence[int] = (),
    schedule: str | Path | Mapping[str, str | Sequence[str]] | None = None,
    numerics: str = "ieee",
    constants: Mapping[str, Any] | str | Path | None = None,
    threads: int | None = None,
    vector_bytes: int | None = None,
    target: str | None = None,
    arch: str | None = None,
    saturate: bool = False,
    memory_limit: int | str | None = None,
) -> Compiled:
    """Compile MLIR text, an .mlir file, a module, or a function of arrays whose arguments `specs` describe.

    `specs`: NumPy arrays, or `mlc.spec(shape, dtype)`; a size that is a text is a symbol. `donate`: positions of
    arguments whose buffers the program may overwrite. `schedule`: a .schedule file, a mapping from kernels to steps, or
    steps of every kernel, instead of the chosen ones. `numerics`: exact, ieee or fast. `constants`: arrays (of a
    function's parameter: a tree, or a file of one) by the name of the argument that each replaces, or an .npz or
    .safetensors file; they are used where they lie and become read-only. `threads`: of loops that are worth it, where
    no other call has them; None: MLC_THREADS, or 1. `vector_bytes`: 16, 32 or 64 instead of the machine's vectors.
    `target`: cpu, or cuda for a GPU of an `arch` such as sm_80; None: MLC_TARGET, or cpu; the GPU that is there.
    `saturate`: search for a cheaper program by the rules that `numerics` allows, which takes longer to compile.
    `memory_limit`: bytes, or a text such as "64MiB", that values between kernels may take at once: kernels are ordered
    and values computed again to keep it, or a CompileError names the smallest limit that works.
    Several results come as a tuple.
    """
    from .weights import bind, constants_of

    options = options_of(entry, schedule, numerics, threads, vector_bytes, target, arch, saturate, memory_limit)
    if callable(program):
        module, name = traced(program, specs, constants_of(constants or {}))
        return compile_module(module, donate=donate, options=replace(options, entry=name))
    module = module_of(program)
    if constants:
        from .blocks import entry as function

        bind(function(module, entry), constants_of(constants))
    return compile_module(module, donate=donate, options=options)

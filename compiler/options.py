"""What decides a program's code besides its module: the options, the passes that they choose, what is emitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..dialects.errors import CompileError
from ..runtime import jit

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from ..lowering.emit.entry import ProgramCode
    from .machine import Machine
    from .work import Work


@dataclass(frozen=True)
class CompileOptions:
    """What decides a program's code besides its module."""

    entry: str = "main"
    schedule: str | None = None
    """Steps of the loop level for every kernel, or for those it names (compiler/schedules.py); None: choose-schedule
    decides; "" leaves the plain loops."""
    numerics: str = "ieee"
    threads: int = 1
    """What parallel loops may have; kernels that are too small for several have none."""
    vector_bytes: int = 0
    """0: what the machine has."""
    target: str = "cpu"
    """Or cuda."""
    arch: str = ""
    """Of a GPU: `sm_90a`."""
    saturate: bool = False
    """Search for a cheaper program by rules of the numerics level."""
    memory_limit: int | None = None
    """Of what kernels pass to each other, in bytes (compiler/memory_limit.py)."""
    schedule_source: str = field(default="", repr=False, compare=False)
    """What locations in the schedule name; no code depends on it."""

    @property
    def machine(self) -> Machine:
        from .machine import Machine

        if self.target == "cuda":
            return Machine.gpu(self.arch)
        return Machine.host().with_vectors(self.vector_bytes)

    @property
    def restricted(self) -> int:
        """The vectors' bytes where code must do without the host's wider ones; else 0."""
        from .machine import detect

        if self.target == "cuda":
            return 0
        width = self.machine.vector_bytes
        return width if width < detect().vector_bytes else 0


TARGETS = ("cpu", "cuda")
NUMERICS = ("exact", "ieee", "fast")
ARCH = "sm_90a"
"""What code for a GPU is for where none is there and nothing else is said."""


def options_of(
    entry: str = "main",
    schedule: Any = None,
    numerics: str = "ieee",
    threads: int | None = None,
    vector_bytes: int | None = None,
    target: str | None = None,
    arch: str | None = None,
    saturate: bool = False,
    memory_limit: int | str | None = None,
) -> CompileOptions:
    """Checked; without `target` and `threads`, what MLC_TARGET and MLC_THREADS say; without `arch`, that of the GPU
    that is there."""
    from .settings import TARGET
    from .settings import threads as number_of

    limit = None
    if memory_limit is not None:
        from .memory_limit import bytes_of

        limit = bytes_of(memory_limit)
    text, source = None, ""
    if schedule is not None:
        from .schedules import given

        text, source = given(schedule)

    if numerics not in NUMERICS:
        raise CompileError(f"numerics: expected {_one_of(NUMERICS)}, found {numerics!r}")
    target = target or TARGET.get()
    if target not in TARGETS:
        raise CompileError(f"target: expected {_one_of(TARGETS)}, found {target!r}")
    if target == "cuda":
        for name, value in (("threads", threads), ("vector_bytes", vector_bytes)):
            if value is not None:
                raise CompileError(f"{name}: expected none for target cuda, found {value}")
        found = CompileOptions(entry, text, numerics, schedule_source=source, target=target, arch=_arch(arch))
        return replace(found, saturate=saturate, memory_limit=limit)
    if arch is not None:
        raise CompileError(f"arch: expected one for target cuda only, found {arch!r}")
    if vector_bytes not in (None, 16, 32, 64):
        raise CompileError(f"vector_bytes: expected 16, 32 or 64, found {vector_bytes}")
    found = CompileOptions(entry, text, numerics, number_of(threads), vector_bytes or 0, schedule_source=source)
    return replace(found, saturate=saturate, memory_limit=limit)


def _one_of(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _arch(arch: str | None) -> str:
    """An architecture that code can be generated for; the one of the GPU at hand, if there is one."""
    from ..runtime.ptx import version_of

    if arch is None:
        from ..runtime.cuda.device import current
        from ..runtime.cuda.driver import DriverError

        try:
            return current().properties.sm
        except (CompileError, DriverError):
            return ARCH
    version_of(arch)
    return arch


def machine_text(options: CompileOptions) -> str:
    """What of the machine decides the code."""
    from .machine import Machine

    return repr(options.machine if options.target == "cuda" else Machine.host())


def passes(options: CompileOptions, level: str = "llvm") -> list[Any]:
    """The passes down to a level, as the options change them."""
    from ..lowering.emit.lookups import register_entries
    from .pipelines import LEVELS, specs
    from .registry import build
    from .schedules import for_every_kernel
    from .spec import PassSpec
    from .transforms.loop.choose_schedule import ChooseSchedule
    from .transforms.loop.set_schedule import SetSchedule

    automatic = options.schedule is None or not for_every_kernel(options.schedule)
    # what the products of winograd cost is known of CPUs
    by_numerics = ("canonicalize", "recognize", "optimize", *(["winograd"] if options.target == "cpu" else []))
    fused = len(specs(LEVELS[options.target]["nd"]))
    out: list[Any] = []
    for k, spec in enumerate(specs(LEVELS[options.target][level])):
        if spec.name in by_numerics and options.numerics != "ieee":
            spec = replace(spec, options={**spec.options, "numerics": (options.numerics,)})
        if spec.name == "optimize" and options.target == "cuda":
            spec = replace(spec, options={**spec.options, "machine": (options.arch,)})
        if spec.name == "expand-math" and (entries := register_entries(options.machine.dots)):
            spec = replace(spec, options={"lookup": (entries,)})
        if spec.name == "decompose" and options.saturate:  # composites are what rules are about
            found = {"numerics": (options.numerics,), "machine": (options.arch,)}
            out.append(build(PassSpec("saturate", {k: v for k, v in found.items() if v != ("",)})))
        if k == fused and options.memory_limit is not None:
            from .memory_limit import LimitMemory

            out.append(LimitMemory(options.memory_limit, "gpu" if options.target == "cuda" else options.target))
        if spec.name == "choose-schedule":
            if options.schedule is not None:
                out.append(SetSchedule(options.schedule, options.schedule_source if options.schedule else ""))
            if automatic:
                out.append(ChooseSchedule(options.arch, options.threads, options.vector_bytes))
        else:
            out.append(build(spec))
    return out


def emit(
    module: ModuleOp, options: CompileOptions, work: Work | None = None, features: str | None = None
) -> ProgramCode:
    """LLVM IR of a module whose kernels are at the vector level, math expanded, for the host's `features` or these."""
    from ..lowering.emit.contract import runnable
    from ..lowering.emit.entry import emit_program, kernels_of
    from .blocks import entry
    from .work import Work

    main, kernels, machine, work = entry(module, options.entry), kernels_of(module), options.machine, work or Work()
    if options.target == "cuda":
        return emit_program(main, kernels, work=work.kernels, total=work.program, gpu=True)
    dots = runnable(machine.dots, jit.features_for(options.restricted) if features is None else features)
    return emit_program(main, kernels, machine.vector_bytes, work.kernels, work.program, options.threads, dots)

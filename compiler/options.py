"""What decides a program's code besides its module: the options, the passes that they choose, what is emitted."""

from __future__ import annotations

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
    schedule_source: str = field(default="", repr=False, compare=False)
    """What locations in the schedule name; no code depends on it."""

    @property
    def machine(self) -> Machine:
        from .machine import Machine

        return Machine.host().with_vectors(self.vector_bytes)

    @property
    def restricted(self) -> int:
        """The vectors' bytes where code must do without the host's wider ones; else 0."""
        from .machine import detect

        width = self.machine.vector_bytes
        return width if width < detect().vector_bytes else 0


def options_of(
    entry: str = "main",
    schedule: Any = None,
    numerics: str = "ieee",
    threads: int | None = None,
    vector_bytes: int | None = None,
) -> CompileOptions:
    """Checked; without `threads`, what MLC_THREADS says."""
    from .settings import threads as number_of

    text, source = None, ""
    if schedule is not None:
        from .schedules import given

        text, source = given(schedule)

    if numerics not in ("exact", "ieee", "fast"):
        raise CompileError(f"numerics: expected exact, ieee or fast, found {numerics!r}")
    if vector_bytes not in (None, 16, 32, 64):
        raise CompileError(f"vector_bytes: expected 16, 32 or 64, found {vector_bytes}")
    return CompileOptions(entry, text, numerics, number_of(threads), vector_bytes or 0, source)


def machine_text() -> str:
    from .machine import Machine

    return repr(Machine.host())


def passes(options: CompileOptions, level: str = "llvm") -> list[Any]:
    """The passes down to a level, as the options change them."""
    from .pipelines import named
    from .registry import build
    from .schedules import for_every_kernel
    from .transforms.loop.choose_schedule import ChooseSchedule
    from .transforms.loop.set_schedule import SetSchedule

    automatic = options.schedule is None or not for_every_kernel(options.schedule)
    out: list[Any] = []
    for spec in named(level):
        if spec.name == "canonicalize" and options.numerics != "ieee":
            spec = replace(spec, options={"numerics": (options.numerics,)})
        if spec.name == "choose-schedule":
            if options.schedule is not None:
                out.append(SetSchedule(options.schedule, options.schedule_source if options.schedule else ""))
            if automatic:
                out.append(ChooseSchedule(threads=options.threads, vector_bytes=options.vector_bytes))
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
    dots = runnable(machine.dots, jit.features_for(options.restricted) if features is None else features)
    return emit_program(main, kernels, machine.vector_bytes, work.kernels, work.program, options.threads, dots)

"""What the compiler knows of a machine: one description, read from a file or found on this host.

    name = "server"
    kind = "cpu"
    vector_bytes = 64          # widest vector register
    registers = 32             # vector registers
    load_store = false         # instructions take no operand from memory, as on Arm: each needs a register first
    has_fma = true
    fma_per_cycle = 2          # vector multiply-adds that start in a cycle
    clock_ghz = 3.5
    cores = 8
    l1_bytes = 49152           # data caches, per core; l3 as one core sees it
    l2_bytes = 2097152
    l3_bytes = 33554432
    l1_gbs = 220.0             # bandwidths of one core, in GB/s
    l2_gbs = 110.0
    l3_gbs = 60.0
    memory_gbs = 12.0
    stream_bytes = 4194304     # results from here on are stored past the caches
    wake_us = 20.0             # to wake another thread: less work is not shared
    launch_ns = 20.0           # to call a kernel
    exp_ns = 0.11              # of an f32 element with one core; 0: what its operations take at the speed of vectors
    log_ns = 0.12              # as tanh_ns, erf_ns, sin_ns, pow_ns, div_ns and sqrt_ns
    int8_dot = "u8s8"          # signs of bytes that an instruction multiplies and adds by fours ("": there is none)
    bf16_dot = false           # one that multiplies and adds bf16 by pairs, and is faster than converting them to f32

A GPU has `kind = "gpu"` and says the same of one multiprocessor, of which it has `cores`, and of one thread, which
moves `vector_bytes` at once and has `registers`. What a CPU does not have:

    arch = "sm_90a"            # the target of its code
    threads = 1024             # of a block, at most
    resident = 2048            # threads that a multiprocessor holds at a time
    shared_bytes = 232448      # memory of a block, at most
    tensor = "bf16 f16 tf32 s8"  # elements that are multiplied by matrix instructions

Decisions (tile sizes, packing, streaming) and estimates read this and nothing else. `mlc-tune --calibrate` writes the
host's, with speeds that it measures. `MLC_MACHINE` names a file or a known machine to use instead of the host,
`MLC_VECTOR_BITS` narrower or wider vectors.
"""

from __future__ import annotations

import dataclasses
import os
import platform
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..dialects.errors import CompileError
from . import settings

MACHINES = Path(__file__).parent / "machines"
"""Descriptions that come with the compiler."""

HOST = "host"
"""The name of this machine."""

INT8_DOTS = ("", "u8s8", "s8s8")
"""The signs of the first and the second factor."""

FUNCTIONS = ("exp_ns", "log_ns", "tanh_ns", "erf_ns", "sin_ns", "pow_ns", "div_ns", "sqrt_ns")
"""Times of functions, for an f32 element; 0 is not known."""

WIDE_X86 = ("permute16", "scalef", "fixupimm", "getexp", "getmant")
"""Instructions of all of x86 with vectors of 512 bits."""


@dataclass(frozen=True)
class Machine:
    """The numbers that schedules and costs depend on."""

    name: str = "generic"
    kind: str = "cpu"
    vector_bytes: int = 16
    registers: int = 16
    load_store: bool = False
    has_fma: bool = False
    fma_per_cycle: int = 1
    clock_ghz: float = 2.5
    cores: int = 1
    l1_bytes: int = 32 << 10
    l2_bytes: int = 1 << 20
    l3_bytes: int = 8 << 20
    l1_gbs: float = 100.0
    l2_gbs: float = 60.0
    l3_gbs: float = 40.0
    memory_gbs: float = 10.0
    stream_bytes: int = 4 << 20
    wake_us: float = 20.0
    launch_ns: float = 20.0
    exp_ns: float = 0.0
    log_ns: float = 0.0
    tanh_ns: float = 0.0
    erf_ns: float = 0.0
    sin_ns: float = 0.0
    pow_ns: float = 0.0
    div_ns: float = 0.0
    sqrt_ns: float = 0.0
    int8_dot: str = ""
    bf16_dot: bool = False
    arch: str = ""
    threads: int = 1
    resident: int = 1
    shared_bytes: int = 1
    tensor: str = ""

    @property
    def dots(self) -> tuple[str, ...]:
        """The instructions that add several products of narrow factors, as rows of lowering/emit/contract.py, and those
        of lookups.py and float_parts.py, which all of x86 with vectors of 512 bits has."""
        others = WIDE_X86 if self.vector_bytes == 64 and self.has_fma and not self.load_store else ()
        return (*([self.int8_dot] if self.int8_dot else []), *(["bf16"] if self.bf16_dot else []), *others)

    @property
    def tile_registers(self) -> int:
        """Vector registers for a contraction's accumulators and their factors. Where factors are loaded into registers
        first, LLVM loads two ahead; with no room for these it moves and spills accumulators in the inner loop."""
        return self.registers - 2 * self.load_store

    @property
    def l3_keeps_up(self) -> bool:
        """Does a core get lines from the third cache about as fast as it multiplies them by a tile of rows?"""
        return self.kind == "cpu" and self.l3_gbs >= KEEPS_UP * self.vector_bytes * self.clock_ghz

    def lanes(self, element_bytes: int) -> int:
        """Elements of a vector register."""
        return max(1, self.vector_bytes // element_bytes)

    def flops(self, element_bytes: int) -> float:
        """Peak floating-point operations per second of one core."""
        return 2.0 * self.fma_per_cycle * self.lanes(element_bytes) * self.clock_ghz * 1e9

    def bandwidth(self, footprint: int) -> float:
        """Bytes per second at which one core, or a GPU, reads data of this total size again and again."""
        levels = [(self.l1_bytes, self.l1_gbs), (self.l2_bytes, self.l2_gbs), (self.l3_bytes, self.l3_gbs)]
        if self.kind == "gpu":  # what lies in a multiprocessor's own memory is gone with its kernel
            del levels[0]
        return 1e9 * next((gbs for size, gbs in levels if footprint <= size), self.memory_gbs)

    def with_vectors(self, vector_bytes: int) -> Machine:
        """The machine as if its vectors had so many bytes: 16 is x86 before AVX, 32 is AVX2."""
        if vector_bytes in (0, self.vector_bytes):
            return self
        return dataclasses.replace(
            self,
            vector_bytes=vector_bytes,
            registers=self.registers if self.load_store else 32 if vector_bytes == 64 else 16,
            has_fma=self.has_fma and (self.load_store or vector_bytes > 16),
            int8_dot="",
            bf16_dot=False,
        )

    def text(self) -> str:
        """The description as a file that `load` reads."""
        return "".join(f"{f.name} = {_toml(getattr(self, f.name))}\n" for f in dataclasses.fields(self))

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Machine:
        """`host`, a known machine by its name (`h100`, a file of MACHINES), a GPU by its `arch`, or what a file
        describes, where a missing field has the generic machine's value."""
        text = str(path)
        if text == HOST:
            return Machine.host()
        if text.startswith("sm_"):
            return Machine.gpu(text)
        return _read(MACHINES / f"{text}.toml" if text in known_machines() else Path(path))

    @staticmethod
    @lru_cache(16)
    def gpu(arch: str) -> Machine:
        """A GPU by the target of its code: the description of the newest known one that is not newer."""
        older = [name for least, name in GPUS.items() if sm_number(least) <= sm_number(arch)]
        if not older:
            raise CompileError(
                f"machine description: expected an architecture from {next(iter(GPUS))} on, found {arch}"
            )
        return dataclasses.replace(_read(MACHINES / f"{older[-1]}.toml"), arch=arch)

    @staticmethod
    def host() -> Machine:
        """This machine, or the one that `MLC_MACHINE` describes, with vectors of `MLC_VECTOR_BITS`."""
        path, bits = settings.MACHINE.get(), settings.VECTOR_BITS.get()
        found = Machine.load(path) if path not in ("", HOST) else detect()
        return found.with_vectors(vector_width(bits, "MLC_VECTOR_BITS")) if bits else found


def sm_number(arch: str) -> int:
    """90 of `sm_90a`; 0 of what has no number."""
    return int("".join(c for c in arch if c.isdigit()) or 0)


GPUS = {"sm_70": "v100", "sm_80": "a100", "sm_90a": "h100"}
"""NVIDIA's GPUs by the target of their code: files of MACHINES."""


def vector_width(bits: str | int, what: str) -> int:
    """Bytes of vectors of 128, 256 or 512 bits."""
    if str(bits) not in ("128", "256", "512"):
        raise CompileError(f"{what}: expected 128, 256 or 512, found {bits}")
    return int(bits) // 8


def known_machines() -> list[str]:
    """The names of the machines whose descriptions come with the compiler."""
    return sorted(path.stem for path in MACHINES.glob("*.toml"))


def _read(path: Path) -> Machine:
    import tomllib  # most programs are compiled for the host

    try:
        data = tomllib.loads(path.read_text())
    except OSError as error:
        expected = f"a readable file, {HOST} or one of {', '.join(known_machines())}"
        message = f"machine description: expected {expected}, found {path}: {error.strerror}"
        raise CompileError(message) from error
    except tomllib.TOMLDecodeError as error:
        raise CompileError(f"machine description {path}: expected TOML, found {error}") from error
    return _checked(data, str(path))


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _checked(data: dict[str, Any], path: str) -> Machine:
    fields: dict[str, type] = {f.name: type(getattr(Machine, f.name)) for f in dataclasses.fields(Machine)}
    for key, value in data.items():
        if key not in fields:
            raise CompileError(f"machine description {path}: expected one of {', '.join(fields)}, found {key}")
        kind = fields[key]
        if kind is float and type(value) is int:
            data[key] = float(value)
        elif type(value) is not kind:
            raise CompileError(f"machine description {path}: expected {key} to be {kind.__name__}, found {value!r}")
        if kind in (int, float) and (value < 0 if key in FUNCTIONS else value <= 0):
            least = "0 or more" if key in FUNCTIONS else "above 0"
            raise CompileError(f"machine description {path}: expected {key} {least}, found {value}")
        if key == "int8_dot" and value not in INT8_DOTS:
            words = ", ".join(f'"{word}"' for word in INT8_DOTS)
            raise CompileError(f"machine description {path}: expected {key} to be one of {words}, found {value!r}")
    return Machine(**data)


KEEPS_UP = 0.4
"""Vectors from the third cache in a cycle: of those that a tile of rows multiplies, with room for others."""

MOVES = (1.0, 0.5, 0.25, 0.06)
AMD_MOVES = (1.4, 0.8, 0.45, 0.2)
"""Vectors that a core gets in a cycle from its caches and from memory: usual numbers, and as measured on Zen 5."""


@lru_cache(1)
def detect() -> Machine:
    """The host from /proc/cpuinfo and sysfs; what they do not say is taken from what is typical."""
    info = _cpuinfo()
    flags = frozenset(info.get("flags", info.get("Features", "")).split())
    arm, amd = platform.machine() in ("aarch64", "arm64"), info.get("vendor_id") == "AuthenticAMD"
    if arm:
        width, registers, fma, per_cycle = 16, 32, True, 2
    elif "avx512f" in flags:
        # AMD before Zen 5 runs a 512-bit operation in two halves.
        halves = amd and int(info.get("cpu family", "0")) < 26
        width, registers, fma, per_cycle = 64, 32, True, 1 if halves else 2
    elif "avx" in flags:
        width, registers, fma, per_cycle = 32, 16, "fma" in flags, 2 if "fma" in flags else 1
    else:
        width, registers, fma, per_cycle = 16, 16, False, 1
    sizes = _caches()
    l3 = sizes.get(3, Machine.l3_bytes)
    clock, moves = _clock(info.get("model name", "")), AMD_MOVES if amd else MOVES
    return Machine(
        name=info.get("model name", platform.machine()).strip(),
        vector_bytes=width,
        registers=registers,
        load_store=arm,
        has_fma=fma,
        fma_per_cycle=per_cycle,
        clock_ghz=clock,
        cores=os.cpu_count() or 1,
        l1_bytes=sizes.get(1, 32 << 10),
        l2_bytes=sizes.get(2, 1 << 20),
        l3_bytes=l3,
        l1_gbs=round(moves[0] * width * clock, 1),
        l2_gbs=round(moves[1] * width * clock, 1),
        l3_gbs=round(moves[2] * width * clock, 1),
        memory_gbs=round(moves[3] * width * clock, 1),
        # AMD's is near its few cores and has what they wrote; others' serves a whole socket, hardly faster than memory.
        stream_bytes=l3 // 4 if amd else min(l3, Machine.stream_bytes),
        int8_dot=_int8_dot(flags, width, arm),
        # Intel's does a quarter of the multiply-adds of f32 in the same time.
        bf16_dot="avx512_bf16" in flags and width == 64 and amd,
    )


def _int8_dot(flags: frozenset[str], width: int, arm: bool) -> str:
    if arm:
        return "s8s8" if "asimddp" in flags else ""
    return "u8s8" if ("avx512_vnni" if width == 64 else "avx_vnni") in flags else ""


def _clock(model: str) -> float:
    """The nominal clock in GHz. What /proc/cpuinfo says changes from moment to moment, and schedules depend on it."""
    named = re.search(r"@ ([0-9.]+)GHz", model)
    if named is not None:
        return float(named[1])
    try:
        return round(int(Path("/sys/devices/system/cpu/cpu0/cpufreq/base_frequency").read_text()) / 1e6, 2)
    except (OSError, ValueError):
        return Machine.clock_ghz


def _cpuinfo() -> dict[str, str]:
    """The first processor's fields."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return {}
    fields = (line.partition(":") for line in text.split("\n\n")[0].splitlines())
    return {key.strip(): value.strip() for key, _, value in fields}


def _caches() -> dict[int, int]:
    """Bytes of the data caches that the first core sees, by level."""
    found: dict[int, int] = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            kind, level, size = ((index / name).read_text().strip() for name in ("type", "level", "size"))
        except OSError:
            continue
        if kind != "Instruction":
            scale = {"K": 1 << 10, "M": 1 << 20}.get(size[-1])
            found[int(level)] = int(size[:-1]) * scale if scale else int(size)
    return found

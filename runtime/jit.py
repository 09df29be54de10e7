# pyright: basic
"""LLVM IR text -> objects -> native functions; the only file that imports llvmlite, and only when it is used.

Explicit-vector code goes to code generation at level 2 without a pass pipeline: the same speed as after one, and a
quarter of the time; code that runs once in a call, at level 0. Each function is an object of its own, so that a disk
cache can hold it; `Linked` loads any number of objects and resolves their symbols among each other, then elsewhere in
the process.

LLVM is used by one thread at a time. A fork waits until none is inside of it, so that the child finds it whole.
"""

from __future__ import annotations

import functools
import os
import platform
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from . import soft_float

OPTIMISATION, QUICK = 2, 0
"""Levels of code generation; the second, for code that runs once in a call, takes a quarter of the time."""
LOCK = threading.RLock()
SHARED = 64
"""How many programs share an engine, at most: a name of a library is never free again."""


def _own_lock() -> Any:
    """llvmlite's lock, which it holds in every call, also those of finalizers."""
    ffi = sys.modules.get("llvmlite.binding.ffi")
    return getattr(getattr(getattr(ffi, "lib", None), "_lock", None), "_lock", None)


_held: list[Any] = []


def _before_fork() -> None:
    for lock in (LOCK, _own_lock()):
        if lock is not None:
            lock.acquire()
            _held.append(lock)


def _after_fork() -> None:
    while _held:
        _held.pop().release()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)


@functools.cache
def binding() -> ModuleType:
    """llvmlite's binding with the host's code generator."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


ARM = "aarch64"
"""Sections of an object, the table of addresses of others too, may be loaded further apart than code of Arm that is
relative to its place reaches. Static code of the JIT's model holds the whole address of each symbol that it may take
for its own, as those that are protected are; at level 0 its literals are relative to it all the same."""

ARM_FEATURES = {"asimddp": "dotprod", "asimdhp": "fullfp16", "bf16": "bf16", "i8mm": "i8mm"}
"""Features of Arm CPUs that LLVM does not ask the system for: what /proc/cpuinfo calls them, and LLVM."""


@functools.cache
def host() -> tuple[str, str]:
    """The host's CPU name and features, as LLVM spells them."""
    llvm = binding()
    features = [llvm.get_host_cpu_features().flatten()]
    if platform.machine() in (ARM, "arm64"):
        features += [f"+{ARM_FEATURES[name]}" for name in _arm_features() if name in ARM_FEATURES]
    return llvm.get_host_cpu_name(), ",".join(f for f in features if f)


def _arm_features() -> list[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []
    return next((line.partition(":")[2].split() for line in lines if line.startswith("Features")), [])


@functools.cache
def machine(cpu: str, features: str, triple: str | None = None, loaded: bool = True, level: int = OPTIMISATION) -> Any:
    """`loaded`: for code that is loaded into this process; else for a linker."""
    llvm = binding()
    if triple is not None:
        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()
    target = llvm.Target.from_default_triple() if triple is None else llvm.Target.from_triple(triple)
    arm = target.name == ARM
    return target.create_target_machine(
        cpu=cpu,
        features=features,
        opt=OPTIMISATION if arm else level,
        reloc="static" if arm and loaded else "pic",
        codemodel="jitdefault" if loaded else "default",
        jit=loaded,
    )


def parsed(text: str, cpu: str, features: str, triple: str | None = None) -> Any:
    llvm, target = binding(), machine(cpu, features, triple)
    module = llvm.parse_assembly(text)
    module.verify()
    # Nothing throws, and tables for unwinding may be loaded out of reach of the code that they describe.
    for function in module.functions:
        if not function.is_declaration:
            function.add_function_attribute("nounwind")
    if target.triple.startswith(ARM):
        for value in (*module.functions, *module.global_variables):
            if value.linkage == llvm.Linkage.external and not value.name.startswith("llvm."):
                value.visibility = "protected"
    module.triple, module.data_layout = target.triple, str(target.target_data)
    return module


def compile_object(
    text: str,
    cpu: str | None = None,
    features: str | None = None,
    triple: str | None = None,
    loaded: bool = True,
    level: int = OPTIMISATION,
) -> bytes:
    """The relocatable object of a module; of another architecture if its `triple` is given. `loaded`: see `machine`."""
    cpu, features = _whole(cpu, features, triple)
    with LOCK:
        return machine(cpu, features, triple, loaded, level).emit_object(parsed(text, cpu, features, triple))


def _whole(cpu: str | None, features: str | None, triple: str | None) -> tuple[str, str]:
    """The CPU and features that are meant: the host's where they are left out, of another architecture none."""
    if triple is not None:
        return cpu or "", features or ""
    return cpu or host()[0], features if features is not None else host()[1]


def linked(texts: Sequence[str]) -> str:
    """Several modules as one."""
    llvm = binding()
    with LOCK:
        first, *rest = (llvm.parse_assembly(text) for text in texts)
        for module in rest:
            first.link_in(module)
        return str(first)


def stored_object(text: str, vector_bytes: int = 0, level: int = OPTIMISATION) -> bytes:
    """The host's object of one module, from the disk cache if it is there; `vector_bytes`: see `features_for`."""
    from . import cache

    key = cache.key("object", text, str(vector_bytes), str(level))
    found = cache.get(key)
    if found is None:
        found = compile_object(text, features=features_for(vector_bytes) if vector_bytes else None, level=level)
        cache.put(key, found)
    return found


NARROW = ("avx512", "avx10", "evex512", "amx")
NARROWER = (*NARROW, "avx", "fma", "f16c", "xop", "vaes", "vpclmulqdq", "sha512", "sm3", "sm4")


def features_for(vector_bytes: int) -> str:
    """The host's features without x86's for vectors wider than so many bytes; 64 or 0: all."""
    gone = () if vector_bytes in (0, 64) else NARROW if vector_bytes == 32 else NARROWER
    given = host()[1].split(",")
    return ",".join("-" + f[1:] if gone and f[1:].startswith(gone) else f for f in given)


def assembly(
    text: str,
    cpu: str | None = None,
    features: str | None = None,
    triple: str | None = None,
    loaded: bool = True,
    level: int = OPTIMISATION,
) -> str:
    """The assembly of one module, as the object holds it: see `compile_object`."""
    cpu, features = _whole(cpu, features, triple)
    with LOCK:
        return machine(cpu, features, triple, loaded, level).emit_assembly(parsed(text, cpu, features, triple))


_engine: Any = None
_libraries = 0


def _library() -> tuple[Any, str]:
    """An engine, and the name of a library that it does not have yet; behind LOCK."""
    global _engine, _libraries
    if _libraries % SHARED == 0:
        llvm = binding()
        # A JIT owns its target machine, so the shared one is not lent to it.
        target = llvm.Target.from_default_triple().create_target_machine(codemodel="jitdefault", jit=True)
        _engine = llvm.create_lljit_compiler(target)
    _libraries += 1
    return _engine, f"mlc{_libraries}"


class Linked:
    """Objects loaded into the process; they stay as long as this does.

    Each object is linked for itself: names that are local to one, such as those of its literals, meet no others.
    `symbols`: addresses of functions that are neither in the objects nor exported by the process, nor in `soft_float`.
    """

    def __init__(self, objects: Sequence[bytes], symbols: Mapping[str, int] | None = None) -> None:
        llvm = binding()
        with LOCK:
            self.engine, self.library = _library()
            library = llvm.JITLibraryBuilder().add_current_process()
            for data in objects:
                library.add_object_img(data)
            for name, address in {**soft_float.symbols(objects), **(symbols or {})}.items():
                library.import_symbol(name, address)
            self.found: dict[str, Any] = {}
            self.tracker = library.link(self.engine, self.library)

    def address(self, name: str) -> int:
        """Where a function is; KeyError if there is none."""
        with LOCK:
            if name not in self.found:
                try:
                    self.found[name] = self.engine.lookup(self.library, name)
                except RuntimeError:
                    raise KeyError(name) from None
            return self.found[name][name]

    def has(self, name: str) -> bool:
        try:
            self.address(name)
        except KeyError:
            return False
        return True

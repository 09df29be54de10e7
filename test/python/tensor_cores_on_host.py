"""What emission wrote for tensor cores, run on the host: `device_on_host` with a warp's instructions as well.

    got = run_emitted(text, x, w)                     a kernel's result, as `launches.run` gives the interpreter's

Each thread calls a service for each instruction. Those of a warp meet there, and one of them does the work for all, by
the manual's tables: `fragment` is checked against that. A copy's bytes arrive when a wait of its thread asks for them.
"""

from __future__ import annotations

import ctypes
import re
import threading
from collections import defaultdict
from typing import Any, cast

import ml_dtypes
import numpy as np
from device_on_host import HEAD, Module
from mlc.compiler.emission import emitted
from mlc.compiler.parsing import parse_module
from mlc.lowering.emit.launch import DeviceCode, joined
from mlc.runtime.interpret_tensor_cores import fragment

Array = np.ndarray[Any, Any]
SERVICE = ctypes.CFUNCTYPE(None, ctypes.c_int32, ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p)
WARP = 32
DECLARATION = re.compile(r"^declare (.*) @llvm\.nvvm\.((?:ldmatrix|mma|cp\.async)[\w.]*)\((.*)\)$")
CALL = re.compile(r"@llvm\.nvvm\.((?:ldmatrix|mma|cp\.async)[\w.]*)\(")
CAST = re.compile(r"addrspacecast ptr (\S+) to ptr addrspace\(\d\)")
FACTORS: dict[str, tuple[Any, int]] = {
    "f32.f32": (np.float16, 2),
    "f16.f16": (np.float16, 2),
    "bf16": (ml_dtypes.bfloat16, 2),
    "tf32": (np.float32, 1),
    "s8": (np.int8, 4),
}
"""By the end of an instruction's name: its factors' elements, how many a register has."""


def words(text: str) -> list[str]:
    """The types of a list, none of which has a comma in it."""
    return [word for word in text.strip("{} ").split(", ") if word]


def wrapper(number: int, result: str, name: str, kinds: list[str], service: int) -> str:
    """A function of a thread for an instruction: its operands and results are in cells of 8 bytes."""
    members = [] if result == "void" else words(result)
    parameters = ", ".join(["i32 %tid", *(f"{kind} %a{i}" for i, kind in enumerate(kinds))])
    lines = [f"define internal {result} @host.{name}({parameters}) noinline {{"]
    lines += [f"  %in = alloca [{len(kinds) + 1} x i64]", f"  %out = alloca [{len(members) + 1} x i64]"]
    for i, kind in enumerate(kinds):
        lines += [f"  %p{i} = getelementptr i64, ptr %in, i64 {i}", f"  store {kind} %a{i}, ptr %p{i}"]
    lines.append(f"  call void inttoptr (i64 {service} to ptr)(i32 %tid, i32 {number}, ptr %in, ptr %out)")
    last = "poison"
    for i, kind in enumerate(members):
        lines += [f"  %q{i} = getelementptr i64, ptr %out, i64 {i}", f"  %r{i} = load {kind}, ptr %q{i}"]
        if result.startswith("{"):
            lines.append(f"  %s{i} = insertvalue {result} {last}, {kind} %r{i}, {i}")
            last = f"%s{i}"
        else:
            last = f"%r{i}"
    lines += ["  ret void" if not members else f"  ret {result} {last}", "}"]
    return "\n".join(lines)


class TensorModule(Module):
    def __init__(self, code: DeviceCode) -> None:
        self.service = SERVICE(self.serve)
        address = cast(int, ctypes.cast(self.service, ctypes.c_void_p).value)
        self.instructions: list[str] = []
        self.groups: dict[int, list[list[tuple[int, bytes]]]] = defaultdict(lambda: [[]])
        """Of each thread, the copies of its groups that have not arrived: where to, what; the last is still open."""
        self.warps = [Warp() for _ in range(1024 // WARP)]
        lines: list[str] = []
        ends: list[str] = []
        for line in code.llvm_ir.splitlines():
            line = CAST.sub(r"getelementptr i8, ptr \1, i64 0", line)
            line = re.sub(r"ptr addrspace\([13]\)(?! @)", "ptr", line)
            if (m := DECLARATION.match(line)) is not None:
                ends.append(wrapper(len(self.instructions), m[1], m[2], words(m[3]), address))
                self.instructions.append(m[2])
                continue
            if CALL.search(line):
                line = CALL.sub(r"@host.\1(i32 %tid.x, ", line).replace(", )", ")").replace(" convergent", "")
                line += " ; as at a @barrier, threads are needed"
            lines.append(line)
        super().__init__(code._replace(llvm_ir="\n".join([*lines, *ends])))

    def serve(self, thread: int, number: int, given: int, wanted: int) -> None:
        name = self.instructions[number]
        if name.startswith("cp.async"):
            self.copy(thread, name, cells(given, 3))
            return
        count = 1 if name.startswith("ldmatrix") else 10
        warp = self.warps[thread // WARP]
        warp.given[thread % WARP] = cells(given, count) + [0] * (10 - count)
        if warp.together.wait() == 0:
            warp.found = tiles(name, warp.given[:, 0]) if count == 1 else products(name, warp.given)
        warp.together.wait()
        found = warp.found[thread % WARP]
        for i, value in enumerate(found.tolist()):
            ctypes.c_uint32.from_address(wanted + 8 * i).value = value

    def copy(self, thread: int, name: str, given: list[int]) -> None:
        groups = self.groups[thread]
        if name == "cp.async.commit.group":
            groups.append([])
        elif name == "cp.async.wait.group":
            last = len(groups) - 1 - (given[0] & 0xFFFFFFFF)
            for group in groups[: max(0, last)]:
                for place, data in group:
                    ctypes.memmove(place, data, len(data))
                group.clear()
        else:
            size = int(name.removesuffix(".s").rpartition(".")[2])
            read = given[2] & 0xFFFFFFFF if name.endswith(".s") else size
            assert read <= size and given[0] % size == given[1] % size == 0
            groups[-1].append((given[0], ctypes.string_at(given[1], read).ljust(size, b"\0")))


class Warp:
    def __init__(self) -> None:
        self.together = threading.Barrier(WARP)
        self.given = np.zeros((WARP, 10), np.uint64)
        self.found = np.zeros((WARP, 4), np.uint32)


def cells(at: int, count: int) -> list[int]:
    return list((ctypes.c_uint64 * count).from_address(at))


def tiles(name: str, places: Array) -> Array:
    """ldmatrix: thread 8 t + r says where row r of tile t is."""
    count = int(name.partition(".x")[2][0])
    rows = [ctypes.string_at(int(place), 16) for place in places[: 8 * count]]
    halves = np.frombuffer(b"".join(rows), np.uint16).reshape(count, 8, 8)
    if ".trans" in name:
        halves = halves.transpose(0, 2, 1)
    return np.ascontiguousarray(halves).view(np.uint32).reshape(count, WARP).T


def products(name: str, given: Array) -> Array:
    """mma.sync, by whole matrices."""
    dtype, per = FACTORS[name.partition(".col.")[2]]
    k = int(re.findall(r"k(\d+)", name)[0])
    n = k // (4 * per)
    narrow = name.endswith("f16.f16")
    total: Any = np.int32 if dtype is np.int8 else np.float16 if narrow else np.float32
    registers = np.ascontiguousarray(given.astype(np.uint32))

    def matrix(word: str, first: int, count: int, shape: tuple[int, int], kind: Any) -> Array:
        each = 4 // np.dtype(kind).itemsize
        parts = np.ascontiguousarray(registers[:, first : first + count]).view(kind)
        out = np.zeros(shape, kind)
        if word == "c":
            out[fragment("c", 2, 2)] = parts.reshape(WARP, 2, 2)
        else:
            out[fragment(word, count, each)] = parts.reshape(WARP, count, each)
        return out.astype(np.int64 if kind in (np.int8, np.int32) else np.float64)

    a, b = matrix("a", 0, 2 * n, (16, k), dtype), matrix("b", 2 * n, n, (k, 8), dtype)
    c = matrix("c", 3 * n, 2 if narrow else 4, (16, 8), total)
    found = (a @ b + c).astype(total)[fragment("c", 2, 2)]
    return np.ascontiguousarray(found.reshape(WARP, 4)).view(np.uint32)


def run_emitted(text: str, *inputs: Array | int, threads: int, blocks: int = 1) -> Array:
    """The result of a kernel with one launch, whose arguments are memrefs and indices, the last one its result."""
    module = parse_module(text)
    kind = cast(Any, module.body.block.first_op).function_type.inputs.data[-1]
    code = joined(list(emitted(module, gpu=True).device.values()))
    dtypes = {"f32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16, "i32": np.int32, "i8": np.int8}
    out = np.zeros(kind.get_shape(), dtypes[str(kind.element_type)])
    given = [x if isinstance(x, int) else aligned(x) for x in (*inputs, out)]
    (head,) = [m for line in code.llvm_ir.splitlines() if (m := HEAD.match(line)) is not None]
    order = [int(n) for n in re.findall(r"%a(\d+)(?:,|$)", head[2])]
    numbers = [x if isinstance(x, int) else x.ctypes.data for x in given]
    values = [numbers[n].to_bytes(8, "little", signed=True) for n in order]
    TensorModule(code).run(head[1], blocks, threads, values)
    return cast(Array, given[-1])


def aligned(x: Array) -> Array:
    space = np.zeros(x.nbytes + 64, np.uint8)
    start = -space.ctypes.data % 64
    out = space[start : start + x.nbytes].view(x.dtype).reshape(x.shape)
    out[...] = x
    return out

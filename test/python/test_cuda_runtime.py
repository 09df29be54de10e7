"""The run time for NVIDIA GPUs over a driver that needs none (`cuda_fake`)."""

from __future__ import annotations

import gc
import importlib.util
import multiprocessing
import sys
import threading
from collections import Counter
from pathlib import Path

import ml_dtypes
import mlc
import numpy as np
import pytest
from cuda_fake import FakeDriver, view
from mlc.dialects.errors import CheckError, CompileError
from mlc.runtime import dlpack, jit
from mlc.runtime.abi import Argument, Constant, Effect, Image, Program, Result, Slot
from mlc.runtime.cuda import device as devices
from mlc.runtime.cuda import driver, energy, graphs, timing
from mlc.runtime.cuda.device_array import DeviceArray, imported, to_device
from mlc.runtime.cuda.dlpack import make
from mlc.runtime.cuda.driver import DeviceMemoryError, DriverError
from mlc.runtime.cuda.executable import CudaExecutable

PTX = ".version 8.0\n.target sm_80\n" + "".join(f".visible .entry {n}\n" for n in ("add", "scale", "last"))


def add(grid, threads, shared, x, y, out, n):
    assert grid == -(-n // 256) and threads == 256
    view(out, n)[:] = view(x, n) + view(y, n)


def scale(grid, threads, shared, x, n):
    view(x, n)[:] *= 2


KERNELS = {"add": ("pppi", add), "scale": ("pi", scale), "last": ("pi", lambda *a: None)}

DECLARED = """
declare void @mlc_gpu_launch(ptr, ptr, i64, i64, i64, ptr)
declare ptr @mlc_gpu_alloc(ptr, i64)
declare void @mlc_gpu_free(ptr, ptr)
declare void @mlc_gpu_copy(ptr, ptr, ptr, i64)
declare void @mlc_gpu_read(ptr, ptr, ptr, i64)
@mlc.k.launch0 = external global ptr
@mlc.k.launch1 = external global ptr
@mlc.k.launch2 = external global ptr
"""

KERNEL = (
    DECLARED
    + """
; out = x + y, then twice that
define void @mlc.k(ptr %x, ptr %y, ptr %out, i64 %n, ptr %ws, ptr %context) {
  %vx = alloca ptr
  %vy = alloca ptr
  %vo = alloca ptr
  %vn = alloca i64
  store ptr %x, ptr %vx
  store ptr %y, ptr %vy
  store ptr %out, ptr %vo
  store i64 %n, ptr %vn
  %params = alloca [4 x ptr]
  %p1 = getelementptr ptr, ptr %params, i64 1
  %p2 = getelementptr ptr, ptr %params, i64 2
  %p3 = getelementptr ptr, ptr %params, i64 3
  store ptr %vx, ptr %params
  store ptr %vy, ptr %p1
  store ptr %vo, ptr %p2
  store ptr %vn, ptr %p3
  %up = add i64 %n, 255
  %grid = sdiv i64 %up, 256
  %f0 = load ptr, ptr @mlc.k.launch0
  call void @mlc_gpu_launch(ptr %context, ptr %f0, i64 %grid, i64 256, i64 SHARED, ptr %params)
  %f1 = load ptr, ptr @mlc.k.launch1
  call void @mlc_gpu_launch(ptr %context, ptr %f1, i64 %grid, i64 256, i64 0, ptr %p2)
  ret void
}
"""
)


def entry(body: str, buffers: int = 4) -> str:
    """The text of mlc_entry with %b0, %b1, ... loaded."""
    loads = "".join(
        f"  %a{k} = getelementptr ptr, ptr %buffers, i64 {k}\n  %b{k} = load ptr, ptr %a{k}\n" for k in range(buffers)
    )
    head = "define i32 @mlc_entry(ptr %buffers, ptr %sizes, ptr %arena, ptr %context) {\n"
    return f"declare void @mlc.k(ptr, ptr, ptr, i64, ptr, ptr)\n{head}{loads}{body}}}\n"


def built(
    body: str,
    program: Program,
    constants=(),
    extra: str = "",
    shared: int = 0,
    ptx: str = PTX,
    buffers=None,
    device=None,
) -> CudaExecutable:
    n = len(program.arguments) + len(program.constants) + len(program.slots)
    texts = [KERNEL.replace("SHARED", str(shared)), entry(body, n if buffers is None else buffers) + extra]
    objects = [*(jit.stored_object(t) for t in texts), ptx.encode()]
    return CudaExecutable(program, objects, constants, device=device)


IMAGE = Image("k", ["add", "scale", "last"], [0, 0, 0], "sm_80")


def program(n=1000, **given) -> Program:
    fields = {
        "name": "main",
        "arguments": [Argument("x", "f32", [n]), Argument("y", "f32", [n])],
        "slots": [Slot(4 * n)],
        "results": [Result("f32", [n], "slot", 0)],
        "images": [IMAGE],
    }
    return Program(**{**fields, **given})


BODY = "  call void @mlc.k(ptr %b0, ptr %b1, ptr %b2, i64 1000, ptr %arena, ptr %context)\n  ret i32 0\n"


@pytest.fixture
def fake(tmp_path, monkeypatch):
    monkeypatch.setenv("MLC_POISON", "0")
    library = FakeDriver(KERNELS)
    with driver.replaced(library):
        yield library
    assert not library.kept or not [e for e in library.kept if isinstance(e, Exception)]


def arrays(n=1000):
    rng = np.random.default_rng(0)
    return rng.normal(size=n).astype(np.float32), rng.normal(size=n).astype(np.float32)


# ---- calls
def test_arrays_of_the_host_go_in_and_come_out(fake):
    exe, (x, y) = built(BODY, program()), arrays()
    for _ in range(4):
        out = exe(x, y)
        assert type(out) is np.ndarray and (out == (x + y) * 2).all()
        x = x + 1
    assert [name for name, *_ in fake.launched] == ["add", "scale"] * 4


def test_arrays_on_the_device_stay_there_and_nobody_waits(fake):
    exe, (x, y) = built(BODY, program()), arrays()
    dx, dy = to_device(x), to_device(y)
    for _ in range(5):
        waits = fake.calls["cuStreamSynchronize"]
        out = exe(dx, dy)
        assert type(out) is DeviceArray and out.shape == (1000,) and out.dtype == np.float32
        assert fake.calls["cuStreamSynchronize"] == waits and fake.queue
        assert (out.numpy() == (x + y) * 2).all()
        assert (np.asarray(dx) == x).all()


def test_one_array_on_the_device_makes_the_result_one(fake):
    exe, (x, y) = built(BODY, program()), arrays()
    dx = to_device(x)
    kept = [exe(dx, y + k) for k in range(3)]
    for k, out in enumerate(kept):
        assert type(out) is DeviceArray and np.array_equal(out, (x + (y + k)) * 2)


def test_results_are_apart(fake):
    """Memory is used again only when nobody has it."""
    exe, (x, y) = built(BODY, program()), arrays()
    dx, dy = to_device(x), to_device(y)
    first, second = exe(dx, dy), exe(dx, dx)
    third = exe(first, dy)
    assert len({first.address, second.address, third.address, dx.address, dy.address}) == 5
    assert np.array_equal(first, (x + y) * 2) and np.array_equal(second, x * 4)
    assert np.array_equal(third, ((x + y) * 2 + y) * 2)
    used, gone = exe.device.pool.used, first.address
    del first
    fourth = exe(dx, dy)
    assert fourth.address == gone and exe.device.pool.used == used
    assert np.array_equal(fourth, (x + y) * 2)


def test_nothing_is_loaded_before_the_first_call(fake):
    exe = built(BODY, program())
    assert not fake.calls["cuLinkCreate_v2"] and not exe.modules and "add" in exe.ptx()["k"]
    exe(*arrays())
    exe(*arrays())
    assert fake.calls["cuModuleLoadData"] == 1 and len(exe.modules) == 1


def test_the_machine_code_is_kept_on_disk(fake, tmp_path, monkeypatch):
    monkeypatch.setenv("MLC_CACHE", "1")
    monkeypatch.setenv("MLC_CACHE_DIR", str(tmp_path / "cache"))
    for _ in range(2):
        built(BODY, program())(*arrays())
    assert fake.calls["cuLinkComplete"] == 1 and fake.calls["cuModuleLoadData"] == 2
    fake.version = 13010
    with driver.replaced(fake):
        built(BODY, program())(*arrays())
    assert fake.calls["cuLinkComplete"] == 2


def test_a_lone_number_and_what_numpy_reads_are_arguments(fake):
    body = "  call void @mlc.k(ptr %b0, ptr %b1, ptr %b2, i64 1, ptr %arena, ptr %context)\n  ret i32 0\n"
    p = program(
        arguments=[Argument("x", "f32", []), Argument("y", "f32", [])],
        slots=[Slot(4)],
        results=[Result("f32", [], "slot", 0)],
    )
    exe = built(body, p)
    assert exe(1.5, np.float32(2)) == 7 and exe(1, np.array(2, ">f4")) == 6
    assert float(exe(to_device(np.float32(1)), 2)) == 6


def test_symbols_and_sizes(fake):
    body = """
  %n.at = getelementptr i64, ptr %sizes, i64 0
  %n = load i64, ptr %n.at
  call void @mlc.k(ptr %b0, ptr %b1, ptr %b2, i64 %n, ptr %arena, ptr %context)
  ret i32 0
"""
    size = [[1, ["n"]]]
    p = program(
        arguments=[Argument("x", "f32", [size]), Argument("y", "f32", [size])],
        slots=[Slot([[4, ["n"]]])],
        results=[Result("f32", [size], "slot", 0)],
        symbols=["n"],
    )
    exe = built(body, p)
    for k, n in enumerate((5, 0, 5, 5, 700, 600, 600, 600, 700, 600)):
        x, y = (a + k for a in arrays(n))
        assert (exe(x, y) == (x + y) * 2).all()
        assert np.array_equal(exe(to_device(x), to_device(y)), (x + y) * 2)
    with pytest.raises(CompileError, match=r"main: argument 1 \(%y\): expected shape \[n\], found \[6\]"):
        exe(np.ones(5, np.float32), np.ones(6, np.float32))


def test_strides_are_what_the_program_declares(fake):
    """A copy where the array has others; run-time strides are told."""
    body = """
  %s.at = getelementptr i64, ptr %sizes, i64 0
  %s = load i64, ptr %s.at
  %ok = icmp eq i64 %s, 2
  br i1 %ok, label %go, label %stop
stop:
  ret i32 99
go:
  call void @mlc.k(ptr %b0, ptr %b1, ptr %b2, i64 6, ptr %arena, ptr %context)
  ret i32 0
"""
    p = program(
        arguments=[Argument("x", "f32", [2, 3], [1, 2]), Argument("y", "f32", [6], [None])],
        slots=[Slot(24)],
        results=[Result("f32", [2, 3], "slot", 0, 0, [1, 2])],
    )
    exe = built(body, p)
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    y = np.arange(12, dtype=np.float32)[::2]
    # the kernel reads y's first six elements in memory, whatever the strides
    wanted = (x + np.arange(6, dtype=np.float32).reshape(3, 2).T) * 2
    for given, copies in ((np.asfortranarray(x), 0), (x, 1), (to_device(np.asfortranarray(x)), 1), (to_device(x), 2)):
        out = exe(given, y)
        assert np.array_equal(out, wanted) and exe.copies == copies
    assert out.strides == (4, 8)


def test_constants_are_copied_once(fake):
    p = program(arguments=[Argument("x", "f32", [1000])], constants=[Constant("f32", 1000)])
    x, y = arrays()
    exe = built(BODY, p, [y.tobytes()])
    for _ in range(3):
        assert (exe(x) == (x + y) * 2).all()
    assert fake.calls["cuMemcpyHtoDAsync_v2"] == 1 + 3
    assert np.array_equal(exe(to_device(x)), (x + y) * 2)


def test_views_of_what_the_program_has(fake):
    """An argument, a constant, a part of the arena and a slot twice are results of their own."""
    results = [
        Result("f32", [10, 100], "argument", 0),
        Result("f32", [3], "constant", 0, 5, [2]),
        Result("f32", [1000], "arena", 0, 64),
        Result("f32", [4, 2], "slot", 0, 0, [0, 1]),
        Result("f32", [1000], "slot", 0),
        Result("f32", [1000], "slot", 0),
        Result("f32", [1000], "argument", 0),
    ]
    p = program(
        arguments=[Argument("x", "f32", [1000])],
        constants=[Constant("f32", 1000)],
        results=results,
        arena=4 * 1064,
    )
    body = """
  %c = getelementptr i8, ptr %arena, i64 256
  call void @mlc.k(ptr %b0, ptr %b1, ptr %b2, i64 1000, ptr %arena, ptr %context)
  call void @mlc_gpu_copy(ptr %context, ptr %c, ptr %b2, i64 4000)
  ret i32 0
"""
    x, y = arrays()
    exe = built(f"{body}", p, [y.tobytes()], extra="declare void @mlc_gpu_copy(ptr, ptr, ptr, i64)\n")
    z = (x + y) * 2
    wanted = [x.reshape(10, 100), y[5:11:2], z, np.broadcast_to(z[:2], (4, 2)), z, z, x]
    dx = to_device(x)
    for _ in range(3):
        for given in (x, dx):
            got = exe(given)
            assert all(np.array_equal(g, w) for g, w in zip(got, wanted))
            assert all(type(g) is type(x if given is x else dx) for g in got)
    addresses = {g.address for g in got}
    assert len(addresses) == 7 and dx.address not in addresses
    assert got[3].steps == (2, 1)  # no element twice in one place
    host = exe(x)
    assert not any(np.shares_memory(a, x) for a in host)
    assert not any(np.shares_memory(a, b) for i, a in enumerate(host) for b in host[:i])


def test_a_program_without_arguments_gives_arrays_of_the_host(fake):
    x, y = arrays()
    constants = [Constant("f32", 1000), Constant("f32", 1000)]
    exe = built(BODY, program(arguments=[], constants=constants), [x.tobytes(), y.tobytes()])
    for _ in range(4):
        out = exe()
        assert type(out) is np.ndarray and np.array_equal(out, (x + y) * 2)
    step = exe.bind()
    for _ in range(3):
        assert type(step()) is DeviceArray and np.array_equal(step(), (x + y) * 2)


def test_arrays_are_compared_again_by_another_program(fake):
    """What one program found of an array is of that program."""
    x, y = arrays()
    dx, dy = to_device(x), to_device(y)
    one, other = built(BODY, program()), built(BODY, program(arguments=[Argument("x", "i32", [1000])] * 2))
    for _ in range(3):
        assert np.array_equal(one(dx, dy), (x + y) * 2)
        with pytest.raises(CompileError, match="expected int32, found float32 on the device"):
            other(dx, dy)
        with pytest.raises(CompileError, match=r"expected 2 arguments .*, found 1"):
            one(dx)
    ints = to_device(x.view(np.int32)), to_device(y.view(np.int32))
    for _ in range(3):
        other(*ints)
        with pytest.raises(CompileError, match="expected int32, found float32 on the device"):
            other(dx, ints[0])


# ---- donated arguments, and the caller's memory
DONATES = {
    "arguments": [Argument("x", "f32", [1000], donated=True), Argument("y", "f32", [1000])],
    "slots": [],
    "results": [Result("f32", [1000], "argument", 0)],
}
DONATING = "  call void @mlc.k(ptr %b0, ptr %b1, ptr %b0, i64 1000, ptr %arena, ptr %context)\n  ret i32 0\n"


def test_donated_arrays_are_returned(fake):
    exe, (x, y) = built(DONATING, program(**DONATES)), arrays()
    wanted = (x + y) * 2
    mine = x.copy()
    assert exe(mine, y) is mine and (mine == wanted).all()
    dx, dy = to_device(x), to_device(y)
    assert exe(dx, dy) is dx and np.array_equal(dx, wanted)


def test_a_donated_array_that_others_see_is_copied(fake):
    exe, (x, y) = built(DONATING, program(**DONATES)), arrays()
    dx = to_device(x)
    out = exe(dx, dx)
    assert out is not dx and exe.copies == 1
    assert np.array_equal(out, x * 4) and np.array_equal(dx, x)
    frozen = DeviceArray(dx.device, dx.address, dx.shape, dx.steps, dx.dtype, dx.owner, read_only=True)
    assert np.array_equal(exe(frozen, to_device(y)), (x + y) * 2) and np.array_equal(dx, x)
    x.flags.writeable = False
    assert (exe(x, y) == (x + y) * 2).all()


def test_a_donated_array_of_the_host_beside_one_on_the_device(fake):
    """The result keeps its memory in later calls."""
    exe, (x, y) = built(DONATING, program(**DONATES)), arrays()
    dy = to_device(y)
    first = exe(x, dy)
    second = exe(x + 1, dy)
    assert np.array_equal(first, (x + y) * 2) and np.array_equal(second, (x + 1 + y) * 2)


def test_out(fake):
    exe, (x, y) = built(BODY, program()), arrays()
    wanted = (x + y) * 2
    dx, dy = to_device(x), to_device(y)
    for a, b in ((x, y), (dx, dy), (dx, y)):
        host, there, sliced = np.zeros(1000, np.float32), to_device(np.zeros(1000, np.float32)), np.zeros((1000, 2))
        sliced = sliced.astype(np.float32)[:, 0]
        assert exe(a, b, out=host) is host and (host == wanted).all()
        assert exe(a, b, out=there) is there and np.array_equal(there, wanted)
        assert exe(a, b, out=sliced) is sliced and (sliced == wanted).all()
    mine = to_device(x)
    copies = fake.calls["cuMemcpyDtoDAsync_v2"]
    assert exe(mine, dy, out=mine) is mine and np.array_equal(mine, wanted)
    assert fake.calls["cuMemcpyDtoDAsync_v2"] == copies + 1  # not written before it is read
    for wrong, message in (
        (to_device(np.zeros(999, np.float32)), r"out\[0\]: expected float32\[1000\], found float32\[999\]"),
        (to_device(np.zeros(1000)), r"out\[0\]: expected float32\[1000\], found float64\[1000\]"),
        (np.zeros(1000), r"out\[0\]: expected float32\[1000\]"),
        ((there, there), "out: expected 1 arrays, found 2"),
    ):
        with pytest.raises(CompileError, match=message):
            exe(dx, dy, out=wrong)


def test_wrong_arguments(fake):
    exe, (x, y) = built(BODY, program()), arrays()
    for given, message in (
        ((x,), "expected 2 arguments"),
        ((x, y.astype(np.float64)), r"argument 1 \(%y\): expected float32, found float64"),
        ((x, to_device(y.astype(np.float64))), r"argument 1 \(%y\): expected float32, found float64 on the device"),
        ((to_device(x), to_device(y[:9])), r"argument 1 \(%y\): expected shape \[1000\], found \[9\]"),
        ((to_device(x), object()), r"argument 1 \(%y\): expected"),
    ):
        for _ in range(2):
            with pytest.raises(CompileError, match=message):
                exe(*given)
    assert (exe(x, y) == (x + y) * 2).all()


def test_arrays_are_brought_to_the_alignment_that_is_asked_for(fake):
    p = program(arguments=[Argument("x", "f32", [1000], aligned=True), Argument("y", "f32", [1000])])
    exe, (x, y) = built(BODY, p), arrays()
    whole = to_device(np.concatenate([x[:1], x]))
    part = DeviceArray(whole.device, whole.address + 4, (1000,), (1,), whole.dtype, whole.owner)
    assert np.array_equal(exe(part, to_device(y)), (x + y) * 2) and exe.copies == 1
    assert np.array_equal(exe(to_device(y), part), (x + y) * 2) and exe.copies == 1
    assert np.array_equal(exe(part, part), x * 4) and exe.copies == 2


# ---- graphs
def test_a_program_is_recorded_at_its_second_call(fake):
    exe, (x, y) = built(BODY, program()), arrays()
    launches = []
    for _ in range(5):
        assert (exe(x, y) == (x + y) * 2).all()
        launches.append(fake.calls["cuLaunchKernel"])
    assert launches == [2, 4, 4, 4, 4] and fake.calls["cuGraphLaunch"] == 4
    assert len(fake.launched) == 10


def test_graphs_depend_on_addresses_and_sizes(fake):
    exe, (x, y) = built(BODY, program()), arrays()
    dx, dy = to_device(x), to_device(y)
    for _ in range(4):
        assert np.array_equal(exe(dx, dy), (x + y) * 2)
        assert np.array_equal(exe(dy, dy), y * 4)
    assert fake.calls["cuGraphInstantiateWithFlags"] == exe.graphs.recorded == 2
    assert fake.calls["cuGraphDestroy"] == 2
    others = [to_device(x + k) for k in range(graphs.MOST + 1)]
    for _ in range(2):
        for k, other in enumerate(others):
            assert np.array_equal(exe(other, dy), (x + k + y) * 2)
    assert exe.graphs.recorded == 2 and len(exe.graphs.known) == graphs.MOST  # each was forgotten in between
    gc.collect()
    exe(x, y)
    assert fake.calls["cuGraphExecDestroy"] == 2


def test_graphs_can_be_turned_off(fake, monkeypatch):
    monkeypatch.setenv("MLC_CUDA_GRAPHS", "0")
    exe = built(BODY, program())
    for _ in range(4):
        exe(*arrays())
    assert fake.calls["cuLaunchKernel"] == 8 and not fake.calls["cuGraphLaunch"]


@pytest.mark.parametrize(
    "function", ["cuStreamBeginCapture_v2", "cuLaunchKernel", "cuGraphInstantiateWithFlags", "cuStreamEndCapture"]
)
def test_what_cannot_be_recorded_runs_all_the_same(fake, function):
    exe, (x, y) = built(BODY, program()), arrays()
    exe(x, y)
    fake.fail[function] = 900
    for _ in range(3):
        assert (exe(x, y) == (x + y) * 2).all()
    assert not fake.calls["cuGraphLaunch"] and exe.graphs.recorded == 0


READING = """
  %place = alloca float
  call void @mlc.k(ptr %b0, ptr %b1, ptr %b2, i64 1000, ptr %arena, ptr %context)
  call void @mlc_gpu_read(ptr %context, ptr %place, ptr %b2, i64 4)
  %first = load float, ptr %place
  %small = fcmp olt float %first, 100.0
  br i1 %small, label %again, label %done
again:
  %w = call ptr @mlc_gpu_alloc(ptr %context, i64 4000)
  call void @mlc_gpu_copy(ptr %context, ptr %w, ptr %b2, i64 4000)
  call void @mlc.k(ptr %w, ptr %b1, ptr %b2, i64 1000, ptr %arena, ptr %context)
  call void @mlc_gpu_free(ptr %context, ptr %w)
  br label %done
done:
  ret i32 0
"""
SERVICES = DECLARED.split("@mlc.k")[0]


def test_programs_that_read_and_allocate(fake):
    """They are not recorded, and wait where they must."""
    exe, (x, y) = built(READING, program(), extra=SERVICES), arrays()
    for k in range(4):
        a = x + 60 * (k % 2)
        z = (a + y) * 2
        wanted = z if z[0] >= 100 else (z + y) * 2
        assert (exe(a, y) == wanted).all() and np.array_equal(exe(to_device(a), y), wanted)
    assert not fake.calls["cuStreamBeginCapture_v2"] and not [
        a for a in fake.memory if fake.memory[a].nbytes == 4000 + 256
    ]
    assert fake.calls["cuMemAllocAsync"] == fake.calls["cuMemFreeAsync"] == 4


# ---- bound to memory
def test_a_bound_program_is_one_launch(fake):
    exe, (x, y) = built(BODY, program()), arrays()
    dx, dy = to_device(x), to_device(y)
    step = exe.bind(dx, dy)
    assert fake.enqueued == 2 and not fake.calls["cuLaunchKernel"]  # the copies of the arguments
    first = step()
    for k in range(4):
        before = Counter(fake.calls)
        assert step() is first and np.array_equal(first, (x + y) * 2)
        if k:
            asked = fake.calls - before
            assert asked["cuGraphLaunch"] == 1 and not asked["cuLaunchKernel"] and not asked["cuEventRecord"]
        x = x + 1
        exe.device.copy_in(dx.address, x.ctypes.data, x.nbytes)  # what it holds when it is called is read
        exe.wait()
    assert fake.calls["cuGraphInstantiateWithFlags"] == 1 and fake.calls["cuLaunchKernel"] == 4
    assert exe(dx, dy).address != first.address
    exe.device.pool.collect()
    used = exe.device.pool.used
    del dx, dy
    exe.device.pool.collect()
    assert exe.device.pool.used == used and np.array_equal(step(), (x + y) * 2)  # it keeps its arguments
    del step, first
    exe.device.pool.collect()
    assert exe.device.pool.used < used
    with exe.device:
        assert fake.calls["cuGraphExecDestroy"] == 1


def test_a_bound_program_writes_where_it_is_told(fake):
    exe, (x, y) = built(BODY, program()), arrays()
    dx, dy, out = to_device(x), to_device(y), to_device(np.zeros(1000, np.float32))
    step = exe.bind(dx, dy, out=out)
    for _ in range(3):
        assert step() is out and np.array_equal(out, (x + y) * 2)
    again = exe.bind(dx, out, out=dx)  # over an argument: through other memory
    assert again() is dx and np.array_equal(dx, (x + (x + y) * 2) * 2)


def test_what_cannot_be_bound(fake):
    exe, (x, y) = built(BODY, program()), arrays()
    dx = to_device(x)
    with pytest.raises(CompileError, match=r"bind: .*argument 1 \(%y\): expected an array on the device, found one of"):
        exe.bind(dx, y)
    with pytest.raises(CompileError, match=r"out\[0\]: expected an array on the device, found one of the host"):
        exe.bind(dx, dx, out=np.zeros(1000, np.float32))
    with pytest.raises(CompileError, match=r"expected 2 arguments .*, found 1"):
        exe.bind(dx)
    turned = to_device(np.ones((10, 100), np.float32))
    other = built(BODY, program(arguments=[Argument("x", "f32", [100, 10])] * 2))
    with pytest.raises(CompileError, match="in the order and alignment of the program, found one that is copied"):
        part = DeviceArray(turned.device, turned.address, (100, 10), (1, 100), turned.dtype, turned.owner)
        other.bind(part, part)
    assert other.copies == 0


def test_a_donated_argument_is_written_in_each_bound_call(fake):
    body = "  call void @mlc.k(ptr %b0, ptr %b1, ptr %b0, i64 1000, ptr %arena, ptr %context)\n  ret i32 0\n"
    given = [Argument("x", "f32", [1000], donated=True), Argument("y", "f32", [1000])]
    exe = built(body, program(arguments=given, slots=[], results=[Result("f32", [1000], "argument", 0)]))
    x, y = arrays()
    dx, dy, want = to_device(x), to_device(y), x
    step = exe.bind(dx, dy)
    for _ in range(4):
        want = (want + y) * 2
        assert step() is dx and np.array_equal(dx, want)
    assert fake.calls["cuGraphLaunch"] == 3
    with pytest.raises(CompileError, match="writable and apart from the others"):
        exe.bind(dx, dx)


@pytest.mark.parametrize("name, value", [("MLC_CUDA_GRAPHS", "0"), ("MLC_CUDA_SYNC", "1"), ("MLC_POISON", "1")])
def test_bound_programs_without_graphs(fake, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    exe, (x, y) = built(BODY, program()), arrays()
    step = exe.bind(to_device(x), to_device(y))
    first = step()
    for _ in range(3):
        assert step() is first and np.array_equal(first, (x + y) * 2)
    poisoned = name == "MLC_POISON"
    assert fake.calls["cuMemsetD8Async"] == 4 * poisoned and fake.calls["cuGraphLaunch"] == 3 * poisoned


def test_a_bound_program_says_what_fails(fake):
    exe, (x, y) = built(BODY, program()), arrays()
    step = exe.bind(to_device(x), to_device(y))
    for _ in range(3):
        step()
    fake.fail["cuGraphLaunch"] = 700
    with pytest.raises(DriverError, match=r"outside of its memory.*cuGraphLaunch"):
        step()
    assert np.array_equal(step(), (x + y) * 2)


# ---- errors
def test_a_launch_that_fails_names_the_kernel(fake):
    exe, (x, y) = built(BODY, program()), arrays()
    for code in (1, 701):
        fake.fail["cuLaunchKernel"] = code
        with pytest.raises(
            DriverError, match=r"main: kernel k, 4 blocks of 256 threads with 0 bytes.*shared memory"
        ) as e:
            exe(x, y)
        assert e.value.code == code
    assert fake.calls["cuLaunchKernel"] == 2  # nothing was launched after the first
    assert (exe(x, y) == (x + y) * 2).all()


def test_the_first_error_counts(fake):
    body = "  %w = call ptr @mlc_gpu_alloc(ptr %context, i64 4000)\n" + BODY.replace(
        "  ret", "  call void @mlc_gpu_free(ptr %context, ptr %w)\n  ret"
    )
    exe = built(body, program(), extra=SERVICES)
    fake.fail.update({"cuLaunchKernel": 701, "cuMemFreeAsync": 1})
    with pytest.raises(DriverError, match="kernel k") as e:
        exe(*arrays())
    assert e.value.code == 701 and not fake.fail


def test_launches_that_no_grid_can_hold(fake):
    for n, text in (((1 << 31) * 256, "2147483648 blocks"), (0, None), (-5, None)):
        body = f"  call void @mlc.k(ptr %b0, ptr %b1, ptr %b2, i64 {n}, ptr %arena, ptr %context)\n  ret i32 0\n"
        exe = built(body, program())
        if text is None:
            exe(*arrays())
        else:
            with pytest.raises(DriverError, match=text):
                exe(*arrays())
    assert not fake.launched and not fake.calls["cuLaunchKernel"]


def test_a_kernel_that_stops_later(fake, monkeypatch):
    exe = built(BODY, program())
    exe(*arrays())
    fake.broken = 700
    with pytest.raises(DriverError, match=r"outside of its memory; no more work.*MLC_CUDA_SYNC=1"):
        exe(*arrays())
    monkeypatch.setenv("MLC_CUDA_SYNC", "1")
    exe = built(BODY, program())
    fake.broken = 716
    with pytest.raises(DriverError, match=r"not aligned.*main: kernel k, 4 blocks"):
        exe(*arrays())


def test_reads_after_an_error_are_zero(fake):
    """So that a loop that waits for a value ends; the error is what the caller sees, not a check of the zeros."""
    body = """
  br label %loop
loop:
  %place = alloca i64
  store i64 1, ptr %place
  call void @mlc_gpu_read(ptr %context, ptr %place, ptr %b0, i64 8)
  %v = load i64, ptr %place
  %go = icmp ne i64 %v, 0
  br i1 %go, label %loop, label %done
done:
  ret i32 1
"""
    p = program(effects=[Effect("check", "never")])
    exe = built(body, p, extra=SERVICES)
    fake.fail["cuMemcpyDtoHAsync_v2"] = 1
    with pytest.raises(DriverError, match="main"):
        exe(*arrays())


def test_no_memory_for_an_array(fake):
    taken = to_device(np.zeros(1 << 20, np.uint8))
    with pytest.raises(DeviceMemoryError, match=r"expected 80000000 bytes of memory on device 0, found \d+ free") as e:
        to_device(np.zeros(10_000_000))
    assert isinstance(e.value, MemoryError) and isinstance(e.value, CompileError)
    assert "arrays and programs of this process use 1048576 bytes" in str(e.value)
    assert taken.numpy().sum() == 0


def test_memory_of_the_lists_goes_first(fake):
    big = to_device(np.zeros(40 << 20, np.uint8))
    del big
    assert to_device(np.ones(30 << 20, np.uint8)).nbytes == 30 << 20
    assert fake.calls["cuMemFree_v2"] == 1


def test_the_arena_goes_where_memory_is_short(fake):
    p = program(arena=40 << 20)
    exe, (x, y) = built(BODY, p), arrays()
    assert (exe(x, y) == (x + y) * 2).all() and exe.device.arena is not None
    assert to_device(np.ones(30 << 20, np.uint8)).nbytes == 30 << 20 and exe.device.arena is None
    gc.collect()
    assert (exe(x, y) == (x + y) * 2).all()


def test_no_memory_in_a_program(fake):
    body = "  %w = call ptr @mlc_gpu_alloc(ptr %context, i64 999999999)\n  ret i32 0\n"
    exe = built(body, program(), extra=SERVICES)
    with pytest.raises(
        DeviceMemoryError, match=r"main: expected 999999999 bytes of memory on device 0, found \d+ free"
    ):
        exe(*arrays())


def test_the_pool_is_bounded(fake, monkeypatch):
    monkeypatch.setenv("MLC_POOL_SIZE", "1")
    held = [to_device(np.zeros(300_000, np.uint8)) for _ in range(8)]
    device = held[0].device
    del held
    to_device(np.zeros(10, np.uint8))
    assert 0 < device.pool.held <= 1 << 20 and fake.used <= 1 << 21
    device.pool.clear()
    assert device.pool.held == 0


def test_no_driver(monkeypatch):
    monkeypatch.setattr(driver, "LIBRARY", "libcuda_that_is_not_there.so.1")
    monkeypatch.setattr(driver, "_loaded", [])
    with pytest.raises(CompileError, match="expected NVIDIA's driver, found no libcuda_that_is_not_there"):
        built(BODY, program())(*arrays())
    assert "found no libcuda" in (devices.available() or "")


@pytest.mark.parametrize(
    "options, message",
    [
        ({"devices": 0}, "expected an NVIDIA GPU, found none"),
        ({"version": 11000}, "expected a driver for CUDA 11.4 or later, found one for CUDA 11.0"),
        ({"capability": (7, 5)}, "k: expected a GPU that runs sm_80, found Fake GPU, sm_75, as device 0"),
        ({"newest_ptx": 7.8}, "the driver, for CUDA 13.0, is too old for PTX 8.0 of k; update"),
    ],
)
def test_machines_that_cannot_run_it(options, message, monkeypatch, tmp_path):
    monkeypatch.setenv("MLC_CACHE_DIR", str(tmp_path))
    with pytest.raises(CompileError, match=message), driver.replaced(FakeDriver(KERNELS, **options)):
        built(BODY, program())(*arrays())


def test_ptx_that_the_driver_refuses(fake, tmp_path, monkeypatch):
    monkeypatch.setenv("MLC_CACHE_DIR", str(tmp_path))
    with pytest.raises(DriverError, match="k: the driver refuses its PTX: line 1: no version"):
        built(BODY, program(), ptx="nonsense")(*arrays())


@pytest.mark.parametrize(
    "code, sm, can",
    [
        ("sm_80", "sm_90a", True),
        ("sm_90a", "sm_90a", True),
        ("sm_90a", "sm_100a", False),
        ("sm_90", "sm_80", False),
        ("sm_100f", "sm_103a", True),
        ("sm_100f", "sm_120a", False),
    ],
)
def test_which_code_runs_where(code, sm, can):
    assert devices.runs(code, sm) is can


def test_shared_memory_beyond_48_KiB_is_asked_for(fake):
    image = Image("k", ["add", "scale", "last"], [100 << 10, 48 << 10, 0], "sm_80")
    exe = built(BODY, program(images=[image]), shared=100 << 10)
    exe(*arrays())
    assert ("add", 8, 100 << 10) in fake.attributes and {name for name, *_ in fake.attributes} == {"add"}
    assert fake.launched[0] == ("add", 4, 256, 100 << 10)
    image = Image("k", ["add", "scale", "last"], [228 << 10, 0, 0], "sm_80")
    with pytest.raises(CompileError, match=r"k: expected 233472 bytes of shared memory for a block, found 232448"):
        built(BODY, program(images=[image]))(*arrays())


def test_another_device(fake, monkeypatch):
    library = FakeDriver(KERNELS, devices=2)
    with driver.replaced(library):
        x, y = arrays()
        there = to_device(x, 1)
        assert there.device.ordinal == 1
        with pytest.raises(
            CompileError, match=r"argument 0 \(%x\): expected an array on device 0, found one on device 1"
        ):
            built(BODY, program())(there, y)
        exe = built(BODY, program(), device=1)
        assert np.array_equal(exe(there, y), (x + y) * 2)
        assert library.current == [0]  # whose device it was before is as it was
        with pytest.raises(CompileError, match="expected a device from 0 to 1, found 5"):
            to_device(x, 5)
        monkeypatch.setenv("MLC_CUDA_DEVICE", "1")
        assert to_device(x).device.ordinal == 1
        monkeypatch.setenv("MLC_CUDA_DEVICE", "one")
        with pytest.raises(CompileError, match="MLC_CUDA_DEVICE: expected a device's number, found one"):
            to_device(x)


# ---- effects
def test_checks_and_prints(fake, capsys):
    body = """
  %values = alloca [1 x ptr]
  store ptr %b2, ptr %values
  call void @mlc.k(ptr %b0, ptr %b1, ptr %b2, i64 1000, ptr %arena, ptr %context)
  %host.at = getelementptr i8, ptr %context, i64 24
  %host = load ptr, ptr %host.at
  %status = call i32 %host(i32 0, ptr %values, ptr null, ptr %context)
  %place = alloca float
  call void @mlc_gpu_read(ptr %context, ptr %place, ptr %b0, i64 4)
  %first = load float, ptr %place
  %bad = fcmp olt float %first, 0.0
  br i1 %bad, label %stop, label %done
stop:
  ret i32 2
done:
  ret i32 %status
"""
    effects = [
        Effect("print", "z = {}", [{"dtype": "f32", "shape": [2]}]),
        Effect("check", "x is negative", [], ["f.mlir", 3, 1]),
    ]
    exe, (x, y) = built(body, program(effects=effects), extra=SERVICES), np.ones((2, 1000), np.float32)
    for given in (x, to_device(x)):
        assert np.array_equal(exe(given, y), (x + y) * 2)
        assert capsys.readouterr().out == "z = [4. 4.]\n"
    with pytest.raises(CheckError, match="x is negative"):
        exe(-x, y)
    assert (exe(x, y) == 4).all()


def test_a_print_may_call_the_program_itself(fake, monkeypatch):
    """What it calls has buffers of its own."""
    body = """
  %values = alloca [1 x ptr]
  store ptr %b0, ptr %values
  %host.at = getelementptr i8, ptr %context, i64 24
  %host = load ptr, ptr %host.at
  %status = call i32 %host(i32 0, ptr %values, ptr null, ptr %context)
  call void @mlc.k(ptr %b0, ptr %b1, ptr %b2, i64 1000, ptr %arena, ptr %context)
  ret i32 %status
"""
    p = program(effects=[Effect("print", "{}", [{"dtype": "f32", "shape": [1]}])], arena=1024)
    exe, (x, y) = built(body, p), arrays()
    found = []

    class Out:
        def write(self, text):
            if not found:
                found.append(None)
                found.append(exe(x + 1, y))

        def flush(self): ...

    monkeypatch.setattr(sys, "stdout", Out())
    out = exe(x, y)
    assert (out == (x + y) * 2).all() and (found[1] == (x + 1 + y) * 2).all()


def test_a_print_may_call_another_program(fake, monkeypatch):
    """In memory that is not the first one's arena, although all programs have the same."""
    first = """
  %values = alloca [1 x ptr]
  store ptr %b0, ptr %values
  call void @mlc.k(ptr %b0, ptr %b1, ptr %arena, i64 1000, ptr %arena, ptr %context)
  %host.at = getelementptr i8, ptr %context, i64 24
  %host = load ptr, ptr %host.at
  %status = call i32 %host(i32 0, ptr %values, ptr null, ptr %context)
  call void @mlc_gpu_copy(ptr %context, ptr %b2, ptr %arena, i64 4000)
  ret i32 %status
"""
    second = """
  call void @mlc.k(ptr %b0, ptr %b1, ptr %arena, i64 1000, ptr %arena, ptr %context)
  call void @mlc_gpu_copy(ptr %context, ptr %b2, ptr %arena, i64 4000)
  ret i32 0
"""
    copy = "declare void @mlc_gpu_copy(ptr, ptr, ptr, i64)\n"
    effects = [Effect("print", "{}", [{"dtype": "f32", "shape": [1]}])]
    printing = built(first, program(effects=effects, arena=4000), extra=copy)
    other = built(second, program(arena=4000), extra=copy)
    x, y = arrays()
    dx, dy, found = to_device(x), to_device(y), []
    for _ in range(3):
        assert np.array_equal(other(dx, dy), (x + y) * 2)

    class Out:
        def write(self, text):
            found.extend([other(dx, dx), other(x, x)])

        def flush(self): ...

    monkeypatch.setattr(sys, "stdout", Out())
    for given in ((dx, dy), (x, y)):
        assert np.array_equal(printing(*given), (x + y) * 2)
    assert len(found) == 4 and all(np.array_equal(z, x * 4) for z in found)


# ---- stored programs
def test_a_stored_program(fake):
    x, y = arrays()
    p = program(arguments=[Argument("x", "f32", [1000])], constants=[Constant("f32", 1000)])
    data = built(BODY, p, [y.tobytes()]).to_bytes({"a": 1})
    exe, extra = CudaExecutable.from_bytes(data)
    assert extra == {"a": 1} and type(exe) is CudaExecutable and exe.program == p
    assert (exe(x) == (x + y) * 2).all() and exe.to_bytes({"a": 1}) == data


def test_poisoned_memory(fake, monkeypatch):
    """What a program does not write shows."""
    monkeypatch.setenv("MLC_POISON", "1")
    exe = built("  ret i32 0\n", program())
    x, y = arrays()
    assert np.isnan(exe(x, y)).all() and np.isnan(exe(to_device(x), y).numpy()).all()
    assert (built(BODY, program())(x, y) == (x + y) * 2).all()


# ---- threads and processes
def test_threads(fake):
    exe, (x, y) = built(BODY, program()), arrays()
    dx, dy, wrong = to_device(x), to_device(y), []

    def work(k):
        a = x + k
        for _ in range(30):
            if not (exe(a, y) == (a + y) * 2).all() or not np.array_equal(exe(dx, dy), (x + y) * 2):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


@pytest.mark.own_process
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_is_told(fake):
    exe, (x, y) = built(BODY, program()), arrays()
    out = exe(to_device(x), y)
    held, over = threading.Event(), threading.Event()

    def hold():
        with exe.device:
            held.set()
            over.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()

    def child(pipe):
        messages = []
        for f in (lambda: exe(x, y), out.numpy, lambda: to_device(x)):
            try:
                f()
            except CompileError as error:
                messages.append(error.message)
        pipe.send(messages)

    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=child, args=(there,))
    process.start()
    over.set()
    thread.join()
    assert here.poll(20), "the child hangs"
    messages = here.recv()
    process.join(20)
    assert len(messages) == 3 and all("forked after its first use" in m for m in messages)
    assert process.exitcode == 0 and np.array_equal(out, (x + y) * 2)


# ---- arrays of other libraries
class Foreign:
    """Another library's array on the device, which says what it was asked."""

    def __init__(self, array: DeviceArray, versioned=True, ordinal=0):
        self.array, self.versioned, self.ordinal, self.asked = array, versioned, ordinal, []

    def __dlpack_device__(self):
        return 2, self.ordinal

    def __dlpack__(self, **given):
        self.asked.append(given)
        if not self.versioned and "max_version" in given:
            raise TypeError("unexpected max_version")
        a = self.array
        place = dlpack.Place(self.ordinal, a.address, a.shape, a.steps, a.dtype, self)
        return make(place, self.versioned)


@pytest.mark.parametrize("name, value", [("is_neg", lambda self: True), ("requires_grad", True)])
def test_arrays_that_are_not_what_is_stored(fake, name, value):
    lazy = type("Lazy", (Foreign,), {name: value})
    with pytest.raises(BufferError, match=f"expected elements as they are stored, found {name}"):
        imported(lazy(to_device(np.ones(8, np.float32))))


@pytest.mark.parametrize("versioned", [True, False])
def test_arrays_of_other_libraries_are_read_in_place(fake, versioned):
    exe, (x, y) = built(BODY, program()), arrays()
    foreign, dy = Foreign(to_device(x), versioned), to_device(y)
    references = sys.getrefcount(foreign)
    out = exe(foreign, dy)
    assert type(out) is DeviceArray and np.array_equal(out, (x + y) * 2) and exe.copies == 0
    stream = exe.device.stream
    assert foreign.asked == [{"stream": stream, "max_version": (1, 0)}, {"stream": stream}][: 1 if versioned else 2]
    assert sys.getrefcount(foreign) > references  # until the work is known to be done
    exe(Foreign(to_device(x), versioned), dy)
    gc.collect()
    assert sys.getrefcount(foreign) == references
    for _ in range(3):  # the short way
        assert np.array_equal(exe(foreign, Foreign(dy)), (x + y) * 2)
    with exe.device:
        assert sys.getrefcount(foreign) == references and exe.copies == 0
    exe(foreign, dy)
    for _ in range(2):  # the work waits in the queue
        with exe.device:
            assert sys.getrefcount(foreign) > references
    exe.wait()
    with exe.device:
        assert sys.getrefcount(foreign) == references


def test_borrowed_arrays_cost_no_events(fake):
    """Their owner is looked after when the last array goes, not at each call."""
    exe, (x, y) = built(BODY, program()), arrays()
    owner = Foreign(to_device(x))
    references, array = sys.getrefcount(owner), to_device(owner)
    for _ in range(4):
        out = exe(array, to_device(y))
    assert fake.calls["cuEventRecord"] == 0 and sys.getrefcount(owner) > references
    assert np.array_equal(out, (x + y) * 2)
    out = exe(array, to_device(y))
    del array
    with exe.device:
        assert fake.queue and sys.getrefcount(owner) > references
    exe.wait()
    with exe.device:
        assert sys.getrefcount(owner) == references


def test_borrowed_arrays_of_a_context_that_is_lost(fake):
    exe, (x, y) = built(BODY, program()), arrays()
    owner = Foreign(to_device(x))
    references = sys.getrefcount(owner)
    exe(to_device(owner), to_device(y))
    fake.fail["cuEventRecord"] = 700
    for _ in range(2):
        with exe.device:
            assert sys.getrefcount(owner) == references


def test_arrays_of_the_interface(fake):
    exe, (x, y) = built(BODY, program()), arrays()
    other = to_device(x)

    class Foreign:
        __cuda_array_interface__ = {
            "shape": (1000,),
            "typestr": "<f4",
            "data": (other.address, False),
            "strides": (4,),
            "version": 3,
            "stream": 1,
        }

    waits = fake.calls["cuStreamWaitEvent"]
    assert np.array_equal(exe(Foreign(), to_device(y)), (x + y) * 2) and exe.copies == 0
    assert fake.calls["cuStreamWaitEvent"] == waits + 1
    mine = to_device(y).__cuda_array_interface__
    assert mine["typestr"] == "<f4" and mine["strides"] is None and mine["stream"] == exe.device.stream
    assert not hasattr(to_device(y.astype(ml_dtypes.bfloat16)), "__cuda_array_interface__")
    for wrong, message in (
        ({"mask": 1}, "masked"),
        ({"strides": (3,)}, "strides of whole elements"),
        ({"stream": 0}, "found 0"),
        ({"typestr": "<f8"}, "expected float32, found float64 on the device"),
    ):
        Foreign.__cuda_array_interface__ = {**mine, "data": (other.address, False), **wrong}
        with pytest.raises(CompileError, match=rf"argument 0 \(%x\): .*{message}"):
            exe(Foreign(), y)


def test_an_array_of_another_library_on_another_device(fake):
    foreign = Foreign(to_device(np.ones(1000, np.float32)), ordinal=1)
    with pytest.raises(CompileError, match=r"argument 1 \(%y\): expected an array on device 0, found one on device 1"):
        built(BODY, program())(to_device(np.ones(1000, np.float32)), foreign)


NAMES = []
"""Of capsules that were taken; a capsule has but a pointer to its name."""


def consume(capsule):
    """What a library does that takes an array: the structure, and what calls its deleter."""
    import ctypes

    name = dlpack.name_of(capsule)
    address = dlpack.pointer(capsule, name)
    rename = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.c_char_p)(("PyCapsule_SetName", ctypes.pythonapi))
    used = ctypes.create_string_buffer(b"used_" + name)
    rename(capsule, ctypes.cast(used, ctypes.c_char_p))
    made = (dlpack.Versioned if name == dlpack.NAME_VERSIONED else dlpack.Managed).from_address(address)
    NAMES.append(used)
    return made, lambda: ctypes.CFUNCTYPE(None, ctypes.c_void_p)(made.deleter)(address)


@pytest.mark.parametrize("version", [None, (1, 1)])
def test_capsules_keep_their_array(fake, version):
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    array = to_device(np.asfortranarray(x))
    pool = array.device.pool
    used = pool.used
    capsule = array.__dlpack__(max_version=version)
    made, delete = consume(capsule)
    t = made.tensor
    assert (t.data, t.device_type, t.device, t.rank, t.code, t.bits) == (array.address, 2, 0, 2, 2, 32)
    assert dlpack.numbers(t.shape, 2) == (3, 4) and dlpack.numbers(t.strides, 2) == (1, 3)
    del array, capsule
    gc.collect()
    pool.device.pool.collect()
    assert pool.used == used
    delete()
    pool.collect()
    assert pool.used == 0
    dropped = to_device(x)
    capsule = dropped.__dlpack__(max_version=version)
    del dropped, capsule
    pool.collect()
    assert pool.used == 0


def test_bare_capsules_are_arguments(fake):
    exe, (x, y) = built(BODY, program()), arrays()
    dx, dy = to_device(x), to_device(y)
    for version in (None, (1, 0)):
        for _ in range(3):
            assert np.array_equal(exe(dx.__dlpack__(max_version=version), dy), (x + y) * 2)
    assert np.array_equal(exe(x.__dlpack__(), y), (x + y) * 2)
    capsule = dx.__dlpack__()
    _, delete = consume(capsule)
    with pytest.raises(CompileError, match=r"argument 0 \(%x\): expected an array, found PyCapsule"):
        exe(capsule, dy)
    delete()


def test_streams_of_consumers(fake):
    array = to_device(np.ones(8, np.float32))
    waits = fake.calls["cuStreamWaitEvent"]
    array.__dlpack__(stream=-1)
    assert fake.calls["cuStreamWaitEvent"] == waits
    for stream in (None, 1, 2, array.device.recording):
        array.__dlpack__(stream=stream)
    assert fake.calls["cuStreamWaitEvent"] == waits + 4
    with pytest.raises(BufferError, match="found 0"):
        array.__dlpack__(stream=0)


def test_memory_that_was_lent_comes_back_in_order(fake):
    """At once where the other stream can be waited for; else the driver frees it, which waits."""
    device = to_device(np.ones(1)).device
    for stream, frees in ((1, 0), (device.recording, 1)):
        array = to_device(np.ones(1000, np.float32))
        array.__dlpack__(stream=stream)
        address, waits = array.address, fake.calls["cuStreamWaitEvent"]
        del array
        device.pool.collect()
        assert (address not in fake.memory) == bool(frees)
        assert fake.calls["cuStreamWaitEvent"] == waits + 1 - frees


def test_capsules_for_the_host(fake):
    array = to_device(np.arange(5))
    assert np.array_equal(np.from_dlpack(_Host(array)), np.arange(5))
    with pytest.raises(BufferError, match="expected device"):
        array.__dlpack__(dl_device=(2, 3))
    with pytest.raises(BufferError, match="expected device"):
        array.__dlpack__(dl_device=(1, 0), copy=False)
    copied, _ = consume(array.__dlpack__(max_version=(1, 0), copy=True))
    assert copied.flags == dlpack.COPIED and copied.tensor.data != array.address


class _Host:
    def __init__(self, array):
        self.array = array

    def __dlpack_device__(self):
        return 1, 0

    def __dlpack__(self, **given):
        return self.array.__dlpack__(**{**given, "dl_device": (1, 0), "copy": None})


@pytest.mark.parametrize("name", sorted(dlpack.CODES))
def test_element_types_there_and_back(fake, name):
    dtype = np.dtype(name) if hasattr(np, name) or name == "bool" else np.dtype(getattr(ml_dtypes, name))
    x = np.arange(6).reshape(2, 3).astype(dtype)
    array = to_device(x)
    back = imported(Foreign(array))
    assert back.dtype == dtype and (back.numpy() == x).all() and repr(back) == f"DeviceArray({name}[2, 3], device=0)"


def test_orders_of_arrays(fake):
    """Dense arrays keep the order of their axes; others, and views, are copied in rows."""
    x = np.arange(24, dtype=np.int32).reshape(2, 3, 4)
    for given in (x, x.T, x[::-1], x[:, ::2], x[:, :, :1], np.broadcast_to(x[0], (5, 3, 4)), x[:0], x[1, 2, 3], x > 4):
        array = to_device(given)
        assert np.array_equal(array, given) and np.array_equal(array.copy(), given)
        assert array.shape == given.shape and len(array.steps) == given.ndim
    assert to_device(x.T).strides == x.T.strides and to_device(x[::-1]).strides == x[::-1].strides
    assert to_device(to_device(x)) is not None and np.array_equal(to_device(imported(Foreign(to_device(x)))), x)
    assert np.array_equal(to_device([1, 2]), [1, 2]) and to_device(2.5).item() == 2.5 and bool(to_device(True))
    assert int(to_device(3)) == 3 and len(to_device(x)) == 2 and to_device([1, 2]).tolist() == [1, 2]
    for wrong in (np.array(["a"]), np.zeros(2, [("a", "f4")]), np.array([object()])):
        with pytest.raises(CompileError, match="to_device: expected an array of numbers"):
            to_device(wrong)
    with pytest.raises(TypeError):
        len(to_device(1))
    with pytest.raises(ValueError, match="without a copy"):
        np.asarray(to_device(x), copy=False)


def test_large_results_lie_in_pinned_memory(fake):
    x = np.arange(100_000, dtype=np.float32)
    device = to_device(x).device
    for _ in range(3):
        found = to_device(x).numpy()
        assert fake.is_pinned(found.ctypes.data) and (found == x).all()
        del found
    assert len(fake.pinned) == 1
    found = to_device(x).numpy()
    again = to_device(found)  # the device reads it later: the caller may change it
    found[:] = 0
    assert np.array_equal(again, x)
    device.pool.pinned.clear()


def test_a_pinned_argument_may_be_changed_after_the_call(fake):
    exe = built(BODY, program())
    (x, y), device = arrays(), exe.device
    pinned = device.pool.pinned.take(4000)
    mine = np.frombuffer((np.ctypeslib.ctypes.c_float * 1000).from_address(pinned.address), np.float32)
    mine[:] = x
    out = exe(mine, to_device(y))
    mine[:] = 0
    assert np.array_equal(out, (x + y) * 2)


def test_what_a_kernel_takes(fake):
    exe = built(BODY, program())
    exe(*arrays())
    facts = exe.modules[0].facts()
    assert facts[0] == {"entry": "add", "threads": 0, "shared": 10, "local": 30, "registers": 40}
    properties = exe.device.properties
    assert (properties.sm, properties.multiprocessors, properties.name) == ("sm_90a", 132, "Fake GPU")
    assert properties.uuid == "GPU-00010203-0405-0607-0809-0a0b0c0d0e0f"


def test_modules_go_with_their_program(fake):
    exe = built(BODY, program())
    device = exe.device
    del exe
    gc.collect()
    with device:
        assert fake.calls["cuModuleUnload"] == 1


# ---- measurements
def test_timing(fake):
    exe = built(BODY, program())
    dx = to_device(arrays()[0])
    assert timing.per_call(exe.device, lambda: exe(dx, dx), 10) == pytest.approx(1e-4)
    assert timing.interleaved(exe.device, [lambda: exe(dx, dx)] * 2, 10, 3) == [[pytest.approx(1e-4)] * 3] * 2
    timing.clear(exe.device)


class Nvml:
    """NVIDIA's management library."""

    counter = 5000
    status = 0

    def nvmlInit_v2(self):
        return 0

    def nvmlDeviceGetHandleByUUID(self, uuid, to):
        assert uuid.value == b"GPU-00010203-0405-0607-0809-0a0b0c0d0e0f"
        return 0

    def nvmlDeviceGetTotalEnergyConsumption(self, handle, to):
        to._obj.value = self.counter
        return self.status

    def nvmlDeviceGetPowerUsage(self, handle, to):
        to._obj.value = 70_000
        return 0


def test_energy(fake, monkeypatch):
    library = Nvml()
    meter = energy.Meter(devices.current(), library)
    assert meter.joules() == 5 and meter.watts() == 70
    library.counter = 7500
    assert meter.joules() == 7.5
    library.status = 3
    with pytest.raises(CompileError, match="energy: nvmlDeviceGetTotalEnergyConsumption: error 3"):
        energy.Meter(devices.current(), library)
    monkeypatch.setattr(energy, "LIBRARY", "libnvidia_ml_that_is_not_there")
    with pytest.raises(CompileError, match="energy: found no libnvidia_ml"):
        energy.Meter(devices.current())


def test_the_script_for_a_gpu(capsys):
    """Its parts that need none: no use of a GPU begins with a wrong script."""
    script = Path(__file__).parents[1] / "cuda" / "check_runtime.py"
    spec = importlib.util.spec_from_file_location("check_runtime", script)
    assert spec is not None and spec.loader is not None
    check = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(check)
    with driver.replaced(check.fake()):
        for part in (check.the_device, check.calls, check.code):
            check.section(part)
    assert not check.failed and "WRONG" not in capsys.readouterr().out


# ---- functions that are compiled when they are called
@pytest.fixture
def jitted(fake, monkeypatch, tmp_path):
    """Their kernels do nothing here, but count."""
    monkeypatch.setenv("MLC_TARGET", "cuda")
    monkeypatch.setenv("MLC_CACHE_DIR", str(tmp_path))

    class Kernels(dict):
        def __missing__(self, name):
            return "", lambda *_: None

    fake.kernels = Kernels()
    return fake


def test_functions_of_arrays_on_the_device(jitted):
    """No array is copied to the host to ask what it is; what lies elsewhere is another program."""
    f = mlc.jit(lambda x, y: x + y)
    x, y = np.ones((4, 8), np.float32), np.ones((8, 4), np.float32).T
    dx, dy = to_device(x), to_device(y)
    copies = jitted.calls["cuMemcpyDtoHAsync_v2"]
    for given in ((dx, dy), (Foreign(dx), dy), (Foreign(dx), Foreign(dy, False))):
        out = f(*given)
        assert type(out) is DeviceArray and out.shape == (4, 8)
    assert jitted.calls["cuMemcpyDtoHAsync_v2"] == copies and f.cache_info().entries == 1 and f.copies == 0
    assert type(f(x, y)) is np.ndarray and f.cache_info().entries == 1  # the same order of axes
    f(dx, to_device(y.copy()))
    assert f.cache_info().entries == 2
    part = DeviceArray(dx.device, dx.address, (4, 2), (8, 2), dx.dtype, dx.owner)
    assert f(part, part).shape == (4, 2) and f.copies == 2
    tree = mlc.jit(lambda p, k: p["a"] * k)
    assert type(tree({"a": dx}, 2.5)) is DeviceArray
    donating = mlc.jit(lambda x: x * 2, donate=0)
    assert donating(dx) is dx


def test_a_saved_program_for_a_gpu(jitted, tmp_path):
    weights = np.ones((8, 8), np.float32)
    exe = mlc.compile(lambda x, w: x @ w, mlc.spec((4, 8)), target="cuda", arch="sm_80", constants={"w": weights})
    exe.save(tmp_path / "model.mlcx")
    assert not jitted.calls["cuModuleLoadData"]
    again = mlc.load(tmp_path / "model.mlcx")
    assert isinstance(again, CudaExecutable) and again.program == exe.program and again.ptx() == exe.ptx()
    x = np.ones((4, 8), np.float32)
    assert again(x).shape == (4, 8) and type(again(to_device(x))) is DeviceArray
    assert type(mlc.jit(lambda x: -x, target="cuda", arch="sm_80")(to_device(x))) is DeviceArray

"""Calls that are recorded, over a driver that needs no GPU (`cuda_fake`): graphs, and programs bound to memory."""

from __future__ import annotations

import gc
from collections import Counter

import numpy as np
import pytest
from cuda_programs import BODY, SERVICES, arrays, built, program
from mlc.dialects.errors import CompileError
from mlc.runtime.abi import Argument, Result
from mlc.runtime.cuda import graphs
from mlc.runtime.cuda.device_array import DeviceArray, to_device
from mlc.runtime.cuda.driver import DriverError


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

"""Calls of programs for GPUs, over a driver that needs none (`cuda_fake`): arguments, results, donation, `out`."""

from __future__ import annotations

import numpy as np
import pytest
from cuda_programs import BODY, arrays, built, program
from mlc.dialects.errors import CompileError
from mlc.runtime.abi import Argument, Constant, Result, Slot
from mlc.runtime.cuda import driver
from mlc.runtime.cuda.device_array import DeviceArray, to_device


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

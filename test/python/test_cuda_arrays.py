"""Arrays on GPUs, over a driver that needs none (`cuda_fake`): of other libraries, their orders, lent memory."""

from __future__ import annotations

import gc
import sys

import ml_dtypes
import numpy as np
import pytest
from cuda_programs import BODY, Foreign, arrays, built, program
from mlc.dialects.errors import CompileError
from mlc.runtime import dlpack
from mlc.runtime.cuda.device_array import DeviceArray, imported, to_device


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

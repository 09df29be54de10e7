"""What the run time says of what fails on GPUs, over a driver that needs none (`cuda_fake`)."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from cuda_fake import FakeDriver
from cuda_programs import BODY, KERNELS, SERVICES, arrays, built, program
from mlc.dialects.errors import CompileError
from mlc.runtime.abi import Effect, Image
from mlc.runtime.cuda import device as devices
from mlc.runtime.cuda import driver
from mlc.runtime.cuda.device_array import to_device
from mlc.runtime.cuda.driver import DeviceMemoryError, DriverError


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

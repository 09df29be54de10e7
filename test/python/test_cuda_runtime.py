"""Programs on GPUs, over a driver that needs none (`cuda_fake`): effects, stored ones, threads, measurements."""

from __future__ import annotations

import gc
import importlib.util
import multiprocessing
import sys
import threading
from pathlib import Path

import mlc
import numpy as np
import pytest
from cuda_fake import FakeDriver
from cuda_programs import BODY, KERNELS, SERVICES, Foreign, arrays, built, program
from mlc.dialects.errors import CheckError, CompileError
from mlc.runtime.abi import Argument, Constant, Effect
from mlc.runtime.cuda import device as devices
from mlc.runtime.cuda import driver, energy, timing
from mlc.runtime.cuda.device_array import DeviceArray, to_device
from mlc.runtime.cuda.executable import CudaExecutable


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


# ---- stored programs and their code
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


def test_a_thread_may_wait_while_another_records(monkeypatch):
    """What is recorded is one thread's, as the driver's mode says."""
    monkeypatch.setenv("MLC_POISON", "0")
    waited = []

    class Busy(FakeDriver):
        def _cuLaunchKernel(self, *given):
            if self.capturing is not None:
                thread = threading.Thread(target=lambda: waited.append(exe.wait()))
                thread.start()
                thread.join()
            return super()._cuLaunchKernel(*given)

    with driver.replaced(Busy(KERNELS)):
        exe, (x, y) = built(BODY, program()), arrays()
        for _ in range(3):
            assert (exe(x, y) == (x + y) * 2).all()
        assert len(waited) == 2 and exe.graphs.recorded == 1


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

"""The run time on a real GPU, by hand: python test/cuda/check_runtime.py [--fake]

One line for each thing that is checked or measured: what, how much, and `ok`, `WRONG` or why it was left out. `--fake`
runs it over the driver of the tests, which needs no GPU, to check the script itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "python"), str(HERE.parent / "python")]

import numpy as np  # noqa: E402
from mlc.dialects.errors import CompileError  # noqa: E402
from mlc.runtime import jit  # noqa: E402
from mlc.runtime.abi import Argument, Image, Program, Result, Slot  # noqa: E402
from mlc.runtime.cuda import device as devices  # noqa: E402
from mlc.runtime.cuda import driver, modules, timing  # noqa: E402
from mlc.runtime.cuda.device_array import to_device  # noqa: E402
from mlc.runtime.cuda.energy import Meter  # noqa: E402
from mlc.runtime.cuda.executable import CudaExecutable  # noqa: E402

PTX = """\
.version 7.0
.target sm_70
.address_size 64

.visible .entry add(.param .u64 px, .param .u64 py, .param .u64 pout, .param .u64 pn)
{
  .reg .pred %p;
  .reg .b32 %r<5>;
  .reg .b64 %d<12>;
  .reg .f32 %f<4>;
  ld.param.u64 %d1, [px];
  ld.param.u64 %d2, [py];
  ld.param.u64 %d3, [pout];
  ld.param.u64 %d4, [pn];
  mov.u32 %r1, %ctaid.x;
  mov.u32 %r2, %ntid.x;
  mov.u32 %r3, %tid.x;
  mul.wide.u32 %d5, %r1, %r2;
  cvt.u64.u32 %d6, %r3;
  add.u64 %d5, %d5, %d6;
  setp.ge.s64 %p, %d5, %d4;
  @%p bra done;
  shl.b64 %d5, %d5, 2;
  add.u64 %d7, %d1, %d5;
  add.u64 %d8, %d2, %d5;
  add.u64 %d9, %d3, %d5;
  ld.global.f32 %f1, [%d7];
  ld.global.f32 %f2, [%d8];
  add.f32 %f3, %f1, %f2;
  st.global.f32 [%d9], %f3;
done:
  ret;
}
"""

SERVICES = """
declare void @mlc_gpu_launch(ptr, ptr, i64, i64, i64, ptr)
declare ptr @mlc_gpu_alloc(ptr, i64)
declare void @mlc_gpu_free(ptr, ptr)
declare void @mlc_gpu_copy(ptr, ptr, ptr, i64)
declare void @mlc_gpu_read(ptr, ptr, ptr, i64)
"""

KERNEL = (
    SERVICES
    + """
@mlc.add.launch0 = external global ptr

define void @mlc.add(ptr %x, ptr %y, ptr %out, i64 %n, i64 %shared, ptr %context) {
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
  %f0 = load ptr, ptr @mlc.add.launch0
  call void @mlc_gpu_launch(ptr %context, ptr %f0, i64 %grid, i64 256, i64 %shared, ptr %params)
  ret void
}
"""
)


def entry(body: str) -> str:
    loads = "".join(
        f"  %a{k} = getelementptr ptr, ptr %buffers, i64 {k}\n  %b{k} = load ptr, ptr %a{k}\n" for k in range(3)
    )
    head = "define i32 @mlc_entry(ptr %buffers, ptr %sizes, ptr %arena, ptr %context) {\n"
    return f"{SERVICES}declare void @mlc.add(ptr, ptr, ptr, i64, i64, ptr)\n{head}{loads}{body}  ret i32 0\n}}\n"


def call(x: str, y: str, out: str, n: int, shared: int = 0) -> str:
    return f"  call void @mlc.add(ptr {x}, ptr {y}, ptr {out}, i64 {n}, i64 {shared}, ptr %context)\n"


def program(n: int, body: str, ptx: str = PTX, shared: int = 0) -> CudaExecutable:
    described = Program(
        "main",
        [Argument("x", "f32", [n], aligned=True), Argument("y", "f32", [n], aligned=True)],
        [Slot(4 * n, aligned=True)],
        [Result("f32", [n], "slot", 0)],
        images=[Image("add", ["add"], [shared], "sm_70")],
    )
    objects = [jit.stored_object(KERNEL), jit.stored_object(entry(body)), ptx.encode()]
    return CudaExecutable(described, objects)


def chain(n: int, launches: int) -> CudaExecutable:
    """out = x + launches * y"""
    return program(n, call("%b0", "%b1", "%b2", n) + (launches - 1) * call("%b2", "%b1", "%b2", n))


def data(n: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(n)
    return rng.integers(-8, 8, n).astype(np.float32), rng.integers(-8, 8, n).astype(np.float32)


# ---- the table
failed: list[str] = []


def row(what: str, found: Any, verdict: str = "") -> None:
    print(f"{what:46} {found!s:>46} {verdict}", flush=True)


def check(what: str, good: bool, found: Any = "") -> None:
    row(what, found, "ok" if good else "WRONG")
    if not good:
        failed.append(what)


def section(f: Callable[[], None]) -> None:
    print(f"-- {f.__doc__}")
    try:
        f()
    except Exception:
        traceback.print_exc()
        failed.append(f.__name__)


def message(f: Callable[[], Any]) -> str:
    try:
        f()
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return "no error"


def micro(seconds: float) -> str:
    return f"{1e6 * seconds:.2f} us"


# ---- sections
def the_device() -> None:
    """the device"""
    for name, value in vars(devices.current().properties).items():
        row(name, value)


def calls() -> None:
    """calls"""
    for n in (1, 1000, 1 << 16):
        exe, (x, y) = chain(n, 3), data(n)
        dx, dy = to_device(x), to_device(y)
        wanted = x + 3 * y
        good = all(np.array_equal(exe(a, b), wanted) for a, b in ((x, y), (dx, dy), (dx, y), (x, dy)) for _ in range(4))
        check(f"x + 3 y, {n} elements", good, f"{exe.graphs.recorded} graphs")
    row("what a thread of it takes", exe.modules[0].facts()[0])
    wrong: list[int] = []

    def work(k: int) -> None:
        for _ in range(50):
            if not np.array_equal(exe(x + k, y), wanted + k) or not np.array_equal(exe(dx, dy), wanted):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    check("four threads", not wrong)
    n = 1000
    body = "  %w = call ptr @mlc_gpu_alloc(ptr %context, i64 4000)\n" + call("%b0", "%b1", "%w", n)
    body += "  call void @mlc_gpu_copy(ptr %context, ptr %b2, ptr %w, i64 4000)\n  %p = alloca float\n"
    body += "  call void @mlc_gpu_read(ptr %context, ptr %p, ptr %b2, i64 4)\n"
    body += "  call void @mlc_gpu_free(ptr %context, ptr %w)\n"
    exe, (x, y) = program(n, body), data(n)
    check("alloc, copy, read, free", all(np.array_equal(exe(x, y), x + y) for _ in range(5)))


def code() -> None:
    """machine code"""
    device = devices.current()
    before = time.perf_counter()
    made = modules.link(device, PTX.encode(), "add")
    row("PTX -> machine code", f"{len(made.data)} bytes, {1e3 * (time.perf_counter() - before):.2f} ms")
    row("what the linker says", made.log.replace("\n", " ")[-46:] or "nothing")
    modules.cubin_of(device, PTX.encode(), "add")
    before = time.perf_counter()
    modules.Module(device, Image("add", ["add"], [0], "sm_70"), PTX.encode())
    row("load from the cache", f"{1e3 * (time.perf_counter() - before):.2f} ms")


def host_time(device: devices.Device, f: Callable[[], Any], rounds: int = 60, inner: int = 10) -> float:
    """Seconds of the host for a call, the best of several short rows."""
    best = 1.0
    for _ in range(rounds):
        device.synchronize()
        before = time.perf_counter()
        for _ in range(inner):
            f()
        best = min(best, (time.perf_counter() - before) / inner)
    device.synchronize()
    return best


def times() -> None:
    """time of a call: of the host without waiting; of the device; with a wait; NumPy in and out; bound: host, device"""
    for launches in (1, 5, 20):
        for graphs in ("1", "0"):
            os.environ["MLC_CUDA_GRAPHS"] = graphs
            found = ", ".join(map(micro, _times(chain(1024, launches), *data(1024))))
            row(f"{launches} launches, {'graph' if graphs == '1' else 'one by one'}", found)
    os.environ["MLC_CUDA_GRAPHS"] = "1"


def _times(exe: CudaExecutable, x: Any, y: Any) -> list[float]:
    device, dx, dy = exe.device, to_device(x), to_device(y)
    bound = exe.bind(dx, dy)
    for _ in range(4):
        exe(dx, dy)
        bound()
    return [
        host_time(device, lambda: exe(dx, dy)),
        min(timing.per_call(device, lambda: exe(dx, dy), 10) for _ in range(10)),
        host_time(device, lambda: exe(dx, dy).synchronize()),
        host_time(device, lambda: exe(x, y)),
        host_time(device, bound),
        min(timing.per_call(device, bound, 10) for _ in range(10)),
    ]


def copies() -> None:
    """copies: to the device and back, GB/s; ordinary memory and pinned memory of the host"""
    device = devices.current()
    for size in (4 << 10, 64 << 10, 1 << 20, 64 << 20):
        before = time.perf_counter()
        block, pinned = device.pool.take(size), device.pool.pinned.take(size)
        row(f"{size} bytes of each kind of memory", f"{1e3 * (time.perf_counter() - before):.3f} ms")
        ordinary = np.ones(size, np.uint8)
        places = (ordinary.ctypes.data, pinned.address)
        found = [f"{size / _copy(device, out, h, block.address, size) / 1e9:.2f}" for out in (0, 1) for h in places]
        row(f"{size} bytes", "in {}, pinned {}; out {}, pinned {}".format(*found))


def _copy(device: devices.Device, out: int, host: int, at: int, size: int) -> float:
    def once() -> None:
        if out:
            device.copy_out(host, at, size)
        else:
            device.copy_in(at, host, size)
        device.synchronize()

    once()
    return min(_seconds(once) for _ in range(20))


def _seconds(f: Callable[[], Any]) -> float:
    before = time.perf_counter()
    f()
    return time.perf_counter() - before


def others() -> None:
    """arrays of other libraries"""
    n = 1 << 16
    exe, (x, y) = chain(n, 2), data(n)
    wanted = x + 2 * y
    for name, test in (("torch", _torch), ("cupy", _cupy), ("jax", _jax)):
        try:
            test(name, exe, x, y, wanted)
        except ImportError as error:
            row(name, f"left out: {error}")
        except Exception as error:
            traceback.print_exc()
            check(name, False, f"{type(error).__name__}: {error}")


def _torch(name: str, exe: CudaExecutable, x: Any, y: Any, wanted: Any) -> None:
    import torch

    if not torch.cuda.is_available():
        raise ImportError("torch sees no GPU")
    tx, ty = torch.from_numpy(x).cuda(), torch.from_numpy(y).cuda()
    out = exe(tx, ty)
    back = torch.from_dlpack(out)
    check("torch: both ways", np.array_equal(back.cpu().numpy(), wanted), type(out).__name__)
    check(
        "torch: no copy", back.data_ptr() == out.address and to_device(tx).address == tx.data_ptr() and not exe.copies
    )
    row("torch: host time of a call", micro(host_time(out.device, lambda: exe(tx, ty))))
    for where, stream in (("default", torch.cuda.current_stream()), ("own", torch.cuda.Stream())):
        good = True
        with torch.cuda.stream(stream):
            tx, ty = torch.zeros(len(x), device="cuda"), torch.zeros(len(x), device="cuda")
            big = torch.zeros(1 << 26, device="cuda")
            for k in range(40):
                big.add_(1)  # so that the stream is behind
                tx.fill_(k)
                ty.fill_(2 * k)
                back = torch.from_dlpack(exe(tx, ty))
                if where == "default":
                    tx.fill_(-1)
                else:
                    tx = torch.zeros_like(tx)
                good = good and bool((back == 5 * k).all())
        check(f"torch: in order with the {where} stream", good)
    bf16 = torch.arange(8, device="cuda", dtype=torch.bfloat16)
    again = torch.from_dlpack(to_device(bf16))
    check("torch: bfloat16", again.dtype == torch.bfloat16 and bool((again == bf16).all()))
    target = torch.zeros(len(x), device="cuda")
    exe(to_device(x), to_device(y), out=target)
    exe.device.synchronize()
    check("torch: as out", np.array_equal(target.cpu().numpy(), wanted))


def _cupy(name: str, exe: CudaExecutable, x: Any, y: Any, wanted: Any) -> None:
    import cupy

    cx, cy = cupy.asarray(x), cupy.asarray(y)
    out = exe(cx, cy)
    check("cupy: both ways", np.array_equal(cupy.asnumpy(cupy.from_dlpack(out)), wanted))
    check("cupy: by the interface", np.array_equal(cupy.asnumpy(cupy.asarray(out)), wanted))
    check("cupy: no copy", cupy.from_dlpack(out).data.ptr == out.address and not exe.copies)

    class Interface:
        def __init__(self, array: Any) -> None:
            self.__cuda_array_interface__ = array.__cuda_array_interface__

    check("cupy: the interface as argument", np.array_equal(exe(Interface(cx), cy), wanted))


def _jax(name: str, exe: CudaExecutable, x: Any, y: Any, wanted: Any) -> None:
    import jax
    import jax.numpy as jnp

    if jax.default_backend() != "gpu":
        raise ImportError(f"jax runs on {jax.default_backend()}")
    jx, jy = jnp.asarray(x), jnp.asarray(y)
    out = exe(jx, jy)
    check("jax: both ways", np.array_equal(np.asarray(jax.dlpack.from_dlpack(out)), wanted), type(out).__name__)
    good = True
    for k in range(20):
        back = jax.dlpack.from_dlpack(exe(jx * 0 + k, jy * 0 + 1))
        good = good and bool((back == k + 2).all())
    check("jax: in order", good)


def errors() -> None:
    """errors"""
    free = devices.current().free_bytes()
    n = free // 4 + (1 << 28)
    text = message(lambda: devices.current().pool.take(4 * n))
    check("no memory", "free" in text and "DeviceMemoryError" in text)
    print("   ", text)
    x, y = data(1000)
    exe = program(1000, call("%b0", "%b1", "%b2", 1000, 1 << 20))
    text = message(lambda: exe(x, y))
    check("a launch with too much shared memory", "kernel add" in text)
    print("   ", text)
    check("and the next one is right", np.array_equal(chain(1000, 2)(x, y), x + 2 * y))
    text = message(lambda: program(1000, call("%b0", "%b1", "%b2", 1000), PTX.replace("add.f32", "add.nonsense"))(x, y))
    check("PTX that is none", "refuses its PTX" in text)
    print("   ", text)
    text = message(lambda: program(1000, "", PTX.replace(".version 7.0", ".version 99.0"))(x, y))
    row("PTX of a later version", "")
    print("   ", text)
    for sync in ("0", "1"):
        ran = subprocess.run(
            [sys.executable, __file__, *sys.argv[1:], "--crash"],
            env={**os.environ, "MLC_CUDA_SYNC": sync},
            capture_output=True,
            text=True,
            check=False,
        )
        said = ran.stdout.strip().splitlines()[-1:] or [ran.stderr[-400:]]
        check(f"a kernel that leaves its memory, MLC_CUDA_SYNC={sync}", "outside of its memory" in said[0])
        print("   ", said[0])
    if hasattr(os, "fork"):
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.write(writing, message(lambda: exe(x, y)).encode())
            os._exit(0)
        os.waitpid(child, 0)
        check("a forked child", b"forked" in os.read(reading, 1000))


def crash() -> None:
    """Reads far beyond an argument; the process's context is lost."""
    n = 1 << 20
    far = "  %far = getelementptr i8, ptr %b0, i64 70368744177664\n" + call("%far", "%b1", "%b2", n)
    print(message(lambda: program(n, far)(*data(n))))


def energy() -> None:
    """energy"""
    device, n = devices.current(), 1 << 26
    try:
        meter = Meter(device)
    except CompileError as error:
        row("energy", f"left out: {error.message}")
        return
    exe, x = chain(n, 1), to_device(np.ones(n, np.float32))
    exe(x, x)
    device.synchronize()
    before, start, k = meter.joules(), time.perf_counter(), 0
    while time.perf_counter() - start < 1.5:
        for _ in range(20):
            exe(x, x)
        device.synchronize()
        k += 20
    spent, took = meter.joules() - before, time.perf_counter() - start
    row(
        "add of 2^26 elements", f"{3 * 4 * n * k / took / 1e9:.0f} GB/s, {1e3 * spent / k:.1f} mJ, {spent / took:.0f} W"
    )
    row("the counter says now", f"{meter.watts():.0f} W")


def fake() -> Any:
    from cuda_fake import FakeDriver, view

    def add(grid: int, threads: int, shared: int, x: int, y: int, out: int, n: int) -> None:
        view(out, n)[:] = view(x, n) + view(y, n)

    return FakeDriver({"add": ("pppi", add)}, total=1 << 32)


def main() -> int:
    if "--crash" in sys.argv:
        crash()
        return 0
    for f in (the_device, calls, code, times, copies, others, errors, energy):
        section(f)
    print("failed:", ", ".join(failed) or "nothing")
    return bool(failed)


if __name__ == "__main__":
    if "--fake" in sys.argv:
        with driver.replaced(fake()):
            sys.exit(main())
    sys.exit(main())

"""Where cases are measured: a GPU, or the CPU with arrays of a few elements, which checks the measuring itself."""

# torch has no types here, and is not installed for type checks.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportUnknownLambdaType=false

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from typing import Any

import mlc

Call = Callable[[], Any]


class Cuda:
    """This process's GPU. torch works in its default stream, mlc in its own, and each is timed by events in its own."""

    target = "cuda"

    def __init__(self) -> None:
        import torch
        from mlc.runtime.cuda import device, timing

        self.torch, self.device, self.timing = torch, device.current(), timing
        self.name = self.device.properties.name
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.set_grad_enabled(False)
        torch.manual_seed(0)

    def tensor(self, shape: Sequence[int], dtype: str, scale: float) -> Any:
        return (scale * self.torch.randn(shape, device="cuda")).to(getattr(self.torch, dtype))

    def array(self, x: Any) -> Any:
        """A tensor as an array of mlc, in place."""
        return mlc.to_device(x)

    def bound(self, exe: Any, arrays: Sequence[Any]) -> Call:
        """The program bound to the memory of its arguments and results."""
        return exe.bind(*arrays)

    def tensor_of(self, y: Any) -> Any:
        return self.torch.from_dlpack(y)

    def wait(self) -> None:
        self.torch.cuda.synchronize()
        self.device.synchronize()

    def seconds(self, name: str, call: Call, count: int) -> float:
        """Of one of `count` calls, by the clock of the device."""
        if name == "mlc":
            return self.timing.per_call(self.device, call, count)
        start, end = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for _ in range(count):
            call()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) * 1e-3 / count

    def replay(self, call: Call) -> Call:
        """The call as a CUDA graph of torch."""
        torch = self.torch
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                call()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            call()
        return graph.replay

    def copies(self, size: int) -> dict[str, Call]:
        """Copies of so many bytes: by torch, and by the driver."""
        torch = self.torch
        x, y = (torch.zeros(size // 4, device="cuda") for _ in range(2))
        a, b, device = self.array(x), self.array(y), self.device
        return {"torch": lambda: y.copy_(x), "mlc": lambda: device.copy(b.address, a.address, size)}

    def forget(self) -> None:
        """Memory of the case before, which the other's pool may need."""
        gc.collect()
        self.torch.cuda.empty_cache()

    def meter(self) -> Any:
        from mlc.runtime.cuda.energy import Meter

        return Meter(self.device)


class Host:
    """The CPU instead of a GPU, at most `LIMIT` elements along a dimension; its times mean nothing."""

    target, name, LIMIT = "cpu", "no GPU", 16

    def __init__(self) -> None:
        import torch

        self.torch = torch
        torch.set_grad_enabled(False)
        torch.manual_seed(0)

    def tensor(self, shape: Sequence[int], dtype: str, scale: float) -> Any:
        few = [min(n, self.LIMIT) for n in shape]
        return (scale * self.torch.randn(few)).to(getattr(self.torch, dtype))

    def array(self, x: Any) -> Any:
        import ml_dtypes

        if x.dtype == self.torch.bfloat16:
            return x.view(self.torch.int16).numpy().view(ml_dtypes.bfloat16)
        return x.numpy()

    def bound(self, exe: Any, arrays: Sequence[Any]) -> Call:
        return lambda: exe(*arrays)

    def tensor_of(self, y: Any) -> Any:
        import numpy as np

        if y.dtype.name == "bfloat16":
            return self.torch.from_numpy(y.view(np.int16)).view(self.torch.bfloat16)
        return self.torch.from_numpy(y)

    def wait(self) -> None:
        pass

    def seconds(self, name: str, call: Call, count: int) -> float:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    def replay(self, call: Call) -> Call:
        return call

    def copies(self, size: int) -> dict[str, Call]:
        x, y = (self.torch.zeros(1024) for _ in range(2))
        return {"torch": lambda: y.copy_(x)}

    def forget(self) -> None:
        gc.collect()

    def meter(self) -> Any:
        raise LookupError("no meter of energy")


Place = Cuda | Host

"""The peers: for each, how it runs a contraction problem or another function at its best, with one thread or several.

Weights that are constant become initialisers, frozen parameters or closures. Thread counts come from the environment,
which `contractions.settle` sets before any of the packages is imported, so that all peers run in one process. Where a
peer has two set-ups (channels first or last), the faster one is taken; putting arrays into its order is not timed.
"""

# The peers have no types, and are not installed for type checks.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportMissingTypeStubs=false

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from . import onnx_models
from .function_problems import Function
from .problems import Array, Problem
from .timing import interleave


@dataclass(frozen=True)
class Competitor:
    """`run` computes the problem once; `array` gives its result as NumPy's, in the problem's order. A function may have
    several results, then in a tuple or list."""

    run: Callable[[], Any]
    array: Callable[[Any], Any] = np.asarray


Task = Problem | Function
Make = Callable[[Any, Sequence[Array], int], Iterator[Competitor]]


@dataclass(frozen=True)
class Peer:
    """`make` yields one competitor for each set-up."""

    name: str
    modules: tuple[str, ...]
    supports: Callable[[Any], bool]
    make: Make

    def missing(self) -> list[str]:
        """The modules that are not installed."""
        return [m for m in self.modules if find_spec(m.partition(".")[0]) is None or find_spec(m) is None]


def competitor(peer: Peer, p: Task, arrays: Sequence[Array], threads: int) -> Competitor:
    """The peer's fastest set-up for the problem."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = dict(enumerate(peer.make(p, arrays, threads)))
        if len(found) == 1:
            return found[0]
        times = interleave({str(k): c.run for k, c in found.items()}, rounds=5, seconds=0.01)
    return found[min(found, key=lambda k: times[str(k)].median)]


def every(one: Callable[[Any], Array]) -> Callable[[Any], Any]:
    """For several results."""
    return lambda found: [one(y) for y in found] if isinstance(found, tuple | list) else one(found)


def make_numpy(p: Task, arrays: Sequence[Array], threads: int) -> Iterator[Competitor]:
    if isinstance(p, Function):
        assert p.numpy is not None
        fn = p.numpy(np)
        yield Competitor(lambda: fn(*arrays))
        return
    x, w = arrays
    orders, out = onnx_models.as_product(p.text), np.empty(np.einsum(p.text, x, w, optimize=True).shape, x.dtype)
    if orders is None:
        yield Competitor(lambda: np.einsum(p.text, x, w, out=out, optimize=True))
    else:
        a, b = x.transpose(orders[0]), w.transpose(orders[1])
        yield Competitor(lambda: np.matmul(a, b, out=out))


def torch_tensors(arrays: Sequence[Array]) -> list[Any]:
    import torch

    bits = lambda a: torch.from_numpy(a.view(np.int16)).view(torch.bfloat16)
    return [bits(a) if a.dtype.name == "bfloat16" else torch.from_numpy(a) for a in arrays]


def torch_array(y: Any) -> Array:
    import ml_dtypes
    import torch

    y = y.detach().contiguous()
    return y.view(torch.int16).numpy().view(ml_dtypes.bfloat16) if y.dtype == torch.bfloat16 else y.numpy()


def torch_function(p: Task) -> Callable[..., Any]:
    import torch
    import torch.nn.functional as F

    if isinstance(p, Function):
        return p.torch(torch)
    if p.kind == "einsum":
        orders = onnx_models.as_product(p.text)
        if p.dtype == "int8":
            return torch._int_mm
        if orders is None:
            return lambda x, w: torch.einsum(p.text, x, w)
        return lambda x, w: torch.matmul(x.permute(orders[0]), w.permute(orders[1]))
    if p.kind == "mlp":
        form = "none" if p.erf else "tanh"
        return lambda x, w1, b1, w2, b2: torch.addmm(b2, F.gelu(torch.addmm(b1, x, w1), approximate=form), w2)
    rank = len(p.places)
    if p.kind == "conv":
        conv = (F.conv1d, F.conv2d, F.conv3d)[rank - 1]
        return lambda x, w: conv(x, w, None, p.stride, p.padding, p.dilation, p.groups)
    first = p.kind == "conv_input"
    wanted, other = [first, not first, False], torch.empty(p.shapes[0 if first else 1])
    places = [[p.stride] * rank, [p.padding] * rank, [p.dilation] * rank, False, [0] * rank, p.groups]

    def backward(given: Any, g: Any) -> Any:
        x, w = (other, given) if first else (given, other)
        return torch.ops.aten.convolution_backward(g, x, w, None, *places, wanted)[0 if first else 1]

    return backward


def make_torch(p: Task, arrays: Sequence[Array], threads: int) -> Iterator[Competitor]:
    import torch

    torch.set_num_threads(threads)
    torch.set_grad_enabled(trains(p))
    tensors, fn = torch_tensors(arrays), torch_function(p)
    yield Competitor(lambda: fn(*tensors), every(torch_array))
    if isinstance(p, Function) and p.images:
        turned = [t.contiguous(memory_format=torch.channels_last) if t.dim() == 4 else t for t in tensors]
        yield Competitor(lambda: fn(*turned), every(torch_array))
    if isinstance(p, Problem) and p.kind.startswith("conv") and len(p.places) == 2:
        last = [t.contiguous(memory_format=torch.channels_last) for t in tensors]
        yield Competitor(lambda: fn(*last), torch_array)


def trains(p: Task) -> bool:
    return isinstance(p, Function) and p.trains


def make_inductor(p: Task, arrays: Sequence[Array], threads: int) -> Iterator[Competitor]:
    import torch

    torch.set_num_threads(threads)
    torch.set_grad_enabled(trains(p))
    torch._dynamo.reset()  # functions of one code share its limit of compilations
    tensors, fn = torch_tensors(arrays), torch_function(p)
    if not p.constant:
        run = torch.compile(fn, dynamic=False)
        yield Competitor(lambda: run(*tensors), every(torch_array))
        return

    class Frozen(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weights = torch.nn.ParameterList(torch.nn.Parameter(t, requires_grad=False) for t in tensors[1:])

        def forward(self, x: Any) -> Any:
            return fn(x, *self.weights)

    module = torch.compile(Frozen().eval(), dynamic=False, options={"freezing": True, "max_autotune": True})
    yield Competitor(lambda: module(tensors[0]), torch_array)


def jax_function(p: Task, last: bool = False) -> Callable[..., Any]:
    """`last`: a convolution with channels last, in its arrays and its result."""
    import jax
    import jax.numpy as jnp

    if isinstance(p, Function):
        return p.jax(jax)
    if p.kind == "einsum":
        sums, result = {"int8": ("int32", "int32"), "bfloat16": ("float32", "bfloat16")}.get(p.dtype, (p.dtype,) * 2)
        return lambda x, w: jnp.einsum(p.text, x, w, preferred_element_type=sums).astype(result)
    if p.kind == "mlp":
        return lambda x, w1, b1, w2, b2: jax.nn.gelu(x @ w1 + b1, approximate=not p.erf) @ w2 + b2
    rank, conv = len(p.places), jax.lax.conv_general_dilated
    how = {"window_strides": (p.stride,) * rank, "padding": ((p.padding, p.padding),) * rank}
    how |= {"rhs_dilation": (p.dilation,) * rank, "feature_group_count": p.groups}
    if p.kind == "conv":
        places = "DHW"[-rank:]
        numbers = (f"N{places}C", f"{places}IO", f"N{places}C") if last else None
        return lambda x, w: conv(x, w, dimension_numbers=numbers, **how)
    if p.kind == "conv_input":
        return lambda w, g: jax.vjp(lambda x: conv(x, w, **how), jnp.zeros(p.shapes[0]))[1](g)[0]
    return lambda x, g: jax.vjp(lambda w: conv(x, w, **how), jnp.zeros(p.shapes[1]))[1](g)[0]


def closed(
    p: Task, arrays: Sequence[Array]
) -> Iterator[tuple[Callable[..., Any], list[Array], Callable[[Any], Array]]]:
    """For each order of channels: the function with its constants closed over, the arrays left, the result as array."""

    def over(fn: Callable[..., Any], arrays: Sequence[Array]) -> tuple[Callable[..., Any], list[Array]]:
        return ((lambda x: fn(x, *arrays[1:])), [arrays[0]]) if p.constant else (fn, list(arrays))

    yield (*over(jax_function(p), arrays), every(np.asarray))
    if p.kind == "conv":
        x, w = arrays
        last = [np.ascontiguousarray(np.moveaxis(x, 1, -1)), np.ascontiguousarray(np.moveaxis(w, (1, 0), (-2, -1)))]
        yield (*over(jax_function(p, last=True), last), lambda y: np.moveaxis(np.asarray(y), -1, 1))


def make_jax(p: Task, arrays: Sequence[Array], threads: int) -> Iterator[Competitor]:
    import jax

    for fn, left, array in closed(p, arrays):
        run, buffers = jax.jit(fn), [jax.device_put(a) for a in left]
        yield Competitor(lambda run=run, buffers=buffers: jax.block_until_ready(run(*buffers)), array)


def make_iree(p: Task, arrays: Sequence[Array], threads: int) -> Iterator[Competitor]:
    import jax
    from iree import compiler, runtime

    flags = ["--iree-llvmcpu-target-cpu=host", "--iree-opt-level=O3", "--iree-llvmcpu-stack-allocation-limit=1048576"]
    config = runtime.Config("local-task" if threads > 1 else "local-sync")
    for fn, left, array in closed(p, arrays):
        text = jax.jit(fn).lower(*(jax.ShapeDtypeStruct(a.shape, a.dtype) for a in left)).as_text()
        code = compiler.compile_str(text, target_backends=["llvm-cpu"], input_type="stablehlo", extra_args=flags)
        context = runtime.SystemContext(config=config)
        context.add_vm_module(runtime.VmModule.copy_buffer(context.instance, code))
        (module,) = (m for name, m in context.modules.items() if name != "hal")
        buffers = [runtime.asdevicearray(config.device, a) for a in left]
        copied = every(lambda y, array=array: array(np.array(y)))  # the memory is the result's, which may be gone soon
        yield Competitor(lambda run=module["main"], buffers=buffers: run(*buffers), copied)


def make_onnxruntime(p: Task, arrays: Sequence[Array], threads: int) -> Iterator[Competitor]:
    import onnxruntime

    arrays = onnx_models.operands(p, arrays) if isinstance(p, Problem) else arrays
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model(p, arrays), options, providers=["CPUExecutionProvider"])
    feed = {given.name: a for given, a in zip(session.get_inputs(), arrays)}
    yield Competitor(lambda: session.run(None, feed), lambda found: found if len(found) > 1 else found[0])


def model(p: Task, arrays: Sequence[Array]) -> bytes:
    """An ONNX model; of a function, the one that torch exports."""
    if isinstance(p, Problem):
        return onnx_models.model(p, arrays)
    import torch

    fn = p.torch(torch)

    tensors = torch_tensors(arrays)
    given, weights = (tensors[:1], tensors[1:]) if p.constant else (tensors, [])

    class Module(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weights = torch.nn.ParameterList(torch.nn.Parameter(t, requires_grad=False) for t in weights)

        def forward(self, *arrays: Any) -> Any:
            return fn(*arrays, *self.weights)

    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        program = torch.onnx.export(Module().eval(), tuple(given), dynamo=True, verbose=False)
    assert program is not None
    return program.model_proto.SerializeToString()


def make_openvino(p: Task, arrays: Sequence[Array], threads: int) -> Iterator[Competitor]:
    import openvino

    core = openvino.Core()
    precision = "bf16" if p.dtype == "bfloat16" else "f32"
    how = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
    found = core.read_model(io.BytesIO(model(p, arrays)))
    request = core.compile_model(found, "CPU", how).create_infer_request()
    for k, a in enumerate(arrays[:1] if p.constant else arrays):
        request.set_input_tensor(k, openvino.Tensor(a, shared_memory=True))
    yield Competitor(request.infer, openvino_arrays)


def openvino_arrays(found: Any) -> Any:
    arrays = [np.array(y) for y in found.values()]
    return arrays if len(arrays) > 1 else arrays[0]


def in_numpy(p: Task) -> bool:
    if isinstance(p, Function):
        return p.numpy is not None
    return p.kind == "einsum" and p.dtype == "float32"


FORWARD = ("einsum", "conv", "mlp", "function")
EVERY = (*FORWARD, "conv_input", "conv_weight")


def runs_models(p: Task) -> bool:
    """What only runs models cannot train."""
    if isinstance(p, Function):
        return not p.trains
    return onnx_models.supports(p) and p.dtype != "bfloat16"


def integers(p: Task) -> bool:
    """torch._int_mm wants more than 16 rows, and multiples of 8."""
    if not isinstance(p, Problem) or p.dtype != "int8":
        return False
    return p.shapes[0][0] > 16 and not any(n % 8 for s in p.shapes for n in s)


PEERS = {
    peer.name: peer
    for peer in (
        Peer("numpy", ("numpy",), in_numpy, make_numpy),
        Peer("torch", ("torch",), lambda p: p.kind in EVERY and (p.dtype != "int8" or integers(p)), make_torch),
        Peer("inductor", ("torch",), lambda p: p.kind in FORWARD and (p.dtype != "int8" or integers(p)), make_inductor),
        Peer("jax", ("jax",), lambda p: p.kind in EVERY, make_jax),
        Peer("iree", ("iree.compiler", "iree.runtime", "jax"), lambda p: p.kind in EVERY, make_iree),
        Peer(
            "onnxruntime",
            ("onnxruntime", "onnx"),
            runs_models,
            make_onnxruntime,
        ),
        Peer("openvino", ("openvino", "onnx"), lambda p: runs_models(p) and p.dtype == "float32", make_openvino),
    )
}

"""The interpreter of every level: one table from op names to handlers on NumPy arrays.

`Interpreter(module).call("main", *arrays)` runs a function. Each level's file fills `HANDLERS` when an op of one of its
dialects is first met; here are `func.func`, `func.call` and `func.return`. Symbols get their values from the arguments'
shapes, anew in every function. Handlers never write into an array that another value holds, unless the level says so
(memref).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.traits import IsTerminator

from ..dialects.errors import CheckError, CompileError, memory_wanted
from ..dialects.nd.complex_boundary import ARGUMENTS, RESULTS, numbered, of_parts, parts_of
from ..dialects.nd.dims import Dim, Sym, evaluate
from ..dialects.nd.types import NUMPY, is_tensor, shape_of

Array = np.ndarray[Any, np.dtype[Any]]
Handler = Callable[["Frame", Operation], None]

HANDLERS: dict[str, Handler] = {}
"""What each op does, by its name; filled by the files of `LEVELS`."""

LEVELS = {
    "nd": ".interpret_nd",
    "graph": ".interpret_graph",
    "loop": ".interpret_loop",
    "vector": ".interpret_vector",
    "scf": ".interpret_vector",
    "memref": ".interpret_vector",
    "affine": ".interpret_vector",
    "arith": ".interpret_vector",
    "math": ".interpret_vector",
    "gpu": ".interpret_launch",
}
"""The file that handles the ops of a dialect."""


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Put a function into the table."""

    def register(f: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(names, f))
        return f

    return register


class Frame:
    """The values of one call of a function."""

    def __init__(self, interpreter: Interpreter, symbols: Mapping[str, int]) -> None:
        self.interpreter = interpreter
        self.symbols = dict(symbols)
        self.values: dict[SSAValue, Any] = {}
        self.memory: dict[Any, Array] = {}
        """Bytes that several values share (the graph level's plan)."""

    def __getitem__(self, value: SSAValue) -> Any:
        return self.values[value]

    def __setitem__(self, value: SSAValue, array: Any) -> None:
        self.values[value] = array

    def get(self, values: Sequence[SSAValue]) -> list[Any]:
        return [self.values[v] for v in values]

    def set(self, op: Operation, arrays: Sequence[Any]) -> None:
        """The values of an op's results."""
        self.values.update(zip(op.results, arrays, strict=True))

    def size(self, d: Dim) -> int:
        """The value of a dimension."""
        return evaluate(d, self.symbols)

    def run(self, block: Block, args: Sequence[Any]) -> list[Any]:
        """Run a block; the values that its terminator names."""
        self.values.update(zip(block.args, args, strict=True))
        for op in block.ops:
            if op.next_op is None and op.has_trait(IsTerminator):
                return self.get(op.operands)
            self.step(op)
        return []

    def handler(self, op: Operation) -> Handler:
        return handler_of(op)

    def step(self, op: Operation) -> None:
        try:
            self.handler(op)(self, op)
        except (CompileError, CheckError):
            raise
        except MemoryError as error:
            raise CompileError(f"{op.name}: {memory_wanted(error)}", op.location) from error
        except Exception as error:
            raise CompileError(f"{op.name}: the interpreter failed: {error}", op.location) from error
        for observer in self.interpreter.observers:
            observer(self, op)


def handler_of(op: Operation) -> Handler:
    if (found := HANDLERS.get(op.name)) is None:
        level = LEVELS.get(op.name.partition(".")[0])
        if level is not None:
            import_module(level, __package__)
        if (found := HANDLERS.get(op.name)) is None:
            raise CompileError(f"{op.name}: the interpreter has no meaning for it", op.location)
    return found


class Interpreter:
    """Runs the functions of a module. Observers see the frame after every op.

    The blocks of a launch run one after the other in an order that `seed` decides; `most_blocks` limits how many.
    """

    def __init__(
        self,
        module: ModuleOp,
        observers: Sequence[Callable[[Frame, Operation], None]] = (),
        seed: int = 0,
        most_blocks: int | None = None,
    ) -> None:
        self.module = module
        self.observers = list(observers)
        self.seed, self.most_blocks = seed, most_blocks
        self.functions = {op.sym_name.data: op for op in module.body.block.ops if isinstance(op, FuncOp)}

    def call(self, name: str, *args: Any, symbols: Mapping[str, int] | None = None) -> list[Array]:
        """The results of a function for NumPy arguments, which are checked against its types."""
        function = self.function(name)
        arrays = [np.asarray(a) for a in args]
        for k in numbered(function, ARGUMENTS):
            arrays[k : k + 1] = [parts_of(a) for a in arrays[k : k + 1]]
        check_arguments(function, arrays)
        with np.errstate(all="ignore"):
            results = [np.asarray(r) for r in self.run(function, arrays, symbols)]
        pairs = numbered(function, RESULTS)
        return [of_parts(r) if k in pairs else r for k, r in enumerate(results)]

    def function(self, name: str) -> FuncOp:
        if (found := self.functions.get(name)) is None:
            known = ", ".join("@" + n for n in self.functions) or "none"
            raise CompileError(f"expected one of the module's functions ({known}), found @{name}", self.module.location)
        if not found.body.blocks:
            raise CompileError(f"@{name}: expected a function with a body, found a declaration", found.location)
        return found

    def run(self, function: FuncOp, args: Sequence[Any], symbols: Mapping[str, int] | None = None) -> list[Any]:
        """As `call`, without checks: what handlers of calls use."""
        frame = Frame(self, bind_symbols(function, args, symbols or {}))
        return frame.run(function.body.block, args)


def check_arguments(function: FuncOp, arrays: Sequence[Array]) -> None:
    types, name = function.function_type.inputs.data, function.sym_name.data
    if len(arrays) != len(types):
        raise CompileError(f"@{name}: expected {len(types)} arguments, found {len(arrays)}", function.location)
    for arg, t, a in zip(function.body.block.args, types, arrays, strict=True):
        if not is_tensor(t):
            continue
        where = f"@{name}: argument {arg.index}"
        want = NUMPY.get(t.element_type)
        if want is not None and a.dtype != want:
            raise CompileError(f"{where}: expected elements of {want}, found {a.dtype}", arg.location)
        shape = shape_of(t)
        fixed = zip(shape, a.shape, strict=False)
        if len(shape) != a.ndim or any(isinstance(d, int) and d != n for d, n in fixed):
            raise CompileError(f"{where}: expected {t}, found shape {list(a.shape)}", arg.location)


def bind_symbols(function: FuncOp, args: Sequence[Any], given: Mapping[str, int]) -> dict[str, int]:
    """The values of the symbols in the arguments' types; CompileError where two sizes contradict."""
    out = dict(given)
    sizes: list[tuple[int, int, Sym, int]] = []
    for k, (t, a) in enumerate(zip(function.function_type.inputs.data, args, strict=True)):
        if is_tensor(t):
            dims = zip(shape_of(t), np.shape(a), strict=True)
            sizes += [(k, axis, d, n) for axis, (d, n) in enumerate(dims) if isinstance(d, Sym)]
    for _, _, d, n in sorted(sizes, key=lambda s: not s[2].is_symbol()):  # bare symbols first
        _solve(d, n, out)
    for k, axis, d, n in sizes:
        where = f"@{function.sym_name.data}: argument {k}, dimension {axis}"
        location = function.body.block.args[k].location
        if missing := [s for s in d.names() if s not in out]:
            raise CompileError(f"{where}: the value of symbol {missing[0]} in {d} is not known; give it", location)
        if (want := d.evaluate(out)) != n:
            raise CompileError(f"{where}: expected size {want} of {d}, found {n}", location)
    return out


def _solve(d: Sym, n: int, known: dict[str, int]) -> None:
    """Learn one symbol from c * s + rest = n."""
    unknown = [s for s in d.names() if s not in known]
    if len(unknown) != 1:
        return
    at = {v: d.evaluate({**known, unknown[0]: v}) for v in (0, 1, 2)}
    slope = at[1] - at[0]
    if slope and at[2] - at[1] == slope and (n - at[0]) % slope == 0:
        known[unknown[0]] = (n - at[0]) // slope


@handles("func.call")
def _call(frame: Frame, op: Operation) -> None:
    assert isinstance(op, CallOp)
    callee = frame.interpreter.function(op.callee.string_value())
    frame.set(op, frame.interpreter.run(callee, frame.get(op.operands)))

"""The shortest way into a program: a native method of executables that compares arguments itself and runs the program.

    exe(x, w, out=y)   on repeated calls: `native_call.ll` reads NumPy's arrays, makes the results, calls `mlc_entry`.
                       What does not fit goes to `Executable._call`, which converts or explains.

An executable's `latest` is a tuple of `FastCall`s; each holds a record, the bytes that `record_of` makes: what is
compared of each argument, the results to make, the pointers to lend. One native text serves all programs. It is loaded
when the first program is called often, after the layout of Python's and NumPy's objects has been found to be as
expected on known ones; else, and in poisoned memory, and for programs that print or look for signals, calls stay as
they are.

Arenas come from a few blocks lent to the native side, at most LENT bytes; whoever finds none goes the longer way.
Large results lie in blocks of the pool (`arena`); the last MOST_LEASES of less than LEASED bytes whose arrays are gone
stay on the native side, for the next. All happens under the interpreter's lock, and no Python code runs between the
taking of an arena and its return.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import atexit
import ctypes
import os
import struct
import sys
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import arena, exchange, poison
from .abi import ALIGNMENT, ENTRY, count
from .locks import ForkLock
from .native_call_text import CALL, text_of
from .results import address_of

if TYPE_CHECKING:
    from .fast_call import FastCall

Array = np.ndarray[Any, Any]

MOST_RECORDS = 8
"""Choices of a program's symbols that are looked through."""

LENT = 1 << 26
MOST_ARENAS = 8

MOST_LEASES, LEASED = 16, 1 << 22
"""Blocks of results that are kept at hand when their arrays are gone, and the size from which none are."""

WORD = 8
HEADER = (
    "ENTRY", "RELEASE", "ARGUMENTS", "CONSTANTS", "SLOTS", "RESULTS", "SIZES", "ARENA", "CONSTANTS_FROM", "DONATED",
    "OUTPUTS", "SLOTS_AT", "RESULTS_AT", "WEIGHTS", "WEIGHTS_AT", "CONTEXT",
)  # fmt: skip
"""The words with which a record begins; the descriptions of the arguments follow. CONTEXT: where the pointer to lend
lies, NULL while it is lent; 0 for programs that need none."""

DESCRIBED = ("DTYPE", "RANK", "SHAPE", "STRIDES", "MASK", "FLAGS", "LOW", "HIGH", "POOLED", "CLASS")
"""The words that describe an array: places in the record of its sizes and of its strides (0: rows), bits that its
address does not have, flags that it has, the bytes that it takes from its address on, how a pooled one is asked for,
the size of the block that it lies in."""

STATE = (
    "NDARRAY", "TUPLE", "NEW_ARRAY", "ALLOCATE", "OUT", "NONE", "CALL", "STOPPED", "NOTHING", "LEND", "LEASE",
    "RETURN", "SET_BASE", "KNOWN", "ARENAS", "LEASES", "ARENAS_AT",
)  # fmt: skip
"""The words of `mlc_state`. KNOWN: what `exchange` keeps. At the last begin pairs of address and size of the blocks
lent, then come the leases."""

NUMPY = {
    "array_data": 16, "array_rank": 24, "array_shape": 32, "array_strides": 40, "array_dtype": 56, "array_flags": 64,
}  # fmt: skip
"""Fields of NumPy's array object, part of its C ABI."""

TUPLE_SIZE = 16
"""Where a tuple has its size."""

C_CONTIGUOUS, ALIGNED, WRITEABLE = 0x1, 0x100, 0x400
VERSION_OF_ABI, NEW_FROM_DESCRIPTION, SET_BASE_OBJECT = 0, 94, 282
"""Places in NumPy's table of C functions."""

FASTCALL = 0x80 | 0x2
"""METH_FASTCALL | METH_KEYWORDS"""

NUMBERS = {
    **{name: WORD * k for names in (HEADER, DESCRIBED, STATE) for k, name in enumerate(names)},
    **NUMPY,
    "ARGUMENTS_AT": WORD * len(HEADER),
    "DESCRIPTION": WORD * len(DESCRIBED),
    "LEASES_AT": WORD * (len(STATE) - 1 + 2 * MOST_ARENAS),
    "state_words": len(STATE) - 1 + 2 * MOST_ARENAS + MOST_LEASES,
    "most_leases": MOST_LEASES,
    "other_leases": WORD * (MOST_LEASES - 1),
    "usual": C_CONTIGUOUS | ALIGNED | WRITEABLE,
    "writeable": WRITEABLE,
    "most_arenas": MOST_ARENAS,
}


class _Method(ctypes.Structure):
    """PyMethodDef"""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


# ---- layouts, found on known objects
def _word(address: int) -> int:
    return ctypes.c_uint64.from_address(address).value


def _place_of(value: Any, holder: Any, size: int) -> int | None:
    """Where in its bytes an object refers to another."""
    found = [at for at in range(16, size, WORD) if _word(id(holder) + at) == id(value)]
    return found[0] if len(found) == 1 else None


def _arrays_are_known() -> bool:
    """Do arrays of several kinds lie in memory as NUMPY says?"""
    base = np.zeros((3, 4, 5), np.float32)
    frozen = np.arange(6, dtype=np.int16)
    frozen.flags.writeable = False
    known = (base, base[::2, ::-1, 1:3].T, np.array(1.5), frozen, np.zeros((0, 2), np.complex64), base[1:].view(">i4"))
    return max(NUMPY.values()) + WORD <= np.ndarray.__basicsize__ and all(map(_is_known, known))


def _is_known(a: Array) -> bool:
    at = {name: id(a) + offset for name, offset in NUMPY.items()}
    shape = _word(at["array_shape"])
    if (
        _word(id(a) + 8) != id(np.ndarray)
        or _word(at["array_data"]) != a.ctypes.data
        or ctypes.c_int32.from_address(at["array_rank"]).value != a.ndim
        or _word(at["array_dtype"]) != id(a.dtype)
        or ctypes.c_int32.from_address(at["array_flags"]).value != a.flags.num
        or (a.ndim and _word(at["array_strides"]) != shape + WORD * a.ndim)  # both are in one piece of memory
    ):
        return False
    return [ctypes.c_int64.from_address(shape + WORD * k).value for k in range(2 * a.ndim)] == [*a.shape, *a.strides]


def _objects() -> dict[str, int] | None:
    """The places of a tuple's size and items and of the bytes of a `bytes`, or None where they are unexpected."""
    pair, data = (object(), object()), b"\x01record\xff"
    items, at = _place_of(pair[0], pair, tuple.__basicsize__ + WORD), bytes.__basicsize__ - 1
    if items is None or _word(id(pair) + items + WORD) != id(pair[1]):
        return None
    if any(_word(id(t) + TUPLE_SIZE) != len(t) for t in (pair, (), (1, 2, 3, 4, 5))):
        return None
    if ctypes.string_at(id(data) + at, len(data)) != data:
        return None
    return {"tuple_size": TUPLE_SIZE, "tuple_items": items, "bytes_data": at}


def _member(cls: type[Any], name: str) -> int | None:
    """The place of a slot in the instances of a class."""
    probe, mark = object.__new__(cls), object()
    setattr(probe, name, mark)
    place = _place_of(mark, probe, cls.__basicsize__)
    delattr(probe, name)
    return place if place is not None and _word(id(probe) + place) == 0 else None


def _functions() -> dict[str, int] | None:
    """NumPy's functions that make an array of a description, and that give it an owner of its memory."""
    from numpy._core import _multiarray_umath as umath  # pyright: ignore

    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    table = get(umath._ARRAY_API, None)
    version = ctypes.CFUNCTYPE(ctypes.c_uint)(_word(table + WORD * VERSION_OF_ABI))() >> 24
    places = {"NEW_ARRAY": NEW_FROM_DESCRIPTION, "SET_BASE": SET_BASE_OBJECT}
    return {name: _word(table + WORD * k) for name, k in places.items()} if version in (1, 2) else None


# ---- the native side
class Native:
    """What has been loaded: the methods, the state that they read, the blocks lent to them."""

    def __init__(
        self, executable: type[Any], fast_call: type[Any], numbers: dict[str, int], functions: dict[str, int]
    ) -> None:
        from . import jit

        self.linked = jit.Linked([jit.stored_object(text_of(CALL, numbers))])
        self.state = (ctypes.c_uint64 * numbers["state_words"]).from_address(self.linked.address("mlc_state"))
        self.take = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_int64)(self.linked.address("mlc_take"))
        self.give = ctypes.PYFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(self.linked.address("mlc_give"))
        self.lock = ForkLock()
        self.blocks: dict[int, arena.Block] = {}
        """Those lent, by address."""
        names = [sys.intern(n) for n in ("out", "_call", "_stopped")]
        self.leases: dict[int, tuple[Any, arena.Block]] = {}
        """Address and size of each block in use or at hand, as the native side reads them, by their own address."""
        called = [arena.allocate, self.lend, self.lease, self.give_back]
        self.kept: list[Any] = [*names, *called, exchange.words, exchange.known, exchange.HIDDEN]
        known = {
            **functions, "NDARRAY": id(np.ndarray), "TUPLE": id(tuple), "NONE": id(None), "NOTHING": id(NotImplemented),
            "KNOWN": ctypes.addressof(exchange.words),
            **dict(zip(("OUT", "CALL", "STOPPED"), map(id, names))),
            **dict(zip(("ALLOCATE", "LEND", "LEASE", "RETURN"), map(id, called))),
        }  # fmt: skip
        for name, value in known.items():
            self.state[STATE.index(name)] = value
        doc = executable.__call__.__doc__ or ""
        self._method(executable, "__call__", "mlc_call_method", f"__call__($self, /, *arrays, out=None)\n--\n\n{doc}")
        self._method(executable, "direct", "mlc_try_method", "")

    def _method(self, cls: type[Any], name: str, function: str, doc: str) -> None:
        method = _Method(name.encode(), self.linked.address(function), FASTCALL, doc.encode())
        new = ctypes.pythonapi.PyDescr_NewMethod
        new.restype, new.argtypes = ctypes.py_object, (ctypes.py_object, ctypes.c_void_p)
        self.kept.append(method)
        setattr(cls, name, new(cls, ctypes.addressof(method)))

    def lend(self, size: int) -> None:
        """Lend a block of at least so many bytes, if LENT allows; blocks that are not in use come back for it."""
        limit = min(LENT, arena.ARENAS.limit)
        with self.lock:
            block = arena.take(size)
            while not self._room(block, limit) and (address := self.take(1)):
                arena.give(self.blocks.pop(address))
            if self._room(block, limit):
                self.blocks[block.address] = block
                self.give(block.address, block.size)
            else:
                arena.give(block)

    def _room(self, block: arena.Block, limit: int) -> bool:
        held = block.size + sum([b.size for b in self.blocks.values()])
        return len(self.blocks) < MOST_ARENAS and held <= limit

    def lease(self, size: int) -> int:
        """A block of this size class for results: where its address and its size are."""
        block = arena.RESULTS.take(size)
        lease = (ctypes.c_uint64 * 2)(block.address, block.size)
        self.leases[ctypes.addressof(lease)] = lease, block
        return ctypes.addressof(lease)

    def give_back(self, lease: int) -> None:
        arena.RESULTS.give(self.leases.pop(lease)[1])

    def after_fork(self) -> None:
        """Threads that had a block do not exist in the child."""
        self.state[STATE.index("ARENAS")] = 0
        self.blocks.clear()
        _without_pools()


_lock = ForkLock()
_loaded: list[Native | None] = []


def load(executable: type[Any], fast_call: type[Any]) -> Native | None:
    """Give the class its native methods, once; None where that cannot be."""
    if not _loaded:
        with _lock:
            if not _loaded:
                _loaded.append(_load(executable, fast_call))
    return _loaded[0]


def _load(executable: type[Any], fast_call: type[Any]) -> Native | None:
    locked = getattr(sys, "_is_gil_enabled", lambda: True)()
    if sys.implementation.name != "cpython" or struct.calcsize("P") != WORD or not locked:
        return None
    try:
        numbers, functions = _numbers(executable, fast_call), _functions()
        if numbers is None or functions is None:
            return None
        native = Native(executable, fast_call, numbers, functions)
    except (ImportError, AttributeError, KeyError, OSError, RuntimeError):
        return None  # another interpreter, NumPy or linker than those known here: the longer way works on all
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(native))  # arrays may come back when all modules are gone
    os.register_at_fork(after_in_child=native.after_fork)
    atexit.register(_at_exit)
    return native


def _numbers(executable: type[Any], fast_call: type[Any]) -> dict[str, int] | None:
    objects = _objects()
    members = {"head": _member(executable, "latest"), "record": _member(fast_call, "record")}
    if objects is None or None in members.values() or not _arrays_are_known():
        return None
    return {**NUMBERS, **objects, **{k: v for k, v in members.items() if v is not None}}


# ---- records
def _span(shape: Sequence[int], strides: Sequence[int], width: int) -> tuple[int, int]:
    """The bytes that an array takes, from its address on."""
    if 0 in shape:
        return 0, 0
    steps = [(n - 1) * s for n, s in zip(shape, strides)]
    return sum(min(s, 0) for s in steps), sum(max(s, 0) for s in steps) + width


class _Words:
    """A record in the making; places in it are in bytes."""

    def __init__(self, size: int) -> None:
        self.words = [0] * size

    def add(self, numbers: Sequence[int]) -> int:
        place = WORD * len(self.words)
        self.words += numbers
        return place


def record_of(fast: FastCall) -> bytes:
    """What the native side has to know of a program for one choice of its symbols."""
    program, owner = fast.owner.program, fast.owner
    n = len(program.arguments)
    words = _Words(len(HEADER) + n * len(DESCRIBED))
    described: list[list[int]] = []
    for argument, (dtype, shape, strides) in zip(program.arguments, fast.checks):
        exchange.know_kind(dtype)
        rows = argument.strides is None
        flags = (C_CONTIGUOUS if rows else 0) | (WRITEABLE if argument.donated else 0)
        steps = 0 if rows else words.add(strides)
        span = _span(shape, strides, dtype.itemsize)
        described.append([id(dtype), len(shape), words.add(shape), steps, dtype.itemsize - 1, flags, *span, 0, 0])
    spare = arena.RESULTS.limit >= MOST_LEASES * LEASED
    slots: list[list[int]] = []
    for asked in fast.slots:
        shape, dtype, aligned = asked
        exchange.know_kind(dtype)
        size = dtype.itemsize * count(shape)
        pooled = id(asked) if size >= arena.POOLED or (aligned and size) else 0
        leased = arena.class_of(size) if pooled and size < LEASED and spare else 0
        flags, mask = C_CONTIGUOUS | ALIGNED | WRITEABLE, ALIGNMENT - 1 if aligned else 0
        slots.append([id(dtype), len(shape), words.add(shape), 0, mask, flags, 0, size, pooled, leased])
    header = {
        "ENTRY": owner.linked.address(ENTRY),
        "RELEASE": int(not fast.hold),
        "ARGUMENTS": n,
        "CONSTANTS": len(owner.constants),
        "SLOTS": len(slots),
        "RESULTS": len(fast.outputs),
        "SIZES": ctypes.addressof(fast.sizes) if fast.sizes is not None else 0,
        "ARENA": fast.arena,
        "CONSTANTS_FROM": ctypes.addressof(fast.constants) if owner.constants else 0,
        "DONATED": int(any(a.donated for a in program.arguments)),
        "CONTEXT": ctypes.addressof(fast.cell) if fast.cell is not None else 0,
        "OUTPUTS": int(fast.outputs == list(range(len(slots)))),
        "SLOTS_AT": words.add([word for slot in slots for word in slot]),
        "RESULTS_AT": words.add(fast.outputs),
        "WEIGHTS": len(owner.weights),
        "WEIGHTS_AT": words.add([end for w in owner.weights for end in (address_of(w), address_of(w) + w.nbytes)]),
    }
    words.words[: len(HEADER)] = [header[name] for name in HEADER]
    words.words[len(HEADER) : len(HEADER) + n * len(DESCRIBED)] = [word for d in described for word in d]
    return struct.pack(f"={len(words.words)}q", *words.words)


_parallel: weakref.WeakSet[FastCall] = weakref.WeakSet()
"""Those whose context has a pool of threads."""


def offer(fast: FastCall) -> None:
    """Let the next call of this kind go the native way, if it can."""
    owner = fast.owner
    printing = owner.contexts.printer is not None
    if fast.long or printing or owner.memory is poison or load(_base(type(owner)), type(fast)) is None:
        return
    if fast.record is None:
        if fast.context:
            fast.lent = owner.contexts.take(False)
            fast.cell = ctypes.c_uint64(ctypes.addressof(fast.lent))
            _parallel.add(fast)
        fast.record = record_of(fast)
    owner.latest = (fast, *[f for f in owner.latest if f is not fast][: MOST_RECORDS - 1])


def _without_pools() -> None:
    """The threads are gone, or about to go: the next calls look for others."""
    for fast in list(_parallel):
        fast.owner.latest = ()
        fast.record = None
    _parallel.clear()


def _at_exit() -> None:
    _loaded[:] = [None]
    _without_pools()


def _base(cls: type[Any]) -> type[Any]:
    """The class that has the slot `latest`."""
    return next(c for c in cls.__mro__ if "latest" in vars(c))

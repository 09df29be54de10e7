"""What a call lends to the program: `mlc_context` (see runtime/abi.py), and the look for signals between kernels.

A call that is short, serial and without effects needs no context. Others borrow one from their executable's `Contexts`,
so that each has its own.

`poll` is native code that asks Python for pending signals, at most every 20 ms, and only in the main thread, where
Python handles them. An exception of a handler (KeyboardInterrupt) is kept in the context; the program returns -2, and
`raise_pending` raises it in the caller.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import ctypes
import sys
import threading
from typing import Any

from .locks import once

INTERRUPTED = -2
POLL_NANOSECONDS = 20_000_000


class Context(ctypes.Structure):
    """`mlc_context`, followed by the places that it points to."""

    _fields_ = (
        ("pool", ctypes.c_void_p),
        ("stream", ctypes.c_void_p),
        ("error", ctypes.c_void_p),
        ("host", ctypes.c_void_p),
        ("threads", ctypes.c_int32),
        ("poll", ctypes.c_void_p),
        ("polled", ctypes.c_int64),
        ("raised", ctypes.c_void_p * 3),
        ("errors", ctypes.c_int64 * 8),
        ("printer", ctypes.c_void_p),
    )

    def __init__(self) -> None:
        super().__init__()
        self.threads = 1
        self.error = ctypes.addressof(self) + Context.errors.offset


POLL_FIELD: int = Context.poll.offset

POLL = """
declare i32 @clock_gettime(i32, ptr)
declare i32 @PyGILState_Ensure()
declare void @PyGILState_Release(i32)
declare i32 @PyErr_CheckSignals()
declare void @PyErr_Fetch(ptr, ptr, ptr)

define i32 @mlc_poll(ptr %context) {{
  %time = alloca [2 x i64]
  call i32 @clock_gettime(i32 {clock}, ptr %time)
  %seconds = load i64, ptr %time
  %rest.at = getelementptr i64, ptr %time, i64 1
  %rest = load i64, ptr %rest.at
  %whole = mul i64 %seconds, 1000000000
  %now = add i64 %whole, %rest
  %polled = getelementptr i8, ptr %context, i64 {polled}
  %last = load i64, ptr %polled
  %gone = sub i64 %now, %last
  %soon = icmp ult i64 %gone, {interval}
  br i1 %soon, label %go, label %look
look:
  store i64 %now, ptr %polled
  %state = call i32 @PyGILState_Ensure()
  %found = call i32 @PyErr_CheckSignals()
  %raised = icmp ne i32 %found, 0
  br i1 %raised, label %stop, label %release
release:
  call void @PyGILState_Release(i32 %state)
  br label %go
go:
  ret i32 0
stop:
  %kind = getelementptr i8, ptr %context, i64 {raised}
  %value = getelementptr ptr, ptr %kind, i64 1
  %trace = getelementptr ptr, ptr %kind, i64 2
  call void @PyErr_Fetch(ptr %kind, ptr %value, ptr %trace)
  call void @PyGILState_Release(i32 %state)
  ret i32 1
}}
"""


@once
def _poll() -> tuple[int, Any]:
    """The address of the native function, and what keeps it loaded."""
    from . import jit

    clock = 6  # CLOCK_MONOTONIC_COARSE on Linux, CLOCK_MONOTONIC on macOS
    text = POLL.format(
        clock=clock, polled=Context.polled.offset, raised=Context.raised.offset, interval=POLL_NANOSECONDS
    )
    linked = jit.Linked([jit.stored_object(text)])
    return linked.address("mlc_poll"), linked


HOST = """
declare i32 @PyGILState_Ensure()
declare void @PyGILState_Release(i32)
declare ptr @PyObject_CallFunction(ptr, ptr, ...)
declare void @PyErr_Fetch(ptr, ptr, ptr)
declare void @Py_DecRef(ptr)

@format = private constant [4 x i8] c"iKK\\00"

define i32 @mlc_host(i32 %which, ptr %buffers, ptr %sizes, ptr %context) {{
  %state = call i32 @PyGILState_Ensure()
  %at = getelementptr i8, ptr %context, i64 {printer}
  %printer = load ptr, ptr %at
  %b = ptrtoint ptr %buffers to i64
  %s = ptrtoint ptr %sizes to i64
  %out = call ptr (ptr, ptr, ...) @PyObject_CallFunction(ptr %printer, ptr @format, i32 %which, i64 %b, i64 %s)
  %none = icmp eq ptr %out, null
  br i1 %none, label %stop, label %go
go:
  call void @Py_DecRef(ptr %out)
  call void @PyGILState_Release(i32 %state)
  ret i32 0
stop:
  %kind = getelementptr i8, ptr %context, i64 {raised}
  %value = getelementptr ptr, ptr %kind, i64 1
  %trace = getelementptr ptr, ptr %kind, i64 2
  call void @PyErr_Fetch(ptr %kind, ptr %value, ptr %trace)
  call void @PyGILState_Release(i32 %state)
  ret i32 {interrupted}
}}
"""


@once
def _host() -> tuple[int, Any]:
    """The native function that calls a context's printer, wherever an exception comes from on the way."""
    from . import jit

    text = HOST.format(printer=Context.printer.offset, raised=Context.raised.offset, interrupted=INTERRUPTED)
    linked = jit.Linked([jit.stored_object(text)])
    return linked.address("mlc_host"), linked


def watch_signals(context: Context) -> None:
    """Let the program look for signals, if this is the thread where Python handles them."""
    main = threading.get_ident() == threading.main_thread().ident
    context.poll = _poll()[0] if main and sys.platform != "win32" else None


class Contexts:
    """The contexts of one executable; `printer`: the Python function that its prints call, if it has some; `make`: of
    which kind they are, of which each call needs one if it is a kind of its own."""

    def __init__(self, printer: Any = None, make: type[Context] = Context) -> None:
        self.free: list[Context] = []
        self.make = make
        self.printer = printer
        self.always = printer is not None or make is not Context
        """Does every call need one, not only the long ones?"""
        self.threads, self.kind = 1, ""
        """Of parallel loops, and who runs them."""

    def take(self, long: bool) -> Context | None:
        if not (long or self.always):
            return None
        try:
            context = self.free.pop()
        except IndexError:  # all are in use
            context = self.make()
            if self.printer is not None:
                context.host, context.printer = _host()[0], id(self.printer)
        if long:
            watch_signals(context)
        else:
            context.poll = None
        if self.threads > 1:
            context.pool = self.pool_of(self.kind, self.threads)
        return context

    def parallel(self, threads: int) -> None:
        """Every call lends a pool of so many threads."""
        from .parallel import kind, pool_of

        self.always, self.threads, self.kind, self.pool_of = True, threads, kind(), pool_of

    def give(self, context: Context) -> None:
        self.free.append(context)


_restore = ctypes.PYFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)(
    ("PyErr_Restore", ctypes.pythonapi)
)


def raise_pending(context: Context) -> None:
    """Raise the exception for which the program stopped."""
    kind, value, trace = context.raised
    context.raised = (None, None, None)
    if kind is None:
        raise KeyboardInterrupt
    _restore(kind, value, trace)

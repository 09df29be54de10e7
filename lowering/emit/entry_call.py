"""`mlc_call`: a program's entry for NumPy's array objects as they are, where nothing but their pointers is needed.

define i32 @mlc_call(ptr %o0, ptr %o1, ptr %constants, ptr %sizes, ptr %arena, ptr %context) {
  ...                                       the data pointers out of the objects, and tests of them
  br i1 %refused, label %refuse, label %run
refuse:
  ret i32 -1
run:
  %status = call i32 @mlc_entry(ptr %buffers, ptr %sizes, ptr %arena, ptr %context)
  ret i32 %status
}
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Collection, Sequence

from xdsl.ir import SSAValue

from ...dialects.graph.place import row_major
from ...dialects.graph.views import layout_of
from ...dialects.nd.types import shape_of
from .entry_pointers import width_of
from .text import Writer

ENTRY = "mlc_entry"
CALL = "mlc_call"
DATA_FIELD, FLAGS_FIELD, WRITEABLE = 16, 64, 0x400
"""Where a NumPy array object holds its data pointer and its flags, and one of these: part of NumPy's C ABI."""


def call_text(arguments: Sequence[SSAValue], constants: int, slots: int, donated: Collection[int]) -> str:
    n = len(arguments)
    objects = [f"ptr %o{i}" for i in range(n + slots)]
    w = _Call([*objects, "ptr %constants", "ptr %sizes", "ptr %arena", "ptr %context"], n + constants + slots)
    pointers = [w.data(i) for i in range(n)]
    for i, (a, pointer) in enumerate(zip(arguments, pointers)):
        w.store(i, pointer)
        w.refuse_bits(w.op(f"ptrtoint ptr {pointer} to i64"), width_of(a) - 1)
    for i in range(constants):
        w.store(n + i, w.loaded("ptr", "%constants", i))
    for k in range(slots):
        w.store(n + constants + k, w.data(n + k))
    spans = [_span(a) for a in arguments]
    for i in sorted(donated):
        w.refuse_read_only(i)
        for k in range(n):
            if k != i:
                w.refuse_overlap(pointers[i], spans[i], pointers[k], spans[k])
    return w.text()


class _Call(Writer):
    """The text of `mlc_call`. It refuses with -1 what the caller must bring into another form first."""

    def __init__(self, parameters: Sequence[str], buffers: int) -> None:
        super().__init__()
        self.head = f"define i32 @{CALL}({', '.join(parameters)}) nounwind {{\nentry:\n"
        self.buffers = self.op(f"alloca [{max(buffers, 1)} x ptr]")
        self.refusals: list[str] = []

    def loaded(self, kind: str, base: str, position: int) -> str:
        return self.op(f"load {kind}, ptr {self.op(f'getelementptr {kind}, ptr {base}, i64 {position}')}")

    def data(self, i: int) -> str:
        return self.op(f"load ptr, ptr {self.op(f'getelementptr i8, ptr %o{i}, i64 {DATA_FIELD}')}")

    def store(self, position: int, pointer: str) -> None:
        at = self.op(f"getelementptr ptr, ptr {self.buffers}, i64 {position}")
        self.line(f"store ptr {pointer}, ptr {at}")

    def refuse_bits(self, number: str, bits: int) -> None:
        if bits:
            self.refusals.append(self.op(f"icmp ne i64 {self.op(f'and i64 {number}, {bits}')}, 0"))

    def refuse_read_only(self, i: int) -> None:
        flags = self.op(f"load i32, ptr {self.op(f'getelementptr i8, ptr %o{i}, i64 {FLAGS_FIELD}')}")
        self.refusals.append(self.op(f"icmp eq i32 {self.op(f'and i32 {flags}, {WRITEABLE}')}, 0"))

    def refuse_overlap(self, a: str, span: tuple[int, int], b: str, other: tuple[int, int]) -> None:
        """[a + low, a + high) and [b + low, b + high) have a byte in common."""
        low, high = (self.op(f"getelementptr i8, ptr {a}, i64 {s}") for s in span)
        start, end = (self.op(f"getelementptr i8, ptr {b}, i64 {s}") for s in other)
        tests = [self.op(f"icmp ult ptr {low}, {end}"), self.op(f"icmp ult ptr {start}, {high}")]
        self.refusals.append(self.op(f"and i1 {tests[0]}, {tests[1]}"))

    def text(self) -> str:
        refused = "false"
        for refusal in self.refusals:
            refused = self.op(f"or i1 {refused}, {refusal}")
        self.line(f"br i1 {refused}, label %refuse, label %run")
        self.start_block("refuse")
        self.line("ret i32 -1")
        self.start_block("run")
        status = self.op(f"call i32 @{ENTRY}(ptr {self.buffers}, ptr %sizes, ptr %arena, ptr %context)")
        return "\n".join([self.head + self.scopes[0][0], *self.scopes[0][1:], f"  ret i32 {status}\n}}\n"])


def _span(argument: SSAValue) -> tuple[int, int]:
    """The bytes that a static argument takes, from its pointer on."""
    shape = [d for d in shape_of(argument.type) if isinstance(d, int)]
    strides = layout_of(argument) or [int(s) for s in row_major(shape) if isinstance(s, int)]
    width = width_of(argument)
    if 0 in shape:
        return 0, 0
    spans = [(n - 1) * s for n, s in zip(shape, strides)]
    return width * sum(min(s, 0) for s in spans), width * (sum(max(s, 0) for s in spans) + 1)

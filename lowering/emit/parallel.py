"""scf.parallel -> a function of a part of the range, and one call that runs it over the whole.

    scf.parallel (%i) = (%c0) to (%c512) step (%c64) { .. %x .. }
        becomes
    define internal void @"mlc.k.part1"(i64 %begin, i64 %end, ptr %env, i64 %worker) {
      %a0 = load ptr, ptr %env ..                         what the body uses of the kernel, under the same names
      loop from %begin to %end                            the iterations of this part
    }
    store ptr %a0, ptr %env1 ..
    call void @mlc_parallel(ptr %context, ptr @"mlc.k.part1", i64 0, i64 8, ptr %env1)

Several dimensions are one range, the last running fastest. What depends on nothing in the body is computed before the
call, as before any loop. Allocations in the body are places in the worker's own part of the workspace: there is one for
each thread. A parallel loop inside of another, and every one of a kernel for one thread, runs in order.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from xdsl.dialects.builtin import IndexType
from xdsl.ir import Operation, SSAValue

from .elementwise import add, scaled
from .state import Emitter, Form, Space

TYPE = re.compile(r"<(\d+) x ([\w ]+?)>|i\d+\b|double|float|half|bfloat|ptr")
NAME = re.compile(r"%[A-Za-z0-9_.]+")
DEFINITION = re.compile(r"\s*(%[A-Za-z0-9_.]+) = (.*)")
LABEL = re.compile(r"([A-Za-z0-9_.]+):$")


def type_of(text: str) -> str:
    """The type of the value that an instruction makes."""
    word = text.split(" ", 1)[0]
    found = [m.group() for m in TYPE.finditer(text)]
    match word:
        case "getelementptr" | "alloca" | "inttoptr":
            return "ptr"
        case "icmp" | "fcmp":
            return f"<{m[1]} x i1>" if (m := TYPE.match(found[0])) and m[1] else "i1"
        case "select":
            return found[1]
        case "extractelement":
            return found[0].partition(" x ")[2][:-1]
        case "shufflevector":
            return f"{found[2].partition(' x ')[0]} x {found[0].partition(' x ')[2]}"
        case _ if " to " in text and word not in ("load", "phi", "call"):
            return text.rpartition(" to ")[2]
        case _:
            return found[0]


def free_names(lines: Sequence[str]) -> list[str]:
    """Names that lines of a function use and do not define, in order."""
    known = {f"%{m[1]}" for line in lines if (m := LABEL.match(line))}
    known |= {m[1] for line in lines if (m := DEFINITION.match(line))}
    used = dict.fromkeys(name for line in lines for name in NAME.findall(line))
    return [name for name in used if name not in known and name not in ("%begin", "%end", "%worker", "%entry")]


def kinds_of(e: Emitter, names: Sequence[str]) -> list[str]:
    """The types of names of the kernel: parameters and variables of open loops, or what their instructions say."""
    missing = {n for n in names if n not in e.types}
    for scope in e.scopes:
        for line in scope:
            if (m := DEFINITION.match(line)) and m[1] in missing:
                e.types[m[1]] = type_of(m[2])
    return [e.types[n] for n in names]


def count_of(e: Emitter, low: str, high: str, step: str) -> str:
    """Iterations of one dimension."""
    if all(b.lstrip("-").isdigit() for b in (low, high, step)):
        return str(max(0, -(-(int(high) - int(low)) // int(step))))
    distance = high if low == "0" else e.op(f"sub i64 {high}, {low}")
    if step != "1":
        less = e.op(f"sub i64 {step}, 1")
        distance = e.op(f"sdiv i64 {e.op(f'add i64 {distance}, {less}')}, {step}")
    some = e.op(f"icmp sgt i64 {distance}, 0")
    return e.op(f"select i1 {some}, i64 {distance}, i64 0")


def total_of(e: Emitter, counts: Sequence[str]) -> str:
    total = counts[0]
    for count in counts[1:]:
        both = total.isdigit() and count.isdigit()
        total = str(int(total) * int(count)) if both else e.op(f"mul i64 {total}, {count}")
    return total


def bind_variables(e: Emitter, op: Operation, flat: str, counts: Sequence[str]) -> None:
    """The values of the loop's variables at a point of the range: low + step * position."""
    n, depth = len(counts), len(e.scopes) - 1
    rest = flat
    e.depth[flat] = depth
    for d in reversed(range(n)):
        at = rest
        if d:
            at = e.op(f"urem i64 {rest}, {counts[d]}")
            rest = e.op(f"udiv i64 {rest}, {counts[d]}")
            e.depth[at] = e.depth[rest] = depth
        low, step = e.index[op.operands[d]], e.index[op.operands[2 * n + d]]
        if step.terms:
            far = e.op(f"mul i64 {at}, {e.index_text(step)}")
            e.depth[far] = depth
            position = Form(0, {far: 1})
        else:
            position = scaled(Form(0, {at: 1}), step.constant)
        variable: SSAValue = op.regions[0].block.args[d]
        assert isinstance(variable.type, IndexType)
        e.index[variable] = add(low, position)


def outline(e: Emitter, op: Operation, body: Callable[[], None]) -> None:
    """Emit the body as a function of its own and call it over the whole range."""
    n = len(op.regions[0].block.args)
    bounds = [e.scalar(x) for x in op.operands[: 3 * n]]
    counts = [count_of(e, *bounds[d::n]) for d in range(n)]
    total = total_of(e, counts)
    k, before = e.fresh(), e.label
    flat = f"%i{k}"
    e.open()  # what each part does first
    e.open()  # its loop
    outer, e.space = e.space, Space(f"%ws{k}", len(e.scopes) - 2)
    e.label = head = f"loop{k}"
    bind_variables(e, op, flat, counts)
    body()
    latch, lines, first = e.label, e.close(), e.close()
    own, e.space, e.label = e.space.bytes, outer, before
    if own:
        start = e.space.take(own * e.threads)
        first[:0] = [
            f"  %o{k} = mul i64 %worker, {own}",
            f"  %s{k} = add i64 %o{k}, {start}",
            f"  %ws{k} = getelementptr i8, ptr {e.space.pointer}, i64 %s{k}",
        ]
    lines = [
        *first,
        f"  br label %{head}",
        f"{head}:",
        f"  {flat} = phi i64 [ %begin, %entry ], [ %n{k}, %{latch} ]",
        *lines,
        f"  %n{k} = add nsw i64 {flat}, 1",
        f"  %c{k} = icmp slt i64 %n{k}, %end",
        f"  br i1 %c{k}, label %{head}, label %done{k}",
        f"done{k}:",
    ]
    function = f'@"{e.name}.part{k}"'
    names = free_names(lines)
    kinds = kinds_of(e, names)
    frame = f"{{ {', '.join(kinds)} }}"
    loads: list[str] = []
    for j, (name, kind) in enumerate(zip(names, kinds)):
        loads.append(f"  %e{k}.{j} = getelementptr {frame}, ptr %env, i32 0, i32 {j}")
        loads.append(f"  {name} = load {kind}, ptr %e{k}.{j}")
        e.line(f"store {kind} {name}, ptr {e.op(f'getelementptr {frame}, ptr %env{k}, i32 0, i32 {j}')}")
    e.scopes[0].insert(0, f"  %env{k} = alloca {frame}")
    e.line(f"call void @mlc_parallel(ptr %context, ptr {function}, i64 0, i64 {total}, ptr %env{k})")
    e.declare("void", "mlc_parallel", "ptr", "ptr", "i64", "i64", "ptr")
    parameters = f"define internal void {function}(i64 %begin, i64 %end, ptr %env, i64 %worker) nounwind"
    e.parts.append("\n".join([f"{parameters} {e.attributes} {{", "entry:", *loads, *lines, "  ret void", "}"]))


__all__ = ["free_names", "outline", "type_of"]

"""`mlc_parallel` as LLVM IR: a body over a range, by one thread, by a pool's, or by a team of the process's OpenMP.

    void mlc_parallel(mlc_context *context, void (*body)(int64_t begin, int64_t end, void *env, int64_t worker),
                      int64_t begin, int64_t end, void *env);

The body may run for parts of the range at the same time, each part once; `worker` is below the pool's number of threads
and differs between parts that overlap in time. Without a context, a pool, or two iterations, the caller does it all, as
worker 0; so it does where the pool is busy, with another thread's range or with one around this.

A pool's range has PARTS parts for each thread, always cut in the same places. Each thread begins with its own parts and
goes on with those that nobody has taken, so that a thread that sleeps, or is gone after a fork, delays no one. A part
is taken by raising its stamp from the last generation to this one, so that a thread that wakes up late takes nothing.
Threads without work look for it about 20 us long and then sleep on the generation (a futex); so does the caller on the
number of finished parts. `mlc_pool_start` creates the threads, `mlc_pool_stop` ends them.
"""

from __future__ import annotations

import platform
import sys

from .openmp import TEAM

PARTS = 4
SPIN = 1000
"""Looks for work, or for the end of it, before sleeping."""

# Where a pool holds what: lines that different threads write lie apart.
RUN, THREADS, OMP_PARALLEL, OMP_NUMBER, OMP_THREADS = 0, 8, 16, 24, 32
BUSY, GENERATION, SLEEPERS, STOP, BODY, FINISHED, WAITING, RECORDS = 64, 128, 192, 196, 256, 320, 324, 384
RECORD = 32
"""Bytes of a thread's record: its pool, number, first generation and handle. The parts' stamps follow the records."""

FUTEX = {"x86_64": 202, "aarch64": 98}
PAUSE = {"x86_64": "@llvm.x86.sse2.pause()", "aarch64": "@llvm.aarch64.hint(i32 1)"}


def supported() -> bool:
    """Are there futexes, and do we know how to call them?"""
    return sys.platform == "linux" and platform.machine() in FUTEX


def size_of(threads: int) -> int:
    """Bytes of a pool."""
    return RECORDS + RECORD * threads + 8 * PARTS * threads


def text() -> str:
    """The module: `mlc_parallel`, and where there are futexes what makes, runs and ends pools."""
    names = {k: v for k, v in globals().items() if k.isupper() and isinstance(v, int)}
    if not supported():
        return CALL
    machine = platform.machine()
    pause = PAUSE[machine]
    declare = f"declare void {pause.replace('i32 1', 'i32')}\n"
    return CALL + declare + (POOL + TEAM).format(**names, futex=FUTEX[machine], pause=pause)


CALL = """
define void @mlc_parallel(ptr %context, ptr %body, i64 %begin, i64 %end, ptr %env) nounwind {
  %count = sub i64 %end, %begin
  %several = icmp sgt i64 %count, 1
  br i1 %several, label %many, label %few
few:
  %none = icmp slt i64 %count, 1
  br i1 %none, label %done, label %serial
many:
  %alone = icmp eq ptr %context, null
  br i1 %alone, label %serial, label %given
given:
  %pool = load ptr, ptr %context
  %no.pool = icmp eq ptr %pool, null
  br i1 %no.pool, label %serial, label %ask
ask:
  %run = load ptr, ptr %pool
  %ran = call i32 %run(ptr %pool, ptr %body, i64 %begin, i64 %end, ptr %env)
  %refused = icmp eq i32 %ran, 0
  br i1 %refused, label %serial, label %done
serial:
  call void %body(i64 %begin, i64 %end, ptr %env, i64 0)
  br label %done
done:
  ret void
}
"""

POOL = """
declare i64 @syscall(i64, ...)
declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_join(i64, ptr)

define internal void @sleep(ptr %word, i32 %value) nounwind {{
  %r = call i64 (i64, ...) @syscall(i64 {futex}, ptr %word, i32 128, i32 %value, ptr null)
  ret void
}}

define internal void @wake(ptr %word) nounwind {{
  %r = call i64 (i64, ...) @syscall(i64 {futex}, ptr %word, i32 129, i32 2147483647)
  ret void
}}

; the place at which part k of the range begins: begin + count * k / parts
define internal i64 @cut(i64 %begin, i64 %end, i64 %k, i64 %parts) nounwind {{
  %count = sub i64 %end, %begin
  %each = udiv i64 %count, %parts
  %rest = urem i64 %count, %parts
  %whole = mul i64 %each, %k
  %product = mul i64 %rest, %k
  %more = udiv i64 %product, %parts
  %far = add i64 %whole, %more
  %at = add i64 %begin, %far
  ret i64 %at
}}

; take and do parts of a generation until none is left
define internal void @work(ptr %pool, i64 %generation, i64 %worker) nounwind {{
entry:
  %threads.at = getelementptr i8, ptr %pool, i64 {THREADS}
  %threads = load i64, ptr %threads.at
  %parts = mul i64 %threads, {PARTS}
  %own = mul i64 %worker, {PARTS}
  %records = mul i64 %threads, {RECORD}
  %stamps.offset = add i64 %records, {RECORDS}
  %stamps = getelementptr i8, ptr %pool, i64 %stamps.offset
  %before = sub i64 %generation, 1
  %region = getelementptr i8, ptr %pool, i64 {BODY}
  %finished.at = getelementptr i8, ptr %pool, i64 {FINISHED}
  br label %look
look:
  %i = phi i64 [ 0, %entry ], [ %i.next, %next ]
  %done = phi i32 [ 0, %entry ], [ %done.next, %next ]
  %shifted = add i64 %own, %i
  %beyond = icmp uge i64 %shifted, %parts
  %wrapped = sub i64 %shifted, %parts
  %k = select i1 %beyond, i64 %wrapped, i64 %shifted
  %stamp.at = getelementptr i64, ptr %stamps, i64 %k
  %stamp = load atomic i64, ptr %stamp.at monotonic, align 8
  %free = icmp eq i64 %stamp, %before
  br i1 %free, label %take, label %next
take:
  %swap = cmpxchg ptr %stamp.at, i64 %before, i64 %generation acq_rel monotonic, align 8
  %mine = extractvalue {{ i64, i1 }} %swap, 1
  br i1 %mine, label %do, label %next
do:
  %body = load ptr, ptr %region
  %begin.at = getelementptr i8, ptr %region, i64 8
  %end.at = getelementptr i8, ptr %region, i64 16
  %env.at = getelementptr i8, ptr %region, i64 24
  %begin = load i64, ptr %begin.at
  %end = load i64, ptr %end.at
  %env = load ptr, ptr %env.at
  %k.next = add i64 %k, 1
  %low = call i64 @cut(i64 %begin, i64 %end, i64 %k, i64 %parts)
  %high = call i64 @cut(i64 %begin, i64 %end, i64 %k.next, i64 %parts)
  %done.more = add i32 %done, 1
  %some = icmp slt i64 %low, %high
  br i1 %some, label %call, label %next
call:
  call void %body(i64 %low, i64 %high, ptr %env, i64 %worker)
  br label %next
next:
  %done.next = phi i32 [ %done, %look ], [ %done, %take ], [ %done.more, %do ], [ %done.more, %call ]
  %i.next = add i64 %i, 1
  %again = icmp ult i64 %i.next, %parts
  br i1 %again, label %look, label %count
count:
  %nothing = icmp eq i32 %done.next, 0
  br i1 %nothing, label %leave, label %add
add:
  %old = atomicrmw add ptr %finished.at, i32 %done.next seq_cst, align 4
  %total = add i32 %old, %done.next
  %parts32 = trunc i64 %parts to i32
  %last = icmp eq i32 %total, %parts32
  br i1 %last, label %tell, label %leave
tell:
  %waiting.at = getelementptr i8, ptr %pool, i64 {WAITING}
  %waiting = load atomic i32, ptr %waiting.at seq_cst, align 4
  %asleep = icmp ne i32 %waiting, 0
  br i1 %asleep, label %call.wake, label %leave
call.wake:
  call void @wake(ptr %finished.at)
  br label %leave
leave:
  ret void
}}

define i32 @mlc_pool_run(ptr %pool, ptr %body, i64 %begin, i64 %end, ptr %env) nounwind {{
entry:
  %busy.at = getelementptr i8, ptr %pool, i64 {BUSY}
  %swap = cmpxchg ptr %busy.at, i32 0, i32 1 acquire monotonic, align 4
  %mine = extractvalue {{ i32, i1 }} %swap, 1
  br i1 %mine, label %begin.region, label %refuse
refuse:
  ret i32 0
begin.region:
  %region = getelementptr i8, ptr %pool, i64 {BODY}
  %begin.at = getelementptr i8, ptr %region, i64 8
  %end.at = getelementptr i8, ptr %region, i64 16
  %env.at = getelementptr i8, ptr %region, i64 24
  store ptr %body, ptr %region
  store i64 %begin, ptr %begin.at
  store i64 %end, ptr %end.at
  store ptr %env, ptr %env.at
  %finished.at = getelementptr i8, ptr %pool, i64 {FINISHED}
  %waiting.at = getelementptr i8, ptr %pool, i64 {WAITING}
  store atomic i32 0, ptr %finished.at monotonic, align 4
  store atomic i32 0, ptr %waiting.at monotonic, align 4
  %generation.at = getelementptr i8, ptr %pool, i64 {GENERATION}
  %old = load atomic i64, ptr %generation.at monotonic, align 8
  %generation = add i64 %old, 1
  store atomic i64 %generation, ptr %generation.at seq_cst, align 8
  %sleepers.at = getelementptr i8, ptr %pool, i64 {SLEEPERS}
  %sleepers = load atomic i32, ptr %sleepers.at seq_cst, align 4
  %asleep = icmp ne i32 %sleepers, 0
  br i1 %asleep, label %rouse, label %do
rouse:
  call void @wake(ptr %generation.at)
  br label %do
do:
  call void @work(ptr %pool, i64 %generation, i64 0)
  %threads.at = getelementptr i8, ptr %pool, i64 {THREADS}
  %threads = load i64, ptr %threads.at
  %parts = mul i64 %threads, {PARTS}
  %parts32 = trunc i64 %parts to i32
  br label %look
look:
  %looks = phi i64 [ 0, %do ], [ %looks.next, %pause ]
  %finished = load atomic i32, ptr %finished.at acquire, align 4
  %all = icmp eq i32 %finished, %parts32
  br i1 %all, label %done, label %wait
wait:
  %looks.next = add i64 %looks, 1
  %long = icmp ugt i64 %looks, {SPIN}
  br i1 %long, label %announce, label %pause
pause:
  call void {pause}
  br label %look
announce:
  store atomic i32 1, ptr %waiting.at seq_cst, align 4
  %now = load atomic i32, ptr %finished.at seq_cst, align 4
  %over = icmp eq i32 %now, %parts32
  br i1 %over, label %done, label %rest
rest:
  call void @sleep(ptr %finished.at, i32 %now)
  br label %announce
done:
  store atomic i32 0, ptr %busy.at release, align 4
  ret i32 1
}}

define internal ptr @thread(ptr %record) nounwind {{
entry:
  %pool = load ptr, ptr %record
  %number.at = getelementptr i8, ptr %record, i64 8
  %number = load i64, ptr %number.at
  %first.at = getelementptr i8, ptr %record, i64 16
  %first = load i64, ptr %first.at
  %generation.at = getelementptr i8, ptr %pool, i64 {GENERATION}
  %sleepers.at = getelementptr i8, ptr %pool, i64 {SLEEPERS}
  %stop.at = getelementptr i8, ptr %pool, i64 {STOP}
  br label %idle
idle:
  %last = phi i64 [ %first, %entry ], [ %generation, %do ]
  br label %look
look:
  %looks = phi i64 [ 0, %idle ], [ %looks.next, %pause ], [ 0, %rest ]
  %generation = load atomic i64, ptr %generation.at acquire, align 8
  %new = icmp ne i64 %generation, %last
  br i1 %new, label %begin, label %wait
wait:
  %looks.next = add i64 %looks, 1
  %long = icmp ugt i64 %looks, {SPIN}
  br i1 %long, label %rest, label %pause
pause:
  call void {pause}
  br label %look
rest:
  %more = atomicrmw add ptr %sleepers.at, i32 1 seq_cst, align 4
  %expected = trunc i64 %last to i32
  call void @sleep(ptr %generation.at, i32 %expected)
  %less = atomicrmw sub ptr %sleepers.at, i32 1 seq_cst, align 4
  br label %look
begin:
  %stop = load atomic i32, ptr %stop.at acquire, align 4
  %ends = icmp ne i32 %stop, 0
  br i1 %ends, label %leave, label %do
do:
  call void @work(ptr %pool, i64 %generation, i64 %number)
  br label %idle
leave:
  ret ptr null
}}

; create the threads of a pool of zeros; what cannot be created is missing. Nothing runs in the pool yet.
define void @mlc_pool_start(ptr %pool, i64 %threads) nounwind {{
entry:
  %threads.at = getelementptr i8, ptr %pool, i64 {THREADS}
  store i64 %threads, ptr %threads.at
  store ptr @mlc_pool_run, ptr %pool
  br label %each
each:
  %w = phi i64 [ 1, %entry ], [ %w.next, %create ]
  %there = icmp ult i64 %w, %threads
  br i1 %there, label %create, label %done
create:
  %distance = mul i64 %w, {RECORD}
  %offset = add i64 %distance, {RECORDS}
  %record = getelementptr i8, ptr %pool, i64 %offset
  %number.at = getelementptr i8, ptr %record, i64 8
  %handle.at = getelementptr i8, ptr %record, i64 24
  store ptr %pool, ptr %record
  store i64 %w, ptr %number.at
  %failed = call i32 @pthread_create(ptr %handle.at, ptr null, ptr @thread, ptr %record)
  %created = icmp eq i32 %failed, 0
  %handle = load i64, ptr %handle.at
  %known = select i1 %created, i64 %handle, i64 0
  store i64 %known, ptr %handle.at
  %w.next = add i64 %w, 1
  br label %each
done:
  ret void
}}

; end the threads; 0 where the pool is busy. It stays busy from then on.
define i32 @mlc_pool_stop(ptr %pool) nounwind {{
entry:
  %busy.at = getelementptr i8, ptr %pool, i64 {BUSY}
  %swap = cmpxchg ptr %busy.at, i32 0, i32 1 acquire monotonic, align 4
  %mine = extractvalue {{ i32, i1 }} %swap, 1
  br i1 %mine, label %stop, label %refuse
refuse:
  ret i32 0
stop:
  %stop.at = getelementptr i8, ptr %pool, i64 {STOP}
  store atomic i32 1, ptr %stop.at seq_cst, align 4
  %generation.at = getelementptr i8, ptr %pool, i64 {GENERATION}
  %old = atomicrmw add ptr %generation.at, i64 1 seq_cst, align 8
  call void @wake(ptr %generation.at)
  %threads.at = getelementptr i8, ptr %pool, i64 {THREADS}
  %threads = load i64, ptr %threads.at
  br label %each
each:
  %w = phi i64 [ 1, %stop ], [ %w.next, %next ]
  %there = icmp ult i64 %w, %threads
  br i1 %there, label %see, label %done
see:
  %distance = mul i64 %w, {RECORD}
  %offset = add i64 %distance, {RECORDS}
  %record = getelementptr i8, ptr %pool, i64 %offset
  %handle.at = getelementptr i8, ptr %record, i64 24
  %handle = load i64, ptr %handle.at
  %missing = icmp eq i64 %handle, 0
  br i1 %missing, label %next, label %join
join:
  %failed = call i32 @pthread_join(i64 %handle, ptr null)
  br label %next
next:
  %w.next = add i64 %w, 1
  br label %each
done:
  ret i32 1
}}
"""

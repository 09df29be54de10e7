; The native method that calls programs: one text for all programs; see native_call.py for what it reads.
;
;   @mlc_call_method   exe(x, w, out=y); what it does not take goes to exe._call(x, w, out=y)
;   @mlc_try_method    exe.direct(x, w); NotImplemented for what it does not take
;
; Python calls both with its lock held. Offsets into Python's and NumPy's objects stand as names in braces, their numbers
; are found at run time. `%x = get ptr %base + n` stands for the load of a pointer n bytes from %base.
;
; What @direct does not take goes to native_tensors.ll, as soon as tensors of other libraries are known; that may call
; @direct again.

@mlc_state = global [${state_words} x i64] zeroinitializer

declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare ptr @PyObject_Call(ptr, ptr, ptr)
declare ptr @PyObject_CallOneArg(ptr, ptr)
declare ptr @PyObject_VectorcallMethod(ptr, ptr, i64, ptr)
declare ptr @PyLong_FromLongLong(i64)
declare i64 @PyLong_AsLongLong(ptr)
declare ptr @PyCapsule_New(ptr, ptr, ptr)
declare ptr @PyCapsule_GetPointer(ptr, ptr)
declare void @PyErr_Fetch(ptr, ptr, ptr)
declare void @PyErr_Restore(ptr, ptr, ptr)
declare void @PyErr_Clear()
declare ptr @PyTuple_New(i64)
declare i32 @PyTuple_SetItem(ptr, i64, ptr)
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memmove.p0.p0.i64(ptr, ptr, i64, i1)

; is the object an array as described: type, element type, flags, alignment, sizes, strides
define internal i1 @fits(ptr %record, ptr %wanted, ptr %object) {
entry:
  %type = get ptr %object + 8
  %ndarray = get ptr @mlc_state + ${NDARRAY}
  %is.array = icmp eq ptr %type, %ndarray
  br i1 %is.array, label %array, label %no
array:
  %dtype = get ptr %object + ${array_dtype}
  %dtype.wanted = get ptr %wanted + ${DTYPE}
  %same.dtype = icmp eq ptr %dtype, %dtype.wanted
  %rank.at = getelementptr i8, ptr %object, i64 ${array_rank}
  %rank32 = load i32, ptr %rank.at
  %rank = sext i32 %rank32 to i64
  %rank.wanted = get i64 %wanted + ${RANK}
  %same.rank = icmp eq i64 %rank, %rank.wanted
  %flags.at = getelementptr i8, ptr %object, i64 ${array_flags}
  %flags32 = load i32, ptr %flags.at
  %flags = sext i32 %flags32 to i64
  %flags.wanted = get i64 %wanted + ${FLAGS}
  %flags.held = and i64 %flags, %flags.wanted
  %same.flags = icmp eq i64 %flags.held, %flags.wanted
  %data = get i64 %object + ${array_data}
  %mask = get i64 %wanted + ${MASK}
  %rest = and i64 %data, %mask
  %is.aligned = icmp eq i64 %rest, 0
  %ok.0 = and i1 %same.dtype, %same.rank
  %ok.1 = and i1 %same.flags, %is.aligned
  %ok = and i1 %ok.0, %ok.1
  br i1 %ok, label %sizes, label %no
sizes:
  %shape = get ptr %object + ${array_shape}
  %strides = get ptr %object + ${array_strides}
  %shape.offset = get i64 %wanted + ${SHAPE}
  %shape.wanted = getelementptr i8, ptr %record, i64 %shape.offset
  %strides.offset = get i64 %wanted + ${STRIDES}
  %strides.wanted = getelementptr i8, ptr %record, i64 %strides.offset
  %any.strides = icmp eq i64 %strides.offset, 0
  br label %next
next:
  %k = phi i64 [ 0, %sizes ], [ %k.next, %strided ]
  %more = icmp slt i64 %k, %rank
  br i1 %more, label %size, label %yes
size:
  %at = mul i64 %k, 8
  %n = get i64 %shape + %at
  %n.wanted = get i64 %shape.wanted + %at
  %same.size = icmp eq i64 %n, %n.wanted
  br i1 %same.size, label %sized, label %no
sized:
  %one = icmp sle i64 %n, 1
  %free = or i1 %one, %any.strides
  br i1 %free, label %strided, label %stride
stride:
  %s = get i64 %strides + %at
  %s.wanted = get i64 %strides.wanted + %at
  %same.stride = icmp eq i64 %s, %s.wanted
  br i1 %same.stride, label %strided, label %no
strided:
  %k.next = add i64 %k, 1
  br label %next
yes:
  ret i1 true
no:
  ret i1 false
}

; the bytes [first, last) of an array
define internal i64 @first(ptr %wanted, ptr %object) {
  %data = get i64 %object + ${array_data}
  %low = get i64 %wanted + ${LOW}
  %first = add i64 %data, %low
  ret i64 %first
}

define internal i64 @last(ptr %wanted, ptr %object) {
  %data = get i64 %object + ${array_data}
  %high = get i64 %wanted + ${HIGH}
  %last = add i64 %data, %high
  ret i64 %last
}

; has an array no byte in common with any of n others, array number `skipped` left out
define internal i1 @apart(ptr %wanted, ptr %object, ptr %others.wanted, ptr %others, i64 %n, i64 %skipped) {
entry:
  %a = call i64 @first(ptr %wanted, ptr %object)
  %b = call i64 @last(ptr %wanted, ptr %object)
  br label %next
next:
  %k = phi i64 [ 0, %entry ], [ %k.next, %passed ]
  %more = icmp slt i64 %k, %n
  br i1 %more, label %other, label %yes
other:
  %k.next = add i64 %k, 1
  %self = icmp eq i64 %k, %skipped
  br i1 %self, label %passed, label %compare
compare:
  %w.offset = mul i64 %k, ${DESCRIPTION}
  %w = getelementptr i8, ptr %others.wanted, i64 %w.offset
  %o.offset = mul i64 %k, 8
  %o = get ptr %others + %o.offset
  %c = call i64 @first(ptr %w, ptr %o)
  %d = call i64 @last(ptr %w, ptr %o)
  %before = icmp ule i64 %b, %c
  %after = icmp ule i64 %d, %a
  %clear = or i1 %before, %after
  br i1 %clear, label %passed, label %no
passed:
  br label %next
yes:
  ret i1 true
no:
  ret i1 false
}

; has an array no byte in common with the program's weights, whose [first, last) the record holds
define internal i1 @off_weights(ptr %record, ptr %wanted, ptr %object) {
entry:
  %a = call i64 @first(ptr %wanted, ptr %object)
  %b = call i64 @last(ptr %wanted, ptr %object)
  %n = get i64 %record + ${WEIGHTS}
  %at = get i64 %record + ${WEIGHTS_AT}
  %weights = getelementptr i8, ptr %record, i64 %at
  br label %next
next:
  %k = phi i64 [ 0, %entry ], [ %k.next, %one ]
  %more = icmp slt i64 %k, %n
  br i1 %more, label %one, label %yes
one:
  %k.next = add i64 %k, 1
  %low.at = mul i64 %k, 16
  %high.at = add i64 %low.at, 8
  %c = get i64 %weights + %low.at
  %d = get i64 %weights + %high.at
  %before = icmp ule i64 %b, %c
  %after = icmp ule i64 %d, %a
  %clear = or i1 %before, %after
  br i1 %clear, label %next, label %no
yes:
  ret i1 true
no:
  ret i1 false
}

; do the arguments fit the record, and do donated ones lie apart from all others
define internal i1 @matches(ptr %record, ptr %args, i64 %given) {
entry:
  %n = get i64 %record + ${ARGUMENTS}
  %same = icmp eq i64 %n, %given
  br i1 %same, label %next, label %no
next:
  %k = phi i64 [ 0, %entry ], [ %k.next, %passed ]
  %more = icmp slt i64 %k, %n
  br i1 %more, label %one, label %all
one:
  %k.next = add i64 %k, 1
  %w.offset = mul i64 %k, ${DESCRIPTION}
  %w.at = add i64 %w.offset, ${ARGUMENTS_AT}
  %w = getelementptr i8, ptr %record, i64 %w.at
  %o.offset = mul i64 %k, 8
  %o = get ptr %args + %o.offset
  %ok = call i1 @fits(ptr %record, ptr %w, ptr %o)
  br i1 %ok, label %passed, label %no
passed:
  br label %next
all:
  %any = get i64 %record + ${DONATED}
  %plain = icmp eq i64 %any, 0
  br i1 %plain, label %yes, label %again
again:
  %first = getelementptr i8, ptr %record, i64 ${ARGUMENTS_AT}
  br label %donated.next
donated.next:
  %i = phi i64 [ 0, %again ], [ %i.next, %donated.passed ]
  %donated.more = icmp slt i64 %i, %n
  br i1 %donated.more, label %donated.one, label %yes
donated.one:
  %i.next = add i64 %i, 1
  %d.offset = mul i64 %i, ${DESCRIPTION}
  %d = getelementptr i8, ptr %first, i64 %d.offset
  %flags = get i64 %d + ${FLAGS}
  %bit = and i64 %flags, ${writeable}
  %kept = icmp eq i64 %bit, 0
  br i1 %kept, label %donated.passed, label %donated.compare
donated.compare:
  %p.offset = mul i64 %i, 8
  %p = get ptr %args + %p.offset
  %clear = call i1 @apart(ptr %d, ptr %p, ptr %first, ptr %args, i64 %n, i64 %i)
  br i1 %clear, label %donated.passed, label %no
donated.passed:
  br label %donated.next
yes:
  ret i1 true
no:
  ret i1 false
}

; the caller's memory for the results into `objects`; false: another way must be found
define internal i1 @take_outputs(ptr %record, ptr %args, ptr %out, ptr %objects) {
entry:
  %n = get i64 %record + ${SLOTS}
  %direct = get i64 %record + ${OUTPUTS}
  %possible = icmp ne i64 %direct, 0
  br i1 %possible, label %start, label %no
start:
  %type = get ptr %out + 8
  %tuple = get ptr @mlc_state + ${TUPLE}
  %is.tuple = icmp eq ptr %type, %tuple
  br i1 %is.tuple, label %several, label %single
single:
  %one = icmp eq i64 %n, 1
  br i1 %one, label %only, label %no
only:
  store ptr %out, ptr %objects
  br label %check
several:
  %held = get i64 %out + ${tuple_size}
  %same = icmp eq i64 %held, %n
  br i1 %same, label %copy, label %no
copy:
  %items = getelementptr i8, ptr %out, i64 ${tuple_items}
  %bytes = mul i64 %n, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %objects, ptr %items, i64 %bytes, i1 false)
  br label %check
check:
  %slots.at = get i64 %record + ${SLOTS_AT}
  %slots = getelementptr i8, ptr %record, i64 %slots.at
  %arguments = get i64 %record + ${ARGUMENTS}
  %first = getelementptr i8, ptr %record, i64 ${ARGUMENTS_AT}
  br label %next
next:
  %k = phi i64 [ 0, %check ], [ %k.next, %passed ]
  %more = icmp slt i64 %k, %n
  br i1 %more, label %output, label %yes
output:
  %k.next = add i64 %k, 1
  %w.offset = mul i64 %k, ${DESCRIPTION}
  %w = getelementptr i8, ptr %slots, i64 %w.offset
  %o.offset = mul i64 %k, 8
  %o = get ptr %objects + %o.offset
  %ok = call i1 @fits(ptr %record, ptr %w, ptr %o)
  br i1 %ok, label %compare, label %no
compare:
  %clear.0 = call i1 @apart(ptr %w, ptr %o, ptr %first, ptr %args, i64 %arguments, i64 -1)
  %clear.1 = call i1 @apart(ptr %w, ptr %o, ptr %slots, ptr %objects, i64 %k, i64 -1)
  %clear.2 = call i1 @off_weights(ptr %record, ptr %w, ptr %o)
  %clear.3 = and i1 %clear.0, %clear.1
  %clear = and i1 %clear.2, %clear.3
  br i1 %clear, label %passed, label %no
passed:
  br label %next
yes:
  br label %own
own:
  %i = phi i64 [ 0, %yes ], [ %i.next, %owned ]
  %owned.more = icmp slt i64 %i, %n
  br i1 %owned.more, label %owned, label %done
owned:
  %i.next = add i64 %i, 1
  %x.offset = mul i64 %i, 8
  %x = get ptr %objects + %x.offset
  call void @Py_IncRef(ptr %x)
  br label %own
done:
  ret i1 true
no:
  ret i1 false
}

define internal void @drop(ptr %objects, i64 %n) {
entry:
  br label %next
next:
  %k = phi i64 [ 0, %entry ], [ %k.next, %one ]
  %more = icmp slt i64 %k, %n
  br i1 %more, label %one, label %done
one:
  %k.next = add i64 %k, 1
  %at = mul i64 %k, 8
  %object = get ptr %objects + %at
  call void @Py_DecRef(ptr %object)
  br label %next
done:
  ret void
}

; <callable>(number), a new reference
define internal ptr @call(i64 %which, i64 %number) {
entry:
  %integer = call ptr @PyLong_FromLongLong(i64 %number)
  %failed = icmp eq ptr %integer, null
  br i1 %failed, label %no, label %yes
yes:
  %at = getelementptr i8, ptr @mlc_state, i64 %which
  %callable = load ptr, ptr %at
  %answer = call ptr @PyObject_CallOneArg(ptr %callable, ptr %integer)
  call void @Py_DecRef(ptr %integer)
  ret ptr %answer
no:
  ret ptr null
}

; a lease of a block of this size: its address, its size; one that came back if there is one; NULL: an exception is set
define internal ptr @lease(i64 %size) {
entry:
  %n = get i64 @mlc_state + ${LEASES}
  %leases = getelementptr i8, ptr @mlc_state, i64 ${LEASES_AT}
  br label %next
next:
  %k = phi i64 [ %n, %entry ], [ %k.next, %one ]
  %more = icmp sgt i64 %k, 0
  br i1 %more, label %one, label %none
one:
  %k.next = sub i64 %k, 1
  %offset = mul i64 %k.next, 8
  %held = get ptr %leases + %offset
  %bytes = get i64 %held + 8
  %same = icmp eq i64 %bytes, %size
  br i1 %same, label %found, label %next
found:
  %rest = sub i64 %n, %k
  %rest.bytes = mul i64 %rest, 8
  %to = getelementptr i8, ptr %leases, i64 %offset
  %from = getelementptr i8, ptr %to, i64 8
  call void @llvm.memmove.p0.p0.i64(ptr %to, ptr %from, i64 %rest.bytes, i1 false)
  %last = sub i64 %n, 1
  %count.at = getelementptr i8, ptr @mlc_state, i64 ${LEASES}
  store i64 %last, ptr %count.at
  ret ptr %held
none:
  %answer = call ptr @call(i64 ${LEASE}, i64 %size)
  %failed = icmp eq ptr %answer, null
  br i1 %failed, label %no, label %new
new:
  %number = call i64 @PyLong_AsLongLong(ptr %answer)
  call void @Py_DecRef(ptr %answer)
  %made = inttoptr i64 %number to ptr
  ret ptr %made
no:
  ret ptr null
}

; keep a lease for the next result; where there is no room, the oldest one's block goes back to the pool
define internal void @keep(ptr %lease) {
entry:
  %kind = alloca [3 x ptr]
  %n = get i64 @mlc_state + ${LEASES}
  %leases = getelementptr i8, ptr @mlc_state, i64 ${LEASES_AT}
  %room = icmp slt i64 %n, ${most_leases}
  br i1 %room, label %push, label %full
push:
  %offset = mul i64 %n, 8
  %to = getelementptr i8, ptr %leases, i64 %offset
  store ptr %lease, ptr %to
  %n.next = add i64 %n, 1
  %count.at = getelementptr i8, ptr @mlc_state, i64 ${LEASES}
  store i64 %n.next, ptr %count.at
  ret void
full:
  %oldest = load i64, ptr %leases
  %second = getelementptr i8, ptr %leases, i64 8
  call void @llvm.memmove.p0.p0.i64(ptr %leases, ptr %second, i64 ${other_leases}, i1 false)
  %top = getelementptr i8, ptr %leases, i64 ${other_leases}
  store ptr %lease, ptr %top
  %value = getelementptr ptr, ptr %kind, i64 1
  %trace = getelementptr ptr, ptr %kind, i64 2
  call void @PyErr_Fetch(ptr %kind, ptr %value, ptr %trace)
  %answer = call ptr @call(i64 ${RETURN}, i64 %oldest)
  %failed = icmp eq ptr %answer, null
  br i1 %failed, label %clear, label %drop
drop:
  call void @Py_DecRef(ptr %answer)
  br label %restore
clear:
  call void @PyErr_Clear()
  br label %restore
restore:
  %k = load ptr, ptr %kind
  %v = load ptr, ptr %value
  %t = load ptr, ptr %trace
  call void @PyErr_Restore(ptr %k, ptr %v, ptr %t)
  ret void
}

; of the capsules that hold leases: the last array over the memory is gone
define void @mlc_release(ptr %capsule) {
  %lease = call ptr @PyCapsule_GetPointer(ptr %capsule, ptr null)
  call void @keep(ptr %lease)
  ret void
}

; an array over a block of this size, or NULL
define internal ptr @make_leased(ptr %record, ptr %wanted, i64 %size) {
entry:
  %lease = call ptr @lease(i64 %size)
  %no.lease = icmp eq ptr %lease, null
  br i1 %no.lease, label %no, label %leased
leased:
  %capsule = call ptr @PyCapsule_New(ptr %lease, ptr null, ptr @mlc_release)
  %no.capsule = icmp eq ptr %capsule, null
  br i1 %no.capsule, label %give, label %owned
owned:
  %ndarray = get ptr @mlc_state + ${NDARRAY}
  %new = get ptr @mlc_state + ${NEW_ARRAY}
  %dtype = get ptr %wanted + ${DTYPE}
  %rank = get i64 %wanted + ${RANK}
  %rank32 = trunc i64 %rank to i32
  %shape.at = get i64 %wanted + ${SHAPE}
  %shape = getelementptr i8, ptr %record, i64 %shape.at
  %data = load ptr, ptr %lease
  call void @Py_IncRef(ptr %dtype)
  %array = call ptr %new(ptr %ndarray, ptr %dtype, i32 %rank32, ptr %shape, ptr null, ptr %data, i32 ${usual}, ptr null)
  %no.array = icmp eq ptr %array, null
  br i1 %no.array, label %drop.capsule, label %based
based:
  %set.base = get ptr @mlc_state + ${SET_BASE}
  %status = call i32 %set.base(ptr %array, ptr %capsule)
  %set = icmp eq i32 %status, 0
  br i1 %set, label %yes, label %drop.array
yes:
  ret ptr %array
drop.array:
  call void @Py_DecRef(ptr %array)
  ret ptr null
drop.capsule:
  call void @Py_DecRef(ptr %capsule)
  ret ptr null
give:
  call void @keep(ptr %lease)
  ret ptr null
no:
  ret ptr null
}

; new arrays for the results into `objects`; false: an exception is set
define internal i1 @make_outputs(ptr %record, ptr %objects) {
entry:
  %n = get i64 %record + ${SLOTS}
  %slots.at = get i64 %record + ${SLOTS_AT}
  %slots = getelementptr i8, ptr %record, i64 %slots.at
  %ndarray = get ptr @mlc_state + ${NDARRAY}
  %new = get ptr @mlc_state + ${NEW_ARRAY}
  %allocate = get ptr @mlc_state + ${ALLOCATE}
  br label %next
next:
  %k = phi i64 [ 0, %entry ], [ %k.next, %made ]
  %more = icmp slt i64 %k, %n
  br i1 %more, label %one, label %yes
one:
  %k.next = add i64 %k, 1
  %w.offset = mul i64 %k, ${DESCRIPTION}
  %w = getelementptr i8, ptr %slots, i64 %w.offset
  %pooled = get ptr %w + ${POOLED}
  %class = get i64 %w + ${CLASS}
  %is.leased = icmp ne i64 %class, 0
  br i1 %is.leased, label %leased, label %unleased
leased:
  %over = call ptr @make_leased(ptr %record, ptr %w, i64 %class)
  br label %made.check
unleased:
  %small = icmp eq ptr %pooled, null
  br i1 %small, label %plain, label %pool
plain:
  %dtype = get ptr %w + ${DTYPE}
  %rank = get i64 %w + ${RANK}
  %rank32 = trunc i64 %rank to i32
  %shape.at = get i64 %w + ${SHAPE}
  %shape = getelementptr i8, ptr %record, i64 %shape.at
  call void @Py_IncRef(ptr %dtype)
  %array = call ptr %new(ptr %ndarray, ptr %dtype, i32 %rank32, ptr %shape, ptr null, ptr null, i32 0, ptr null)
  br label %made.check
pool:
  %lent = call ptr @PyObject_Call(ptr %allocate, ptr %pooled, ptr null)
  br label %made.check
made.check:
  %object = phi ptr [ %array, %plain ], [ %lent, %pool ], [ %over, %leased ]
  %failed = icmp eq ptr %object, null
  br i1 %failed, label %no, label %made
made:
  %o.offset = mul i64 %k, 8
  %o.at = getelementptr i8, ptr %objects, i64 %o.offset
  store ptr %object, ptr %o.at
  br label %next
yes:
  ret i1 true
no:
  call void @drop(ptr %objects, i64 %k)
  ret i1 false
}

; a block of at least so many bytes out of those lent, or NULL; the last one fills its place
define internal ptr @take_arena(i64 %size, ptr %held) {
entry:
  %n = get i64 @mlc_state + ${ARENAS}
  %arenas = getelementptr i8, ptr @mlc_state, i64 ${ARENAS_AT}
  br label %next
next:
  %k = phi i64 [ %n, %entry ], [ %k.next, %one ]
  %more = icmp sgt i64 %k, 0
  br i1 %more, label %one, label %no
one:
  %k.next = sub i64 %k, 1
  %offset = mul i64 %k.next, 16
  %size.offset = add i64 %offset, 8
  %bytes = get i64 %arenas + %size.offset
  %enough = icmp sge i64 %bytes, %size
  br i1 %enough, label %found, label %next
found:
  %block = get ptr %arenas + %offset
  store i64 %bytes, ptr %held
  %last = sub i64 %n, 1
  %last.offset = mul i64 %last, 16
  %from = getelementptr i8, ptr %arenas, i64 %last.offset
  %to = getelementptr i8, ptr %arenas, i64 %offset
  %pair = load i128, ptr %from, align 8
  store i128 %pair, ptr %to, align 8
  %count.at = getelementptr i8, ptr @mlc_state, i64 ${ARENAS}
  store i64 %last, ptr %count.at
  ret ptr %block
no:
  ret ptr null
}

define ptr @mlc_take(i64 %size) {
  %held = alloca i64
  %block = call ptr @take_arena(i64 %size, ptr %held)
  ret ptr %block
}

; where there is no room, the block is forgotten: its owner on the other side keeps it
define void @mlc_give(ptr %block, i64 %size) {
entry:
  %n = get i64 @mlc_state + ${ARENAS}
  %room = icmp slt i64 %n, ${most_arenas}
  br i1 %room, label %keep, label %done
keep:
  %offset = mul i64 %n, 16
  %arenas = getelementptr i8, ptr @mlc_state, i64 ${ARENAS_AT}
  %to = getelementptr i8, ptr %arenas, i64 %offset
  store ptr %block, ptr %to
  %size.at = getelementptr i8, ptr %to, i64 8
  store i64 %size, ptr %size.at
  %n.next = add i64 %n, 1
  %count.at = getelementptr i8, ptr @mlc_state, i64 ${ARENAS}
  store i64 %n.next, ptr %count.at
  br label %done
done:
  ret void
}

; the results in order, new references
define internal ptr @results_of(ptr %record, ptr %args, ptr %objects) {
entry:
  %n = get i64 %record + ${RESULTS}
  %at = get i64 %record + ${RESULTS_AT}
  %list = getelementptr i8, ptr %record, i64 %at
  %single = icmp eq i64 %n, 1
  br i1 %single, label %next, label %several
several:
  %new = call ptr @PyTuple_New(i64 %n)
  %failed = icmp eq ptr %new, null
  br i1 %failed, label %done, label %next
next:
  %k = phi i64 [ 0, %entry ], [ 0, %several ], [ %k.next, %set ]
  %tuple = phi ptr [ null, %entry ], [ %new, %several ], [ %tuple, %set ]
  %more = icmp slt i64 %k, %n
  br i1 %more, label %one, label %done
one:
  %k.next = add i64 %k, 1
  %offset = mul i64 %k, 8
  %which = get i64 %list + %offset
  %position = mul i64 %which, 8
  %is.slot = icmp sge i64 %which, 0
  %count = get i64 %record + ${ARGUMENTS}
  %end = getelementptr ptr, ptr %args, i64 %count
  %base = select i1 %is.slot, ptr %objects, ptr %end
  %object = get ptr %base + %position
  call void @Py_IncRef(ptr %object)
  br i1 %single, label %alone, label %set
alone:
  ret ptr %object
set:
  %ignored = call i32 @PyTuple_SetItem(ptr %tuple, i64 %k, ptr %object)
  br label %next
done:
  %result = phi ptr [ null, %several ], [ %tuple, %next ]
  ret ptr %result
}

; exe.<name>(number)
define internal ptr @ask(ptr %self, i64 %name, i64 %number) {
entry:
  %pair = alloca [2 x ptr]
  %integer = call ptr @PyLong_FromLongLong(i64 %number)
  %failed = icmp eq ptr %integer, null
  br i1 %failed, label %done, label %call
call:
  store ptr %self, ptr %pair
  %second = getelementptr ptr, ptr %pair, i64 1
  store ptr %integer, ptr %second
  %method = get ptr @mlc_state + %name
  %answer = call ptr @PyObject_VectorcallMethod(ptr %method, ptr %pair, i64 2, ptr null)
  call void @Py_DecRef(ptr %integer)
  br label %done
done:
  %result = phi ptr [ null, %entry ], [ %answer, %call ]
  ret ptr %result
}

; NULL: an exception is set; @mlc_state itself: another way must be found
define internal ptr @direct(ptr %self, ptr %args, i64 %given, ptr %names) {
entry:
  %block.size = alloca i64
  %head = get ptr %self + ${head}
  %no.head = icmp eq ptr %head, null
  br i1 %no.head, label %missed, label %keywords
keywords:
  %no.names = icmp eq ptr %names, null
  br i1 %no.names, label %start, label %named
named:
  %names.held = get i64 %names + ${tuple_size}
  %one.name = icmp eq i64 %names.held, 1
  br i1 %one.name, label %name, label %missed
name:
  %found = get ptr %names + ${tuple_items}
  %out.name = get ptr @mlc_state + ${OUT}
  %is.out = icmp eq ptr %found, %out.name
  br i1 %is.out, label %value, label %missed
value:
  %value.at = mul i64 %given, 8
  %given.out = get ptr %args + %value.at
  %none = get ptr @mlc_state + ${NONE}
  %is.none = icmp eq ptr %given.out, %none
  %some.out = select i1 %is.none, ptr null, ptr %given.out
  br label %start
start:
  %out = phi ptr [ null, %keywords ], [ %some.out, %value ]
  %records = get i64 %head + ${tuple_size}
  br label %search
search:
  %k = phi i64 [ 0, %start ], [ %k.next, %look ]
  %more = icmp slt i64 %k, %records
  br i1 %more, label %look, label %missed
look:
  %k.next = add i64 %k, 1
  %k.offset = mul i64 %k, 8
  %item.offset = add i64 %k.offset, ${tuple_items}
  %fast = get ptr %head + %item.offset
  %bytes = get ptr %fast + ${record}
  %record = getelementptr i8, ptr %bytes, i64 ${bytes_data}
  %same = call i1 @matches(ptr %record, ptr %args, i64 %given)
  br i1 %same, label %matched, label %search

matched:
  call void @Py_IncRef(ptr %fast)
  call void @Py_IncRef(ptr %bytes)
  %n = get i64 %record + ${ARGUMENTS}
  %slots = get i64 %record + ${SLOTS}
  %constants = get i64 %record + ${CONSTANTS}
  %objects = alloca ptr, i64 %slots
  %before.slots = add i64 %n, %constants
  %all = add i64 %before.slots, %slots
  %buffers = alloca ptr, i64 %all
  %has.out = icmp ne ptr %out, null
  br i1 %has.out, label %outputs.taken, label %outputs.made
outputs.taken:
  %taken = call i1 @take_outputs(ptr %record, ptr %args, ptr %out, ptr %objects)
  br i1 %taken, label %memory, label %released.missed
outputs.made:
  %made = call i1 @make_outputs(ptr %record, ptr %objects)
  br i1 %made, label %memory, label %released.failed

memory:
  %arena.bytes = get i64 %record + ${ARENA}
  %no.arena = icmp eq i64 %arena.bytes, 0
  br i1 %no.arena, label %arguments, label %arena
arena:
  %lent = call ptr @take_arena(i64 %arena.bytes, ptr %block.size)
  %none.lent = icmp eq ptr %lent, null
  br i1 %none.lent, label %lend, label %arguments
lend:
  %answer = call ptr @call(i64 ${LEND}, i64 %arena.bytes)
  %no.answer = icmp eq ptr %answer, null
  br i1 %no.answer, label %dropped.failed, label %lend.again
lend.again:
  call void @Py_DecRef(ptr %answer)
  %lent.now = call ptr @take_arena(i64 %arena.bytes, ptr %block.size)
  %none.now = icmp eq ptr %lent.now, null
  br i1 %none.now, label %dropped.missed, label %arguments

arguments:
  %block = phi ptr [ null, %memory ], [ %lent, %arena ], [ %lent.now, %lend.again ]
  %cell = get ptr %record + ${CONTEXT}
  %alone = icmp eq ptr %cell, null
  br i1 %alone, label %argument.first, label %context
context:
  %borrowed = load ptr, ptr %cell
  %in.use = icmp eq ptr %borrowed, null
  br i1 %in.use, label %busy, label %borrow
borrow:
  store ptr null, ptr %cell
  br label %argument.first
busy:
  br i1 %no.arena, label %dropped.missed, label %busy.give
busy.give:
  %busy.bytes = load i64, ptr %block.size
  call void @mlc_give(ptr %block, i64 %busy.bytes)
  br label %dropped.missed
argument.first:
  %context.lent = phi ptr [ null, %arguments ], [ %borrowed, %borrow ]
  br label %argument.next
argument.next:
  %i = phi i64 [ 0, %argument.first ], [ %i.next, %argument ]
  %argument.more = icmp slt i64 %i, %n
  br i1 %argument.more, label %argument, label %constant.copy
argument:
  %i.next = add i64 %i, 1
  %i.at = mul i64 %i, 8
  %x = get ptr %args + %i.at
  %x.data = get ptr %x + ${array_data}
  %x.to = getelementptr i8, ptr %buffers, i64 %i.at
  store ptr %x.data, ptr %x.to
  br label %argument.next
constant.copy:
  %constant.to = getelementptr ptr, ptr %buffers, i64 %n
  %constant.from = get ptr %record + ${CONSTANTS_FROM}
  %constant.bytes = mul i64 %constants, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %constant.to, ptr %constant.from, i64 %constant.bytes, i1 false)
  %slot.to = getelementptr ptr, ptr %buffers, i64 %before.slots
  br label %slot.next
slot.next:
  %j = phi i64 [ 0, %constant.copy ], [ %j.next, %slot ]
  %slot.more = icmp slt i64 %j, %slots
  br i1 %slot.more, label %slot, label %run
slot:
  %j.next = add i64 %j, 1
  %j.at = mul i64 %j, 8
  %y = get ptr %objects + %j.at
  %y.data = get ptr %y + ${array_data}
  %y.to = getelementptr i8, ptr %slot.to, i64 %j.at
  store ptr %y.data, ptr %y.to
  br label %slot.next

run:
  %program = get ptr %record + ${ENTRY}
  %sizes = get ptr %record + ${SIZES}
  %release = get i64 %record + ${RELEASE}
  %hold = icmp eq i64 %release, 0
  br i1 %hold, label %held, label %unheld
held:
  %status.held = call i32 %program(ptr %buffers, ptr %sizes, ptr %block, ptr %context.lent)
  br label %ran
unheld:
  %thread = call ptr @PyEval_SaveThread()
  %status.unheld = call i32 %program(ptr %buffers, ptr %sizes, ptr %block, ptr %context.lent)
  call void @PyEval_RestoreThread(ptr %thread)
  br label %ran
ran:
  %status = phi i32 [ %status.held, %held ], [ %status.unheld, %unheld ]
  br i1 %alone, label %ran.alone, label %ran.lent
ran.lent:
  store ptr %context.lent, ptr %cell
  br label %ran.alone
ran.alone:
  br i1 %no.arena, label %judge, label %give
give:
  %block.bytes = load i64, ptr %block.size
  call void @mlc_give(ptr %block, i64 %block.bytes)
  br label %judge
judge:
  %fine = icmp eq i32 %status, 0
  br i1 %fine, label %finish, label %stopped
finish:
  %results = call ptr @results_of(ptr %record, ptr %args, ptr %objects)
  call void @drop(ptr %objects, i64 %slots)
  call void @Py_DecRef(ptr %bytes)
  call void @Py_DecRef(ptr %fast)
  ret ptr %results
stopped:
  call void @drop(ptr %objects, i64 %slots)
  %status64 = sext i32 %status to i64
  %raised = call ptr @ask(ptr %self, i64 ${STOPPED}, i64 %status64)
  call void @Py_DecRef(ptr %bytes)
  call void @Py_DecRef(ptr %fast)
  ret ptr %raised

dropped.missed:
  call void @drop(ptr %objects, i64 %slots)
  br label %released.missed
dropped.failed:
  call void @drop(ptr %objects, i64 %slots)
  br label %released.failed
released.missed:
  call void @Py_DecRef(ptr %bytes)
  call void @Py_DecRef(ptr %fast)
  br label %missed
released.failed:
  call void @Py_DecRef(ptr %bytes)
  call void @Py_DecRef(ptr %fast)
  ret ptr null
missed:
  ret ptr @mlc_state
}

; what @direct gives, or what is given where there are tensors of other libraries, as soon as such are known;
; @mlc_state where neither takes the arguments
define internal ptr @taken(ptr %self, ptr %args, i64 %given, ptr %names) {
entry:
  %result = call ptr @direct(ptr %self, ptr %args, i64 %given, ptr %names)
  %missed = icmp eq ptr %result, @mlc_state
  br i1 %missed, label %others, label %done
others:
  %known = get ptr @mlc_state + ${KNOWN}
  %direct = load ptr, ptr %known
  %none = icmp eq ptr %direct, null
  br i1 %none, label %done, label %yes
yes:
  %other = call ptr %direct(ptr %self, ptr %args, i64 %given, ptr %names, ptr @direct, ptr @mlc_state, ptr %known)
  ret ptr %other
done:
  ret ptr %result
}

define ptr @mlc_call_method(ptr %self, ptr %args, i64 %given, ptr %names) {
entry:
  %result = call ptr @taken(ptr %self, ptr %args, i64 %given, ptr %names)
  %missed = icmp eq ptr %result, @mlc_state
  br i1 %missed, label %otherwise, label %done
done:
  ret ptr %result
otherwise:
  %no.names = icmp eq ptr %names, null
  br i1 %no.names, label %forward, label %named
named:
  %held = get i64 %names + ${tuple_size}
  br label %forward
forward:
  %values = phi i64 [ 0, %otherwise ], [ %held, %named ]
  %passed = add i64 %given, %values
  %n = add i64 %passed, 1
  %all = alloca ptr, i64 %n
  store ptr %self, ptr %all
  %to = getelementptr ptr, ptr %all, i64 1
  %bytes = mul i64 %passed, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %args, i64 %bytes, i1 false)
  %name = get ptr @mlc_state + ${CALL}
  %positional = add i64 %given, 1
  %answer = call ptr @PyObject_VectorcallMethod(ptr %name, ptr %all, i64 %positional, ptr %names)
  ret ptr %answer
}

define ptr @mlc_try_method(ptr %self, ptr %args, i64 %given, ptr %names) {
entry:
  %result = call ptr @taken(ptr %self, ptr %args, i64 %given, ptr %names)
  %missed = icmp eq ptr %result, @mlc_state
  br i1 %missed, label %otherwise, label %done
done:
  ret ptr %result
otherwise:
  %nothing = get ptr @mlc_state + ${NOTHING}
  call void @Py_IncRef(ptr %nothing)
  ret ptr %nothing
}

; Calls with tensors of other libraries, which describe themselves by DLPack's structures; see native_tensors.py.
;
;   @mlc_direct_of_tensors   what native_call.ll's @direct is for NumPy's arrays, and by it: each tensor is given to it as
;                            a shadow, the fields of NumPy's array object that it reads, on the stack
;
; %known is what exchange.py keeps. Python's lock is held, but functions of libraries may give it up: @direct looks at
; everything else after them.

declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare ptr @PyObject_GetAttr(ptr, ptr)
declare ptr @PyObject_VectorcallMethod(ptr, ptr, i64, ptr)
declare void @PyErr_Fetch(ptr, ptr, ptr)
declare void @PyErr_Restore(ptr, ptr, ptr)
declare void @PyErr_Clear()
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare i8 @llvm.ctpop.i8(i8)
declare i8 @llvm.cttz.i8(i8, i1)

; the words of a type of tensors that is known, or NULL
define internal ptr @producer_of(ptr %known, ptr %type) {
entry:
  %producers = getelementptr i8, ptr %known, i64 ${PRODUCERS_AT}
  br label %next
next:
  %at = phi i64 [ 0, %entry ], [ %at.next, %one ]
  %more = icmp slt i64 %at, ${producers_bytes}
  br i1 %more, label %one, label %no
one:
  %at.next = add i64 %at, ${producer_bytes}
  %held = get ptr %producers + %at
  %same = icmp eq ptr %held, %type
  br i1 %same, label %yes, label %next
yes:
  %producer = getelementptr i8, ptr %producers, i64 %at
  ret ptr %producer
no:
  ret ptr null
}

; is an object's attribute of this name False, or what its method returns; NULL: there is no such thing
define internal i1 @denies(ptr %known, ptr %object, ptr %name, i1 %is.method) {
entry:
  %self = alloca ptr
  %none = icmp eq ptr %name, null
  br i1 %none, label %yes, label %some
some:
  br i1 %is.method, label %method, label %attribute
method:
  store ptr %object, ptr %self
  %returned = call ptr @PyObject_VectorcallMethod(ptr %name, ptr %self, i64 1, ptr null)
  br label %answered
attribute:
  %held = call ptr @PyObject_GetAttr(ptr %object, ptr %name)
  br label %answered
answered:
  %answer = phi ptr [ %returned, %method ], [ %held, %attribute ]
  %failed = icmp eq ptr %answer, null
  br i1 %failed, label %clear, label %compare
compare:
  %false = get ptr %known + ${FALSE}
  %is.false = icmp eq ptr %answer, %false
  call void @Py_DecRef(ptr %answer)
  ret i1 %is.false
clear:
  call void @PyErr_Clear()
  ret i1 false
yes:
  ret i1 true
}

; where an object's tensor is described, or NULL: in `tensor` for the time of the call; in what is kept at `managed`, to
; be given back, for memory that is written and where there is no function for the first
define internal ptr @described(ptr %producer, ptr %object, i1 %written, ptr %tensor, ptr %managed) {
entry:
  %borrow = get ptr %producer + ${BORROWED}
  %lacks = icmp eq ptr %borrow, null
  %to.own = or i1 %lacks, %written
  br i1 %to.own, label %own, label %borrowed
borrowed:
  %status = call i32 %borrow(ptr %object, ptr %tensor)
  %fine = icmp eq i32 %status, 0
  br i1 %fine, label %filled, label %failed
filled:
  ret ptr %tensor
own:
  %owned = get ptr %producer + ${OWNED}
  %status.own = call i32 %owned(ptr %object, ptr %managed)
  %fine.own = icmp eq i32 %status.own, 0
  br i1 %fine.own, label %look, label %failed
look:
  %made = load ptr, ptr %managed
  %nothing = icmp eq ptr %made, null
  br i1 %nothing, label %no, label %version
version:
  %major = get i32 %made + ${managed_major}
  %is.known = icmp eq i32 %major, ${dlpack_major}
  br i1 %is.known, label %made.known, label %no
made.known:
  %inside = getelementptr i8, ptr %made, i64 ${managed_tensor}
  ret ptr %inside
failed:
  store ptr null, ptr %managed
  call void @PyErr_Clear()
  br label %no
no:
  ret ptr null
}

; NumPy's element type for DLPack's, or NULL
define internal ptr @kind_of(ptr %known, ptr %tensor) {
entry:
  %code8 = get i8 %tensor + ${tensor_code}
  %bits = get i8 %tensor + ${tensor_bits}
  %lanes = get i16 %tensor + ${tensor_lanes}
  %scalar = icmp eq i16 %lanes, 1
  %ones = call i8 @llvm.ctpop.i8(i8 %bits)
  %power = icmp eq i8 %ones, 1
  %code = zext i8 %code8 to i64
  %listed = icmp ult i64 %code, ${kind_codes}
  %ok.0 = and i1 %scalar, %power
  %ok = and i1 %ok.0, %listed
  br i1 %ok, label %yes, label %no
yes:
  %log8 = call i8 @llvm.cttz.i8(i8 %bits, i1 true)
  %log = zext i8 %log8 to i64
  %row = mul i64 %code, ${kinds_of_code}
  %which = add i64 %row, %log
  %at = mul i64 %which, 8
  %kinds = getelementptr i8, ptr %known, i64 ${KINDS_AT}
  %kind = get ptr %kinds + %at
  ret ptr %kind
no:
  ret ptr null
}

; the shadow of a tensor on the host that is what is stored; false: it goes another way
define internal i1 @shadow(ptr %known, ptr %words, ptr %object, i1 %written, ptr %array, ptr %managed) {
entry:
  %space = alloca [${tensor_bytes} x i8], align 8
  %producer = alloca [${producer_bytes} x i8], align 8  ; as it is now: what is asked may let other threads know others
  call void @llvm.memcpy.p0.p0.i64(ptr %producer, ptr %words, i64 ${producer_bytes}, i1 false)
  %grad = get ptr %producer + ${REQUIRES_GRAD}
  %no.grad = call i1 @denies(ptr %known, ptr %object, ptr %grad, i1 false)
  br i1 %no.grad, label %signs, label %no
signs:
  %negative = get ptr %producer + ${IS_NEG}
  %no.negative = call i1 @denies(ptr %known, ptr %object, ptr %negative, i1 true)
  br i1 %no.negative, label %describe, label %no
describe:
  %tensor = call ptr @described(ptr %producer, ptr %object, i1 %written, ptr %space, ptr %managed)
  %unknown = icmp eq ptr %tensor, null
  br i1 %unknown, label %no, label %look
look:
  %device = get i32 %tensor + ${tensor_device_type}
  %on.host = icmp eq i32 %device, ${dlpack_cpu}
  %rank32 = get i32 %tensor + ${tensor_rank}
  %fits = icmp ule i32 %rank32, ${shadow_rank}
  %kind = call ptr @kind_of(ptr %known, ptr %tensor)
  %has.kind = icmp ne ptr %kind, null
  %ok.0 = and i1 %on.host, %fits
  %ok = and i1 %ok.0, %has.kind
  br i1 %ok, label %parts, label %no
parts:
  %code = get i8 %tensor + ${tensor_code}
  %is.complex = icmp eq i8 %code, ${dlpack_complex}
  br i1 %is.complex, label %conjugates, label %place
conjugates:
  %conjugate = get ptr %producer + ${IS_CONJ}
  %no.conjugate = call i1 @denies(ptr %known, ptr %object, ptr %conjugate, i1 true)
  br i1 %no.conjugate, label %place, label %no

place:
  %rank = zext i32 %rank32 to i64
  %bits8 = get i8 %tensor + ${tensor_bits}
  %bits = zext i8 %bits8 to i64
  %width = lshr i64 %bits, 3
  %base = get i64 %tensor + ${tensor_data}
  %offset = get i64 %tensor + ${tensor_offset}
  %data = add i64 %base, %offset
  %shape = get ptr %tensor + ${tensor_shape}
  %steps = get ptr %tensor + ${tensor_strides}
  %in.rows = icmp eq ptr %steps, null
  %strides = getelementptr i8, ptr %array, i64 ${shadow_strides}
  br label %next
next:
  %k = phi i64 [ %rank, %place ], [ %last, %axis ]
  %row = phi i64 [ 1, %place ], [ %row.next, %axis ]
  %dense = phi i1 [ true, %place ], [ %dense.next, %axis ]
  %empty = phi i1 [ false, %place ], [ %empty.next, %axis ]
  %more = icmp sgt i64 %k, 0
  br i1 %more, label %size, label %done
size:
  %last = sub i64 %k, 1
  %at = mul i64 %last, 8
  %n = get i64 %shape + %at
  br i1 %in.rows, label %axis, label %step
step:
  %given = get i64 %steps + %at
  br label %axis
axis:
  %s = phi i64 [ %row, %size ], [ %given, %step ]
  %stride = mul i64 %s, %width
  %stride.at = getelementptr i8, ptr %strides, i64 %at
  store i64 %stride, ptr %stride.at
  %one = icmp sle i64 %n, 1
  %follows = icmp eq i64 %s, %row
  %free = or i1 %one, %follows
  %dense.next = and i1 %dense, %free
  %nothing = icmp eq i64 %n, 0
  %empty.next = or i1 %empty, %nothing
  %row.next = mul i64 %row, %n
  br label %next
done:
  %somewhere = icmp ne i64 %base, 0
  %readable = or i1 %somewhere, %empty
  br i1 %readable, label %flags, label %no
flags:
  %is.dense = or i1 %dense, %empty
  %contiguous = select i1 %is.dense, i32 ${c_contiguous}, i32 0
  %mask = sub i64 %width, 1
  %rest = and i64 %data, %mask
  %is.aligned = icmp eq i64 %rest, 0
  %aligned = select i1 %is.aligned, i32 ${aligned}, i32 0
  br i1 %written, label %flags.owned, label %fill
flags.owned:
  %made = load ptr, ptr %managed
  %owned.flags = get i64 %made + ${managed_flags}
  %frozen = and i64 %owned.flags, ${dlpack_read_only}
  %is.free = icmp eq i64 %frozen, 0
  %writeable = select i1 %is.free, i32 ${writeable}, i32 0
  br label %fill
fill:
  %write = phi i32 [ 0, %flags ], [ %writeable, %flags.owned ]
  %flags.0 = or i32 %contiguous, %aligned
  %all = or i32 %flags.0, %write
  %ndarray = get ptr %known + ${ARRAYS}
  %type.at = getelementptr i8, ptr %array, i64 8
  %data.at = getelementptr i8, ptr %array, i64 ${array_data}
  %rank.at = getelementptr i8, ptr %array, i64 ${array_rank}
  %shape.at = getelementptr i8, ptr %array, i64 ${array_shape}
  %strides.at = getelementptr i8, ptr %array, i64 ${array_strides}
  %dtype.at = getelementptr i8, ptr %array, i64 ${array_dtype}
  %flags.at = getelementptr i8, ptr %array, i64 ${array_flags}
  store i64 1, ptr %array
  store ptr %ndarray, ptr %type.at
  store i64 %data, ptr %data.at
  store i32 %rank32, ptr %rank.at
  store ptr %shape, ptr %shape.at
  store ptr %strides, ptr %strides.at
  store ptr %kind, ptr %dtype.at
  store i32 %all, ptr %flags.at
  ret i1 true
no:
  ret i1 false
}

; give back what is kept of descriptions; an exception that is set stays so
define internal void @give_back(ptr %managed, i64 %n) {
entry:
  %kind = alloca [3 x ptr]
  %value = getelementptr ptr, ptr %kind, i64 1
  %trace = getelementptr ptr, ptr %kind, i64 2
  br label %next
next:
  %k = phi i64 [ 0, %entry ], [ %k.next, %one ], [ %k.next, %some ], [ %k.next, %delete ]
  %more = icmp slt i64 %k, %n
  br i1 %more, label %one, label %done
one:
  %k.next = add i64 %k, 1
  %at = mul i64 %k, 8
  %made = get ptr %managed + %at
  %none = icmp eq ptr %made, null
  br i1 %none, label %next, label %some
some:
  %deleter = get ptr %made + ${managed_deleter}
  %stays = icmp eq ptr %deleter, null
  br i1 %stays, label %next, label %delete
delete:
  call void @PyErr_Fetch(ptr %kind, ptr %value, ptr %trace)
  call void %deleter(ptr %made)
  %k.held = load ptr, ptr %kind
  %v.held = load ptr, ptr %value
  %t.held = load ptr, ptr %trace
  call void @PyErr_Restore(ptr %k.held, ptr %v.held, ptr %t.held)
  br label %next
done:
  ret void
}

; the result, NULL, or %nothing: another way must be found. `out` comes last, with a name: where it is a tensor, it is
; the result
define ptr @mlc_direct_of_tensors(ptr %self, ptr %args, i64 %given, ptr %names, ptr %direct, ptr %nothing, ptr %known) {
entry:
  %no.names = icmp eq ptr %names, null
  br i1 %no.names, label %start, label %named
named:
  %named.held = get i64 %names + ${tuple_size}
  br label %start
start:
  %values = phi i64 [ 0, %entry ], [ %named.held, %named ]
  %n = add i64 %given, %values
  br label %search
search:
  %i = phi i64 [ 0, %start ], [ %i.next, %search.one ]
  %search.more = icmp slt i64 %i, %n
  br i1 %search.more, label %search.one, label %missed
search.one:
  %i.next = add i64 %i, 1
  %i.at = mul i64 %i, 8
  %candidate = get ptr %args + %i.at
  %candidate.type = get ptr %candidate + 8
  %candidate.known = call ptr @producer_of(ptr %known, ptr %candidate.type)
  %is.other = icmp ne ptr %candidate.known, null
  br i1 %is.other, label %shadows, label %search
shadows:
  %bytes = mul i64 %n, ${shadow_bytes}
  %arrays = alloca i8, i64 %bytes, align 16
  %seen = alloca ptr, i64 %n
  %managed = alloca ptr, i64 %n
  br label %next
next:
  %k = phi i64 [ 0, %shadows ], [ %k.next, %one.seen ]
  %more = icmp slt i64 %k, %n
  br i1 %more, label %one, label %all
one:
  %k.next = add i64 %k, 1
  %k.at = mul i64 %k, 8
  %managed.at = getelementptr i8, ptr %managed, i64 %k.at
  store ptr null, ptr %managed.at
  %object = get ptr %args + %k.at
  %type = get ptr %object + 8
  %producer = call ptr @producer_of(ptr %known, ptr %type)
  %is.own = icmp eq ptr %producer, null
  br i1 %is.own, label %one.seen, label %other
other:
  %array.at = mul i64 %k, ${shadow_bytes}
  %array = getelementptr i8, ptr %arrays, i64 %array.at
  %written = icmp sge i64 %k, %given
  %ok = call i1 @shadow(ptr %known, ptr %producer, ptr %object, i1 %written, ptr %array, ptr %managed.at)
  br i1 %ok, label %one.seen, label %refused
one.seen:
  %as = phi ptr [ %object, %one ], [ %array, %other ]
  %seen.at = getelementptr i8, ptr %seen, i64 %k.at
  store ptr %as, ptr %seen.at
  br label %next
refused:
  call void @give_back(ptr %managed, i64 %k.next)
  br label %missed
all:
  %result = call ptr %direct(ptr %self, ptr %seen, i64 %given, ptr %names)
  call void @give_back(ptr %managed, i64 %n)
  %last = sub i64 %n, 1
  %last.at = mul i64 %last, 8
  %last.seen = get ptr %seen + %last.at
  %is.last = icmp eq ptr %result, %last.seen
  br i1 %is.last, label %out, label %done
out:
  %last.object = get ptr %args + %last.at
  %is.same = icmp eq ptr %last.object, %last.seen
  br i1 %is.same, label %done, label %swapped
swapped:
  call void @Py_IncRef(ptr %last.object)
  ret ptr %last.object
done:
  ret ptr %result
missed:
  ret ptr %nothing
}

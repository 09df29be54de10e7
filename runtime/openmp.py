"""LLVM IR that runs a range by a team of the process's OpenMP: `mlc_openmp_run`, a part of the module of `pool.py`.

Each thread of the team does one part of the range; `@cut` of the pool says which.
"""

TEAM = """
define internal void @team(ptr %frame) nounwind {{
  %pool = load ptr, ptr %frame
  %body.at = getelementptr i8, ptr %frame, i64 8
  %begin.at = getelementptr i8, ptr %frame, i64 16
  %end.at = getelementptr i8, ptr %frame, i64 24
  %env.at = getelementptr i8, ptr %frame, i64 32
  %body = load ptr, ptr %body.at
  %begin = load i64, ptr %begin.at
  %end = load i64, ptr %end.at
  %env = load ptr, ptr %env.at
  %number.at = getelementptr i8, ptr %pool, i64 {OMP_NUMBER}
  %threads.at = getelementptr i8, ptr %pool, i64 {OMP_THREADS}
  %omp_get_thread_num = load ptr, ptr %number.at
  %omp_get_num_threads = load ptr, ptr %threads.at
  %number32 = call i32 %omp_get_thread_num()
  %threads32 = call i32 %omp_get_num_threads()
  %number = sext i32 %number32 to i64
  %threads = sext i32 %threads32 to i64
  %after = add i64 %number, 1
  %low = call i64 @cut(i64 %begin, i64 %end, i64 %number, i64 %threads)
  %high = call i64 @cut(i64 %begin, i64 %end, i64 %after, i64 %threads)
  %some = icmp slt i64 %low, %high
  br i1 %some, label %call, label %leave
call:
  call void %body(i64 %low, i64 %high, ptr %env, i64 %number)
  br label %leave
leave:
  ret void
}}

define i32 @mlc_openmp_run(ptr %pool, ptr %body, i64 %begin, i64 %end, ptr %env) nounwind {{
  %frame = alloca [5 x i64]
  %body.at = getelementptr i8, ptr %frame, i64 8
  %begin.at = getelementptr i8, ptr %frame, i64 16
  %end.at = getelementptr i8, ptr %frame, i64 24
  %env.at = getelementptr i8, ptr %frame, i64 32
  store ptr %pool, ptr %frame
  store ptr %body, ptr %body.at
  store i64 %begin, ptr %begin.at
  store i64 %end, ptr %end.at
  store ptr %env, ptr %env.at
  %gomp.at = getelementptr i8, ptr %pool, i64 {OMP_PARALLEL}
  %threads.at = getelementptr i8, ptr %pool, i64 {THREADS}
  %GOMP_parallel = load ptr, ptr %gomp.at
  %threads = load i64, ptr %threads.at
  %threads32 = trunc i64 %threads to i32
  call void %GOMP_parallel(ptr @team, ptr %frame, i32 %threads32, i32 0)
  ret i32 1
}}
"""

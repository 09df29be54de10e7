"""What an entry asks of its context (see runtime/abi.py): whether a signal came, and the host's part of an effect.

Both are functions of the entry's own, so that calls of them are short; without a context or service they do nothing.
"""

from __future__ import annotations

POLL_FIELD = 40
"""Where `mlc_context` holds `poll`: see runtime/abi.py."""
HOST_FIELD = 24
"""Where it holds `host`."""
INTERRUPTED = -2
POLL = f"""\
define internal i32 @mlc.poll(ptr %context) nounwind {{
  %none = icmp eq ptr %context, null
  br i1 %none, label %go, label %given
given:
  %at = getelementptr i8, ptr %context, i64 {POLL_FIELD}
  %poll = load ptr, ptr %at
  %nobody = icmp eq ptr %poll, null
  br i1 %nobody, label %go, label %ask
ask:
  %stop = call i32 %poll(ptr %context)
  ret i32 %stop
go:
  ret i32 0
}}
"""
HOST = f"""\
define internal i32 @mlc.host(ptr %context, i32 %which, ptr %buffers, ptr %sizes) nounwind {{
  %none = icmp eq ptr %context, null
  br i1 %none, label %go, label %given
given:
  %at = getelementptr i8, ptr %context, i64 {HOST_FIELD}
  %host = load ptr, ptr %at
  %nobody = icmp eq ptr %host, null
  br i1 %nobody, label %go, label %ask
ask:
  %status = call i32 %host(i32 %which, ptr %buffers, ptr %sizes, ptr %context)
  ret i32 %status
go:
  ret i32 0
}}
"""

"""The process that turns LLVM IR into PTX for `ptx`, since LLVM ends the process over what it cannot select.

    python -P ptx_child.py FOLDER        FOLDER: where llvmlite is, if not in the interpreter's own path

It reads requests from standard input and writes an answer for each to standard output, until the input ends. Both begin
with a length of 8 bytes; a request is JSON with `text`, `sm`, `features` and `level`, an answer a byte (0: PTX, 1: an
error's text) and UTF-8. It imports nothing of the compiler, so that it starts fast.
"""

# pyright: basic

from __future__ import annotations

import json
import os
import signal
import struct
import sys
from typing import Any, BinaryIO

TRIPLE = "nvptx64-nvidia-cuda"
LENGTH = struct.Struct("<q")
DONE, FAILED = b"\0", b"\1"


def send(stream: BinaryIO, data: bytes) -> None:
    stream.write(LENGTH.pack(len(data)) + data)
    stream.flush()


def receive(stream: BinaryIO) -> bytes | None:
    """The next message; None where the other side has gone."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    data = stream.read(length)
    return data if len(data) == length else None


class Generator:
    """LLVM's code generator for NVIDIA GPUs, with its passes for the middle in front of it."""

    def __init__(self) -> None:
        import llvmlite.binding as llvm

        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()
        self.llvm = llvm
        self.target = llvm.Target.from_triple(TRIPLE)
        self.machines: dict[tuple[str, str, int], Any] = {}

    def machine(self, sm: str, features: str, level: int) -> Any:
        key = sm, features, level
        if key not in self.machines:
            self.machines[key] = self.target.create_target_machine(cpu=sm, features=features, opt=level)
        return self.machines[key]

    def ptx(self, text: str, sm: str, features: str, level: int) -> str:
        llvm, machine = self.llvm, self.machine(sm, features, level)
        module = llvm.parse_assembly(text)
        module.triple, module.data_layout = machine.triple, str(machine.target_data)
        module.verify()
        if level:
            options = llvm.create_pipeline_tuning_options(speed_level=level)
            options.loop_vectorization = options.slp_vectorization = False
            builder = llvm.create_pass_builder(machine, options)
            builder.getModulePassManager().run(module, builder)
        return machine.emit_assembly(module)


def main(folders: list[str]) -> int:
    sys.path += folders
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's, who then closes our input
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else is printed is no answer
    generator: Generator | None = None
    while (request := receive(requests)) is not None:
        try:
            generator = generator or Generator()
            data = DONE + generator.ptx(**json.loads(request)).encode()
        except Exception as error:
            data = FAILED + f"{error}".encode()
        send(answers, data)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

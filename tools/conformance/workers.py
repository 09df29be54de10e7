"""Files in several processes: each file has a time limit, and its crash or hang ends no other.

Workers are forks of a process that has loaded the compiler, so that one that has to be replaced costs milliseconds.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkContext, ForkProcess
from pathlib import Path

from .judge import CRASH, TIMEOUT, Outcome, judge

Judge = Callable[[Path, str], Outcome]


@dataclass
class Worker:
    """A process, and the file that it has."""

    process: ForkProcess
    connection: Connection
    name: str | None = None
    started: float = 0.0

    def give(self, name: str) -> None:
        self.name, self.started = name, time.monotonic()
        self.connection.send(name)

    def stop(self) -> None:
        self.connection.close()
        self.process.kill()
        self.process.join()


def outcomes(root: Path, names: Sequence[str], jobs: int, limit: float, by: Judge = judge) -> Iterator[Outcome]:
    """What became of each file below `root`, as they end."""
    context = multiprocessing.get_context("fork")
    waiting = list(reversed(names))
    workers: list[Worker] = []
    try:
        while waiting or workers:
            while waiting and len(workers) < jobs:
                workers.append(_start(context, root, by))
                workers[-1].give(waiting.pop())
            first = min(w.started for w in workers) + limit
            ready = wait([w.connection for w in workers], max(0.0, first - time.monotonic()))
            for worker in list(workers):
                found = _ended(worker, worker.connection in ready, limit)
                if found is None:
                    continue
                outcome, alive = found
                if alive and waiting:
                    worker.give(waiting.pop())
                else:
                    worker.stop()
                    workers.remove(worker)
                yield outcome
    finally:
        for worker in workers:
            worker.stop()


def _ended(worker: Worker, ready: bool, limit: float) -> tuple[Outcome, bool] | None:
    """What became of the worker's file, and whether the worker can go on; None while it works."""
    assert worker.name is not None
    seconds = time.monotonic() - worker.started
    if ready:
        try:
            return worker.connection.recv(), True
        except (EOFError, OSError):
            worker.process.join()
            code = worker.process.exitcode or 0
            how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            return Outcome(worker.name, CRASH, f"the process ended with {how}", seconds=seconds), False
    if seconds >= limit:
        return Outcome(worker.name, TIMEOUT, f"no end within {limit:g} s", seconds=seconds), False
    return None


def _start(context: ForkContext, root: Path, by: Judge) -> Worker:
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, ours, root, by), daemon=True)
    process.start()
    theirs.close()
    return Worker(process, ours)


def _work(connection: Connection, other: Connection, root: Path, by: Judge) -> None:
    """The loop of a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
    other.close()
    while True:
        try:
            name = connection.recv()
        except EOFError:
            return
        connection.send(by(root / name, name))

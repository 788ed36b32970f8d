"""Worker processes: units out, results back in the order of the units.

Every worker has a pipe of its own. The main process reads the oldest unit's results first;
of the others it takes a bounded number ahead, and past that their pipes fill up and they
wait. So memory stays constant whatever a unit finds, and the order is always the same.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from detector.run.work import Counts, Result, Unit, scan_unit
from detector.scanner import Scanner
from detector.sources import Limits
from detector.types import Skipped

BATCH = 256  # results that cross the pipe together: pickling one by one costs twice as much
AHEAD = 64  # batches of one unit that the main process keeps before their turn


class _Done:
    """The worker is through with its unit."""


_Message = list[Result] | _Done


def _serve(connection: Connection, scanner: Scanner, limits: Limits) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process decides when to stop
    try:
        while (unit := connection.recv()) is not None:
            for batch in _batches(scan_unit(scanner, unit, limits)):
                connection.send(batch)
            connection.send(_Done())
    except (BrokenPipeError, EOFError, ConnectionResetError):
        pass  # the main process has gone


def _batches(results: Iterable[Result]) -> Iterator[list[Result]]:
    batch: list[Result] = []
    for result in results:
        batch.append(result)
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


class _Job:
    """A unit that some worker has, and what came back of it before its turn."""

    def __init__(self, unit: Unit, worker: _Worker) -> None:
        self.unit, self.worker = unit, worker
        self.ready: deque[list[Result]] = deque()
        self.done = False


class _Worker:
    def __init__(
        self, context: multiprocessing.context.BaseContext, args: tuple[object, ...]
    ) -> None:
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(  # type: ignore[attr-defined]
            target=_serve, args=(theirs, *args), daemon=True
        )
        self.process.start()
        theirs.close()


class Pool:
    """``jobs`` workers; a context manager that ends them."""

    def __init__(self, scanner: Scanner, jobs: int, limits: Limits) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._args = (scanner, limits)
        self._idle = [_Worker(self._context, self._args) for _ in range(jobs)]
        self._all = list(self._idle)

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_exc: object) -> None:
        for worker in self._all:
            worker.process.terminate()
        for worker in self._all:
            worker.process.join()
            worker.connection.close()

    def map(self, units: Iterable[Unit]) -> Iterator[tuple[Unit, Result]]:
        """The results of all units, in their order."""
        todo = iter(units)
        jobs: deque[_Job] = deque()
        while True:
            while self._idle and (unit := next(todo, None)) is not None:
                jobs.append(self._start(unit))
            if not jobs:
                return
            first = jobs[0]
            while first.ready:
                yield from ((first.unit, result) for result in first.ready.popleft())
            if first.done:
                jobs.popleft()
            else:
                self._receive(jobs)

    def _start(self, unit: Unit) -> _Job:
        worker = self._idle.pop()
        worker.connection.send(unit)
        return _Job(unit, worker)

    def _receive(self, jobs: deque[_Job]) -> None:
        """Wait for a message of any job that may still send ahead."""
        listening = {
            job.worker.connection: job
            for number, job in enumerate(jobs)
            if not job.done and (number == 0 or len(job.ready) < AHEAD)
        }
        for connection in wait(list(listening)):
            job = listening[connection]  # type: ignore[index]
            try:
                message: _Message = job.worker.connection.recv()
            except (EOFError, OSError):
                self._replace(job)
                continue
            if isinstance(message, _Done):
                job.done = True
                self._idle.append(job.worker)
            else:
                job.ready.append(message)

    def _replace(self, job: _Job) -> None:
        """A worker died (out of memory, killed): its unit was not read to the end."""
        job.worker.process.join()
        code = job.worker.process.exitcode
        for file in job.unit.files:
            nbytes = (file.size or 0) if job.unit.stop is None else job.unit.stop - job.unit.start
            job.ready.append(
                [Skipped(path=file.name, reason=f"the worker died (status {code})", nbytes=nbytes)]
            )
        job.done = True
        self._all.remove(job.worker)
        job.worker.connection.close()
        fresh = _Worker(self._context, self._args)
        self._all.append(fresh)
        self._idle.append(fresh)


__all__ = ["Counts", "Pool"]

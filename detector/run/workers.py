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
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from detector.run.owners import Owned, OwnerColumns
from detector.run.tables import Seen, Tables
from detector.run.unit import Counts, Result, Unit, lost
from detector.run.wire import Packed, pack, unpack
from detector.run.work import scan_unit
from detector.scanner import Scanner
from detector.sources import Limits
from detector.types import Finding, Skipped

BATCH = 256  # results that cross the pipe together: pickling one by one costs twice as much
AHEAD = 128  # batches of one unit that the main process keeps before their turn: 15 MB


class _Done:
    """The worker is through with its unit."""


Sent = Packed | Skipped | Counts | Tables | Seen | Owned
_Message = list[Sent] | _Done


def _serve(
    connection: Connection, scanner: Scanner, limits: Limits, owners: OwnerColumns | None
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process decides when to stop
    try:
        while (unit := connection.recv()) is not None:
            for batch in _batches(scan_unit(scanner, unit, limits, owners)):
                connection.send(batch)
            connection.send(_Done())
    except (BrokenPipeError, EOFError, ConnectionResetError):
        pass  # the main process has gone


def _batches(results: Iterable[Result]) -> Iterator[list[Sent]]:
    batch: list[Sent] = []
    for result in results:
        batch.append(pack(result) if isinstance(result, Finding) else result)
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


class _Job:
    """A unit that some worker has, and what came back of it before its turn."""

    def __init__(self, unit: Unit, worker: _Worker) -> None:
        self.unit, self.worker = unit, worker
        self.ready: deque[list[Sent]] = deque()
        self.done = False


class _Worker:
    def __init__(
        self, context: multiprocessing.context.BaseContext, args: tuple[object, ...]
    ) -> None:
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(  # type: ignore[attr-defined]
            target=_serve, args=(theirs, *args), daemon=True
        )
        with _uninterrupted():
            self.process.start()
        theirs.close()

    def send(self, unit: Unit) -> bool:
        """Hand on a unit; False if the worker is gone."""
        try:
            self.connection.send(unit)
        except OSError:
            return False
        return True

    def end(self) -> int | None:
        """Wait for a worker that is gone; its exit status."""
        self.process.join()
        self.connection.close()
        return self.process.exitcode


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """What is started here never sees Ctrl-C, which goes to all processes of a terminal and
    would make each say so: the main process decides when to stop."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # else it starts on the way, and unblocks the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Pool:
    """``jobs`` workers; a context manager that ends them."""

    def __init__(
        self, scanner: Scanner, jobs: int, limits: Limits, owners: OwnerColumns | None = None
    ) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._args = (scanner, limits, owners)
        self._idle = [_Worker(self._context, self._args) for _ in range(jobs)]
        self._all = list(self._idle)

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_exc: object) -> None:
        for worker in self._all:
            worker.process.kill()  # it keeps nothing, and a stopped one would wait for SIGCONT
        for worker in self._all:
            worker.process.join()
            worker.connection.close()

    def map(self, units: Iterable[Unit]) -> Iterator[tuple[Unit, Result]]:
        """The results of all units, in their order."""
        todo = iter(units)
        rules = {rule.id: rule for rule in self._args[0].rules}
        jobs: deque[_Job] = deque()
        while True:
            while self._idle and (unit := next(todo, None)) is not None:
                jobs.append(self._start(unit))
            if not jobs:
                return
            first = jobs[0]
            while first.ready:
                for sent in first.ready.popleft():
                    yield first.unit, unpack(sent, rules) if isinstance(sent, tuple) else sent
            if first.done:
                jobs.popleft()
            else:
                self._receive(jobs)

    def _start(self, unit: Unit) -> _Job:
        while not (worker := self._idle.pop()).send(unit):
            worker.end()  # it died with nothing to do, so nothing is lost
            self._add_worker(instead_of=worker)
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
        code = job.worker.end()
        job.ready.append([*lost(job.unit, f"the worker died (status {code})")])
        job.done = True
        self._add_worker(instead_of=job.worker)

    def _add_worker(self, *, instead_of: _Worker) -> None:
        self._all.remove(instead_of)
        fresh = _Worker(self._context, self._args)
        self._all.append(fresh)
        self._idle.append(fresh)

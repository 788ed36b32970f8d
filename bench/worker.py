"""One engine in a process of its own, driven by lines of JSON.

It runs in the venv of whichever program it measures, so it imports nothing but the
standard library and that program. Commands on standard input, one answer each:

    {"do": "load", "paths": [...]}            read the files into memory
    {"do": "scan"}                            scan them once: {"ns", "cpu_ns", "found"}
    {"do": "values", "out": path}             scan once more, writing the values found
    {"do": "messages", "texts": [...], "seconds": s, "cpu": bool}    time each call
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

_KEPT: list[Any] = []  # contexts to stay open; collected, they would close themselves


class Engine(NamedTuple):
    """A program behind one face. ``prepare`` turns bytes into what its ``scan`` takes and
    is not timed; ``value`` gives the secret of one finding."""

    scan: Callable[[Any], Sequence[Any]]
    value: Callable[[Any, Any], str]
    prepare: Callable[[bytes], Any]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _as_is(data: bytes) -> bytes:
    return data


def _detector() -> Engine:
    from detector import Scanner

    scanner = Scanner()
    return Engine(scanner.scan, lambda _, f: _text(f.secret.reveal()), _as_is)


def _kingfisher() -> Engine:
    import kingfisher_sdk  # type: ignore[import-not-found]

    rules = [Path(__file__).with_name("kingfisher-moltbook.yml")]
    scanner = kingfisher_sdk.Scanner(kingfisher_sdk.Rules(rules))
    return Engine(
        lambda data: [f for f in scanner.scan(data) if f.visible],
        lambda _, f: str(f.secret),
        _as_is,
    )


def _redact_secret() -> Engine:
    import redact_secret  # type: ignore[import-not-found]

    limits = redact_secret.WholeInputLimits(max_input_bytes=1 << 30, max_findings=10_000_000)
    return Engine(
        lambda text: list(redact_secret.scan(text, limits=limits)),
        lambda text, f: str(text[f.start : f.end]),
        _text,
    )


def _detect_secrets() -> Engine:
    from detect_secrets.core.scan import scan_line  # type: ignore[import-not-found]
    from detect_secrets.settings import default_settings  # type: ignore[import-not-found]

    settings = default_settings()
    settings.__enter__()
    _KEPT.append(settings)
    return Engine(
        lambda text: [f for line in text.split("\n") for f in scan_line(line)],
        lambda _, f: str(f.secret_value),
        _text,
    )


def _filter() -> Engine:
    from detector import Filter

    check = Filter().check
    return Engine(lambda text: check(text).findings, lambda _, f: _text(f.secret.reveal()), _text)


def _redact_secret_redacting() -> Engine:
    import redact_secret

    def found(text: str) -> list[Any]:
        findings = redact_secret.scan(text)
        redact_secret.redact(text, findings)
        return list(findings)

    return Engine(found, lambda text, f: str(text[f.start : f.end]), _text)


def _betterleaks() -> Engine:
    import betterleaks  # type: ignore[import-not-found]

    return Engine(betterleaks.scan_string, lambda _, f: str(f.match.value), _text)


ENGINES: dict[str, Callable[[], Engine]] = {
    "detector": _detector,
    "filter": _filter,
    "kingfisher-sdk": _kingfisher,
    "redact-secret": _redact_secret,
    "redact-secret+redact": _redact_secret_redacting,
    "detect-secrets": _detect_secrets,
    "betterleaks-lib": _betterleaks,
}


class Worker:
    """An engine, and the input it is measured on."""

    def __init__(self, name: str) -> None:
        began = time.perf_counter()
        self._engine = ENGINES[name]()
        self.startup = time.perf_counter() - began
        self._inputs: list[Any] = []

    def load(self, paths: list[str]) -> dict[str, Any]:
        contents = [Path(path).read_bytes() for path in paths]
        self._inputs = [self._engine.prepare(content) for content in contents]
        return {"bytes": sum(map(len, contents))}

    def scan(self) -> dict[str, Any]:
        began, cpu = time.perf_counter_ns(), time.process_time_ns()
        found = sum(len(self._engine.scan(item)) for item in self._inputs)
        ns, cpu_ns = time.perf_counter_ns() - began, time.process_time_ns() - cpu
        return {"ns": ns, "cpu_ns": cpu_ns, "found": found}

    def values(self, out: str) -> dict[str, Any]:
        with Path(out).open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(value) + "\n" for value in self._values())
        return {}

    def _values(self) -> Iterable[str]:
        for item in self._inputs:
            for finding in self._engine.scan(item):
                yield self._engine.value(item, finding)

    def messages(self, texts: list[str], seconds: float, cpu: bool) -> dict[str, Any]:
        """Nanoseconds of each single call, of wall or of CPU time, over and over until the
        time is up; the first round over the texts warms up and is not counted."""
        items = [self._engine.prepare(text.encode()) for text in texts]
        found = sum(len(self._engine.scan(item)) for item in items)
        clock = time.thread_time_ns if cpu else time.perf_counter_ns
        scan, taken = self._engine.scan, []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            for item in items:
                began = clock()
                scan(item)
                taken.append(clock() - began)
        return {"ns": taken, "found": found}


def main() -> None:
    worker = Worker(sys.argv[1])
    print(json.dumps({"startup": worker.startup}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        answer = getattr(worker, command.pop("do"))(**command)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

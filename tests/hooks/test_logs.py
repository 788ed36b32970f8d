"""Log records: what handlers write holds no secret, and clean records are left alone."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from material import builtin_scanner
from planted import GITHUB, LABEL, OPENAI, remains, strict, token

from detector import Filter
from detector.filter import Action
from detector.hooks import logs
from detector.hooks.logs import RedactingFilter

SECRET = token()


class Everything(logging.Formatter):
    """Writes all attributes, as formatters for JSON do."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record) + json.dumps(record.__dict__, default=repr)


class Log:
    def __init__(self, filter: Filter | None = None, formatter: logging.Formatter | None = None):
        self.out = io.StringIO()
        self.logger = logging.Logger("app.web")
        self.handler = logging.StreamHandler(self.out)
        self.handler.setFormatter(formatter or Everything("%(levelname)s %(message)s"))
        self.handler.addFilter(RedactingFilter(filter or Filter(builtin_scanner())))
        self.logger.addHandler(self.handler)

    @property
    def text(self) -> str:
        return self.out.getvalue()


class Shy:
    def __str__(self) -> str:
        return f"<{SECRET}>"

    def __repr__(self) -> str:
        return f"Shy({SECRET!r})"


class Broken:
    def __str__(self) -> str:
        raise RuntimeError(SECRET)

    __repr__ = __str__


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A handler that fails raises here."""

    def failed(self: logging.Handler, record: logging.LogRecord) -> None:
        raise  # noqa: PLE0704  # logging calls it where an exception is handled

    monkeypatch.setattr(logging.Handler, "handleError", failed)
    yield


MESSAGES: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = [
    (f"key {SECRET}", (), {}),
    ("key %s", (SECRET,), {}),
    ("key %s%s", (SECRET[:20], SECRET[20:]), {}),
    ("%(key)s", ({"key": SECRET},), {}),
    ("%.3s", (SECRET,), {}),
    ("key %s", (Shy(),), {}),
    (Shy(), (), {}),
    ({"key": SECRET}, (), {}),
    ("hello", (), {"extra": {"key": SECRET}}),
    ("hello", (), {"extra": {"deep": {"list": [1, ("a", SECRET)]}}}),
    ("hello", (), {"extra": {SECRET: 1}}),
    ("hello", (), {"extra": {"thing": Shy()}}),
    ("hello", (), {"extra": {"raw": SECRET.encode()}}),
    ("too few %s %s", (SECRET,), {}),
    ("%d", (SECRET,), {}),
    (Broken(), (), {"extra": {"key": SECRET}}),
]


@pytest.mark.parametrize("number", range(len(MESSAGES)))
def test_nothing_of_a_secret_is_written(number: int) -> None:
    message, arguments, named = MESSAGES[number]
    log = Log()
    log.logger.warning(message, *arguments, **named)
    assert log.text.startswith("WARNING ")
    assert remains(SECRET, log.text) == []


def test_the_message_reads_as_before() -> None:
    log = Log(formatter=logging.Formatter("%(name)s %(message)s %(user)s"))
    log.logger.error("%s asked with %s", "Ann", SECRET, extra={"user": f"ann {SECRET}"})
    assert log.text == f"app.web Ann asked with {LABEL} ann {LABEL}\n"


def test_a_traceback_is_redacted() -> None:
    log = Log()
    try:
        raise ValueError(f"bad key {SECRET}")
    except ValueError:
        log.logger.exception("failed", stack_info=True)
    assert "Traceback (most recent call last)" in log.text
    assert f"ValueError: bad key {LABEL}" in log.text
    assert "Stack (most recent call last)" in log.text
    assert remains(SECRET, log.text) == []


def test_a_stack_is_redacted() -> None:
    log = Log()
    log.handler.handle(logging.makeLogRecord({"msg": "a", "stack_info": f"line of {SECRET}"}))
    assert f"line of {LABEL}" in log.text
    assert remains(SECRET, log.text) == []


def test_a_clean_record_is_not_touched() -> None:
    record = logging.makeLogRecord({"name": "a", "msg": "%s and %d", "args": ("x", 3), "k": [1]})
    try:
        raise ValueError("nothing")
    except ValueError as error:
        record.exc_info = (ValueError, error, error.__traceback__)
    before = dict(record.__dict__)
    assert RedactingFilter(Filter(builtin_scanner())).filter(record) is True
    assert record.__dict__ == before
    assert all(record.__dict__[name] is value for name, value in before.items())


def test_who_else_sees_the_record() -> None:
    """From 3.12 on a copy is changed, before that the record."""
    record = logging.makeLogRecord({"msg": "%s", "args": (SECRET,)})
    result: Any = RedactingFilter(Filter(builtin_scanner())).filter(record)
    changed = result if logs.COPIES else record
    assert (changed.msg, changed.args) == (LABEL, ())
    assert (record.getMessage() == SECRET) is logs.COPIES


def test_what_a_policy_blocks_is_not_logged_and_what_it_sets_apart_is_a_note() -> None:
    log = Log(strict(Action.block))
    log.logger.warning(SECRET)
    log.logger.warning("hello", extra={"key": SECRET})
    assert log.text == ""
    log = Log(strict(Action.quarantine), logging.Formatter("%(message)s"))
    log.logger.warning(SECRET, extra={"key": SECRET})
    assert log.text == f"[withheld: {GITHUB}]\n"
    log = Log(strict(Action.alert), logging.Formatter("%(message)s"))
    log.logger.warning(SECRET)
    assert log.text == f"{SECRET}\n"


def test_a_filter_that_fails_lets_nothing_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Filter(builtin_scanner())

    def fails(*_: Any) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(guard, "_may_hold", fails)
    log = Log(guard)
    log.logger.warning(f"key {SECRET}")
    assert "WARNING [withheld: RuntimeError" in log.text
    assert remains(SECRET, log.text) == []


def test_looking_that_logs_does_not_look_at_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Filter(builtin_scanner())
    log = Log(guard, logging.Formatter("%(message)s"))
    may_hold = guard._may_hold

    def talks(raw: bytes) -> bool:
        log.logger.warning(f"looking at {raw!r}")
        return may_hold(raw)

    monkeypatch.setattr(guard, "_may_hold", talks)
    log.logger.warning(f"key {SECRET}")
    assert log.text.endswith(f"key {LABEL}\n")
    assert remains(SECRET, log.text) == []


@pytest.mark.parametrize("kind", [list, tuple, frozenset])
def test_values_that_share_their_parts_end(kind: Any) -> None:
    value: Any = kind([SECRET, 1])
    for level in range(60):
        value = kind([value, value, level]) if kind is not frozenset else kind([value, (value,)])
    log = Log(formatter=logging.Formatter("%(message)s"))
    log.logger.warning("hello", extra={"value": value})
    assert log.text == "[withheld: it cannot be formatted, TooMuchError]\n"


def test_only_records_of_the_named_logger() -> None:
    log = Log(formatter=logging.Formatter("%(message)s"))
    log.handler.addFilter(RedactingFilter(Filter(builtin_scanner()), name="other"))
    log.logger.warning("hello")
    assert log.text == ""


def test_many_threads() -> None:
    log = Log(formatter=logging.Formatter("%(message)s"))
    secrets = [token(OPENAI, seed) for seed in range(8)]

    def work(secret: str) -> None:
        for number in range(50):
            log.logger.warning("%d %s", number, secret)

    threads = [threading.Thread(target=work, args=(secret,)) for secret in secrets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = log.text.splitlines()
    expected = [f"{number} [redacted:{OPENAI}]" for number in range(50)] * 8
    assert sorted(lines) == sorted(expected)

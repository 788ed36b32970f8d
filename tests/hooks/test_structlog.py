"""Events of structlog, through the library itself."""

from __future__ import annotations

import io
import json
import logging
from collections import OrderedDict, deque
from typing import Any

import pytest
import structlog
from material import builtin_scanner
from planted import GITHUB, LABEL, remains, strict, token

from detector import Filter
from detector.filter import Action
from detector.hooks.structlog import redact_event

SECRET = token()


def log(*processors: Any, guard: Filter | None = None) -> tuple[Any, io.StringIO]:
    """A logger that redacts right before the last of these."""
    out = io.StringIO()
    *before, renderer = processors
    redacting = redact_event(guard or Filter(builtin_scanner()))
    logger = structlog.wrap_logger(
        structlog.PrintLogger(out), processors=[*before, redacting, renderer]
    )
    return logger.bind(app="web"), out


CONSOLE = structlog.dev.ConsoleRenderer(
    colors=False, exception_formatter=structlog.dev.plain_traceback
)
EVENTS: list[tuple[str, dict[str, Any]]] = [
    (f"key {SECRET}", {}),
    ("hello", {"key": SECRET}),
    ("hello", {"deep": {"list": [1, ("a", {"b": SECRET})]}}),
    ("hello", {SECRET: 1}),
    ("hello", {"raw": SECRET.encode()}),
    ("hello", {"error": ValueError(SECRET)}),
    ("hello", {"numbers": {1: SECRET}}),
]


@pytest.mark.parametrize("number", range(len(EVENTS)))
@pytest.mark.parametrize("renderer", [structlog.processors.JSONRenderer(), CONSOLE])
def test_nothing_of_a_secret_is_written(number: int, renderer: Any) -> None:
    event, values = EVENTS[number]
    logger, out = log(structlog.processors.add_log_level, renderer)
    logger.warning(event, **values)
    assert "warning" in out.getvalue()
    assert remains(SECRET, out.getvalue()) == []


def test_values_keep_their_places_and_types() -> None:
    logger, out = log(structlog.processors.JSONRenderer())
    logger.warning("hello", deep={"list": [1, None, f"a {SECRET}"], "n": 2.5})
    assert json.loads(out.getvalue()) == {
        "event": "hello",
        "app": "web",
        "deep": {"list": [1, None, f"a {LABEL}"], "n": 2.5},
    }


def test_a_clean_event_is_the_very_same_object() -> None:
    event: dict[str, Any] = {"event": "hello", "thing": object(), "list": [1, ("a",)]}
    assert redact_event(Filter(builtin_scanner()))(None, "info", event) is event


@pytest.mark.parametrize(
    "before",
    [[], [structlog.processors.format_exc_info], [structlog.processors.dict_tracebacks]],
    ids=["renderer", "format_exc_info", "dict_tracebacks"],
)
def test_a_traceback_is_redacted(before: list[Any]) -> None:
    for renderer in (structlog.processors.JSONRenderer(), CONSOLE):
        if renderer is CONSOLE and before:
            continue
        logger, out = log(*before, renderer)
        try:
            local = SECRET
            raise ValueError(f"bad key {local}")
        except ValueError:
            logger.exception("failed")
        assert "ValueError" in out.getvalue()
        assert LABEL in out.getvalue()
        assert remains(SECRET, out.getvalue()) == []


def test_what_a_policy_says() -> None:
    logger, out = log(structlog.processors.JSONRenderer(), guard=strict(Action.block))
    logger.warning("hello", key=SECRET)
    assert out.getvalue() == ""
    with pytest.raises(structlog.DropEvent):
        redact_event(strict(Action.block))(None, "info", {"event": SECRET})
    logger, out = log(
        structlog.processors.add_log_level,
        structlog.processors.JSONRenderer(),
        guard=strict(Action.quarantine),
    )
    logger.warning("hello", key=SECRET)
    assert json.loads(out.getvalue()) == {"event": f"[withheld: {GITHUB}]", "level": "warning"}


def test_what_cannot_be_written_is_a_note() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError(SECRET)

    deep: Any = []
    for _ in range(1000):
        deep = [deep]
    for value, says in ((Broken(), "RuntimeError"), (deep, "TooMuchError")):
        logger, out = log(structlog.processors.JSONRenderer())
        logger.warning("hello", value=value, key=SECRET)
        assert says in out.getvalue()
        assert remains(SECRET, out.getvalue()) == []


def test_a_value_that_is_inside_of_itself_is_shown_once() -> None:
    loop: list[Any] = [SECRET]
    loop.append(loop)
    around: list[Any] = [SECRET]
    around.insert(0, [{"clean": around}])
    for value, clean in ((loop, [LABEL, "…"]), (around, [[{"clean": "…"}], LABEL])):
        logger, out = log(structlog.processors.JSONRenderer())
        logger.warning("hello", value=value)
        assert json.loads(out.getvalue())["value"] == clean


def shared(kind: Any) -> Any:
    """A value of 2^60 parts that takes no room."""
    value: Any = kind([SECRET, 1])
    for _ in range(60):
        value = kind([value, value])
    return value


@pytest.mark.parametrize("kind", [list, tuple, deque, lambda two: dict(zip("ab", two, strict=True)),
                                  lambda two: OrderedDict(a=two)])  # fmt: skip
def test_values_that_share_their_parts_end(kind: Any) -> None:
    logger, out = log(structlog.processors.JSONRenderer())
    logger.warning("hello", value=shared(kind))
    assert json.loads(out.getvalue())["event"] == "[withheld: it cannot be written, TooMuchError]"


def test_names_that_are_no_texts() -> None:
    logger, out = log(structlog.processors.KeyValueRenderer())
    logger.warning("hello", value={("a", SECRET): [SECRET], 1: b"x"})
    assert str({("a", LABEL): [LABEL], 1: b"x"}) in out.getvalue()


def test_beside_the_standard_library(caplog: pytest.LogCaptureFixture) -> None:
    """Records of others through structlog's own formatter."""
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            redact_event(Filter(builtin_scanner())),
            structlog.processors.JSONRenderer(),
        ]
    )
    record = logging.makeLogRecord({"name": "lib", "msg": "key %s", "args": (SECRET,)})
    assert json.loads(formatter.format(record)) == {"event": f"key {LABEL}"}

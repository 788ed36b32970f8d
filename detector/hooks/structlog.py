"""A processor for structlog."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, MutableMapping
from typing import Any

from detector.filter import Action, Filter, Verdict
from detector.hooks.values import Shown, missing, note, usual_filter

try:
    from structlog import DropEvent
except ImportError:
    raise missing("structlog is not installed", "structlog") from None

Event = MutableMapping[str, Any]

_OWN = frozenset({"_record", "_from_structlog"})  # for structlog's ProcessorFormatter
_KEPT = frozenset({"level", "timestamp", "logger"})  # of an event that is withheld


def redact_event(filter: Filter | None = None) -> Callable[[Any, str, Event], Event]:
    """A processor that takes secrets out of an event and all its values, nested ones too.

        structlog.configure(processors=[…, redact_event(), JSONRenderer()])

    Put it right before the renderer, so that nothing is added behind it. Objects whose text
    holds a secret become that text without it, and so does an exception: then ``exc_info`` is
    gone and its traceback stands in ``exception``. What the policy blocks is dropped
    (``DropEvent``), and of what it sets apart only a note is left.

    The policy's ``channel`` is the event's ``logger``, its ``sender`` the method's name. A
    renderer that prints local variables (structlog's rich tracebacks do) prints what no
    processor has seen: use ``plain_traceback``, or ``dict_tracebacks`` in front of this.
    """
    judge = filter or usual_filter()

    def processor(_logger: Any, method: str, event: Event) -> Event:
        own = {name: value for name, value in event.items() if name in _OWN}
        try:
            given = {name: value for name, value in event.items() if name not in _OWN}
            shown = Shown(_with_traceback(given))
            channel = event.get("logger")
            verdict = judge.check(
                shown.plain, channel=None if channel is None else str(channel), sender=method
            )
        except Exception as error:  # its text may hold what was to be logged
            what = f"it cannot be written, {type(error).__name__}"
            verdict = Verdict(Action.quarantine, None, (), "", what)
        if verdict.action is Action.block:
            raise DropEvent
        if verdict.action is Action.quarantine:
            kept = {name: event[name] for name in event if name in _KEPT}
            return {"event": note(verdict)} | kept | own
        if verdict.content is shown.plain:
            return event
        return _redacted(event, shown, verdict.content) | own

    return processor


def _with_traceback(event: dict[str, Any]) -> dict[str, Any]:
    """The event with the text of its exception in the place of ``exc_info``."""
    info = event.get("exc_info")
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if not isinstance(error, BaseException):
        return event
    text = "".join(traceback.format_exception(error)).rstrip("\n")
    return {name: text if name == "exc_info" else value for name, value in event.items()}


def _redacted(before: Event, shown: Shown, content: Any) -> dict[str, Any]:
    """An exception whose text holds a secret is kept as that text without it."""
    event: dict[str, Any] = shown.back(content)
    if "exc_info" in event and event["exc_info"] is shown.value["exc_info"]:
        event["exc_info"] = before["exc_info"]
    elif "exc_info" in event:
        event["exception"] = event.pop("exc_info")
    return event

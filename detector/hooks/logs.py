"""A filter for the standard library's logging."""

from __future__ import annotations

import copy
import logging
import sys
import threading
from typing import Any

from detector.filter import Action, Filter, Verdict
from detector.hooks.values import Shown, note, usual_filter

COPIES = sys.version_info >= (3, 12)  # from there on a filter may give another record
_STANDARD = frozenset({*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName"})
_FORMATTER = logging.Formatter()
_NUMBERS = frozenset({int, float, bool, type(None)})
_GONE: Any = object()  # the value of an attribute that is to go


class RedactingFilter(logging.Filter):
    """Takes secrets out of log records: attach it to handlers, or to loggers.

        handler.addFilter(RedactingFilter())

    Looked at is what a handler writes: the message with its arguments, so a secret in two of
    them is seen; the traceback, the stack, and attributes given as ``extra``. A record without
    a secret is not touched. In others the message becomes its redacted text, ``args`` empty,
    and a traceback is kept as text (``exc_text``). A message that cannot be formatted, or that
    the policy sets apart, is replaced by a note; what it blocks is not logged.

    The policy's ``channel`` is the logger's name, its ``sender`` the level's. ``name``: only
    records of this logger and those below it get through, as with every `logging.Filter`.

    From Python 3.12 on other handlers keep the record as it was; before, the record itself is
    changed, and handlers that come later see it without its secrets, too. A filter of a logger
    does not see the records of loggers below it: that is how logging works, so handlers are the
    better place. Formatters that print local variables print what no filter has seen.
    """

    def __init__(self, filter: Filter | None = None, *, name: str = "") -> None:
        super().__init__(name)
        self._filter = filter or usual_filter()
        self._looking = threading.local()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged; from 3.12 on the record that is."""
        if not super().filter(record):
            return False
        changes = self._changes(record)
        if changes is None:
            return False
        if not changes:
            return True
        changed = copy.copy(record) if COPIES else record
        for name, value in changes.items():
            if value is _GONE:
                del changed.__dict__[name]
            else:
                changed.__dict__[name] = value
        if "message" in changed.__dict__:  # what a formatter has written before
            changed.message = str(changed.msg)
        return changed if COPIES else True  # type: ignore[return-value]  # typed since 3.12

    def _changes(self, record: logging.LogRecord) -> dict[str, Any] | None:
        """The attributes to change; None: the record goes nowhere."""
        if getattr(self._looking, "now", False):  # looking at another record has logged this one
            return _withheld(record, "[withheld: logged while a record was looked at]")
        try:
            text = record.getMessage()
            beside = Shown(_beside(record, text))
        except Exception as error:  # its own text may hold what was to be logged
            what = f"[withheld: it cannot be formatted, {type(error).__name__}]"
            return _withheld(record, what)
        message, others = self._check(record, text), self._check(record, beside.plain)
        worst = max(message, others, key=lambda verdict: verdict.action.strength)
        if worst.action is Action.block:
            return None
        if worst.action is Action.quarantine:
            return _withheld(record, note(worst))
        return self._redacted(record, text, message.content, beside, others.content)

    def _check(self, record: logging.LogRecord, message: Any) -> Verdict:
        if not message:
            return Verdict(Action.allow, message)
        self._looking.now = True
        try:
            return self._filter.check(message, channel=record.name, sender=record.levelname)
        finally:
            self._looking.now = False

    def _redacted(
        self, record: logging.LogRecord, text: str, clean: str, beside: Shown, others: Any
    ) -> dict[str, Any]:
        changes = _differences(beside, others)
        if "exc_text" in changes:
            changes["exc_info"] = None
        if "msg" in changes and not record.args:  # no text but an object that a formatter reads
            text = clean = str(changes["msg"])
            clean = self._check(record, text).content or "[withheld]"
        if text != clean or changes.keys() & {"msg", "args"}:
            if text != clean or record.args:
                changes["msg"] = clean
            changes["args"] = ()
        return changes


def _differences(beside: Shown, others: Any) -> dict[str, Any]:
    """The attributes that a filter has changed. A name can hold a secret, too."""
    if others is beside.plain:
        return {}
    changes = {}
    pairs = zip(beside.value.items(), beside.back(others).items(), strict=True)
    for (name, value), (clean_name, clean) in pairs:
        if name != clean_name:
            changes[name] = _GONE
        if name != clean_name or value is not clean:
            changes[clean_name] = clean
    return changes


def _beside(record: logging.LogRecord, text: str) -> dict[str, Any]:
    """What is written of a record beside its message, under the attributes' names."""
    found: dict[str, Any] = {}
    if not isinstance(record.msg, str):
        found["msg"] = record.msg
    if record.args and not _all_shown(record.args, text):
        found["args"] = record.args
    if record.exc_text:
        found["exc_text"] = record.exc_text
    elif record.exc_info and record.exc_info[1] is not None:
        found["exc_text"] = _FORMATTER.formatException(record.exc_info)
    if record.stack_info:
        found["stack_info"] = record.stack_info
    for name in record.__dict__.keys() - _STANDARD:
        found[name] = record.__dict__[name]
    return found


def _all_shown(args: Any, text: str) -> bool:
    """Whether nothing is in the arguments that is not in the message, too: so it mostly is."""
    return isinstance(args, tuple) and all(
        arg in text if type(arg) is str else type(arg) in _NUMBERS for arg in args
    )


def _withheld(record: logging.LogRecord, text: str) -> dict[str, Any]:
    gone = dict.fromkeys(record.__dict__.keys() - _STANDARD, _GONE)
    return gone | {"msg": text, "args": (), "exc_info": None, "exc_text": None, "stack_info": None}

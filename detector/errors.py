"""The exceptions a user of the library can meet.

    DetectorError
    ├── RuleError        a rule file that cannot be used: names file, rule and field
    ├── UsageError       a wrong argument, option or setting
    ├── EngineError      the asked-for engine cannot be loaded on this machine
    ├── ModelError       a classifier's bundle that is damaged or made for another version
    └── BaselineError    a baseline file that cannot be read or was made with another key

Bad *input* never raises: it becomes a :class:`detector.types.Skipped` record and the
run goes on. No message here ever carries bytes of the scanned data.
"""

from __future__ import annotations


class DetectorError(Exception):
    """Base of everything this package raises on purpose."""


class RuleError(DetectorError):
    """A rule that cannot be used.

    ``file``, ``rule`` and ``field`` say where; each is empty when it does not apply.
    """

    def __init__(self, message: str, *, file: str = "", rule: str = "", field: str = "") -> None:
        self.message, self.file, self.rule, self.field = message, file, rule, field
        where = [file, f"rule '{rule}'" if rule else "", f"field '{field}'" if field else ""]
        super().__init__(": ".join([*filter(None, where), message]))

    def __reduce__(self) -> tuple[object, ...]:
        return _rule_error, (self.message, self.file, self.rule, self.field)


def _rule_error(message: str, file: str, rule: str, field: str) -> RuleError:
    return RuleError(message, file=file, rule=rule, field=field)


class UsageError(DetectorError):
    """A wrong argument, option or setting."""


class EngineError(DetectorError):
    """The asked-for engine cannot be loaded on this machine."""


class BaselineError(DetectorError):
    """A baseline file that cannot be read, or that was made with another key."""


class ModelError(DetectorError):
    """A classifier's bundle that is missing, damaged, or made for another version."""

"""Events without secrets, with structlog: ``python examples/structlog_processor.py``."""

from __future__ import annotations

import random

import structlog

from detector import RuleSet
from detector.hooks.structlog import redact_event
from detector.rules.samples import draw

# Made up: right in shape and checksum, of no account.
KEY = draw(RuleSet.builtin().by_id["github-pat"], random.Random(1)).text.decode()


def main() -> None:
    """Lines of JSON: one without a key, one with a key deep inside, one with a traceback."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            redact_event(),  # right before the renderer: nothing comes in behind it
            structlog.processors.JSONRenderer(),
        ]
    )
    log = structlog.get_logger().bind(app="deploy")
    log.info("begins", step=1)
    log.info("asks", request={"url": "/push", "headers": {"authorization": f"Bearer {KEY}"}})
    try:
        raise PermissionError(f"{KEY} may not push")
    except PermissionError:
        log.exception("push failed")


if __name__ == "__main__":
    main()

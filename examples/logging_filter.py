"""Logs without secrets, with the standard library: ``python examples/logging_filter.py``."""

from __future__ import annotations

import logging
import random
import sys

from detector import RuleSet
from detector.hooks.logs import RedactingFilter
from detector.rules.samples import draw

# Made up: right in shape and checksum, of no account.
KEY = draw(RuleSet.builtin().by_id["github-pat"], random.Random(1)).text.decode()


def main() -> None:
    """Three ways a key gets into a log, and a line without one."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    handler.addFilter(RedactingFilter())  # on the handler: it sees the records of all loggers
    logging.basicConfig(level=logging.INFO, handlers=[handler])

    log = logging.getLogger("deploy")
    log.info("the deploy begins")
    log.info("token %s for %s", KEY, "ada")
    log.info({"headers": {"authorization": f"Bearer {KEY}"}})
    try:
        raise PermissionError(f"{KEY} may not push")
    except PermissionError:
        log.exception("push failed")


if __name__ == "__main__":
    main()

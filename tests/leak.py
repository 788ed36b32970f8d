"""The leaked database of ``bench.database`` at a thousandth of its size, for tests.

1,500 agents, 200 messages, 1,741 planted secrets, in every format; made in two seconds, once.
"""

from __future__ import annotations

import os
import shutil
import socket
from functools import cache

import pytest
import servers

from bench.database import Database, database
from bench.dumps import mariadb_server

SCALE = 0.001


@cache
def leaked(*formats: str) -> Database:
    """These formats and the truth. Skips the test where a server is missing; fails it in CI."""
    url = servers.postgres()
    if any(name.startswith("mysql") for name in formats):
        _needs_mariadb()
    return database(SCALE, formats, url=url)


def _needs_mariadb() -> None:
    server = mariadb_server()
    problem = "mysqldump is not installed" if shutil.which("mysqldump") is None else ""
    try:
        socket.create_connection((server.hostname or "", server.port or 3306), 5).close()
    except OSError:
        problem = "no MariaDB server answers"
    if problem and os.environ.get("CI"):
        pytest.fail(f"{problem}, and in CI there must be one")
    if problem:
        pytest.skip(problem)

"""Real servers for the tests that need one: databases, reached with the servers' own clients,
and message brokers, in :mod:`bench.brokers`.

A test without its server is skipped and says so; where ``CI`` is set it fails, since there the
servers are part of what is tested. ``DETECTOR_TEST_POSTGRES`` and ``DETECTOR_TEST_MARIADB`` name
other servers than those of compose.yaml.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote, urlsplit, urlunsplit

import pymysql
import pytest

from bench import brokers

POSTGRES = "postgresql://postgres@127.0.0.1:5432/postgres"
MARIADB = "mysql://root@127.0.0.1:3306"
WAIT = 5  # seconds for a connection; a server on this machine answers in some milliseconds


def postgres() -> str:
    """A connection string of a PostgreSQL server whose user may create databases.

    Skips the test, or fails it under ``CI``, where there is none or no client for it.
    """
    url = os.environ.get("DETECTOR_TEST_POSTGRES", POSTGRES)
    if problem := _no_postgres(url):
        _without(problem)
    return url


def mariadb() -> str:
    """The URL of a MariaDB server whose user may create databases; else see :func:`postgres`."""
    url = os.environ.get("DETECTOR_TEST_MARIADB", MARIADB)
    parts = urlsplit(url)
    try:
        pymysql.connect(
            host=parts.hostname,
            port=parts.port or 3306,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            connect_timeout=WAIT,
        ).close()
    except pymysql.Error:
        _without("no MariaDB server answers")
    return url


def psql(url: str, sql: str) -> bytes:
    """What a script prints: values only, a tab between columns. Stops at the first error."""
    done = subprocess.run(
        ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", "-"],
        input=sql.encode(),
        capture_output=True,
        env=_environment(),
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


@contextmanager
def postgres_database(sql: str = "") -> Iterator[str]:
    """The connection string of a new database in which ``sql`` was run; dropped at the end."""
    server = postgres()
    name = f"detector_{uuid.uuid4().hex[:12]}"
    psql(server, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    try:
        url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        if sql:
            psql(url, sql)
        yield url
    finally:
        psql(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def broker(kind: str) -> str:
    """The kind itself, where a broker of it answers; else see :func:`postgres`. Kafka is a mock
    cluster, which needs none."""
    if kind != "kafka" and not brokers.answers(kind):
        _without(f"no broker answers: {kind}")
    return kind


@contextmanager
def own_broker(kind: str, folder: Path) -> Iterator[brokers.OwnServer]:
    """A NATS or Redis of the test's own, to stop and start; else see :func:`postgres`."""
    program = brokers.PROGRAMS[kind]
    if shutil.which(program) is None:
        _without(f"{program} is not installed")
    with brokers.own_server(kind, folder) as server:
        yield server


@cache
def _no_postgres(url: str) -> str | None:
    """What is in the way of using this server, if anything."""
    for program in ("psql", "pg_dump"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    done = subprocess.run(
        ["psql", "-X", "-q", "-A", "-t", "-d", url, "-c", "SELECT 1"],
        capture_output=True,
        env=_environment(),
        timeout=10 * WAIT,
        check=False,
    )
    return None if done.returncode == 0 else "no PostgreSQL server answers"


def _environment() -> dict[str, str]:
    return {**os.environ, "PGCONNECT_TIMEOUT": str(WAIT), "PGCLIENTENCODING": "UTF8"}


def _without(problem: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"{problem}, and in CI there must be one")
    pytest.skip(problem)

"""The servers that compose.yaml starts are those that the tests look for."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pymysql
import pytest
import servers
import yaml

from bench import brokers, database, dumps

FILE = Path(__file__).parent.parent / "compose.yaml"
DEFAULTS = {
    "postgres": servers.POSTGRES,
    "mariadb": servers.MARIADB,
    "nats": brokers.SERVERS["nats"][1],
    "redis": brokers.SERVERS["redis"][1],
    "rabbitmq": brokers.SERVERS["rabbit"][1],
}
# https://github.com/compose-spec/compose-spec/blob/main/spec.md, as far as it is used here.
KEYS = {"image", "environment", "command", "ports", "healthcheck"}
CHECKS = {"test", "interval", "retries", "timeout", "start_period"}


@pytest.fixture(scope="module")
def services():
    read = yaml.safe_load(FILE.read_text("utf-8"))
    assert read.keys() == {"services"}
    return read["services"]


def with_defaults(text):
    """``${NAME:-default}`` where the environment says nothing."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def test_each_is_an_image_with_a_healthcheck(services):
    assert services.keys() == DEFAULTS.keys()
    for name, service in services.items():
        assert {"image", "ports"} <= service.keys() <= KEYS
        assert re.fullmatch(rf"{name}:\d+(\.\d+)?", service["image"])
        assert all(isinstance(value, str) for value in service.get("environment", {}).values())
        if name == "nats":  # its image holds the server alone, nothing that could ask it
            continue
        check = service["healthcheck"]
        assert check.keys() <= CHECKS
        assert check["test"][0] == "CMD"


def test_they_listen_where_the_tests_look(services):
    assert database.DEFAULT_POSTGRES == servers.POSTGRES
    assert dumps.DEFAULT_MARIADB == servers.MARIADB
    text = FILE.read_text("utf-8")
    for name, service in services.items():
        url = urlsplit(DEFAULTS[name])
        (port,) = service["ports"]
        assert with_defaults(port) == f"{url.hostname}:{url.port}:{url.port}"
        assert f"DETECTOR_TEST_{name.upper()}={DEFAULTS[name]}" in text
        assert re.search(r"\$\{(\w+):", port)[1] == f"{name.upper()}_PORT"


def test_nobody_is_asked_for_a_password(services):
    assert urlsplit(servers.POSTGRES).username == "postgres"  # the image's own, as is its database
    assert services["postgres"]["environment"]["POSTGRES_HOST_AUTH_METHOD"] == "trust"
    assert urlsplit(servers.MARIADB).username == "root"
    mariadb = services["mariadb"]["environment"]
    assert mariadb["MARIADB_ALLOW_EMPTY_ROOT_PASSWORD"] == "1"
    assert mariadb["MARIADB_ROOT_HOST"] == "%"  # a port is reached from outside of the container


def test_a_real_postgresql_knows_its_options_and_is_healthy(services):
    url = servers.postgres()
    _, *options = services["postgres"]["command"]
    assert options[::2] == ["-c"] * (len(options) // 2)
    for option in options[1::2]:
        name, value = option.split("=")
        unit, kind = servers.psql(
            url, f"SELECT unit, vartype FROM pg_settings WHERE name = '{name}'"
        ).decode().rstrip("\n").split("\t")  # fmt: skip
        assert (kind, value) == ("bool", "off") if not unit else re.fullmatch(r"\d+[MG]B", value)
    if url == servers.POSTGRES:
        check = services["postgres"]["healthcheck"]["test"][1:]
        assert subprocess.run(check, capture_output=True, check=False).returncode == 0


def test_a_real_mariadb_knows_its_options(services):
    parts = urlsplit(servers.mariadb())
    connection = pymysql.connect(
        host=parts.hostname, port=parts.port or 3306, user=parts.username,
        password=parts.password or "",
    )  # fmt: skip
    with connection, connection.cursor() as cursor:
        for option in services["mariadb"]["command"]:
            name, value = re.fullmatch(r"--([\w-]+)=(\w+)", option).groups()
            name = name.replace("-", "_")
            assert cursor.execute("SHOW GLOBAL VARIABLES LIKE %s", (name,)) == 1, name
            if not value.isdigit():
                assert cursor.execute("SHOW CHARACTER SET LIKE %s", (value,)) == 1, value

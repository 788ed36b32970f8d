"""Keys planted through real bundlers, from real sources, with every kind of source map."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path
from typing import NamedTuple

import pytest
from bundlers import BUNDLERS, MAPS, Keys, build, sources
from material import builtin_scanner, sample_of

from detector import Finding
from detector.run import Options, Run


def jwt(role: str) -> str:
    claims = {"iss": "supabase", "ref": "abcdefghijklmnopqrst", "role": role}
    times = {"iat": 1_700_000_000, "exp": 2_015_000_000}
    parts = [
        json.dumps(part, separators=(",", ":"))
        for part in ({"alg": "HS256", "typ": "JWT"}, {**claims, **times})
    ]
    raw = [*(part.encode() for part in parts), random.Random(role).randbytes(32)]
    return ".".join(base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in raw)


def drawn(rule: str) -> str:
    return sample_of(rule).secret.decode()


KEYS = Keys(
    jwt("anon"),
    jwt("service_role"),
    drawn("stripe-secret-key"),
    drawn("openai-project-key"),
    drawn("github-pat"),
    drawn("anthropic-api-key"),
)
INLINED = "__OPENAI_KEY__"
SHIPPED = ("anon", "service_role", "written", "inlined")


class Place(NamedTuple):
    path: str
    line: int
    column: int


@pytest.fixture(scope="module")
def dist(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("bundlers"), KEYS)


def found(folder: Path, jobs: int = 1) -> dict[str, Finding]:
    """By what it is; a second finding of the same key, or one of something else, is an error."""
    names = {value.encode(): name for name, value in KEYS._asdict().items()}
    out: dict[str, Finding] = {}
    for one in Run(builtin_scanner(), [str(folder)], Options(jobs=jobs)):
        assert isinstance(one, Finding), one
        name = names.get(one.secret.reveal(), one.rule)
        assert name not in out
        out[name] = one
    return out


def written_at(name: str) -> Place:
    """Where a key stands in the sources, in UTF-16 units."""
    wanted = INLINED if name == "inlined" else getattr(KEYS, name)
    for path, text in sources(KEYS).items():
        for number, line in enumerate(text.split("\n"), 1):
            if (at := line.find(wanted)) >= 0:
                return Place(path, number, len(line[:at].encode("utf-16-le")) // 2 + 1)
    raise AssertionError(name)


def in_file(folder: Path, finding: Finding) -> bytes:
    data = Path(finding.path).read_bytes()
    lines = data.split(b"\n")
    begin = finding.column - 1
    length = finding.end - finding.start
    assert lines[finding.line - 1][begin : begin + length] == data[finding.start : finding.end]
    return data[finding.start : finding.end]


@pytest.mark.parametrize("bundler", BUNDLERS)
@pytest.mark.parametrize("kind", MAPS)
def test_keys_in_bundles(dist, bundler, kind):
    results = found(dist / bundler / kind)
    only_in_sources = () if kind == "off" else ("shaken", "comment")
    assert set(results) == {*SHIPPED, *only_in_sources, "supabase-project-url"}
    for name in SHIPPED:
        one = results[name]
        assert in_file(dist, one).decode() == getattr(KEYS, name)
        if kind == "off":
            assert one.origin is None
            continue
        place, origin = written_at(name), one.origin
        assert origin is not None
        assert origin["path"].endswith(place.path)
        assert origin["line"] == place.line
        if name == "inlined":  # some maps know the call that it stands in, and no more
            assert place.column - len("ask(") <= origin["column"] <= place.column
        else:
            assert origin["column"] == place.column
    for name in only_in_sources:
        one, place = results[name], written_at(name)
        assert one.path.endswith(place.path)
        assert ".js.map!" in one.path or (kind == "inline" and ".js!" in one.path)
        assert (one.line, (one.origin or {})["column"]) == (place.line, place.column)


@pytest.mark.parametrize("bundler", BUNDLERS)
def test_what_never_belongs_into_a_client_is_critical(dist, bundler):
    results = found(dist / bundler / "external")
    assert results["anon"].privilege == "public"
    assert results["anon"].claims["role"] == "anon"
    assert results["service_role"].privilege == "admin"
    assert {results[name].severity for name in ("service_role", "written", "inlined")} == {
        "critical"
    }
    assert all(one.claims["shipped"] for one in results.values())
    assert "move the call to a server" in results["inlined"].why
    assert "move the call" not in results["anon"].why

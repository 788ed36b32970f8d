"""No output holds a secret's bytes unless it was asked for, in any disguise."""

from __future__ import annotations

import base64
import binascii
import io
import json
import logging
import os
import pickle
import random
import subprocess
import sys
import traceback
from urllib.parse import quote_from_bytes

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.pretty import pretty_repr
from rich.traceback import Traceback

from detector.baseline import Baseline
from detector.errors import UsageError
from detector.sinks import FORMATS, make_sink
from detector.types import Secret, Skipped, Summary


def disguises(raw: bytes) -> list[bytes]:
    """The last 12 bytes as they are and in the encodings that a careless sink would use."""
    tail = raw[-12:]
    return [
        tail,
        binascii.hexlify(tail),
        base64.b64encode(tail)[:16],
        quote_from_bytes(tail).encode(),
        json.dumps(tail.decode("latin-1"))[1:-1].encode(),
        repr(tail)[2:-1].encode(),
        tail.decode("utf-8", "backslashreplace").encode(),
    ]


def write_all(name: str, finding, **options) -> bytes:
    stream = io.BytesIO()
    sink = make_sink(name, stream, **options)
    sink.write(finding)
    sink.skip(Skipped(path="a", reason="b"))
    sink.close(Summary(findings=1))
    return stream.getvalue()


# The tail is random, so that it cannot stand in the output by chance.
# Half of them are ASCII, as most tokens are: what escapes bytes leaves those as they are.
secrets = st.builds(
    lambda head, seed, ascii: head + tail_of(seed, ascii),
    st.binary(min_size=12, max_size=300),
    st.integers(min_value=0),
    st.booleans(),
)


def tail_of(seed: int, ascii: bool) -> bytes:
    rng = random.Random(seed)
    return rng.randbytes(6).hex().encode() if ascii else rng.randbytes(12)


@pytest.mark.parametrize("name", FORMATS)
@given(raw=secrets, path=st.text(), text=st.text(max_size=20))
def test_no_sink_writes_a_secret(make_finding, name, raw, path, text):
    finding = make_finding(raw=raw, path=path, table=text, claims={text: text})
    output = write_all(name, finding)
    assert not any(disguise in output for disguise in disguises(raw) if len(disguise) >= 12)
    output.decode("utf-8")


@pytest.mark.parametrize("name", ["text", "jsonl"])
def test_they_do_when_asked(make_finding, name):
    finding = make_finding()
    assert finding.secret.reveal() in write_all(name, finding, show_secrets=True)


def test_sarif_never_does():
    with pytest.raises(UsageError, match="SARIF"):
        make_sink("sarif", io.BytesIO(), show_secrets=True)


def test_an_unknown_format_is_wrong_use():
    with pytest.raises(UsageError, match="text, jsonl, sarif"):
        make_sink("xml", io.BytesIO())


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        format,
        lambda finding: f"{finding.secret!r}{finding.secret:>20}{finding.secret!s}",
        lambda finding: "%s %r" % (finding, finding.secret),  # noqa: UP031
        pretty_repr,
        lambda finding: str(msgspec.structs.asdict(finding)),
        lambda finding: repr(pickle.loads(pickle.dumps(finding))),
        lambda finding: json.dumps(msgspec.structs.asdict(finding), default=str),
    ],
)
def test_a_finding_does_not_show_its_secret(make_finding, show):
    finding = make_finding()
    shown = show(finding)
    assert finding.secret.reveal().decode()[-12:] not in shown
    assert "****(43)" in shown


def test_a_finding_survives_the_way_to_another_process(make_finding):
    finding = make_finding()
    copy = pickle.loads(pickle.dumps(finding))
    assert copy == finding and copy.secret.reveal() == finding.secret.reveal()


@pytest.mark.parametrize("encode", [msgspec.json.encode, json.dumps, msgspec.msgpack.encode])
def test_json_without_a_hook_refuses(make_finding, encode):
    finding = make_finding()
    with pytest.raises(TypeError) as caught:
        encode(finding)
    assert finding.secret.reveal().decode()[-12:] not in str(caught.value)


def fail(finding):
    secret = finding.secret
    raise ValueError(finding, secret)


def test_tracebacks_with_locals_and_logs_do_not_show_it(make_finding, caplog):
    finding = make_finding()
    rich_text = io.StringIO()
    try:
        fail(finding)
    except ValueError as error:
        logging.getLogger("test").exception("with %s", finding)
        inner = error.__traceback__.tb_next
        told = traceback.TracebackException(type(error), error, inner, capture_locals=True)
        shown = Traceback.from_exception(type(error), error, inner, show_locals=True)
        Console(file=rich_text, width=300).print(shown)
    for text in ("".join(told.format()), rich_text.getvalue(), caplog.text):
        assert "****(43)" in text
        assert finding.secret.reveal().decode()[-12:] not in text


@given(st.binary(min_size=1), st.integers(0, 100))
def test_a_mask_shows_at_most_a_third(raw, prefix):
    assert len(Secret(raw, prefix).masked) <= len(raw) // 3 + len(f"****({len(raw)})")


def test_a_baseline_does_not_hold_it(make_finding, tmp_path):
    finding = make_finding()
    Baseline.from_findings([finding]).save(tmp_path / "base.json")
    data = (tmp_path / "base.json").read_bytes()
    assert not any(disguise in data for disguise in disguises(finding.secret.reveal()))


class Full(io.RawIOBase):
    def writable(self):
        return True

    def write(self, data):
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("name", FORMATS)
def test_an_error_of_the_stream_comes_out_and_tells_nothing(make_finding, name):
    finding = make_finding()
    with pytest.raises(OSError, match="No space") as caught:
        sink = make_sink(name, Full())
        sink.write(finding)
        sink.close(Summary())
    assert finding.secret.reveal().decode()[-12:] not in "".join(
        traceback.format_exception(caught.value)
    )


class Slow(io.RawIOBase):
    """Takes seven bytes at a time, as a full pipe may."""

    def __init__(self):
        self.got = b""

    def writable(self):
        return True

    def write(self, data):
        self.got += bytes(data[:7])
        return min(7, len(data))


@pytest.mark.parametrize("name", FORMATS)
def test_a_stream_that_takes_little_at_a_time_gets_all(make_finding, name):
    stream = Slow()
    sink = make_sink(name, stream)
    sink.write(make_finding())
    sink.skip(Skipped(path="a", reason="b"))
    sink.close(Summary(findings=1))
    assert stream.got == write_all(name, make_finding())


@pytest.mark.parametrize("name", FORMATS)
def test_what_was_printed_before_stays_before(make_finding, name):
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding="utf-8")
    stream.write("before\n")
    sink = make_sink(name, stream)
    sink.write(make_finding())
    sink.close(Summary())
    stream.write("after\n")
    stream.flush()
    assert buffer.getvalue().startswith(b"before\n") and buffer.getvalue().endswith(b"after\n")


def test_rich_is_loaded_for_the_text_format_only():
    code = (
        "import io, sys; from detector.sinks import make_sink;"
        "make_sink('jsonl', io.BytesIO()); make_sink('sarif', io.BytesIO());"
        "sys.exit('rich' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_live_findings_are_seen_at_the_other_end_of_a_pipe(make_finding):
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as end, os.fdopen(writer, "wb") as stream:
        sink = make_sink("jsonl", stream, live=True)
        sink.write(make_finding())
        assert json.loads(end.readline())["secret"] == "tk_****(43)"
        end.close()
        with pytest.raises(BrokenPipeError):
            sink.write(make_finding())
        with pytest.raises(BrokenPipeError):
            stream.close()

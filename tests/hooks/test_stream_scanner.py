"""A policy over streams, and laws of bodies: any cut, any text."""

from __future__ import annotations

from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st
from material import builtin_scanner, cut_at, example_of
from planted import GITHUB, LABEL, OPENAI, remains, strict, token

from detector import Filter, Redactor
from detector.filter import Action
from detector.hooks.asgi.bodies import Type, checked
from detector.hooks.streams import StreamScanner
from detector.streams import ChatStream

SECRETS = [token(rule, seed) for rule in (GITHUB, OPENAI) for seed in range(3)]
GUARD = Filter(builtin_scanner())
ALERTS, REDACTS = strict(Action.alert), strict(Action.redact)

parts = st.lists(st.sampled_from([*SECRETS, "ordinary words", "é", "\n", '"', "k=", "ghp_"]))
texts = parts.map(" ".join)
cuts = st.lists(st.integers(0, 2000), max_size=20)


@given(text=texts, cuts=cuts)
def test_any_cut_gives_the_redaction_of_the_whole(text: str, cuts: list[int]) -> None:
    redactor: Redactor[bytes] = Redactor(StreamScanner(GUARD))
    out = b"".join([redactor.feed(piece) for piece in cut_at(text.encode(), cuts)])
    out += redactor.close()
    assert out.decode() == builtin_scanner().redact(text).text
    assert all(remains(secret, out) == [] for secret in SECRETS)


@given(text=texts, cuts=cuts)
def test_what_a_policy_lets_pass_stays(text: str, cuts: list[int]) -> None:
    scanner = StreamScanner(ALERTS)
    redactor: Redactor[bytes] = Redactor(scanner)
    out = b"".join([redactor.feed(piece) for piece in cut_at(text.encode(), cuts)])
    out += redactor.close()
    expected = text
    for secret in SECRETS[3:]:
        expected = expected.replace(secret, f"[redacted:{OPENAI}]")
    assert out.decode() == expected
    assert scanner.withheld == ""


def test_public_keys_pass_in_streams_as_in_messages() -> None:
    public, _, _ = example_of("supabase-publishable-key")
    redactor: Redactor[bytes] = Redactor(StreamScanner(GUARD))
    assert redactor.feed(public) + redactor.close() == public
    chat = ChatStream(StreamScanner(GUARD))
    chunk = {"choices": [{"index": 0, "delta": {"content": public.decode()}}]}
    out = [*chat.feed(chunk), *chat.close()]
    assert "".join(one["choices"][0]["delta"]["content"] for one in out) == public.decode()


def test_a_block_is_told_and_the_secret_redacted() -> None:
    scanner = StreamScanner(strict(Action.block))
    redactor: Redactor[str] = Redactor(scanner)
    out = redactor.feed(f"it is {SECRETS[0]} ") + redactor.close()
    assert (out, scanner.withheld) == (f"it is {LABEL} ", f"[withheld: {GITHUB}]")


clean = st.text(st.characters(codec="utf-8"), max_size=20)


@given(fields=st.lists(st.tuples(clean, clean), max_size=5), secret=st.sampled_from(SECRETS))
def test_forms_keep_all_other_fields(fields: list[tuple[str, str]], secret: str) -> None:
    kind = Type.of("application/x-www-form-urlencoded")
    body = urlencode(fields).encode()
    verdict = checked(body, kind, REDACTS.check)
    assert verdict.content == body
    more = body + b"&" * bool(body) + b"x=" + secret.encode()
    content = checked(more, kind, GUARD.check).content
    assert content.startswith(body)
    assert remains(secret, content) == []


def in_bytes(raw: bytes) -> bool:
    """Whether it may be what its type says: with zeros or a mark of UTF-16 it is looked at as that,
    or refused."""
    return b"\0" not in raw and raw[:2] not in (b"\xff\xfe", b"\xfe\xff")


@given(
    raw=st.binary(max_size=60).filter(in_bytes),
    kind=st.sampled_from(["text/plain", "application/json", ""]),
)
def test_clean_bytes_are_the_same_whatever_they_are(raw: bytes, kind: str) -> None:
    assert checked(raw, Type.of(kind), GUARD.check).content == raw

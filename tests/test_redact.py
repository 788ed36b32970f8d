"""Redaction: no byte of a secret goes out, every other byte does, whatever the cut.

What a :class:`Redactor` gave out cannot be taken back, and all it gave must be the redaction
of the whole. So one equality says most of it: never a byte of what later turned out to be a
secret, nothing lost, nothing twice.
"""

from __future__ import annotations

import random
import re
from functools import lru_cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from material import builtin_rules, builtin_scanner, cut_at, example_of, rule_of, sample_of

from detector.errors import UsageError
from detector.mask import Mask
from detector.redact import Redactor
from detector.scanner import Scanner
from detector.stream import Window

IDS = [rule.id for rule in builtin_rules()]
MASKS = list(Mask)
BETWEEN = ("\n", " ", ", ", "é", "🔑", "|", " 密 ", "\r\n", "\0", "e\u0301 ")


def fed(pieces: list[Any], mask: Mask | str = Mask.label) -> Any:
    redactor: Redactor[Any] = Redactor(builtin_scanner(), mask=mask)
    out = [redactor.feed(piece) for piece in pieces]
    return type(pieces[0])().join([*out, redactor.close()])


@lru_cache(maxsize=4)
def every_rule(seed: int = 4) -> str:
    """An example of every rule between letters of one to four bytes, in any order."""
    rng = random.Random(seed)
    texts = [example_of(rule_id, seed)[0].decode("latin-1") for rule_id in IDS]
    rng.shuffle(texts)
    return "".join(text + rng.choice(BETWEEN) for text in texts)


@lru_cache(maxsize=16)
def redacted(mask: Mask, seed: int = 4) -> str:
    return builtin_scanner().redact(every_rule(seed), mask=mask).text


@pytest.mark.parametrize("mask", MASKS)
def test_no_secret_is_left(mask: Mask) -> None:
    """Neither the secret nor the part of it behind its public prefix."""
    text, clean = every_rule(), redacted(mask)
    for finding in builtin_scanner().scan(text):
        secret = finding.secret.reveal().decode()
        public = len(secret) - len(secret.removeprefix(finding.secret.masked.split("****")[0]))
        assert text[finding.start : finding.end] == secret
        if len(secret) - public >= 8:
            assert secret[public:] not in clean, finding.rule


@pytest.mark.parametrize("mask", MASKS)
def test_nothing_is_found_in_redacted_text(mask: Mask) -> None:
    """The mask itself is no secret, also where any text at all could be a password."""
    texts = [example_of(rule_id, 4)[0] for rule_id in IDS]
    clean = [builtin_scanner().redact(text, mask=mask).text for text in texts]
    again = builtin_scanner().scan_many(clean)
    left = {
        rule_id: [(f.rule, text[f.start : f.end]) for f in findings]
        for rule_id, text, findings in zip(IDS, clean, again, strict=True)
        if findings
    }
    assert not left


@pytest.mark.parametrize("mask", [Mask.label, Mask.pseudonym])
def test_what_is_no_secret_is_left_as_it_is(mask: Mask) -> None:
    """Split at the masks, the redacted text is the text between the secrets."""
    text = every_rule()
    parts = re.split(r"\[(?:redacted:)?[a-z0-9-]+(?::[0-9a-f]{12})?\]", redacted(mask))
    position = 0
    for part in parts:
        found = text.find(part, position)
        assert found >= 0
        position = found + len(part)
    assert text.startswith(parts[0])
    assert text.endswith(parts[-1])


def test_stars_keep_every_character_in_its_place() -> None:
    text, clean = every_rule(), redacted(Mask.stars)
    assert len(clean) == len(text)
    spans = [(f.start, f.end) for f in builtin_scanner().scan(text)]
    assert all(set(clean[start:end]) == {"*"} for start, end in spans)
    changed = [at for at, (a, b) in enumerate(zip(text, clean, strict=True)) if a != b]
    # Matches that overlap a reported one are hidden with it: at most a few bytes more.
    inside = {at for start, end in spans for at in range(start, end)}
    assert len(set(changed) - inside) < len(inside) / 14


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("size", [1, 5, 64, 4096])
def test_any_size_of_pieces_of_bytes(mask: Mask, size: int) -> None:
    raw = every_rule().encode()[: {1: 1 << 12, 5: 1 << 14}.get(size)]
    whole = builtin_scanner().redact(raw, mask=mask).text
    assert fed([raw[i : i + size] for i in range(0, len(raw), size)], mask) == whole


@pytest.mark.parametrize("size", [1, 7, 300])
def test_any_size_of_pieces_of_text(size: int) -> None:
    text = every_rule()[: {1: 1 << 12, 7: 1 << 14}.get(size)]
    whole = builtin_scanner().redact(text).text
    assert fed([text[i : i + size] for i in range(0, len(text), size)]) == whole


@settings(max_examples=60)
@given(
    ids=st.lists(st.sampled_from(IDS), min_size=1, max_size=5),
    seed=st.integers(0, 40),
    between=st.lists(st.text(max_size=6), min_size=5, max_size=5),
    cuts=st.lists(st.integers(0, 1 << 13), max_size=10),
    mask=st.sampled_from(MASKS),
)
def test_any_cut_of_any_surroundings(
    ids: list[str], seed: int, between: list[str], cuts: list[int], mask: Mask
) -> None:
    """Surroundings of any characters, lone surrogates and all; cut inside of characters too."""
    parts = zip(between, ids, strict=False)
    text = "".join(gap + example_of(i, seed)[0].decode("latin-1") for gap, i in parts)
    raw = text.encode("utf-8", "surrogatepass")
    whole = builtin_scanner().redact(raw, mask=mask)
    assert fed(list(cut_at(raw, cuts)), mask) == whole.text
    of_text = builtin_scanner().redact(text, mask=mask)
    if mask is not Mask.stars:  # stars count bytes of bytes and characters of text
        assert of_text.text.encode("utf-8", "surrogatepass") == whole.text
    at = sorted({cut % (len(text) + 1) for cut in cuts} | {0, len(text)})
    pieces = [text[a:b] for a, b in pairwise(at)] or [""]
    assert fed(pieces, mask) == of_text.text
    for finding in of_text.findings:
        assert text[finding.start : finding.end] == finding.secret.reveal().decode(
            "utf-8", "surrogatepass"
        )


@pytest.mark.parametrize("rule_id", ["github-pat", "openai-project-key", "private-key", "jwt"])
def test_every_single_cut_of_a_long_secret(rule_id: str) -> None:
    text = b"it is " + example_of(rule_id, 2)[0][:700] + b", see?"
    whole = builtin_scanner().redact(text).text
    for cut in range(0, len(text), 1 if len(text) < 200 else 3):
        assert fed([text[:cut], text[cut:]]) == whole, cut


def test_the_beginning_of_a_secret_waits_for_its_end() -> None:
    """Fed byte by byte, nothing of a token is out until it is known what it is."""
    token = sample_of("github-pat", 6).text
    redactor: Redactor[bytes] = Redactor(builtin_scanner())
    out = b""
    for byte in b"key " + token:
        out += redactor.feed(bytes([byte]))
        assert b"ghp" not in out
    out += redactor.feed(b"\n done") + redactor.close()
    assert out == b"key [redacted:github-pat]\n done"


def test_what_only_looks_like_a_beginning_goes_on_unchanged() -> None:
    for text in (b"ghp_ is a prefix", b"sk-", b"-----BEGIN RSA PRIVATE KEY-----\nnone", b"eyJ"):
        assert fed([text[i : i + 1] for i in range(len(text))]) == text


def test_prose_is_held_back_by_less_than_a_word() -> None:
    """A chat that is redacted as it is typed must not stall: only the word that is being
    typed waits, and a line end lets go of everything."""
    redactor: Redactor[str] = Redactor(builtin_scanner())
    prose = "The deploy went well, and nobody had to stay late on Friday; see you on Monday!\n"
    given = shown = 0
    for word in re.findall(r"\S+\s", prose * 4):
        given += len(word)
        shown += len(redactor.feed(word))
        assert given - shown <= 24, prose[: given % len(prose)]
        if word.endswith("\n"):
            assert given == shown


CONTEXTS = (
    (b"", b""),
    (b"Sure, here it is: `", b"` - and the rest of the answer. Password next\n"),
    (b'{"text":"use the key ', b' now\\n"}'),
    (b"the login token\n\n", b"\n\nthen go on."),
    (b"https://x.example/?a=", b"&b=2 https://docs.example.com/a:b@c"),
    (b"pass=abc-", b"_def."),
)


@pytest.mark.parametrize(("most", "share"), [(1, 0.1), (5, 0.25), (40, 1.0)])
def test_every_rule_in_tokens_of_any_size(most: int, share: float) -> None:
    """Of each rule's samples: the redaction of the whole, in whatever they stand. Single bytes
    take longest, so they are drawn from some."""
    rng = random.Random(most)
    for rule_id in rng.sample(IDS, round(len(IDS) * share)):
        before, after = rng.choice(CONTEXTS)
        text = before + example_of(rule_id, rng.randrange(9), rng.randrange(4))[0][:600] + after
        pieces, at = [], 0
        while at < len(text):
            size = rng.randint(1, most)
            pieces.append(text[at : at + size])
            at += size
        assert fed(pieces) == builtin_scanner().redact(text).text, rule_id


def test_a_partial_match_behind_a_lazy_gap_says_nothing() -> None:
    """``regex`` finds none behind ``pushbullet_t``: it looks for the value's first letter."""
    text = b"(3, 'pushbullet_token', '" + sample_of("pushbullet-token", 6).text + b"'),"
    pieces = [text[at : at + 1] for at in range(len(text))]
    assert fed(pieces) == b"(3, 'pushbullet_token', '[redacted:pushbullet-token]'),"


def test_no_run_of_a_secret_leaves_before_it_is_decided() -> None:
    """Token by token, what is out never holds four bytes of it in a row, but for its prefix."""
    rng = random.Random(8)
    for rule_id in rng.sample(IDS, 80):
        text, start, end = example_of(rule_id, 5)
        secret = text[start:end]
        whole = builtin_scanner().redact(text).text
        hidden = secret[builtin_rules().by_id[rule_id].public(secret) :]
        runs = {hidden[i : i + 4] for i in range(len(hidden) - 3)}
        runs = {run for run in runs if run not in whole}
        redactor: Redactor[bytes] = Redactor(builtin_scanner())
        out = b""
        for at in range(len(text)):
            out += redactor.feed(text[at : at + 1])
            assert not any(run in out for run in runs), rule_id


PROSE = "The deploy went well, and nobody had to stay late on Friday; see you on Monday! "


def test_nothing_is_held_behind_ordinary_words() -> None:
    """A stream that pauses behind a blank has given all; only a word that is begun waits."""
    redactor: Redactor[str] = Redactor(builtin_scanner())
    texts = (
        PROSE,
        "my password is not the key, the token is long gone, login again. ",
        "a: b, c = d. ",
    )
    for text in texts:
        for word in re.findall(r"\S+\s", text):
            redactor.feed(word)
            assert redactor.held == 0, word
    for at, char in enumerate(PROSE):
        redactor.feed(char)
        assert redactor.held <= at - PROSE.rfind(" ", 0, at), PROSE[: at + 1]


def test_a_value_is_held_and_its_name_is_not() -> None:
    redactor: Redactor[str] = Redactor(builtin_scanner())
    assert redactor.feed("password") + redactor.feed(" = ") == "password = "
    assert redactor.feed("correct-horse-7battery") == ""
    assert redactor.held == len("correct-horse-7battery")
    assert redactor.feed("\n") == "[redacted:generic-password]\n"
    assert redactor.held == 0


def test_the_engine_is_asked_only_where_a_head_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts, not seconds: a long clean stream of single tokens is looked at rarely."""
    asked = 0
    look = Window.look

    def counted(window: Window) -> list[Any]:
        nonlocal asked
        asked += 1
        return look(window)

    monkeypatch.setattr(Window, "look", counted)
    redactor: Redactor[str] = Redactor(builtin_scanner())
    text = PROSE * 500
    for at in range(0, len(text), 4):
        redactor.feed(text[at : at + 4])
    assert asked <= len(text) / 4 / 9  # the semicolon is a head's literal


def test_equal_secrets_have_equal_pseudonyms_and_others_others() -> None:
    one, other = (sample_of("github-pat", seed).text for seed in (1, 2))
    scanner = builtin_scanner()
    first = scanner.redact(b"a=" + one + b"\nb=" + other + b"\nc=" + one, mask="pseudonym").text
    a, b, c = (line[2:] for line in first.split(b"\n"))
    assert a == c != b
    assert scanner.redact(b"again: " + one, mask="pseudonym").text == b"again: " + a
    keyed = Scanner(scanner.rules, key=b"another key").redact(one, mask="pseudonym").text
    assert keyed != a


def test_a_fingerprint_does_not_give_the_pseudonym_away() -> None:
    """A report and a redacted text of the same data cannot be joined by their hashes."""
    token = sample_of("github-pat", 1).text
    result = builtin_scanner().redact(token, mask="pseudonym")
    (digits,) = re.findall(rb"[0-9a-f]{8,}", result.text)
    assert digits.decode() not in result.findings[0].fingerprint


def test_findings_of_a_redactor_are_those_of_the_whole() -> None:
    text = every_rule()
    for pieces, whole in (
        ([text[i : i + 999] for i in range(0, len(text), 999)], text),
        ([text.encode()[i : i + 999] for i in range(0, len(text.encode()), 999)], text.encode()),
    ):
        redactor: Redactor[Any] = Redactor(builtin_scanner(), path="chat.txt")
        for piece in pieces:
            redactor.feed(piece)
        redactor.close()
        assert redactor.findings == builtin_scanner().scan(whole, path="chat.txt")


@pytest.mark.parametrize("mask", MASKS)
def test_overlapping_matches_go_as_one(mask: Mask) -> None:
    """What one rule takes for a password another may know to reach further."""
    rules = [
        rule_of(r"(?P<secret>pass_[0-9a-f]{8})", id="short", rank=5),
        rule_of(r"key=(?P<secret>[0-9a-z_]{8,40})", id="long"),
    ]
    body = random.Random(3).randbytes(10).hex()
    text = f"key=x_pass_{body[:8]}_{body[8:]} end"
    clean = Scanner(rules, min_confidence=0).redact(text, mask=mask).text
    assert clean.startswith("key=")
    assert clean.endswith(" end")
    assert body[8:] not in clean
    assert body[:8] not in clean


def test_secrets_of_other_alphabets_keep_text_whole() -> None:
    """A password of letters of two bytes: spans begin and end between characters."""
    for password in ("pässwörtchen", "пароль-очень", "密码密码密码", "🔑🔒🔑🔒"):
        text = f"postgres://user:{password}@db.example.org/x für 🙂"
        for mask in MASKS:
            result = builtin_scanner().redact(text, mask=mask)
            assert "für 🙂" in result.text
            for finding in result.findings:
                assert finding.secret.reveal().decode() == text[finding.start : finding.end]
            if mask is Mask.stars:
                assert len(result.text) == len(text)


def test_use_after_the_end_and_wrong_masks() -> None:
    redactor: Redactor[bytes] = Redactor(builtin_scanner())
    assert redactor.feed(b"") == b""
    assert redactor.close() == b""
    assert redactor.close() == b""
    with pytest.raises(ValueError, match="closed"):
        redactor.feed(b"more")
    with pytest.raises(UsageError, match="blots"):
        Redactor(builtin_scanner(), mask="blots")


@pytest.mark.parametrize("size", [7, 1000, 10**6])
def test_more_overlapping_matches_than_are_weighed_leave_no_gap(size: int) -> None:
    """Hundreds of keys inside what is a key itself: the whole span goes."""
    inner = b"/".join(sample_of("aws-access-key", seed).text for seed in range(300))
    key = b"-----BEGIN PRIVATE KEY-----\n" + inner + b"/abcdef\n-----END PRIVATE KEY-----"
    text = b"before " + key + b" behind"
    clean = fed([text[at : at + size] for at in range(0, len(text), size)])
    assert clean == b"before [redacted:private-key] behind"
    assert clean == builtin_scanner().redact(text).text


def test_one_stream_is_of_one_type() -> None:
    redactor: Redactor[Any] = Redactor(builtin_scanner())
    redactor.feed(b"bytes")
    with pytest.raises(TypeError, match="bytes"):
        redactor.feed("text")


def test_the_mask_is_checked_before_anything_is_found() -> None:
    with pytest.raises(UsageError, match="blots"):
        builtin_scanner().redact("nothing here", mask="blots")


def test_any_buffer_comes_back_as_bytes() -> None:
    for data in (b"nothing", sample_of("github-pat").text):
        assert type(builtin_scanner().redact(memoryview(data)).text) is bytes

"""Named values, in the ways people write them: the value is found, its exact span; what stands
in the same place and is no secret is not."""

from __future__ import annotations

import random
import string

import pytest
from material import builtin_scanner
from ways import GAPS, NO_SECRET, PASSWORD_WAYS, WAYS, Way

from detector.types import Finding

NAMES = ("smtp password", "client secret", "access token", "api key", "session secret")


def spelled(words: str) -> dict[str, str]:
    parts = words.split()
    pascal = "".join(map(str.capitalize, parts))
    return {
        "§snake§": "_".join(parts),
        "§SCREAM§": "_".join(parts).upper(),
        "§camel§": pascal[0].lower() + pascal[1:],
        "§Pascal§": pascal,
        "§kebab§": "-".join(parts),
        "§Header§": "-".join(map(str.capitalize, parts)),
        "§dotted§": ".".join(parts),
        "§plain§": words,
    }


def filled(way: Way, words: str, value: str = "") -> tuple[bytes, int, int]:
    """The text, and where in it the value stands."""
    text = way.text
    for slot, name in spelled(words).items():
        text = text.replace(slot, name)
    before = text.partition("§§")[0].encode()
    return text.replace("§§", value).encode(), len(before), len(before) + len(value)


def strong(seed: str, size: int) -> str:
    rng = random.Random(seed)
    return "".join(rng.choices(string.ascii_letters + string.digits, k=size))


def missed(way: Way, words: str, value: str) -> str:
    """What was found instead of the value, for the message of a failure; empty if it was found."""
    text, start, end = filled(way, words, value)
    findings = builtin_scanner().scan(text, path=way.path)
    judged = {rule.id for rule in builtin_scanner().rules if rule.spec.judged}
    if any((f.start, f.end) == (start, end) and f.rule in judged for f in findings):
        return ""
    return f"{words}: {[placed(f, start, end) for f in findings] or 'nothing'}"


def placed(found: Finding, start: int, end: int) -> str:
    return f"{found.rule} {found.start - start:+d}..{found.end - end:+d} {found.confidence}"


def named(ways: dict[str, Way]) -> list[object]:
    """One parameter a way; those of ``GAPS`` are expected to fail until somebody closes them."""
    marks = {name: [pytest.mark.xfail(reason=why)] for name, why in GAPS.items()}
    return [pytest.param(name, id=name, marks=marks.get(name, [])) for name in ways]


@pytest.mark.parametrize("way", named(WAYS))
def test_a_named_value_is_found(way: str) -> None:
    """One of ten draws may be taken for none: some look like words."""
    draws = [(words, strong(f"{way}/{words}/{n}", 24)) for words in NAMES for n in range(2)]
    wrong = list(filter(None, (missed(WAYS[way], *draw) for draw in draws)))
    assert len(wrong) <= len(draws) / 10, (WAYS[way], wrong)


@pytest.mark.parametrize("way", named(PASSWORD_WAYS))
def test_a_password_is_found(way: str) -> None:
    values = [strong(f"{way}/{n}", 16) for n in range(10)]
    wrong = list(filter(None, (missed(PASSWORD_WAYS[way], "password", v) for v in values)))
    assert len(wrong) <= 1, (PASSWORD_WAYS[way], wrong)


def test_nearly_all_are_found() -> None:
    """Over all ways that are known to work, one value in a hundred is missed at most."""
    wrong, total = [], 0
    for way in WAYS.keys() - GAPS.keys():
        for words in NAMES:
            total += 1
            wrong += filter(None, [missed(WAYS[way], words, strong(f"all/{way}/{words}", 32))])
    assert len(wrong) <= total / 100, wrong


@pytest.mark.parametrize("way", named(NO_SECRET))
def test_what_is_no_secret_is_not(way: str) -> None:
    texts = [filled(NO_SECRET[way], words)[0] for words in NAMES]
    found = [builtin_scanner().scan(text, path=NO_SECRET[way].path) for text in texts]
    assert not any(found), [(f.rule, f.secret.reveal(), f.confidence) for one in found for f in one]


@pytest.mark.parametrize("end", ["", "\n", "\r\n", " ", ";", ",", '"', "\0", "}"])
def test_a_value_ends_where_its_line_says(end: str) -> None:
    """The edges of a text and what a line may end with: none of it becomes part of a value."""
    value = strong(f"end/{end}", 20)
    for front in ("API_SECRET=", 'api_secret: "', "x;api_secret = '"):
        quote = front[-1].strip("=")
        text = f"{front}{value}{quote}{end}".encode()
        (found,) = builtin_scanner().scan(text, path="a.conf")
        assert found.secret.reveal() == value.encode(), text


def test_quotes_and_escapes_inside_a_value_are_its_own() -> None:
    half = strong("half", 10)
    for text, value in (
        (f'password = "{half}\'{half}"', f"{half}'{half}"),
        (f"password = '{half}\"{half}'", f'{half}"{half}'),
        (f'"password": "{half}\\"{half}"', f'{half}\\"{half}'),
        (f"password = '{half} {half}#{half}'", f"{half} {half}#{half}"),
        (f"DB_PASSWORD={half}#{half}$!", f"{half}#{half}$!"),
    ):
        (found,) = builtin_scanner().scan(text.encode(), path="config.json")
        assert found.secret.reveal() == value.encode(), text

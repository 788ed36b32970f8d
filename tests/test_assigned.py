"""Named values, in the ways people write them: the value is found, its exact span; what stands
in the same place and is no secret is not."""

from __future__ import annotations

import random
import string
from collections.abc import Iterable, Sequence
from functools import lru_cache

import pytest
from material import builtin_rules, builtin_scanner
from ways import CHOSEN_GAPS, DOUBTED, DRAWN_GAPS, GAPS, NO_SECRET, PASSWORD_WAYS, WAYS, Way

from detector.scanner import Scanner
from detector.types import Finding

CHOSEN = ("smtp password", "client secret", "session secret")
DRAWN = ("access token", "api key", "encryption key")
NAMES = (*CHOSEN, *DRAWN)


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


@lru_cache(maxsize=1)
def seeing() -> Scanner:
    """Reports whatever a rule matches, however little the model thinks of it."""
    return Scanner(builtin_rules(), min_confidence=0)


def missed(way: Way, words: str, value: str, scanner: Scanner) -> str:
    """What was found instead of the value, for the message of a failure; empty if it was found."""
    text, start, end = filled(way, words, value)
    findings = scanner.scan(text, path=way.path)
    judged = {rule.id for rule in scanner.rules if rule.spec.judged}
    if any((f.start, f.end) == (start, end) and f.rule in judged for f in findings):
        return ""
    return f"{words}: {[placed(f, start, end) for f in findings] or 'nothing'}"


def placed(found: Finding, start: int, end: int) -> str:
    return f"{found.rule} {found.start - start:+d}..{found.end - end:+d} {found.confidence}"


def wrong(way: Way, names: Sequence[str], scanner: Scanner, size: int = 24) -> list[str]:
    """Of two draws under each name, those that are not found where they stand."""
    draws = [(words, strong(f"{way.text}/{words}/{n}", size)) for words in names for n in range(2)]
    return list(filter(None, (missed(way, *draw, scanner) for draw in draws)))


def named(ways: Iterable[str], gaps: dict[str, str] = GAPS) -> list[object]:
    """One parameter a way; those with a gap are expected to fail until somebody closes it."""
    marks = {name: [pytest.mark.xfail(reason=why)] for name, why in gaps.items()}
    return [pytest.param(name, id=name, marks=marks.get(name, [])) for name in ways]


@pytest.mark.parametrize("way", named(WAYS, GAPS | CHOSEN_GAPS))
def test_what_people_choose_is_seen(way: str) -> None:
    assert wrong(WAYS[way], CHOSEN, seeing()) == []


@pytest.mark.parametrize("way", named(WAYS, GAPS | DRAWN_GAPS))
def test_what_programs_draw_is_seen(way: str) -> None:
    """Bar one of six: letters alone may look like words."""
    missing = wrong(WAYS[way], DRAWN, seeing())
    assert len(missing) <= 1, missing


@pytest.mark.parametrize("way", named(PASSWORD_WAYS))
def test_a_password_is_seen_and_found(way: str) -> None:
    assert wrong(PASSWORD_WAYS[way], ["password"], seeing(), 16) == []
    missing = wrong(PASSWORD_WAYS[way], ["password"], builtin_scanner(), 16)
    assert len(missing) <= 1, missing


KNOWN = [way for way in WAYS if way not in GAPS | CHOSEN_GAPS | DRAWN_GAPS]


def test_nearly_all_that_is_seen_is_found() -> None:
    """Over all ways, one strong value in thirty is held for none at most; and of no way most."""
    missing = {way: wrong(WAYS[way], NAMES, builtin_scanner()) for way in KNOWN}
    draws = 2 * len(NAMES)
    assert sum(map(len, missing.values())) <= len(KNOWN) * draws / 30, missing
    lost = {way for way, some in missing.items() if len(some) > draws / 2}
    assert lost <= set(DOUBTED), lost


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

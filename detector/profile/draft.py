"""A rule for a column's tokens, as text of a file of rules (``patterns/README.md``).

Nothing of a value goes into it but the constant beginning: samples are drawn from the pattern.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from detector.profile.names import words_of
from detector.profile.types import ColumnProfile, TokenFormat

LEAST_PREFIX = 3  # bytes of a literal that the engine's pass over everything can bear
CUT = 512  # bytes of a value that a sample keeps: a longer token's end is not known
_LONGEST = 2048  # bytes of such a token's rule
_LEAST_BODY = 8  # bytes of a value that has a name and no format
_KEYED = ("key", "token", "secret", "credential")
_HEADER = 'provider = "in-house"\ntitle    = "In-house"\n'


def write(table: str, name: str, form: TokenFormat) -> str:
    """A file with one rule, or an empty text where none can be given: the tokens have no constant
    beginning, and the column's name none that stands before values elsewhere."""
    rule = _prefixed(table, name, form) if _has_prefix(form) else _named(table, name, form)
    return f"{_HEADER}\n{rule}" if rule else ""


def drafts(profiles: Iterable[ColumnProfile]) -> str:
    """One file with the rules of several columns, each format once; empty if there is none."""
    rules: dict[str, str] = {}
    for profile in profiles:
        rule = profile.rule_draft.removeprefix(_HEADER).lstrip("\n")
        if rule:
            pattern = "".join(re.findall(r"^(?:pattern|names|keywords) .*$", rule, re.MULTILINE))
            rules.setdefault(pattern, _with_own_id(rule, len(rules), rules.values()))
    return "\n".join([_HEADER, *rules.values()]) if rules else ""


def _with_own_id(rule: str, number: int, others: Iterable[str]) -> str:
    line = re.search(r'^id         = "(.*)"$', rule, re.MULTILINE)
    if line is None or not any(line[0] in other for other in others):
        return rule
    return rule.replace(line[0], f'id         = "{line[1]}-{number + 1}"', 1)


def _has_prefix(form: TokenFormat) -> bool:
    return min(map(len, form.prefixes)) >= LEAST_PREFIX


def _prefixed(table: str, name: str, form: TokenFormat) -> str:
    heads = [re.sub(r"([^0-9A-Za-z_:/~-])", r"\\\1", prefix) for prefix in form.prefixes]
    head = heads[0] if len(heads) == 1 else f"(?:{'|'.join(heads)})"
    first, least = form.prefixes[0], form.body[0]
    return _rule(
        table, name, form,
        pattern=f"(?P<secret>{head}{_body(form)})",
        confidence=0.95 if min(map(len, form.prefixes)) > 4 else 0.9,
        match=["token={sample}", '"{sample}"', "{sample}"],
        no_match=[f"token={first}{'x' * least}", f"token={first}your_key"],
    )  # fmt: skip


def _named(table: str, name: str, form: TokenFormat) -> str:
    word = "_".join(words_of(name))
    if not re.fullmatch(r"[a-z0-9_]{3,32}", word):
        return ""
    least, most = max(form.body[0], _LEAST_BODY), max(form.body[1], _LEAST_BODY)
    # Rules with keywords know the values' format, but only names that speak for a key.
    keyed = len(word) > 3 and word.endswith(_KEYED)
    members = form.members + "".join(sorted({mark for _, mark in form.separators}))
    pattern = _body(form) if keyed else f"[{_class(members)}]{_times(least, most)}"
    return _rule(
        table, name, form,
        pattern=f"(?P<secret>{pattern})",
        extra=[f"keywords   = [{_text(word)}]"]
        if keyed
        else [f"names      = [{_text(word)}]", "judged     = true"],
        confidence=0.7,
        match=[f'{word} = "{{sample}}"', f'"{word}": "{{sample}}"'],
        no_match=[f'{word} = "your_key"', f'{word} = "{"x" * least}"'],
    )  # fmt: skip


def _class(members: str) -> str:
    """Members of a class, a hyphen that is one of them at the end."""
    ranges = "".join(re.findall(r".-.", members))
    others = {char for char in re.sub(r".-.", "", members) if char not in ranges}
    return ranges + "".join(sorted(others, key=lambda char: (char == "-", char)))


def _body(form: TokenFormat) -> str:
    """What follows the prefix: one class, or several that fixed separators part."""
    least, most = form.body
    members, out, at = f"[{form.members}]", [], 0
    for place, mark in form.separators:
        out.append(_run(members, place - at, place - at))
        out.append(mark if mark in "_:/~-" else f"\\{mark}")
        at = place + 1
    if form.alphabet == "base64":  # its padding is no part of what is drawn
        return "".join([*out, _run(members, max(1, least - at - 2), most - at), "={0,2}"])
    return "".join([*out, _run(members, least - at, most - at)])


def _run(members: str, least: int, most: int) -> str:
    return members + _times(least, most) if most else ""


def _times(least: int, most: int) -> str:
    if most >= CUT:
        return f"{{{least},{_LONGEST}}}"
    return f"{{{least}}}" if least == most else f"{{{least},{most}}}"


def _rule(
    table: str,
    name: str,
    form: TokenFormat,
    *,
    pattern: str,
    confidence: float,
    match: list[str],
    no_match: list[str],
    extra: list[str] | None = None,
) -> str:
    where = f"{_clean(table)}.{_clean(name)}"
    lines = [
        f"# Drafted from column {where}: {form.alphabet}, about {form.bits} bits of randomness.",
        "# Say what the tokens open, and where they are turned off.",
    ]
    if extra:
        lines.append("# Without a constant beginning, only values behind that name are found.")
    lines += [
        "[[rule]]",
        f"id         = {_text('in-house-' + _slug(f'{table} {name}'))}",
        f"name       = {_text(f'Token of {where}')}",
        f"pattern    = '{pattern}'" if "'" not in pattern else f"pattern    = {_text(pattern)}",
        *(extra or []),
        'privilege  = "full"',
        'severity   = "high"',
        f"confidence = {confidence}",
        f"why        = {_text(f'Opens what the tokens in {where} open.')}",
        'revoke     = "Delete or rotate it in the table that it is kept in."',
        f"match      = [{', '.join(map(_text, match))}]",
        f"no_match   = [{', '.join(map(_text, no_match))}]",
    ]
    return "\n".join(lines) + "\n"


def _clean(name: str) -> str:
    """A name as a comment or a text may hold it: no control, no line end, no surrogate."""
    return re.sub(r"[^\w.$ -]", "_", name[:80])


def _slug(name: str) -> str:
    words = re.findall(r"[a-z0-9]+", " ".join(words_of(name)))
    return "-".join(words)[:60].strip("-") or "column"


def _text(text: str) -> str:
    """As a basic string of TOML; JSON's escapes are among TOML's."""
    return json.dumps(text, ensure_ascii=False)

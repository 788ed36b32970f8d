"""Every format, in everything that people wrap around a credential.

A token in a CSV cell, between pipes, in a chat message that goes on with a comma, in JSON
inside JSON: scanners that list allowed terminators lose most of those. Here every rule with
a literal of its own stands in every context, and must be found under its own name with the
secret's own span. Two things may differ, and both are decided by the rule's alphabet alone:

* ``longer``: what follows is a byte of the token's own alphabet and its length is open
  (``_X_`` around a base64url token): the span takes those bytes too. Nothing else is taken.
* ``goes on``: two bytes of the token's own alphabet follow, at least one of them a letter or
  digit (``X/x`` behind a base64 token): then it is another, longer token.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import pytest
from material import builtin_rules, builtin_scanner, sample_of

from detector.rules import Rule
from detector.rules.samples import Sample
from detector.rules.syntax import ALNUM, Mask, alphabet, parse, secret_part, tail
from detector.types import Finding

# Neutral ground between two contexts: no class but those of keys in several lines holds it.
GAP = b"\n\0 \0\n"


def in_json(text: bytes, times: int = 1) -> bytes:
    """As it stands between the quotes of a JSON string; ``times`` deep."""
    for _ in range(times):
        text = json.dumps(text.decode("latin-1"))[1:-1].encode()
    return text


class Context(NamedTuple):
    """Bytes in front, bytes behind, and how many JSON strings deep the token is written."""

    front: bytes
    behind: bytes
    depth: int = 0


def _u(front: str, behind: str) -> Context:
    return Context(front.encode(), behind.encode())


CONTEXTS = {
    # code and configuration
    "double quotes": Context(b'value = "', b'";\n'),
    "single quotes": Context(b"const v = '", b"'\n"),
    "backticks in code": Context(b"let v = `", b"`;"),
    "env file": Context(b"VALUE=", b"\n"),
    "yaml": Context(b"v: ", b"\nw: 1\n"),
    "toml": Context(b'a = """', b'"""'),
    "php array": Context(b"'v' => '", b"',"),
    "bytes literal": Context(b"v = b'", b"'"),
    "minified": Context(b'var a={b:"', b'",c:1};'),
    "js assignment": Context(b"a=", b";b=2"),
    "shell": Context(b"export V=", b" && run"),
    "substitution": Context(b"${", b"}"),
    "template": Context(b"{{", b"}}"),
    "repr, escaped line end": Context(b"'a\\r\\n", b"\\r\\n'"),
    # dumps and logs
    "alone": Context(b"", b""),
    "bare line": Context(b"first\n", b"\nlast\n"),
    "crlf": Context(b"first\r\n", b"\r\nlast\r\n"),
    "csv": Context(b"7,", b",2024-01-01\n"),
    "csv, quoted": Context(b'7,"', b'",x\n'),
    "copy row": Context(b"7\t", b"\t\\N\n"),
    "sql insert": Context(b"INSERT INTO t VALUES (1,'", b"','ok');"),
    "sql, escaped line end": Context(b"('1','hi\\n", b"\\nbye'),"),
    "sql, json twice escaped": Context(b"('1','{\\\"a\\\":\\\"hi\\\\n", b"\\\\n\\\"}'),"),
    "postgres array": Context(b"{", b",b}"),
    "serialized php": Context(b's:40:"', b'";'),
    "log": Context(b"2024-01-01T00:00:00Z INFO v=", b" ok=1"),
    "logfmt": Context(b'v="', b'" ok=1'),
    "nul bytes": Context(b"\0", b"\0"),
    "length in front": Context(b"\x28", b"\x05"),
    "control characters": Context(b"\x1f", b"\x1e"),
    "other charset": Context(b"\xe9", b"\xe9"),
    # chat and prose
    "comma": Context(b"it is ", b", can you try?"),
    "full stop": Context(b"it is ", b". Thanks"),
    "full stop at the end": Context(b"it is ", b"."),
    "question mark": Context(b"is it ", b"? no"),
    "exclamation mark": Context(b"it is ", b"! no"),
    "semicolon": Context(b"it is ", b"; no"),
    "colon": Context(b"see ", b": no"),
    "ellipsis": Context(b"is ", b"... ok"),
    "typed dash": Context(b"it is ", b"--please"),
    "dash with spaces": Context(b"it is ", b" -- please"),
    "arrow": Context(b"use ", b"-> here"),
    "parentheses": Context(b"(it is ", b") ok"),
    "brackets": Context(b"see [", b"] ok"),
    "braces": Context(b"see {", b"} ok"),
    "angle brackets": Context(b"<", b">"),
    "list item": Context(b"- ", b"\n- b\n"),
    "mention": Context(b"@bot ", b""),
    "emoji": _u("🔑", "🔥"),
    "accents": _u("clé", "é"),
    "chinese": _u("密钥是", "。谢谢"),
    "no-break space": _u("is\u00a0", "\u00a0ok"),
    "zero width": _u("\u200b", "\u200b"),
    "byte order mark": _u("\ufeff", ""),
    "typographic quotes": _u("\u201c", "\u201d"),
    # markup
    "code element": Context(b"<p><code>", b"</code></p>"),
    "attribute": Context(b'<a data-k="', b'">'),
    "element": Context(b"<v>", b"</v>"),
    "line break element": Context(b"<br>", b"<br>"),
    "entities": Context(b"&quot;", b"&quot;"),
    "numbered entities": Context(b"&#39;", b"&#39;"),
    "markdown code": Context(b"use `", b"` now"),
    "markdown bold": Context(b"use **", b"** now"),
    "markdown bold, underscores": Context(b"use __", b"__ now"),
    "markdown bold italic": Context(b"use ***", b"*** now"),
    "markdown italic": Context(b"use _", b"_ now"),
    "markdown strike": Context(b"use ~~", b"~~ now"),
    "markdown link": Context(b"use [", b"](https://a.example) now"),
    "chat link": Context(b"<https://a.example|", b">"),
    "chat bold": Context(b"*", b"*"),
    "spoiler": Context(b"||", b"||"),
    "restructured text": Context(b"``", b"``"),
    # URLs and headers
    "query": Context(b"https://a.example/p?key=", b"&b=1"),
    "fragment": Context(b"https://a.example/p#", b" "),
    "path": Context(b"https://a.example/", b"/x"),
    "query, escaped": Context(b"k%3D", b"%26b"),
    "blank, escaped": Context(b"k=%20", b"%20"),
    "quoted-printable": Context(b"k=3D", b"=\n"),
    "header": Context(b"X-Thing: ", b"\r\nHost: a\r\n"),
    "terminal colours": Context(b"\x1b[31m", b"\x1b[0m"),
    # JSON
    "json": Context(b'{"id":7,"v":"', b'","w":1}', 1),
    "json, spaced": Context(b'{"id": 7, "v": "', b'"}', 1),
    "json in json": Context(b'{"m":"{\\"v\\":\\"', b'\\"}"}', 2),
    "json, line ends": Context(b'{"m":"hi\\n', b'\\nbye"}', 1),
    "json in json, line ends": Context(b'{"m":"{\\"m\\":\\"hi\\\\n', b'\\\\nbye\\"}"}', 2),
    "json, tabs": Context(b'{"m":"hi\\t', b'\\tbye"}', 1),
    "json, code points": Context(b'{"m":"k\\u003d', b'\\u0026b"}', 1),
    "json, line end as code point": Context(b'{"m":"\\u000a', b'\\u000a"}', 1),
    # single signs
    "pipes": Context(b"|a|", b"|b|"),
    "colons": Context(b"a:", b":b"),
    "at signs": Context(b"@", b"@"),
    "hashes": Context(b"#", b"#"),
    "slashes": Context(b"/", b"/"),
    "equals signs": Context(b"=", b"="),
    "hyphens": Context(b"-", b"-"),
    "pluses": Context(b"+", b"+"),
    "backslash behind": Context(b" ", b"\\"),
}

_KNOWS_JSON = ("private-key", "private-key-truncated", "pgp-private-key")


class Missed(NamedTuple):
    rule: str
    context: str
    found: list[tuple[str, int, int]]
    """What was found there instead: rule, start and end relative to the token."""


class Alphabets(NamedTuple):
    """Of a rule's secret: all bytes, those of its last class, and those before its head."""

    whole: Mask
    tail: Mask
    lead: Mask


@lru_cache(maxsize=1024)
def alphabets(rule: Rule) -> Alphabets:
    tree = parse(rule.spec.pattern)
    secret, _ = secret_part(tree)
    lead = alphabet(tree) & ~ALNUM if rule.heads.lead_hi else 0
    return Alphabets(alphabet(secret), tail(secret), lead)


def literal_rules() -> list[Rule]:
    return [rule for rule in builtin_rules() if not (rule.spec.keywords or rule.spec.names)]


def applies(rule: Rule, sample: Sample, context: Context) -> bool:
    """JSON writes quotes, backslashes and line ends in another way. Rules for key files know
    those ways (their patterns hold a backslash); others describe the unescaped text alone.
    """
    if not context.depth or in_json(sample.text) == sample.text:
        return True
    escapes_itself = b'"' in sample.text or b"\\" in sample.text
    return rule.id in _KNOWS_JSON and not escapes_itself


def misses(rule: Rule, seed: int) -> Iterator[Missed]:
    """Where this rule's sample is not found, or with another span than the alphabet explains.

    All contexts stand in one text, one behind the other.
    """
    sample = sample_of(rule.id, seed)
    text, places = bytearray(), []
    for name, context in CONTEXTS.items():
        if not applies(rule, sample, context):
            continue
        written, before, secret = (
            in_json(part, context.depth)
            for part in (sample.text, sample.text[: sample.start], sample.secret)
        )
        start = len(text) + len(context.front) + len(before)
        places.append((name, len(text), start, start + len(secret)))
        text += context.front + written + context.behind + GAP
    findings = builtin_scanner().scan(bytes(text))
    for index, (name, begin, start, end) in enumerate(places):
        stop = places[index + 1][1] if index + 1 < len(places) else len(text)
        here = [f for f in findings if begin <= f.start < stop]
        if not right(rule, CONTEXTS[name], here, start, end, bytes(text)):
            yield Missed(rule.id, name, [(f.rule, f.start - start, f.end - end) for f in here])


def right(
    rule: Rule, context: Context, here: list[Finding], start: int, end: int, text: bytes
) -> bool:
    whole, last, lead = alphabets(rule)
    for finding in here:
        if finding.rule != rule.id or not finding.start <= start or not end <= finding.end:
            continue
        behind_is_token = all(whole >> byte & 1 for byte in text[end : finding.end])
        front_is_token = all(lead >> byte & 1 for byte in text[finding.start : start])
        if behind_is_token and front_is_token:
            return True
    follows = context.behind[:3] or text[end : end + 3]
    goes_on = len(follows) > 1 and all(last >> byte & 1 for byte in follows[:2])
    return goes_on and any(ALNUM >> byte & 1 for byte in follows if last >> byte & 1)


def table(missed: list[Missed]) -> str:
    """Rules by row, the contexts they are missed in beside them; the worst contexts on top."""
    by_rule = defaultdict(list)
    for one in missed:
        by_rule[one.rule].append(f"{one.context} {one.found or '-'}")
    worst = Counter(one.context for one in missed).most_common()
    lines = ["", *(f"{count:5} x {context}" for context, count in worst), ""]
    lines += [f"{rule:40} {'; '.join(contexts)}" for rule, contexts in sorted(by_rule.items())]
    return "\n".join(lines)


def test_every_format_is_found_in_every_context() -> None:
    missed = [one for rule in literal_rules() for one in misses(rule, seed=0)]
    assert not missed, table(missed)


def test_other_samples_do_as_well() -> None:
    chosen = random.Random(20).sample(literal_rules(), 120)
    missed = [one for rule in chosen for seed in (1, 2) for one in misses(rule, seed)]
    assert not missed, table(missed)


@pytest.mark.parametrize("name", ["alone", "full stop at the end", "mention", "markdown italic"])
def test_the_edges_of_a_text_are_contexts_too(name: str) -> None:
    """Nothing at all stands in front or behind: the same as any boundary."""
    context = CONTEXTS[name]
    chosen = literal_rules()
    texts = [context.front + sample_of(r.id).text + context.behind for r in chosen]
    missed = []
    for rule, text, found in zip(chosen, texts, builtin_scanner().scan_many(texts), strict=True):
        sample = sample_of(rule.id)
        start = len(context.front) + sample.start
        end = start + len(sample.secret)
        if not right(rule, context, found, start, end, text):
            missed.append(Missed(rule.id, name, [(f.rule, f.start, f.end) for f in found]))
    assert not missed, table(missed)


def test_a_letter_or_digit_in_front_makes_it_another_word() -> None:
    """The other side of the boundary: ``Xsk-…`` is no ``sk-…``. (URLs and the like aside.)"""
    wrong = []
    for rule in literal_rules():
        sample = sample_of(rule.id)
        if rule.heads.lead_hi or not sample.text[:1].isalnum():
            continue
        for front in (b"Q", b"7"):
            findings = builtin_scanner().scan(b"(" + front + sample.text + b")")
            if any(f.rule == rule.id and f.start <= 2 + sample.start for f in findings):
                wrong.append((rule.id, front))
    assert not wrong


def test_a_byte_of_its_alphabet_behind_makes_it_another_token() -> None:
    """A fixed-length token that goes on with a letter of its class is cut out of nothing."""
    wrong = []
    for rule in literal_rules():
        sample = sample_of(rule.id)
        _, last, _ = alphabets(rule)
        extra = next((b for b in b"aA0" if last >> b & 1), None)
        _, ends = secret_part(parse(rule.spec.pattern))
        if extra is None or not ends or not sample.secret[-1:].isalnum():
            continue
        text = sample.text + bytes([extra]) * 3
        findings = builtin_scanner().scan(text)
        if any(f.rule == rule.id and f.end == sample.end for f in findings):
            wrong.append(rule.id)
    assert not wrong

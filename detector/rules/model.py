"""What a rule is: the data of its TOML table, and what can be derived from its pattern."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from detector.checks import CHECKS
from detector.errors import RuleError
from detector.rules import assigned
from detector.rules import heads as heads_
from detector.rules.heads import Head, Heads
from detector.rules.syntax import (
    ALNUM,
    ANY,
    Group,
    Node,
    One,
    PatternError,
    Repeat,
    Seq,
    alphabet,
    class_regex,
    first,
    flatten,
    is_deterministic,
    last_byte,
    least_before_secret,
    mask_of,
    parse,
    secret_part,
    tail,
    width,
)
from detector.types import Privilege

MAX_LENGTH = 16_384  # bytes of a match: an RSA-8192 key in PEM takes 6.4 KiB
KEYWORD_GAP = 48  # bytes between a provider's name and the value, on one line
MAX_KEYWORD = 32  # bytes of such a name
_NOT_LINE_END = ANY & ~mask_of(b"\r\n")
_LINE_END = class_regex(mask_of(b"\r\n"))

# In front of a token no letter or digit may stand, unless it ends an escape: JSON and SQL
# (\n, \u003d, \x3d), URL (%3D), quoted-printable (=3D), a terminal's colour.
FRONT = (
    r"(?:(?<![0-9A-Za-z])"
    r"|(?<=\\[nrtbfv0]|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|%[0-9A-Fa-f]{2}|=3D|\x1b\[[0-9;]{0,8}m))"
)
# Where a match is looked for backwards it must not begin with the letters of an escape.
NOT_AN_ESCAPE = r"(?!(?<=\\)[nrtbfv0ux])(?!(?<=%)[0-9A-Fa-f]{2})(?!(?<=\x1b\[)[0-9;]{0,8}m)"

Identifier = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Text = Annotated[str, Meta(min_length=1)]
Probability = Annotated[float, Meta(ge=0, le=1)]
SeverityName = Annotated[str, Meta(pattern=r"^(info|low|medium|high|critical)$")]


class RuleSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ``[[rule]]`` table, as ``patterns/README.md`` describes it."""

    id: Identifier
    name: Text
    pattern: Text
    keywords: tuple[
        Annotated[str, Meta(min_length=4, max_length=MAX_KEYWORD, pattern=r"^[\w .-]+$")], ...
    ] = ()
    names: tuple[
        Annotated[str, Meta(min_length=3, max_length=MAX_KEYWORD, pattern=r"^[\w .:=?&\"-]+$")], ...
    ] = ()
    judged: bool = False
    worded: bool = True
    head: str = ""
    check: str = ""
    privilege: Privilege
    severity: SeverityName
    confidence: Probability = 0.9
    random: bool = True
    longest: bool = False
    rank: int = 0
    why: Text
    revoke: Text
    docs: str = ""
    match: Annotated[tuple[Text, ...], Meta(min_length=1)]
    no_match: Annotated[tuple[Text, ...], Meta(min_length=1)]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule ready for use: plain data, so it pickles and caches.

    Derived from the pattern: ``heads`` for the engine; ``regex`` for the verifier, with the
    boundaries; ``shortest`` and ``longest`` width of a match in bytes; ``stop``, the class of
    bytes that no match contains; ``closed``, whether a match is certain as soon as it is
    complete; ``last``, the class of a closed match's last byte; ``before``, the least bytes of
    a match in front of its secret; ``hold``, how many bytes of the secret may stand before a
    head, and ``lead``, their class; ``value``, the regex of what stands behind a keyword;
    ``prefixes``, a secret's public beginnings, the longest first; ``letters``, how many letters
    and digits its last class holds; ``plain``, whether a hit between bytes that are not its own
    is a match, with nothing left for the regex, ``after`` being the class of its own bytes;
    ``checked``, whether there is a structure to check; ``linear``, whether matching never has to
    go back; ``framed``, whether a match may have taken the end of a frame: ``_X_``, ``--X--``.
    """

    spec: RuleSpec
    provider: str
    title: str
    file: str
    heads: Heads
    regex: str
    shortest: int
    longest: int
    stop: str
    closed: bool
    last: str
    before: int
    lead: str
    hold: int
    value: str
    prefixes: tuple[bytes, ...]
    letters: int
    plain: bool
    after: str
    checked: bool
    linear: bool
    framed: bool

    @property
    def id(self) -> str:
        """The rule's identifier."""
        return self.spec.id

    def public(self, secret: bytes) -> int:
        """How many bytes at this secret's front are public."""
        if len(self.prefixes) == 1:
            return len(self.prefixes[0])
        for prefix in self.prefixes:
            if secret.startswith(prefix):
                return len(prefix)
        return 0


def build(spec: RuleSpec, provider: str, title: str, file: str) -> Rule:
    """Derive everything. Raises :class:`RuleError` naming file, rule and field."""

    def wrong(field: str, message: object) -> RuleError:
        return RuleError(str(message), file=file, rule=spec.id, field=field)

    if spec.check and spec.check not in CHECKS:
        raise wrong("check", f"no check named '{spec.check}'; known: {', '.join(sorted(CHECKS))}")
    try:
        value = parse(spec.pattern)
        secret, ends_with_secret = secret_part(value)
        if spec.names:
            return _of_names(spec, secret, provider, title, file)
        tree = _behind_keywords(spec.keywords, value) if spec.keywords else value
        shortest, longest = width(tree)
        if longest > MAX_LENGTH:
            raise PatternError(f"a match could be {longest} bytes long; the limit is {MAX_LENGTH}")
    except PatternError as error:
        raise wrong("pattern", error) from None
    try:
        heads = _heads(spec, tree, value)
    except PatternError as error:
        raise wrong("head" if spec.head else "pattern", error) from None
    boundary = _boundary(secret) if ends_with_secret else ""
    items = flatten(tree)
    union = alphabet(tree)
    inside = items[_items_before_secret(tree) : heads.items]
    body = _body(spec, value, boundary, lead=heads.lead_hi > 0)
    return Rule(
        spec=spec,
        provider=provider,
        title=title,
        file=file,
        heads=heads,
        regex=_behind_names(spec.keywords) + body,
        shortest=shortest,
        longest=longest,
        stop=_stop(spec, union),
        closed=not spec.judged and not boundary and is_deterministic(items, ANY),
        last=class_regex(last_byte(tree)) if not boundary else "",
        before=least_before_secret(tree) or 0,
        lead=class_regex(alphabet(Seq(tuple(inside)))) if inside else "",
        hold=width(Seq(tuple(inside)))[1],
        value=body if spec.keywords else "",
        prefixes=_public_prefixes(secret),
        letters=(tail(secret) & ALNUM).bit_count(),
        checked=bool(spec.check),
        linear=is_deterministic(flatten(value)),
        framed=bool(boundary) and bool(tail(secret) & ~ALNUM) and shortest < longest,
        plain=width(secret) == (shortest, longest) and heads_.are_whole(tree, heads),
        after=class_regex(tail(secret)) if boundary else "",
    )


def _of_names(spec: RuleSpec, value: Node, provider: str, title: str, file: str) -> Rule:
    """A rule that knows names only: where its values end is for :mod:`assigned` to say."""
    least, most = width(value)
    if spec.keywords or spec.head or not spec.judged:
        wrong = "keywords" if spec.keywords else "head" if spec.head else "judged"
        raise RuleError("does not go with names", file=file, rule=spec.id, field=wrong)
    if not 2 <= least <= most <= assigned.LONGEST:
        message = f"a value takes 2 to {assigned.LONGEST} bytes"
        raise RuleError(message, file=file, rule=spec.id, field="pattern")
    return Rule(
        spec=spec,
        provider=provider,
        title=title,
        file=file,
        heads=assigned.of_chosen(spec.names, least)
        if spec.worded
        else assigned.of_drawn(spec.names),
        regex=assigned.verifier(least),
        shortest=least,
        longest=2 * assigned.LONGEST,  # an escaped byte takes two
        stop=_LINE_END,
        closed=False,
        last="",
        before=0,
        lead="",
        hold=0,
        value="",
        prefixes=(),
        letters=ALNUM.bit_count(),
        plain=False,
        after="",
        checked=bool(spec.check),
        linear=True,
        framed=False,
    )


def _stop(spec: RuleSpec, union: int) -> str:
    """What is judged is judged by the rest of its line, too."""
    if spec.judged and union & ~_NOT_LINE_END == 0:
        return _LINE_END
    return class_regex(ANY & ~union) if union != ANY and not spec.judged else ""


def _items_before_secret(tree: Node) -> int:
    """Of the top-level items, the groups opened; 0 where the secret stands deeper."""
    count = 0
    for item in tree.items if isinstance(tree, Seq) else (tree,):
        if isinstance(item, Group):
            return count
        count += len(flatten(item))
    return 0


def _behind_keywords(keywords: tuple[str, ...], value: Node) -> Node:
    names = parse("(?i:" + "|".join(map(_literal, keywords)) + ")")
    return Seq((names, Repeat(One(_NOT_LINE_END), 0, KEYWORD_GAP), value))


def _literal(word: str) -> str:
    return "".join(class_regex(1 << byte) for byte in word.encode("ascii"))


def _heads(spec: RuleSpec, tree: Node, value: Node) -> Heads:
    if spec.keywords:
        return assigned.of_drawn() if assigned.is_drawn(value) else heads_.of_words(spec.keywords)
    return heads_.written(spec.head, tree) if spec.head else heads_.derive(tree)


def _body(spec: RuleSpec, value: Node, boundary: str, *, lead: bool) -> str:
    starts_with, _ = first(flatten(value))
    guard = FRONT if starts_with & ALNUM else ""
    if lead:
        guard = NOT_AN_ESCAPE + guard
    return f"{guard}(?:{_without_going_back(spec, value, boundary)}){boundary}"


def _behind_names(keywords: tuple[str, ...]) -> str:
    names = "|".join(map(_literal, keywords))
    return rf"(?i:{names})[^\r\n]{{0,{KEYWORD_GAP}}}?" if names else ""


def _without_going_back(spec: RuleSpec, value: Node, boundary: str) -> str:
    """The pattern, its last repeat possessive if the boundary's class is its own: a shorter
    run of that class never ends at a boundary. On ``sk-sk-sk-…`` that is four times as fast."""
    last = flatten(value)[-1]
    if not (boundary and spec.pattern.endswith("})") and isinstance(last, Repeat)):
        return spec.pattern
    own = isinstance(last.item, One) and last.item.mask == tail(value) and last.lo < last.hi
    return spec.pattern[:-1] + "+)" if own else spec.pattern


def _boundary(secret: Node) -> str:
    """The next byte is not of the token's own alphabet, or up to three are punctuation of it
    that belongs to the text around: ``__X__``, ``X...``.

    A token whose last byte is no letter or digit (``=``, ``-----``) needs none.
    """
    if not last_byte(secret) & ALNUM:
        return ""
    last = tail(secret)
    inside = class_regex(last)
    punctuation = last & ~ALNUM
    if not punctuation:
        return f"(?!{inside})"
    return rf"(?:(?!{inside})|(?={class_regex(punctuation)}{{1,3}}(?!{inside})))"


def _public_prefixes(secret: Node) -> tuple[bytes, ...]:
    return tuple(sorted(heads_.literals(secret), key=lambda literal: (-len(literal), literal)))


__all__ = ["Head", "Heads", "Rule", "RuleSpec", "build"]

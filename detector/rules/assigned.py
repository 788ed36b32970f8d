"""Values that somebody gave a name to: ``db_password = "…"``, ``<token>…</token>``.

They have no format. What the engine looks for is the name, what people write between a name
and its value, and the value's beginning. Where it ends depends on the quotes around it, or on
the conventions of what it stands in.

There are two kinds of heads. People choose passwords, so *any* first bytes will do behind a
name like ``password``. Names like ``key`` and ``token`` stand in every program, but the keys
themselves are drawn: behind those a digit must come, or sixteen letters. That leaves 16 hits
in a megabyte of bundles where there were 50. What may stand in between is little for them,
because the engine's pass slows down with every byte that keeps a name's automaton alive: with
all that is allowed for passwords it took a fifth longer.
"""

from __future__ import annotations

from detector.rules.heads import Head, Heads, beginning
from detector.rules.syntax import Node, class_regex, parse, width

LONGEST = 512  # bytes of a value: an RSA key in one line of base64 is cut, and found all the same
RUN = 26  # bytes of a drawn value that its head may take: 22 letters, a digit, three more

# What may follow a name that is still one: tokens, password2, secret_key_base, passwordRepeat.
_SUFFIX = (
    r"(?:s|_?[0-9]{1,2}|_?[vV]alue|_VALUE|_base|_BASE|_?[cC]onfirm(?:ation)?|[rR]epeat"
    r"|_?[dD]ata|orization|_?[tT]ext|_?[sS]tr(?:ing)?)?"
)
_CLOSE = r"(?:\\{0,3}[\"'`\])*]|&quot;|&#39;){0,2}"
_BLANKS = r"[ \t]{0,16}"
# A type in between: "a: str = …", "a string = …", "a: Option<&'static str> = …", "a[32] = …".
_TYPE = (
    r"(?:(?:[?!]?:[ \t]?|[ \t])(?:[A-Z][a-z]{3,7}[\[<])?&?(?:'static )?"
    r"(?:[Ss]tr(?:ing)?|SecretStr|bytes|\[\]byte|&\[u8\])[\]>]?(?: \| (?:None|null|undefined))?"
    r"|\[[0-9]{0,4}\])?"
)
# An assignment, a comparison, or the value that a variable of the environment falls back on.
_ASSIGN = (
    _BLANKS + r"(?::=|[:=]|=>|={2,3}|!={1,2}|->|\+=|\|\||\?\?|:-|[ \t]or[ \t]|:\*\*)" + _BLANKS
)
# b"…", new Secret("…"), StringEncoder("…"), [ "…": what wraps a literal.
_WRAP = r"(?:(?:new )?[\w.:\[\]]{0,24}[(\[{]\s?)?[bBrRuUfFLN@$]{0,2}"
# Between a quoted name and another quote: ("password", "…"), ("PASSWORD", "\"…\""), not
# r.auth,"…" of minified code.
_PAIR = r"(?:\\{0,3}[\"'`]\s?,\s{0,2}|,\s{1,2})\"?"
# Between the name and a quote: password("…"), password{"…"}, <add key="password" value="…"/>,
# serialized PHP, and the name of an environment variable in one line with its value in the next.
_APART = (
    r"(?:\(\s?|[ \t]{0,2}\{[ \t]?|[ \t]{1,2}(?:value=)?|;s:[0-9]{1,4}:"
    r"|,\s{0,24}\\?\"value\\?\":\s?|\r?\n[ \t]{1,24}value:[ \t]{1,4})"
)
# Without quotes, directly: an assignment, an XML element, the next line of a manifest. What
# begins like a template, an option or an expression is none; nor is what has a dot, a bracket
# or a comma within its first bytes: minified code is full of password:e.password.
_BARE = r"(?:" + _ASSIGN + r"|>|<\/key>\s{0,24}<string>|\r?\n[ \t]{1,24}value:[ \t]{1,4})"
_AFTER_QUOTE = r"[^\"'`\s\\<>{}(),;]"
_FIRST_BYTE = r"[\w/~!@^+]"
_NEXT_BYTE = r"[\w/~!@#%^*+$=-]"

_DRAWN_CLOSE = r"\\{0,3}[\"'`\])*]{0,2}"
_DRAWN_TYPE = r"(?::?[ \t](?:&|Optional\[)?[Ss]tr(?:ing)?\]?|\[\])?"
_DRAWN_ASSIGN = (
    _BLANKS + r"(?:[:=]>?|[:=]=|!==?|={2,3}|->|\|\||\?\?|is |:\*\*)" + _BLANKS + r"[bBrRuU@$]?"
)
_DRAWN_WRAP = r"(?:(?:\[\]byte|String::from|Buffer\.from)\()?"
# With quotes or without them: an assignment, a blank, an XML element, the next line of a manifest.
_DRAWN_BARE = (
    rf"(?:{_DRAWN_TYPE}{_DRAWN_ASSIGN}|[ \t]{{1,2}}|[ \t]?\|[ \t]|>|</key>\s{{1,8}}<string>"
    r"|\r?\n[ \t]{2,12}value:[ \t])"
)
_DRAWN_APART = (
    r"(?:[({,][ \t]?\"?|[ \t]value=|[ \t]or[ \t]|;s:[0-9]{1,3}:|,\s{0,12}\\?\"value\\?\":[ \t]?)"
)
_DRAWN_BYTE = r"[A-Za-z_/+.@!~^*#%$-]"
_DRAWN = (
    rf"(?:{_DRAWN_BYTE}{{4,22}}[0-9]|{_DRAWN_BYTE}{{0,3}}[0-9][\w/+.@!~^*#%$-]{{3}}"
    r"|[A-Za-z_-]{16})"
)
RUN_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_/+.@!~^*#%$-"
"""What the beginning of a drawn value may hold: it starts where the run of these does."""

_JOINED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

# Names that speak for the formats of providers, too: see `keywords` of a rule.
_OF_PROVIDERS = (
    "key", "token", "secret", "password", "passwd", "credential", "login",
    "_id", "_sid", "accessid", "_pat", "-pat", "-team",
)  # fmt: skip
# Of these the ones that rules with names know, too: a head that both have is looked for once.
_SHARED = frozenset({"key", "token", "credential", "_sid"})


MOST_LOOKED_AT = 8  # bytes of a value in a head: with 40 the pattern is too large for the engine


def of_chosen(names: tuple[str, ...], least: int) -> Heads:
    """Heads for values that people choose: the last ``least`` bytes of a hit are the first of
    the value. A name that ends in a blank stands right before its value, ``--password …``, which
    then has quotes, or a digit: prose goes on in letters. One that ends in what assigns,
    ``pw:``, has nothing else between."""
    least = min(least, MOST_LOOKED_AT)
    apart = [name.lower().rstrip(" ") for name in names if name.endswith(" ")]
    assigned = [name.lower() for name in names if name.endswith((":", "="))]
    joined = [name.lower() for name in names if not name.endswith((" ", ":", "="))]
    heads = [_head(joined, _chosen(least), tail=least)] if joined else []
    if assigned:
        heads.append(
            _head(assigned, f"[ \\t]{{0,4}}(?:{_quoted(least)}|{_bare(least)})", tail=least)
        )
    if apart:
        heads.append(_head(apart, rf"[ \t]{{1,2}}{_quoted(least)}", tail=least))
        heads.append(_head(apart, rf"[ \t]{{1,2}}{_DRAWN}", runs=True))
    return Heads(tuple(heads), 0, 0)


def of_drawn(names: tuple[str, ...] = _OF_PROVIDERS) -> Heads:
    """Heads for values that a program draws: a hit ends within the value's first bytes."""
    lower = [name.lower() for name in names]
    groups = [[name] for name in lower if name in _SHARED]
    if own := [name for name in lower if name not in _SHARED]:
        groups.append(own)
    return Heads(tuple(_head(group, _drawn(), runs=True) for group in groups), 0, 0)


def is_drawn(value: Node) -> bool:
    """Whether the heads of drawn values hit this one: no dot or colon parts its beginning."""
    parts = (mask for mask in beginning(value)[:16] if mask.bit_count() == 1)
    return all(chr(mask.bit_length() - 1) in _JOINED for mask in parts)


def _quoted(least: int) -> str:
    """A value's first bytes behind its quote. The other quotes may stand in it, and brackets."""
    more = "|".join(
        rf"{quote}{_AFTER_QUOTE}[^{quote}\s\\<>{{}},;]{{{least - 1}}}" for quote in "\"'`"
    )
    return rf"(?:\\{{0,3}}(?:{more})|(?:&quot;|&#39;){_AFTER_QUOTE}{{{least}}})"


def _bare(least: int) -> str:
    return f"{_FIRST_BYTE}{_NEXT_BYTE}{{{least - 1}}}"


def _chosen(least: int) -> str:
    quoted = _quoted(least)
    apart = f"{_CLOSE}(?:(?:{_TYPE}{_ASSIGN}{_WRAP}|{_APART}){quoted}|{_BARE}{_bare(least)})"
    return f"{_SUFFIX}(?:{_PAIR}{quoted}|{apart})"


def _drawn() -> str:
    quote = r"\\{0,3}[\"'`]"
    apart = f"{_DRAWN_BARE}(?:{_DRAWN_WRAP}{quote})?|{_DRAWN_APART}{quote}|&quot;:&quot;"
    return rf"[sS0-9]?{_DRAWN_CLOSE}(?:{apart}){_DRAWN}"


def _head(words: list[str], rest: str, *, tail: int = 0, runs: bool = False) -> Head:
    """Names of one rule share a head, so the engine an automaton for what may follow them."""
    spelled = "|".join("".join(map(_in_either_case, word)) for word in words)
    regex = f"(?:{spelled}){rest}"
    return Head(regex, tuple(words), True, 0, width(parse(regex))[1], tail, runs)


def _in_either_case(char: str) -> str:
    return f"[{char.upper()}{char}]" if char.isalpha() else class_regex(1 << ord(char))


def verifier(least: int) -> str:
    """The regex that matches a value where it begins; the bytes before tell how it ends."""
    some = f"{{{least},{LONGEST}}}"
    line = r"(?:\A|[\r\n])[ \t>#*/-]{0,12}(?:export |set |ENV |- )?[\"']?[\w.-]{1,64}[\"']?"
    closed = "|".join(
        rf"(?<=(?<!\\){quote})(?P<secret>(?:[^{quote}\\\r\n]|\\[^\r\n]){some}+)" for quote in "\"'`"
    )
    return (
        r"(?:-(?<=\$\{\w{1,64}:-))?+"  # of ${NAME:-value}: a drawn value could begin with it
        rf"(?:(?<=\\[\"'`])(?P<secret>[^\"'`\\\r\n]{some}+)|{closed}"
        rf"|(?<=&quot;|&#39;)(?P<secret>[^&\r\n]{some}+)"
        rf"|(?<![\"'`;])(?:(?<=[?&][\w.\[\]%-]{{1,64}}=)(?P<secret>[^\s\0\"'`,;(){{}}\[\]<>|\\&#]{some}+)"
        rf"|(?<={line}[ \t]{{0,16}}[=:][ \t]{{0,16}})(?P<secret>[^\s\0\"'`<>]{some})(?<![,;.)\]}}])"
        rf"|(?<=>)(?P<secret>[^\s\0\"'`<>\\]{some}+)(?=</)"
        rf"|(?<!>)(?P<secret>[^\s\0\"'`,;(){{}}\[\]<>|\\]{some})(?<![.:])))"
    )

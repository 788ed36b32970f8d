"""Values that somebody gave a name to: ``db_password = "…"``, ``<token>…</token>``.

They have no format. What the engine looks for is the name, what people write between a name
and its value, and the value's first bytes; so a hit's end tells where the value begins. Where
it ends depends on the quotes around it, or on the conventions of what it stands in.
"""

from __future__ import annotations

from detector.rules.heads import Head, Heads
from detector.rules.syntax import class_regex, parse, width

LONGEST = 512  # bytes of a value: an RSA key in one line of base64 is cut, and found all the same

# What may follow a name that is still one: tokens, password2, secret_key_base, passwordRepeat.
_SUFFIX = (
    r"(?:s|_?[0-9]{1,2}|_?[vV]alue|_VALUE|_base|_BASE|_?[cC]onfirm(?:ation)?|[rR]epeat"
    r"|_?[dD]ata|_?[hH]ex|orization|_?[pP]hrase|_?[tT]ext|_?[sS]tr(?:ing)?)?"
)
_CLOSE = r"(?:\\{0,3}[\"'`\])]|&quot;|&#39;){0,2}"
_BLANKS = r"[ \t]{0,16}"
# An assignment, a comparison, or the value that a variable of the environment falls back on.
_ASSIGN = _BLANKS + r"(?::=|[:=]|=>|={2,3}|!={1,2}|->|\+=|\|\||\?\?|:-|[ \t]or[ \t])" + _BLANKS
# b"…", new Secret("…"), StringEncoder("…"), [ "…": what wraps a literal.
_WRAP = r"(?:(?:new )?[\w.:\[\]]{0,40}[(\[{]\s?)?[bBrRuUfFLN@$]{0,2}"
# Between a quoted name and another quote: ("password", "…"), not r.auth,"…" of minified code.
_PAIR = r"(?:\\{0,3}[\"'`]\s?,\s{0,2}|,\s{1,2})"
# Between the name and a quote: password("…"), <add key="password" value="…"/>, and the name of
# an environment variable in one line with its value in the next.
_APART = (
    r"(?:\(\s?|[ \t]{1,2}(?:\{[ \t])?|[ \t]{1,2}value=|,\s{0,24}\\?\"value\\?\":\s?"
    r"|\r?\n[ \t]{1,24}value:[ \t]{1,4})"
)
# Without quotes, directly: an assignment, an XML element, the next line of a manifest. What
# begins like a template, an option or an expression is none; nor is what has a dot, a bracket
# or a comma within its first bytes: minified code is full of token:e.token.
_BARE = r"(?:" + _ASSIGN + r"|>|<\/key>\s{0,24}<string>|\r?\n[ \t]{1,24}value:[ \t]{1,4})"
_AFTER_QUOTE = r"[^\"'`\s\\<>{}(),;]"
_FIRST_BYTE = r"[\w/~!@^+]"
_NEXT_BYTE = r"[\w/~!@#%^*+$=-]"


def heads_of(names: tuple[str, ...], least: int) -> Heads:
    """One head a name; the last ``least`` bytes of a hit are the value's first.

    A name that ends in a blank stands right before its value: ``Bearer …``, ``--password …``.
    """
    return Heads(tuple(_head(name.lower(), least) for name in names), 0, 0)


def _head(name: str, least: int) -> Head:
    # The other quotes may stand in a value, and so may brackets.
    more = "|".join(
        rf"{quote}{_AFTER_QUOTE}[^{quote}\s\\<>{{}},;]{{{least - 1}}}" for quote in "\"'`"
    )
    quoted = rf"(?:\\{{0,3}}(?:{more})|(?:&quot;|&#39;){_AFTER_QUOTE}{{{least}}})"
    bare = f"{_FIRST_BYTE}{_NEXT_BYTE}{{{least - 1}}}"
    word = name.rstrip(" ")
    spelled = "".join(_in_either_case(char) for char in word)
    if word == name:
        rest = (
            f"{_SUFFIX}(?:{_PAIR}{quoted}"
            f"|{_CLOSE}(?:(?:{_ASSIGN}{_WRAP}|{_APART}){quoted}|{_BARE}{bare}))"
        )
    else:
        rest = f"[ \\t]{{1,2}}(?:{quoted}|{bare})"
    most = width(parse(spelled + rest))[1]
    return Head(spelled + rest, (word,), True, 0, most, least)


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
        rf"(?:(?<=\\[\"'`])(?P<secret>[^\"'`\\\r\n]{some}+)|{closed}"
        rf"|(?<=&quot;|&#39;)(?P<secret>[^&\r\n]{some}+)"
        rf"|(?<![\"'`;])(?:(?<=[?&][\w.\[\]%-]{{1,64}}=)(?P<secret>[^\s\0\"'`,;(){{}}\[\]<>|\\&#]{some}+)"
        rf"|(?<={line}[ \t]{{0,16}}[=:][ \t]{{0,16}})(?P<secret>[^\s\0\"'`<>]{some})(?<![,;.)\]}}])"
        rf"|(?<=>)(?P<secret>[^\s\0\"'`<>\\]{some}+)(?=</)"
        rf"|(?<!>)(?P<secret>[^\s\0\"'`,;(){{}}\[\]<>|\\]{some})(?<![.:])))"
    )

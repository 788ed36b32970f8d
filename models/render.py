"""Stanzas with drawn values, and where in the text each value lies.

A slot is one of these:

- ``BODY`` or ``BODY:2-4``: stanzas of the frame's group. ``lines:2-6``: named values,
  ``members:2-6`` within an object.
- ``pw``, ``tok``, ``any``: a value in text that is already quoted, or needs no quotes; ``pw@url``
  escapes it (``url``, ``xml``, ``sql``, ``copy``, ``csv``, ``b64`` for a user and password).
- ``q:pw`` and so on: the same as the format quotes it, or an expression in its place.
- ``+pw``, ``+tok``: surely a secret. ``-fill:NAME``: a filler marked as none.
- ``-KIND:TEXT``: this text, marked as none. ``-fake``, ``-hidden``, ``-todo``: what is no secret.
- ``n:pw``, ``n:tok``: a name in the format's style; ``n:pw@scream`` in another one.
- ``?a|b|c``: one of these texts. ``msg``: a stanza of the group ``msg``. Anything else: a filler
  of :class:`models.world.World`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from models import texts
from models.lists import HARD, PLAIN, Family
from models.naming import password_name, spelled, token_name
from models.stanzas import Format, Stanza, pieces
from models.values import known, password, token
from models.world import RANDOM_LOOKING, REAL, SAMPLE, World
from models.writer import Writer, escaped


class Value(NamedTuple):
    """A drawn value. ``expression``: it stands for itself and is never quoted."""

    text: str
    secret: bool
    kind: str
    expression: bool = False


_SAFE = re.compile(r"[A-Za-z0-9_\-+/=!.~^*%@#$]+")
# In each scene: a secret, a reference, a placeholder, a well-known password, a hash or sealed one.
_ODDS = {"real": (72, 15, 7, 0, 6), "sample": (9, 12, 62, 15, 2), "test": (20, 14, 56, 8, 2)}


class Renderer:
    """One document in the making."""

    def __init__(self, form: Format, scene: str, rng: Random) -> None:
        self.form, self.rng, self.world = form, rng, World(rng, scene)
        self.out = Writer()
        self.names = rng.choice(form.get("names", "snake"))
        self.quote = rng.choice(form.get("quotes", '"')).replace("none", "")
        self.style = rng.choice(form.get("indent", "as-is"))
        if self.quote == '"' and form.get("swap"):
            self.style += ' "'
        if rng.random() < float("".join(form.get("min", "0"))):
            self.style = "min"
        self.certain = bool(form.get("certain"))
        self.escapes = False  # whether the document is JSON around other text
        self.words = "password"  # of the name that stood last

    def stanza(self, text: str, group: str = "") -> None:
        """Write one stanza; ``group`` is that of a frame."""
        parts = pieces(text, self.style)
        for place, part in enumerate(parts):
            if place % 2 == 0:
                self.out.put(part)
            elif part.startswith("BODY"):
                self._bodies(group, part[5:])
            else:
                self._slot(part)

    def _bodies(self, group: str, span: str) -> None:
        self.escapes = group == "jsonl"
        least, _, most = (span or "".join(self.form.get("bodies", "1-4"))).partition("-")
        fit = [s for s in self.form.bodies[group] if self.world.scene in s.scenes]
        chosen = self.rng.sample(
            fit, min(len(fit), self.rng.randint(int(least), int(most or least)))
        )
        join = self._join(group)
        before, self.out.indent = self.out.indent, self.out.indent + self._new_indent()
        for place, body in enumerate(chosen):
            if place:
                self.out.put(join)
            self.stanza(body.text)
        self.out.indent = before

    def _join(self, group: str) -> str:
        if group == "min":
            return ""
        join = "".join(self.form.get("join", "\\n")).replace("\\n", "\n")
        if group in self.form.get("tight"):
            return "\n"
        return join.rstrip("\n") if self.style == "min" else join

    def _message(self) -> None:
        text = self.rng.choice(self.form.bodies["msg"]).text
        self.stanza(text.replace('"', '\\"') if self.escapes else text)

    def _new_indent(self) -> str:
        return self.out.column().removeprefix(self.out.indent)

    def _slot(self, slot: str) -> None:
        op, _, arg = slot.partition(":")
        if slot[0] == "?":
            self.out.put(self.rng.choice(slot[1:].split("|")))
        elif op == "lines":
            self._lines(self.form.lines, arg)
        elif op == "members":
            self._lines(self.form.members, arg)
        elif op == "msg":
            self._message()
        elif op == "n":
            kind, _, style = arg.partition("@")
            self.out.put(self._name(kind, style or self.names))
        elif slot[0] == "-":
            self._none(op[1:], arg)
        elif slot[0] == "+":
            self._value(slot[1:], surely=True)
        elif op == "q":
            self._quoted(self._draw(arg))
        elif op.partition("@")[0] in ("pw", "tok", "any"):
            self._value(slot)
        elif slot in RANDOM_LOOKING:
            self.out.mark(self.world.fill(slot), False, slot)
        else:
            self.out.put(self.world.fill(slot))

    def _name(self, kind: str, style: str) -> str:
        if kind == "any":
            kind = self.rng.choice(("pw", "tok"))
        self.words = password_name(self.rng) if kind == "pw" else token_name(self.rng)
        return spelled(self.words, style)

    def _none(self, kind: str, text: str) -> None:
        if kind == "fill":
            self.out.mark(self.world.fill(text), False, text)
            return
        drawers: dict[str, Callable[[Random], str]] = {
            "fake": texts.fake,
            "hidden": texts.hidden,
            "weak": known,
            "todo": lambda rng: texts.placeholder(self.words, rng),
        }
        drawn = drawers.get(kind)
        self.out.mark(drawn(self.rng) if drawn else text, False, kind)

    def _value(self, slot: str, *, surely: bool = False) -> None:
        kind, _, way = slot.partition("@")
        for _ in range(50):
            value = self._secret(kind) if surely else self._draw(kind, plain=True)
            if way or _SAFE.fullmatch(value.text):
                break
        text = value.text
        if way == "b64":
            text = base64.b64encode(f"{self.world.fill('account')}:{text}".encode()).decode()
        elif value.secret:
            text = escaped(text, way)
        self.out.mark(text, value.secret, value.kind)

    def _secret(self, kind: str) -> Value:
        if kind == "any":
            kind = self.rng.choice(("pw", "pw", "tok"))
        if self.rng.random() < (0.9 if kind == "tok" else 0.07):
            text, shape = token(self.rng)
        else:
            strong = self.world.scene != REAL
            text, shape = password(self.rng, certain=self.certain, strong=strong)
        return Value(text, True, shape)

    def _draw(self, kind: str, *, plain: bool = False) -> Value:
        """A value under a credential's name. ``plain``: it stands inside other text."""
        match self.rng.choices(range(5), _ODDS[self.world.scene])[0]:
            case 0:
                return self._secret(kind)
            case 1 if not plain and self.form.exprs:
                return Value(self.rng.choice(self.form.exprs), False, "reference", True)
            case 1:
                return Value(texts.template(self.words, self.rng), False, "template")
            case 2 if self.world.scene == REAL:
                return Value(texts.hidden(self.rng), False, "hidden")
            case 2 if self.world.scene == SAMPLE:
                return Value(texts.placeholder(self.words, self.rng), False, "placeholder")
            case 2:
                return Value(texts.fake(self.rng), False, "fake")
            case 3:
                return Value(known(self.rng), False, "weak-sample")
        filler = "passhash" if kind == "pw" and self.rng.random() < 0.6 else "sealed"
        return Value(self.world.fill(filler), False, filler)

    def _quoted(self, value: Value, *, bare: bool = False) -> None:
        if value.expression:
            self._expression(value)
            return
        way = "".join(self.form.get("escape"))
        mark = self.quote
        if bare and self.form.get("bare", "yes") == ("yes",):
            mark = ""
        elif not mark and not (value.text and re.fullmatch(r"[\w][\w\-+/=.!$^*~]*", value.text)):
            mark = next((q for q in self.form.get("quotes", '"') if q != "none"), "")
        self.out.put(mark)
        self.out.mark(escaped(value.text, way, mark), value.secret, value.kind)
        self.out.put(mark)

    def _expression(self, value: Value) -> None:
        inner = Writer()
        inner.indent, kept = self.out.indent, self.out
        self.out = inner
        for place, part in enumerate(pieces(value.text, "as-is")):
            self._slot(part) if place % 2 else inner.put(part)
        self.out = kept
        self.out.mark(inner.text().decode(), False, value.kind)

    def _lines(self, templates: tuple[str, ...], span: str) -> None:
        least, _, most = (span or "2-5").partition("-")
        template = self.rng.choice(templates)
        before, self.out.indent = self.out.indent, self.out.indent + self._new_indent()
        for number in range(self.rng.randint(int(least), int(most or least))):
            if number:
                self.out.put("\n")
            if self.rng.random() < 0.06 and (sign := "".join(self.form.get("comment"))):
                self.out.put(f"{sign} {self.world.fill('comment')}\n")
            mixed = self.rng.random() < 0.1
            self._line(self.rng.choice(templates) if mixed else template)
        self.out.indent = before

    def _line(self, template: str) -> None:
        drawn = self.rng.random()
        if drawn < 0.42:
            kind = "pw" if drawn < 0.22 else "tok"
            self._pair(template, self._name(kind, self.names), None, kind)
            return
        families = HARD if drawn < 0.75 else PLAIN
        family = self.rng.choices(families, [f.weight for f in families])[0]
        self.words = self.rng.choice(family.names)
        self._pair(template, spelled(self.words, self.names), family, "")

    def _pair(self, template: str, name: str, family: Family | None, kind: str) -> None:
        for place, part in enumerate(pieces(template, self.style.replace("min", ""))):
            if place % 2 == 0:
                self.out.put(part)
            elif part == "N":
                self.out.put(name)
            elif part != "V":
                self._slot(part)
            elif family is None:
                self._quoted(self._draw(kind))
            else:
                text = self.world.fill(self.rng.choice(family.values))
                self._quoted(Value(self._literal(text), False, family.kind), bare=family.bare)

    def _literal(self, text: str) -> str:
        own = {"true": "true", "false": "false", "null": "null"} | dict(
            pair.split(":", 1) for pair in self.form.get("literals")
        )
        return own.get(text, text)


def frames(form: Format, scene: str) -> list[Stanza]:
    """The frames that a format has for a scene."""
    return [wrap for wrap in form.wraps if scene in wrap.scenes]

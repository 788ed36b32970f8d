"""What stands around the values of one document: hosts, accounts, paths, texts.

A document has one company and one scene. The scene decides what a weak password means: a
``real`` one is in use, a ``sample`` or ``test`` one shows where something else belongs.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from models import hashes, places
from models.lists import TEXTS
from models.naming import password_name, spelled, token_name
from models.places import REAL, SAMPLE, TEST
from models.values import HEX, base64_of, first_name, pick, surname, uuid4, word

__all__ = ["FILLERS", "RANDOM_LOOKING", "REAL", "SAMPLE", "TEST", "World"]


class World:
    """One document's surroundings. ``fill(name)`` draws a filler; what a document names more than
    once (``company``, ``domain``, ``db``, ``app``) stays the same in it."""

    def __init__(self, rng: Random, scene: str) -> None:
        self.rng, self.scene = rng, scene
        self._kept: dict[str, str] = {}

    def fill(self, name: str) -> str:
        """A filler by its name. :raises KeyError: when there is none of that name."""
        if name in _KEPT:
            if name not in self._kept:
                self._kept[name] = _KEPT[name](self)
            return self._kept[name]
        return FILLERS[name](self)

    def choice(self, *options: str) -> str:
        """One of ``options``."""
        return self.rng.choice(options)

    def password_hash(self) -> str:
        """A hash of the one kind that this document has, mostly."""
        if "hash" not in self._kept or self.rng.random() < 0.05:
            self._kept["hash"] = str(self.rng.randrange(hashes.KINDS))
        return hashes.password_hash(self.rng, int(self._kept["hash"]))

    def number(self) -> str:
        """A number of a usual size."""
        usual = (
            0,
            1,
            2,
            3,
            5,
            8,
            10,
            12,
            15,
            20,
            24,
            30,
            50,
            60,
            64,
            90,
            100,
            128,
            200,
            256,
            300,
            365,
            443,
            500,
            512,
            600,
            900,
            1000,
            1024,
            2048,
            3000,
            3306,
            3600,
            4096,
            5432,
            6379,
            7200,
            8080,
            8443,
            9000,
            9200,
            10000,
            27017,
            30000,
            50256,
            86400,
            604800,
            65537,
        )
        return str(self.rng.choice(usual))


def _named(draw: Callable[[Random], str], style: str) -> Callable[[World], str]:
    return lambda w: spelled(draw(w.rng), style)


_KEPT: dict[str, Callable[[World], str]] = {
    "company": places.company,
    "domain": places.domain,
    "app": lambda w: w.choice(w.fill("company"), word(w.rng), word(w.rng)[:5]),
    "db": lambda w: w.choice(
        w.fill("app"),
        w.fill("app") + "_" + w.choice("prod", "production", "live", "db")
        if w.scene == REAL
        else w.choice("test", "mydb", "dbname"),
    ),
    "region": lambda w: w.choice(
        "us-east-1", "eu-west-1", "eu-central-1", "us-west-2", "ap-south-1", "sa-east-1"
    ),
}

FILLERS: dict[str, Callable[[World], str]] = {
    "host": places.host,
    "user": places.user,
    "mailhost": places.mail_host,
    "mongohost": places.mongo_host,
    "ip": places.private_ip,
    "account": places.account,
    "email": places.email,
    "slug": places.slug,
    "path": places.path,
    "url": places.url,
    "ident": places.ident,
    "arn": places.arn,
    "vaultpath": places.vault,
    "env": places.env,
    "version": places.version,
    "when": places.when,
    "stamp": places.stamp,
    "int": World.number,
    "word": lambda w: word(w.rng),
    "Word": lambda w: word(w.rng).capitalize(),
    "first": lambda w: first_name(w.rng),
    "First": lambda w: first_name(w.rng).capitalize(),
    "Last": lambda w: surname(w.rng).capitalize(),
    "passhash": World.password_hash,
    "digest": lambda w: hashes.digest(w.rng),
    "integrity": lambda w: hashes.integrity(w.rng),
    "fingerprint": lambda w: hashes.fingerprint(w.rng),
    "pubkey": lambda w: hashes.public_key(w.rng),
    "data": lambda w: hashes.data(w.rng),
    "id": lambda w: hashes.identifier(w.rng),
    "sealed": lambda w: hashes.sealed(w.rng),
    "uuid": lambda w: uuid4(w.rng),
    "sha": lambda w: pick(w.rng, HEX, 40),
    "md5": lambda w: pick(w.rng, HEX, 32),
    "sha256": lambda w: pick(w.rng, HEX, 64),
    "short": lambda w: pick(w.rng, HEX, w.rng.choice((7, 8, 12, 20))),
    "b64": lambda w: base64_of(w.rng, w.rng.choice((16, 32, 64))),
    "ui": lambda w: w.rng.choice(TEXTS["ui"]),
    "phrase": lambda w: w.rng.choice(TEXTS["phrases"]),
    "i18nkey": lambda w: w.rng.choice(TEXTS["i18n"]),
    "regex": lambda w: w.rng.choice(TEXTS["regexes"]),
    "algo": lambda w: w.rng.choice(TEXTS["algorithms"]),
    "classname": lambda w: w.rng.choice(TEXTS["classes"]),
    "selector": lambda w: w.rng.choice(TEXTS["selectors"]),
    "flag": lambda w: w.rng.choice(TEXTS["flags"]),
    "enumword": lambda w: w.rng.choice(TEXTS["enums"]),
    "talk": lambda w: w.rng.choice(TEXTS["talk"]),
    "comment": lambda w: w.rng.choice(TEXTS["comments"]),
    "bool": lambda w: w.choice("true", "false"),
    "null": lambda w: "null",
    "kebabname": lambda w: (
        w.fill("slug")
        + "-"
        + w.choice("secret", "credentials", "db-password", "tls", "token", "secrets")
    ),
    "camel_pw": _named(password_name, "camel"),
    "camel_tok": _named(token_name, "camel"),
    "Pascal_pw": _named(password_name, "pascal"),
    "snake_tok": _named(token_name, "snake"),
    "snake_pw": _named(password_name, "snake"),
    "n2": lambda w: f"{w.rng.randint(1, 99)}",
    "n6": lambda w: str(w.rng.randrange(1, 10**6)),
    "phone": lambda w: f"+{w.rng.randint(1, 99)}{w.rng.randrange(10**8, 10**10)}",
    "date": lambda w: places.stamp(w)[:10],
}

RANDOM_LOOKING = frozenset(
    [
        "passhash",
        "digest",
        "integrity",
        "fingerprint",
        "pubkey",
        "data",
        "id",
        "sealed",
        "uuid",
        "sha",
        "md5",
        "sha256",
        "short",
        "b64",
    ]
)
"""Fillers that a scanner could take for a credential: they are marked as none."""

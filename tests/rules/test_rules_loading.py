"""Rule files: what is wrong is named by file, rule and field, before anything is scanned."""

from __future__ import annotations

import pickle
from pathlib import Path

import msgspec
import pytest
from material import builtin_rules

from detector.errors import DetectorError, RuleError
from detector.rules import RuleSet

GOOD = """
provider = "acme"
title = "Acme"

[[rule]]
id = "acme-token"
name = "Acme token"
pattern = '(?P<secret>acme_[0-9a-f]{32})'
privilege = "full"
severity = "high"
why = "Does what its owner can."
revoke = "https://acme.example/keys"
match = ["{sample}"]
no_match = ["acme_"]
"""

# (what is replaced, by what, the field that is named, a word of the message)
BROKEN = {
    "a repeat without end": ("{32}", "{32,}", "pattern", "unbounded"),
    "an anchor": ("(?P<secret>", "^(?P<secret>", "pattern", "not allowed"),
    "no secret": ("(?P<secret>acme_[0-9a-f]{32})", "acme_[0-9a-f]{32}", "pattern", "secret"),
    "another group": ("(?P<secret>acme_", "(?P<secret>(acme_)", "pattern", "capturing"),
    "no regex": ("[0-9a-f]", "[f-0]", "pattern", "regex"),
    "too long": ("{32}", "{32,99999}", "pattern", "limit"),
    "no literal": ("acme_[0-9a-f]", "[0-9a-f]", "pattern", "literal"),
    "an empty pattern": ("(?P<secret>acme_[0-9a-f]{32})", "", "pattern", ""),
    "an unknown check": ("privilege", 'check = "crc99"\nprivilege', "check", "crc99"),
    "a head without literal": (
        "privilege",
        "head = '[^a]{8}'\nprivilege",
        "head",
        "literal",
    ),
    "an unknown privilege": ('"full"', '"god"', "privilege", "god"),
    "an unknown severity": ('"high"', '"awful"', "severity", ""),
    "an id of another kind": ("acme-token", "Acme Token", "id", ""),
    "confidence above one": ("privilege", "confidence = 1.5\nprivilege", "confidence", "1"),
    "confidence as text": ("privilege", 'confidence = "high"\nprivilege', "confidence", "str"),
    "a short keyword": ("privilege", 'keywords = ["abc"]\nprivilege', "keywords", ""),
    "keywords as text": ("privilege", 'keywords = "acme"\nprivilege', "keywords", "str"),
    "no examples": ('match = ["{sample}"]', "match = []", "match", ""),
    "an empty why": ('"Does what its owner can."', '""', "why", ""),
    "a field that is missing": ("revoke =", "docs =", "", "revoke"),
    "a field that nobody knows": ("privilege", "colour = 1\nprivilege", "", "colour"),
}


def load(tmp_path: Path, text: str) -> RuleSet:
    file = tmp_path / "acme.toml"
    file.write_text(text)
    return RuleSet.load(file)


def test_the_good_one_loads(tmp_path: Path) -> None:
    (rule,) = load(tmp_path, GOOD)
    assert (rule.id, rule.provider, rule.title) == ("acme-token", "acme", "Acme")
    assert (rule.shortest, rule.longest, rule.prefixes) == (37, 37, (b"acme_",))


@pytest.mark.parametrize("what", BROKEN)
def test_wrong_fields_are_named(tmp_path: Path, what: str) -> None:
    old, new, field, word = BROKEN[what]
    assert old in GOOD
    with pytest.raises(RuleError) as caught:
        load(tmp_path, GOOD.replace(old, new, 1))
    error = caught.value
    assert error.file == str(tmp_path / "acme.toml")
    assert error.rule in ("acme-token", "Acme Token")
    assert error.field.partition("[")[0] == field
    assert word in error.message
    for part in (error.file, error.rule, error.field, error.message):
        assert part in str(error)
    assert isinstance(error, DetectorError)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('provider = "acme"', "", "provider"),
        ('provider = "acme"', "provider = 7", "provider"),
        ('title = "Acme"', 'title = ""', "title"),
        ('title = "Acme"', 'title = "Acme"\ncolour = 1', "colour"),
        (GOOD[GOOD.index("[[rule]]") :], "", "rule"),
        ("[[rule]]", "[rule]", "rule"),
        ("[[rule]]", "[[rule", ""),
        ('"acme"', '"acme', ""),
    ],
)
def test_wrong_files_are_named(tmp_path: Path, old: str, new: str, field: str) -> None:
    with pytest.raises(RuleError) as caught:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert caught.value.file == str(tmp_path / "acme.toml")
    assert caught.value.field == field


def test_a_rule_that_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="number 1"):
        load(tmp_path, 'provider = "acme"\ntitle = "Acme"\nrule = [1]\n')


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path / "bytes.toml"):
        (tmp_path / "bytes.toml").write_bytes(b'provider = "\xff"')
        with pytest.raises(RuleError) as caught:
            RuleSet.load(path)
        assert caught.value.file == str(path)


def test_an_id_stands_once_over_all_files(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(GOOD)
    (tmp_path / "b.toml").write_text(GOOD)
    with pytest.raises(RuleError, match="acme-token") as caught:
        RuleSet.load(tmp_path)
    assert caught.value.field == "id"
    with pytest.raises(RuleError, match="twice"):
        builtin_rules() + builtin_rules()


def test_a_folder_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        (tmp_path / f"{name}.toml").write_text(GOOD.replace("acme", name * 4))
    (tmp_path / "note.txt").write_text("not a rule")
    assert [rule.provider for rule in RuleSet.load(tmp_path)] == ["aaaa", "bbbb", "cccc"]


def test_selections() -> None:
    rules = builtin_rules()
    chosen = rules.select("github, openai-project-key")
    assert {rule.provider for rule in chosen} == {"github", "openai"}
    assert len([rule for rule in chosen if rule.provider == "openai"]) == 1
    without = rules.select("-generic")
    assert len(without) == len([rule for rule in rules if rule.provider != "generic"])
    fewer = rules.select("github,-github-pat")
    assert "github-pat" not in fewer.by_id
    assert fewer
    assert list(rules.select("")) == list(rules)


def test_rules_are_plain_data() -> None:
    """They pickle and travel as MessagePack, as the cache keeps them."""
    rules = tuple(builtin_rules())[:40]
    assert pickle.loads(pickle.dumps(rules)) == rules
    packed = msgspec.msgpack.encode(rules)
    assert msgspec.msgpack.decode(packed, type=tuple[type(rules[0]), ...]) == rules


def test_files_change_and_rules_with_them(tmp_path: Path) -> None:
    """What is cached is keyed by the text: an edited file is read anew."""
    assert load(tmp_path, GOOD)[0].longest == 37
    assert load(tmp_path, GOOD.replace("{32}", "{40}"))[0].longest == 45
    assert load(tmp_path, GOOD)[0].longest == 37


def test_built_in_rules_keep_their_promises() -> None:
    """Ids are distinct and begin with something; every provider has one file and one title."""
    rules = builtin_rules()
    assert len(rules) == len(rules.by_id) > 600
    titles = {(rule.provider, rule.title) for rule in rules}
    assert len(titles) == len({provider for provider, _ in titles})
    for rule in rules:
        public = rule.spec.privilege == "public"
        assert not public or rule.spec.severity == "info", rule.id
        assert rule.spec.revoke.startswith("https://"), rule.id

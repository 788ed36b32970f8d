from __future__ import annotations

import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import UsageError
from detector.fingerprint import DEFAULT_KEY, ENVIRONMENT_VARIABLE, Fingerprinter

keys = st.binary(min_size=1, max_size=200)


@given(st.text(), st.binary(), st.text(), st.binary())
def test_same_input_same_name_other_input_other_name(rule, secret, other_rule, other_secret):
    name = Fingerprinter()
    assert name(rule, secret) == name(rule, secret) == Fingerprinter()(rule, secret)
    same = (rule, secret) == (other_rule, other_secret)
    assert (name(rule, secret) == name(other_rule, other_secret)) == same


@given(st.text(min_size=1), st.binary())
def test_moving_a_byte_between_rule_and_secret_changes_the_name(rule, secret):
    name = Fingerprinter()
    moved = rule[-1].encode("utf-8", "surrogatepass") + secret
    assert name(rule, secret) != name(rule[:-1], moved)
    framed = len(rule.encode("utf-8", "surrogatepass")).to_bytes(4, "big")
    assert name(rule, secret) != name("", framed + rule.encode("utf-8", "surrogatepass") + secret)


def test_shape():
    name = Fingerprinter()
    assert re.fullmatch("[0-9a-f]{32}", name("rule", b"value"))
    assert name.digest("rule", b"value").hex() == name("rule", b"value")


def test_the_default_names_never_change():
    """Baselines in other people's repositories rest on them."""
    name = Fingerprinter()
    assert name("acme-token", b"value") == "c99e67fd50409839842611a5e3c26df6"
    assert name.pseudonym(b"value") == "843c8081"
    assert name.key_id == "public"
    assert Fingerprinter(b"a key of one's own").key_id == "63162a044fb6"


@given(keys, keys, st.binary())
def test_another_key_gives_other_names(key, other, secret):
    one, two = Fingerprinter(key), Fingerprinter(other)
    assert (one("r", secret) == two("r", secret)) == (key == other)
    assert (one.pseudonym(secret) == two.pseudonym(secret)) == (key == other)
    assert (one.key_id == two.key_id) == (key == other)


@given(st.binary(), st.integers(4, 32))
def test_pseudonyms(secret, length):
    name = Fingerprinter()
    assert name.pseudonym(secret, length) == name.pseudonym(secret, 32)[:length]
    assert len(name.pseudonym(secret, length)) == length
    assert name.pseudonym(secret, 32) not in (name("", secret), name("rule", secret))


@pytest.mark.parametrize("length", [-1, 0, 3, 33])
def test_a_pseudonym_of_no_use_is_refused(length):
    with pytest.raises(ValueError, match="4 to 32"):
        Fingerprinter().pseudonym(b"value", length)


def test_from_environment(monkeypatch):
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    assert Fingerprinter.from_environment().key_id == "public"
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, "sch\u00f6n")
    assert Fingerprinter.from_environment()("r", b"s") == Fingerprinter("schön".encode())("r", b"s")
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, "")
    with pytest.raises(UsageError, match="set but empty"):
        Fingerprinter.from_environment()
    with pytest.raises(UsageError):
        Fingerprinter(b"")


def test_the_key_stays_inside():
    key = b"a key of one's own"
    name = Fingerprinter(key)
    name("rule", b"value")
    assert "own" not in repr(name) and "own" not in str(name) and "own" not in name.key_id
    assert DEFAULT_KEY.decode() not in repr(Fingerprinter())


def test_a_worker_process_gives_the_same_names():
    name = Fingerprinter(b"a key of one's own")
    copy = pickle.loads(pickle.dumps(name))
    assert copy("r", b"s") == name("r", b"s") and copy.key_id == name.key_id


def test_made_up_rules_do_not_fill_the_memory():
    name = Fingerprinter()
    first = name("rule-0", b"s")
    for number in range(6000):
        name(f"rule-{number}", b"s")
    assert len(name._rules) <= 4096
    assert name("rule-0", b"s") == first
    assert name("rule-5999", b"s") == Fingerprinter()("rule-5999", b"s")

"""What is said of columns that were made to be one thing or another."""

from __future__ import annotations

import hashlib
import json
import string
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector import RuleSet, Scanner
from detector.profile import Kind, drafts, judge_column
from detector.profile.names import of_column
from detector.prove import check_rules
from tests.profile.made import (
    BASE62,
    HASHES,
    IDENTIFIERS,
    PASSWORDS,
    TOKENS,
    a_day,
    behind,
    column,
    some,
    uuid4,
)

SIZES = (20, 60, 300, 4096)
CLOSED = {Kind.tokens, Kind.passwords}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", TOKENS)
def test_tokens(name: str, size: int) -> None:
    table, field, make = TOKENS[name]
    values = column(make, size, name)
    profile = judge_column(table, field, values, rows=size)
    assert profile.kind is Kind.tokens, profile
    assert profile.confidence >= 0.5
    assert profile.format is not None
    assert profile.format.bits >= 58
    assert profile.example is not None
    assert profile.example.reveal() in values


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", IDENTIFIERS)
def test_identifiers(name: str, size: int) -> None:
    table, field, make = IDENTIFIERS[name]
    profile = judge_column(table, field, column(make, size, name), rows=size)
    assert profile.kind is Kind.identifiers, profile
    assert profile.example is None
    assert profile.rule_draft == ""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", HASHES)
def test_hashes_are_never_plaintext(name: str, size: int) -> None:
    field, what, make = HASHES[name]
    profile = judge_column("users", field, column(make, size, name), rows=size)
    assert (profile.kind, profile.what) == (Kind.hashes, what), profile


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PASSWORDS)
def test_passwords(name: str, size: int) -> None:
    field, make = PASSWORDS[name]
    profile = judge_column("users", field, column(make, size, name), rows=size)
    assert profile.kind is Kind.passwords, profile
    assert profile.confidence >= 0.5
    assert profile.plaintext == 1


@pytest.mark.parametrize("make", [pair[1] for pair in PASSWORDS.values()])
@pytest.mark.parametrize("field", ["password_hint", "is_password", "name", "city", "token"])
def test_what_people_choose_is_no_password_under_another_name(make, field: str) -> None:
    profile = judge_column("users", field, column(make, 300, field), rows=300)
    assert profile.kind not in CLOSED or profile.confidence < 0.5, profile


def test_a_migration_that_is_half_done() -> None:
    hashed = column(HASHES["bcrypt"][2], 300, 1)
    plain = column(PASSWORDS["words and numbers"][1], 100, 1)
    values = [*hashed, *plain]
    Random(1).shuffle(values)
    profile = judge_column("users", "password", values, rows=400)
    assert profile.kind is Kind.passwords
    assert profile.plaintext == pytest.approx(0.25, abs=0.05)
    assert profile.confidence > 0.8
    assert "readable" in profile.reasons[0]


def test_one_readable_password_among_hashes_is_seen() -> None:
    values = [*column(HASHES["bcrypt"][2], 150, 1), b"summer1987"]
    assert judge_column("users", "password", values, rows=151).kind is Kind.passwords


def test_hashes_without_a_salt_are_told_as_weak() -> None:
    rng = Random(4)
    values = [hashlib.sha1(rng.choice([b"a", b"b", b"c"])).hexdigest().encode() for _ in range(50)]
    profile = judge_column("staff", "password", values, rows=50)
    assert (profile.kind, profile.what) == (Kind.hashes, "SHA-1")
    assert any("weak" in reason for reason in profile.reasons)
    assert any("repeat" in reason for reason in profile.reasons)


@pytest.mark.parametrize("field", ["password", "api_key", "note"])
@pytest.mark.parametrize(
    "value",
    [
        None, b"", b"***", b"x", b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", b"[redacted]", b"<hidden>",
        b"[redacted:acme-key]", b"[acme-key:0123456789ab]", b"ghp_****(40)", b"!",
        "•".encode() * 8,
    ],
)  # fmt: skip
def test_what_a_redaction_left_is_nothing(field: str, value: bytes | None) -> None:
    profile = judge_column("users", field, [value] * 60, rows=60)
    assert profile.kind is Kind.other
    assert profile.confidence > 0.5


def test_masks_with_numbers_are_placeholders() -> None:
    rng = Random(3)
    values = [b"[password:%012x]" % rng.getrandbits(48) for _ in range(80)]
    assert judge_column("users", "password", values, rows=80).kind is Kind.other


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("notes", lambda rng: " ".join(rng.choices(["the", "cat", "sat", "down"], k=12))),
        ("token", lambda rng: rng.choice(["walk", "running", "house", "cats"]) + "ing"),
        ("secret", lambda rng: " ".join(rng.choices(["we", "hid", "it", "there"], k=9)) + "."),
        ("api_key_created_at", a_day),
        ("token", lambda rng: str(rng.randrange(10**6))),
        ("token_count", lambda rng: str(rng.randrange(10**9))),
        ("session", lambda rng: f"{rng.choice(['Spring', 'Autumn'])} {rng.randrange(1990, 2030)}"),
        ("access", lambda rng: rng.choice(["admin", "reader", "editor"])),
        ("access_token", lambda rng: f"https://example.org/{some(BASE62, 30)(rng)}"),
        ("auth_key", lambda rng: f"{some('abcdef', 8)(rng)}@example.org"),
        ("password", lambda rng: rng.choice(["true", "false"])),
        ("password", a_day),
        ("pass", lambda rng: str(rng.randrange(400))),
        ("pass", lambda rng: rng.choice(["pass", "fail"])),
        ("product_key", lambda rng: f"SKU-{rng.randrange(10**5):05}"),
        ("phone", lambda rng: "+49" + some(string.digits, 10)(rng)),
        ("card", lambda rng: "4" + some(string.digits, 15)(rng)),
        ("geom", lambda rng: "0101000020E6100000" + rng.randbytes(16).hex().upper()),
        ("payload", lambda rng: json.dumps({"a": some(BASE62, 30)(rng)})),
    ],
)  # fmt: skip
def test_what_is_neither(field: str, make, size: int) -> None:
    profile = judge_column("things", field, column(make, size, field), rows=size)
    assert profile.kind not in CLOSED | {Kind.hashes} or profile.confidence < 0.5, profile


@pytest.mark.parametrize("size", SIZES)
def test_random_values_under_a_neutral_name_are_hardly_reported(size: int) -> None:
    profile = judge_column("things", "thing", column(some(BASE62, 32), size, 1), rows=size)
    assert profile.kind is Kind.identifiers
    assert profile.confidence < 0.5


@pytest.mark.parametrize("name", TOKENS)
def test_a_draft_is_a_rule_that_holds(name: str, tmp_path) -> None:
    """It passes ``rules check``, and finds the column's values wherever they stand, or behind
    their name where they have no beginning of their own."""
    table, field, make = TOKENS[name]
    values = [value for value in column(make, 4096, name) if value]
    profile = judge_column(table, field, values[:2000], rows=4096)
    if not profile.rule_draft:
        assert len(field) < 3 or field in ("key", "value")
        return
    path = tmp_path / "drafted.toml"
    path.write_text(profile.rule_draft)
    rules = RuleSet.load(path)
    assert list(check_rules(rules, timing=False)) == []
    (rule,) = rules
    names = [*rule.spec.names, *rule.spec.keywords]
    cell = b'"%s": "%%s"' % names[0].encode() if names else b"%s"
    text = b"\n".join(cell % value for value in values[2000:2600])
    found = {finding.secret.reveal() for finding in Scanner(rules).scan(text)}
    wanted = set(values[2000:2600])
    # Words and runs lower a token's confidence by chance; lengths that were not seen are new.
    assert len(found & wanted) >= (0.99 if not rule.spec.names else 0.8) * len(wanted)
    for value in values:
        assert value not in profile.rule_draft.encode()


def test_drafts_of_many_columns_make_one_file(tmp_path) -> None:
    profiles = [
        judge_column(table, field, column(behind(prefix, BASE62, 30), 60, prefix), rows=60)
        for table, field, prefix in [
            ("a", "token", "one_live_"),
            ("b", "token", "one_live_"),  # the same format
            ("a", "Token", "two_live_"),  # the same identifier
            ("c", "note", "three-"),
        ]
    ]
    path = tmp_path / "drafted.toml"
    path.write_text(drafts(profiles))
    rules = RuleSet.load(path)
    assert [rule.spec.id for rule in rules] == ["in-house-a-token", "in-house-a-token-2"]
    assert list(check_rules(rules, timing=False)) == []
    assert drafts([]) == ""


def test_no_rule_is_drafted_where_rules_know_the_column() -> None:
    values = column(behind("acme_live_", BASE62, 32), 60, 1)
    profile = judge_column("t", "api_key", values, rows=60, found=0.9)
    assert profile.kind is Kind.tokens
    assert profile.rule_draft == ""
    assert any("already" in reason for reason in profile.reasons)


def test_an_uuid_opens_something_by_its_name_only() -> None:
    values = column(uuid4, 100, 1)
    assert judge_column("users", "api_token", values, rows=1).kind is Kind.tokens
    for field in ("id", "user_id", "api_token_id", "correlation_id", "ref"):
        assert judge_column("users", field, values, rows=1).kind is Kind.identifiers


NAMES = {
    (1, 0): "api_key apiKey API_KEY access_token clientSecret otp_secret webhook_secret "
    "reset_password_token refreshToken jwt bearer_token apikey encryption_key token2 secret_value",
    (0.5, 0): "session cookie user_key invite_code auth",
    (0, 0): "city email value note key code film",
    (-1, 0): "id user_id token_id key_name token_type api_key_hash public_key primary_key etag "
    "commit_sha request_id slug next_page_token cache_key s3_object_key token_expires_at",
    (0, 1): "password passwd pwd user_password userPassword DB_PASSWORD mot_de_passe contraseña "
    "senha пароль passwort encrypted_password password_digest smtp_pass wachtwoord password1",
    (0, 0.5): "pass",
}


@pytest.mark.parametrize(
    ("says", "name"), [(says, name) for says, names in NAMES.items() for name in names.split()]
)
def test_names(says: tuple[float, float], name: str) -> None:
    assert of_column("things", name)[:2] == says


NO_PASSWORDS = """password_hint password_reset_at is_password password_changed hasPassword compass
    passenger bypass pass_yards password_expires passport""".split()  # noqa: SIM905


@pytest.mark.parametrize("name", NO_PASSWORDS)
def test_names_that_are_no_passwords(name: str) -> None:
    assert of_column("things", name).password == 0


any_value = st.one_of(st.none(), st.binary(max_size=80), st.text(max_size=30).map(str.encode))
any_name = st.one_of(st.text(max_size=40), st.sampled_from(["password", "token", "api_key", "id"]))


@given(st.text(max_size=20), any_name, st.lists(any_value, max_size=40), st.floats(0, 1))
@settings(max_examples=300, deadline=None)
def test_any_values_are_judged(table, name, values, found) -> None:
    profile = judge_column(table, name, values, rows=len(values), found=found)
    assert 0 <= profile.confidence <= 1
    assert 0 <= profile.nulls <= 1
    assert 0 <= profile.distinct <= 1
    assert (profile.plaintext is not None) == (profile.kind is Kind.passwords)


@given(
    table=st.text(max_size=30),
    field=st.text(max_size=30),
    prefix=st.text(st.sampled_from(BASE62 + "_-.'\"\\+/"), max_size=12),
    alphabet=st.sampled_from(
        ["0123456789abcdef", BASE62, BASE62 + "-_", BASE62 + "+/=", "!\"#'\\" + BASE62]
    ),
    size=st.integers(24, 60),
    seed=st.integers(0, 1 << 30),
)
@settings(max_examples=150, deadline=None)
def test_a_draft_holds_no_value_and_loads(
    tmp_path_factory, table, field, prefix, alphabet, size, seed
) -> None:
    values = column(behind(prefix, alphabet, size), 40, seed)
    profile = judge_column(table, field + " api_key", values, rows=40)
    shown = repr(profile) + profile.rule_draft
    for value in filter(None, values):
        assert value[len(prefix) :].decode() not in shown
    if profile.rule_draft:
        path = tmp_path_factory.mktemp("drafts") / "drafted.toml"
        path.write_text(profile.rule_draft)
        assert len(RuleSet.load(path)) == 1


@given(st.sampled_from(sorted(TOKENS)), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_the_order_of_rows_does_not_matter(name: str, seed: int) -> None:
    table, field, make = TOKENS[name]
    values = column(make, 100, name)
    mixed = list(values)
    Random(seed).shuffle(mixed)
    one, other = (judge_column(table, field, v, rows=100) for v in (values, mixed))
    assert (one.kind, one.format, one.rule_draft) == (other.kind, other.format, other.rule_draft)

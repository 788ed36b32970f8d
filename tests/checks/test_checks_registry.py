"""Laws that hold for every check: what it makes passes, and no input makes it raise."""

import random
import string
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.checks import CHECKS, Check
from detector.types import CheckResult, CheckStatus, Privilege, Severity

NUM = string.digits
LOWER = string.ascii_lowercase
HEX = NUM + "abcdef"
B36 = NUM + LOWER
ALNUM = NUM + string.ascii_letters
B64 = ALNUM + "+/"
URL = ALNUM + "-_"
B32 = string.ascii_uppercase + "234567"

# What a rule's pattern would draw: literals, and (alphabet, length) pairs.
DRAFTS = {
    "age-bech32": [["AGE-SECRET-KEY-1", (B32, 58)]],
    "anthropic-key": [["sk-ant-api03-", (URL, 93), "AA"], ["sk-ant-oat01-", (URL, 93), "AA"]],
    "atlassian-crc32": [["ATATT3", (URL, 180), "=", (HEX.upper(), 8)]],
    "aws-access-key": [["AKIA", (B32, 16)], ["ASIA", (ALNUM.upper(), 16)]],
    "aws-bedrock": [["ABSK", (B64, 128)]],
    "azure-cask": [
        [(ALNUM, 52), "JQQJ99", (ALNUM, 26)],
        [(ALNUM, 52), "JQQJ9H", (ALNUM, 28), "=="],
    ],
    "azure-identifiable": [
        *([(B64, 76), sign, (B64, 5), "Q=="] for sign in ("+ASt", "ACDb", "+ABa", "+AMC", "APIM")),
        *([(B64, 33), sign, (B64, 6), "="] for sign in ("+ASb", "+AEh", "+ARm", "AzCa", "AIoT")),
        [(URL, 44), "AzFu", (URL, 5), "Q=="],
        [(ALNUM, 42), "AzSeA", (ALNUM, 5)],
        [(B64, 42), "+ACRB", (B64, 5)],
    ],
    "basic-auth": [[(B64, 40)], ["Basic ", (B64, 24)]],
    "bitbucket-bbdc": [["BBDC-", (B64, 44)], ["M", (B64, 43)]],
    "clerk-publishable": [["pk_live_", (B64, 40)], ["pk_test_", (B64, 40)]],
    "crc32-base62": [["ghp_", (ALNUM, 36)], ["npm_", (ALNUM, 36)], ["vcp_", (ALNUM, 56)]],
    "discord-bot": [["M", (URL, 23), ".", (URL, 6), ".", (URL, 38)]],
    "discord-webhook": [["https://discord.com/api/webhooks/", (NUM, 19), "/", (URL, 68)]],
    "github-fine-grained": [["github_pat_", (ALNUM, 22), "_", (ALNUM, 59)]],
    "gitlab-routable": [
        ["glpat-", (URL, 40), ".01.", (B36, 9)],
        ["glpat-", (URL, 60), ".", (B36, 9)],
    ],
    "grafana-cloud": [["glc_", (B64, 100)], ["eyJrIjoi", (B64, 80)]],
    "grafana-sa": [["glsa_", (ALNUM, 32), "_", (HEX, 8)]],
    "groq-marker": [["gsk_", (ALNUM, 52)]],
    "jfrog-reftkn": [["cmVmdGtuO", (ALNUM, 55)], ["AKCp", (ALNUM, 69)]],
    "jwt": [
        ["eyJ", (URL, 40), ".eyJ", (URL, 120), ".", (URL, 43)],
        ["ghs_1234_eyJ", (URL, 40), ".eyJ", (URL, 120), ".", (URL, 86)],
    ],
    "moltbook-code": [["reef-", (ALNUM.upper(), 4)]],
    "nkey-crc16": [["SU", (B32, 56)], ["SO", (B32, 56)]],
    "nuget-case": [["oy2", (LOWER + "234567", 43)]],
    "onepassword-ops": [["ops_eyJ", (URL, 300)]],
    "openai-key": [
        ["sk-", (ALNUM, 20), "T3BlbkFJ", (ALNUM, 20)],
        ["sk-proj-", (URL, 74), "T3BlbkFJ", (URL, 74)],
        ["sk-service-my-bot-", (URL, 20), "T3BlbkFJ", (ALNUM, 20)],
        ["sk-svcacct-", (URL, 60), "T3BlbkFJ", (URL, 74)],
    ],
    "pem": [
        [f"-----BEGIN {kind}PRIVATE KEY{block}-----\n", (B64, 64), f"\n-----END {kind}PRIVATE KEY"]
        for kind, block in (
            ("", ""),
            ("RSA ", ""),
            ("EC ", ""),
            ("ENCRYPTED ", ""),
            ("OPENSSH ", ""),
            ("PGP ", " BLOCK"),
        )
    ],
    "pypi-macaroon": [
        ["pypi-AgEIcHlwaS5vcmc", (URL, 150)],
        ["pypi-AgENdGVzdC5weXBpLm9yZw", (URL, 99)],
    ],
    "sentry-org": [["sntrys_eyJ", (B64, 100), "_", (B64, 43)]],
    "slack-token": [
        ["xoxb-", (NUM, 12), "-", (NUM, 12), "-", (ALNUM, 24)],
        ["xoxp-", (ALNUM, 60)],
        ["xapp-1-A", (ALNUM, 90)],
    ],
    "slack-webhook": [["https://hooks.slack.com/services/T", (ALNUM, 43)]],
    "stripe-key": [["sk_live_", (ALNUM, 99)], ["rk_test_", (ALNUM, 99)]],
    "supabase-key": [
        ["sb_publishable_", (URL, 22), "_", (URL, 8)],
        ["sb_secret_", (URL, 22), "_", (URL, 8)],
    ],
    "telegram-bot": [[(NUM, 9), ":AA", (URL, 33)]],
    "url-credentials": [[(ALNUM, 16)]],
    "zuplo-crc32": [["zpka_", (B36, 32), "_", (HEX, 8)]],
}  # fmt: skip

# A changed character anywhere after the prefix must show.
CHECKSUMMED = {
    "age-bech32": 16,
    "atlassian-crc32": 6,
    "azure-identifiable": 0,
    "crc32-base62": 4,
    "gitlab-routable": 6,
    "grafana-sa": 5,
    "nkey-crc16": 2,
    "supabase-key": 14,
    "zuplo-crc32": 5,
}

CONTEXT = b"DATABASE_URL=postgresql://postgres.abcdefghij0123456789:"
seeds = st.integers(0, 2**32)


def draft_of(rng, parts):
    text = (p if isinstance(p, str) else "".join(rng.choices(p[0], k=p[1])) for p in parts)
    return "".join(text).encode()


def sample(name, seed):
    rng = random.Random(seed)
    parts = rng.choice(DRAFTS[name])
    draft = draft_of(rng, parts)
    literal = parts[0].encode() if isinstance(parts[0], str) else b""
    return CHECKS[name].make(rng, draft), draft, literal


def test_every_check_has_drafts_here_and_its_own_name():
    assert set(DRAFTS) == set(CHECKS)
    assert all(isinstance(check, Check) and check.name == name for name, check in CHECKS.items())


@pytest.mark.parametrize("name", CHECKS)
@settings(max_examples=12, deadline=None)
@given(seed=seeds)
def test_what_a_check_makes_passes(name, seed):
    token, draft, literal = sample(name, seed)
    result = CHECKS[name].check(token, CONTEXT if name == "url-credentials" else b"")
    assert result.status is CheckStatus.passed
    assert not result.placeholder
    if name not in ("jwt", "pem"):
        assert token.startswith(literal)
    if name in CHECKSUMMED and name not in ("gitlab-routable",):
        assert len(token) == len(draft)


@pytest.mark.parametrize("name", CHECKS)
def test_the_same_seed_makes_the_same_token(name):
    assert sample(name, 7)[0] == sample(name, 7)[0]


@pytest.mark.parametrize("name", CHECKSUMMED)
@settings(max_examples=40, deadline=None)
@given(seed=seeds, data=st.data())
def test_one_changed_character_fails(name, seed, data):
    token, _, _ = sample(name, seed)
    # The last character of base64 may hold bits that nothing decodes; padding holds none.
    end = len(token.rstrip(b"=")) - (name == "azure-identifiable")
    at = data.draw(st.integers(CHECKSUMMED[name], end - 1))
    other = data.draw(st.sampled_from([c for c in ALNUM.encode() if c != token[at]]))
    changed = token[:at] + bytes([other]) + token[at + 1 :]
    # Without a project near, a Supabase key that fits no known one says nothing.
    before = b"https://abcdefghij0123456789.supabase.co " if name == "supabase-key" else b""
    if changed.lower() == token.lower() and name == "age-bech32":
        return
    assert CHECKS[name].check(changed, before).status is CheckStatus.failed


def assert_sound(result):
    assert isinstance(result, CheckResult)
    assert isinstance(result.status, CheckStatus)
    assert result.privilege is None or isinstance(result.privilege, Privilege)
    assert result.severity is None or isinstance(result.severity, Severity)
    assert all(isinstance(key, str) for key in result.claims)


@settings(max_examples=150, deadline=None)
@given(token=st.binary(max_size=300), before=st.binary(max_size=300))
def test_no_bytes_make_a_check_raise(token, before):
    for check in CHECKS.values():
        assert_sound(check.check(token, before))


@pytest.mark.parametrize("name", CHECKS)
@settings(max_examples=25, deadline=None)
@given(seed=seeds, data=st.data())
def test_damaged_tokens_never_raise(name, seed, data):
    token, draft, _ = sample(name, seed)
    for victim in (token, draft):
        at = data.draw(st.integers(0, len(victim)))
        to = data.draw(st.integers(at, len(victim)))
        changed = victim[:at] + data.draw(st.binary(max_size=8)) + victim[to:]
        assert_sound(CHECKS[name].check(changed, b"webhooks/12/postgres.abc://x:"))


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize(
    "unit", [b"a", b"=", b"eyJ", b".", b"_", b"[", b"\\n", b"9", b"\xff", b"{{"]
)
def test_long_garbage_is_answered_at_once(name, unit):
    token, _, literal = sample(name, 3)
    for long in (unit * 200_000, literal + unit * 200_000, token + unit * 200_000):
        assert_sound(CHECKS[name].check(long, unit * 512))


@pytest.mark.parametrize("name", CHECKS)
@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_no_claim_holds_what_is_secret(name, seed):
    token, _, _ = sample(name, seed)
    claims = CHECKS[name].check(token, b"").claims
    assert token.decode() not in str(claims)
    assert token[-12:].decode() not in str(claims)


def test_importing_loads_nothing_heavy():
    heavy = "{'numpy', 'cryptography', 'ssl', 'regex', 'detector.checks.keymaker'}"
    code = f"import sys, detector.checks; print(*{heavy} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == ""

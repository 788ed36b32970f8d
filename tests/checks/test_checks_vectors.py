"""Checksums and claims, recomputed here by other means than the module's own."""

import base64
import binascii
import hashlib
import json
import random
import string
import zlib
from datetime import UTC, datetime

import pytest

from detector.checks import CHECKS, encodings
from detector.types import CheckStatus

ALNUM = string.digits + string.ascii_uppercase + string.ascii_lowercase


def check(name, token, before=b""):
    return CHECKS[name].check(token if isinstance(token, bytes) else token.encode(), before)


def text(rng, length, alphabet=ALNUM):
    return "".join(rng.choices(alphabet, k=length))


@pytest.fixture
def rng():
    return random.Random(20)


@pytest.mark.parametrize(
    ("data", "expected"),
    [  # the vectors of .NET's own tests, seed 0x004fb61a001bdbcc, both halves of 64 bits
        ("", 0x30ED35C100CD3C7D),
        ("af", 0x48E73FC77D75DDC1),
        ("e70f", 0xB5F6E1FC485DBFF8),
        ("37f495", 0xF0B07C789B8CF7E8),
        ("8642dc59", 0x7008F2E87E9CF556),
    ],
)
def test_marvin32(data, expected):
    found = encodings.marvin32(bytes.fromhex(data), 0x004FB61A001BDBCC)
    assert found == expected >> 32 ^ expected & 0xFFFFFFFF


@pytest.mark.parametrize(
    ("prefix", "data", "holds"),
    [  # BIP 173
        (b"abcdef", b"qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", True),
        (b"split", b"checkupstagehandshakeupstreamerranterredcaperred2y9e3w", True),
        (b"split", b"checkupstagehandshakeupstreamerranterredcaperred2y9e3q", False),
        (b"x", b"1b4n0q5v", False),
    ],
)
def test_bech32(prefix, data, holds):
    assert encodings.bech32_holds(prefix, data) is holds
    if holds:
        assert encodings.bech32_sum(prefix, data[:-6]) == data[-6:]


@pytest.mark.parametrize("size", range(40))
def test_base32_agrees_with_the_standard_library(size, rng):
    raw = rng.randbytes(size)
    encoded = base64.b32encode(raw).rstrip(b"=")
    assert encodings.b32_encode(raw) == encoded
    assert encodings.b32_decode(encoded) == raw


@pytest.mark.parametrize("size", range(40))
def test_base64_reads_both_alphabets_padded_or_not(size, rng):
    raw = rng.randbytes(size)
    for encoded in (base64.b64encode(raw), base64.urlsafe_b64encode(raw)):
        assert encodings.b64_decode(encoded) == raw
        assert encodings.b64_decode(encoded.rstrip(b"=")) == raw
    assert encodings.b64_decode(base64.b64encode(raw) + b"!") is None


def base62(number):
    digits = ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = ALNUM[digit] + digits
    return digits


@pytest.mark.parametrize("prefix", ["ghp_", "gho_", "ghu_", "ghs_", "npm_", "vcp_"])
def test_crc32_base62(prefix, rng):
    body = text(rng, 30)
    good = prefix + body + base62(zlib.crc32(body.encode()))
    assert check("crc32-base62", good).status is CheckStatus.passed
    bad = check("crc32-base62", good[:-1] + ("a" if good[-1] != "a" else "b")).status
    # Installation tokens of GitHub's apps do not always carry it.
    assert bad is (CheckStatus.none if prefix == "ghs_" else CheckStatus.failed)


def test_hex_checksums(rng):
    body = text(rng, 32)
    crc = zlib.crc32(f"glsa_{body}".encode())
    little = "".join(f"{crc >> shift & 255:02x}" for shift in (0, 8, 16, 24))
    assert check("grafana-sa", f"glsa_{body}_{little}").status is CheckStatus.passed
    tail = f"{zlib.crc32(body.encode()):08x}"
    assert check("zuplo-crc32", f"zpka_{body}_{tail}").status is CheckStatus.passed
    head = "ATATT3" + text(rng, 180) + "="
    assert check("atlassian-crc32", head + f"{zlib.crc32(head.encode()):08X}").status == "passed"
    assert check("atlassian-crc32", head + f"{zlib.crc32(head.encode()):08x}").status == "failed"


def test_github_fine_grained(rng):
    head = f"github_pat_{text(rng, 22)}_{text(rng, 43)}"
    middle = base64.b32encode(hashlib.sha256(head.encode()).digest()).decode()[:8]
    assert check("github-fine-grained", head + middle + text(rng, 8)).status == "passed"
    assert check("github-fine-grained", head + text(rng, 16)).status == "failed"


def test_gitlab_routable(rng):
    raw = b"o:1\np:zz\nu:7ps\n" + rng.randbytes(16) + b"\x10"
    payload = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    head = f"glpat-{payload}.01.0{len(payload) % 10}"
    number, tail = zlib.crc32(head.encode()), ""
    for _ in range(7):
        number, digit = divmod(number, 36)
        tail = (string.digits + string.ascii_lowercase)[digit] + tail
    result = check("gitlab-routable", head + tail)
    assert result.status is CheckStatus.passed
    assert result.claims == {
        "organization_id": 1,
        "project_id": int("zz", 36),
        "user_id": int("7ps", 36),
    }


def test_nkey(rng):
    head = bytes([18 << 3 | 20 >> 2, (20 << 3 & 31) << 3]) + rng.randbytes(32)  # S and U
    tail = binascii.crc_hqx(head, 0)
    assert binascii.crc_hqx(b"123456789", 0) == 0x31C3  # XMODEM's check value
    seed = base64.b32encode(head + tail.to_bytes(2, "little")).rstrip(b"=")
    assert seed.startswith(b"SUA")
    assert check("nkey-crc16", seed).claims == {"kind": "user"}
    swapped = base64.b32encode(head + (tail ^ 1).to_bytes(2, "little")).rstrip(b"=")
    assert check("nkey-crc16", swapped).status is CheckStatus.failed


def test_aws_account():
    # Four bits in front of the 40 of the account, whose highest says "newer id".
    for account in (12_345_678_901, 999_999_999_999):
        raw = (1 << 47 | account << 7 | 5).to_bytes(6, "big") + b"\0\1\2\3"
        key = b"AKIA" + base64.b32encode(raw)
        assert check("aws-access-key", key).claims == {"account": f"{account:012}"}
    documented = check("aws-access-key", "AKIA" + "IOSFODNN7" + "EXAMPLE")
    assert documented.placeholder and documented.claims == {}
    assert check("aws-access-key", "AKIA" + "0189" * 4).status is CheckStatus.failed


@pytest.mark.parametrize(
    ("sign", "at", "size", "seed", "service", "purpose"),
    [
        ("+ASt", 76, 64, b"Default0", "Storage", "account"),
        ("ACDb", 76, 64, b"MastRO00", "Cosmos DB", "read only"),
        ("AzFu", 44, 40, b"Master00", "Functions", "master"),
        ("+ACR", 42, 39, b"ACRDflt0", "Container Registry", "registry"),
        ("+ASb", 33, 32, b"Manage00", "Service Bus", "manage"),
    ],
)
def test_azure_identifiable(sign, at, size, seed, service, purpose, rng):
    start = text(rng, at) + sign + "A"
    raw = base64.b64decode(start + "A" * (-len(start) % 4))[: size - 4]
    raw += encodings.marvin32(raw, int(seed.hex(), 16)).to_bytes(4, "little")
    key = base64.b64encode(raw)
    assert key[at : at + 4] == sign.encode()
    result = check("azure-identifiable", key)
    assert result.status is CheckStatus.passed
    assert result.claims == {"service": service, "purpose": purpose}
    other = base64.b64encode(raw[:-1] + bytes([raw[-1] ^ 1]))
    assert check("azure-identifiable", other).status is CheckStatus.failed


def test_azure_cask_tells_its_month_and_provider(rng):
    key = text(rng, 52) + "JQQJ99" + "BC" + text(rng, 16) + "ACOG" + text(rng, 4)
    result = check("azure-cask", key)
    assert result.status is CheckStatus.none  # a wrong checksum proves nothing either way
    assert result.claims == {"provider": "AI services", "created": "2025-03"}
    assert check("azure-cask", key.replace("JQQJ9", "JQQJ8")).status is CheckStatus.failed


def encoded(value):
    return base64.b64encode(json.dumps(value).encode()).decode()


def test_tokens_that_hold_json(rng):
    grafana = {"o": "1234", "n": "stack-1-x", "k": text(rng, 20), "m": {"r": "us"}}
    claims = check("grafana-cloud", "glc_" + encoded(grafana)).claims
    assert claims == {"org": "1234", "name": "stack-1-x", "region": "us"}
    older = {"k": text(rng, 20), "n": "metrics", "id": 77}
    assert check("grafana-cloud", encoded(older)).claims == {"org": "77", "name": "metrics"}
    sentry = {"iat": 1700000000.5, "url": "https://sentry.io", "region_url": "", "org": "acme"}
    claims = check("sentry-org", f"sntrys_{encoded(sentry)}_{text(rng, 43)}").claims
    assert claims == {"org": "acme", "url": "https://sentry.io", "created": "2023-11-14"}
    ops = {"signInAddress": "acme.1password.com", "secretKey": text(rng, 9), "email": "a@b.c"}
    assert check("onepassword-ops", "ops_" + encoded(ops)).claims == {"host": "acme.1password.com"}
    for name, prefix in (("grafana-cloud", "glc_"), ("sentry-org", "sntrys_"), ("jwt", "")):
        assert check(name, prefix + encoded([1])).status is CheckStatus.failed


def test_hosts_and_accounts_inside_keys(rng):
    host = base64.b64encode(b"clerk.acme.com$").decode().rstrip("=")
    assert check("clerk-publishable", "pk_live_" + host).claims == {"host": "clerk.acme.com"}
    bare = base64.b64encode(b"clerk.acme.com").decode()
    assert check("clerk-publishable", "pk_live_" + bare).status is CheckStatus.failed
    raw = b"BedrockAPIKey-ab1c-at-001234567890:" + rng.randbytes(60)
    key = b"ABSK" + base64.b64encode(raw)
    assert check("aws-bedrock", key).claims == {"account": "001234567890"}
    account = "1" + text(rng, 15)
    stripe = check("stripe-key", "sk_" + "live_5" + account + text(rng, 83))
    assert stripe.claims == {"account": "acct_" + account}
    assert check("stripe-key", "sk_" + "live_" + "z" * 24).status is CheckStatus.none


@pytest.mark.parametrize("host", [b"pypi.org", b"test.pypi.org"])
@pytest.mark.parametrize(
    ("caveat", "claims"),
    [
        (b'{"version": 1, "permissions": "user"}', {"scope": "user"}),
        (
            b'{"version": 1, "permissions": {"projects": ["a", "b"]}}',
            {"scope": "project", "projects": ["a", "b"]},
        ),
        (b'[1, ["a"]]', {"scope": "project", "projects": ["a"]}),
        (b"[0, 1893456000, 0]", {"expires": "2030-01-01"}),
        (b"{[", {}),
    ],
)
def test_pypi_macaroon(host, caveat, claims, rng):
    raw = b"\x02\x01" + bytes([len(host)]) + host + b"\x02\x04uuid\0"
    raw += b"\x02" + bytes([len(caveat)]) + caveat + b"\0\0\x06\x20" + rng.randbytes(32)
    token = "pypi-" + base64.urlsafe_b64encode(raw).decode().rstrip("=")
    assert check("pypi-macaroon", token).claims == {"host": host.decode(), **claims}
    assert check("pypi-macaroon", token[:-8]).status is CheckStatus.failed


def test_model_providers(rng):
    side = text(rng, 73)
    marked = "T3BlbkFJ"
    project = "sk-proj-" + side + "x" + marked + side[:-1] + "8A"
    assert check("openai-key", project).status is CheckStatus.passed
    assert check("openai-key", project[:-1] + "B").status is CheckStatus.none
    assert check("openai-key", "sk-" + text(rng, 48)).status is CheckStatus.none
    assert check("groq-marker", "gsk_" + text(rng, 52)).status is CheckStatus.failed
    anthropic = "sk-ant-api03-" + text(rng, 92)
    assert check("anthropic-key", anthropic + "QAA").status is CheckStatus.passed
    assert check("anthropic-key", anthropic + "RAA").status is CheckStatus.none


def test_discord(rng):
    moment = datetime(2021, 5, 6, 12, tzinfo=UTC)
    number = (int(moment.timestamp() * 1000) - 1_420_070_400_000) << 22 | 5
    head = base64.b64encode(str(number).encode()).decode().rstrip("=")
    claims = check("discord-bot", f"{head}.abcdef.{text(rng, 38)}").claims
    assert claims == {"application": str(number), "created": "2021-05-06"}
    path = f"discord.com/api/webhooks/{number}/"
    told = {"webhook": str(number), "created": "2021-05-06"}
    assert check("discord-webhook", path + text(rng, 68)).claims == told
    assert check("discord-webhook", text(rng, 68), path.encode()).claims == told
    assert check("discord-webhook", text(rng, 68)).status is CheckStatus.none
    nobody = base64.b64encode(b"hello, world, hello").decode()
    assert check("discord-bot", f"{nobody}.abcdef.x").status is CheckStatus.failed


def test_slack_and_telegram(rng):
    bot = check("slack-token", f"xoxb-2345678901234-3456789012345-{text(rng, 24)}")
    assert bot.claims == {"workspace": "2345678901234", "bot": "3456789012345"}
    # Counting ids are a workspace's as good as any: what is behind them is the secret.
    counting = check("slack-token", f"xoxb-123456789012-1234567890123-{text(rng, 24)}")
    assert counting.status is CheckStatus.passed and not counting.placeholder
    assert check("slack-token", "xoxd-" + text(rng, 90)).status is CheckStatus.none
    telegram = check("telegram-bot", "987654321:" + "AA" + text(rng, 33))
    assert telegram.claims == {"bot": "987654321"} and not telegram.placeholder


def test_registries(rng):
    raw = b"reftkn:01:1800000000:" + text(rng, 27).encode()
    assert check("jfrog-reftkn", base64.b64encode(raw)).claims == {"timestamp": "2027-01-15"}
    assert check("jfrog-reftkn", "AKCp" + text(rng, 69, "0OIl")).status is CheckStatus.failed
    key = "oy2" + text(rng, 43, string.ascii_lowercase + "234567")
    assert check("nuget-case", key).status is CheckStatus.passed
    assert check("nuget-case", key.upper()).status is CheckStatus.passed
    assert check("nuget-case", key[:20] + key[20:].upper()).status is CheckStatus.failed
    token = b"BBDC-" + base64.b64encode(b"123456789012:" + rng.randbytes(20))
    assert check("bitbucket-bbdc", token).status is CheckStatus.passed
    assert check("bitbucket-bbdc", token[:-9]).status is CheckStatus.failed


def test_age_key_is_either_case_and_not_both():
    key = CHECKS["age-bech32"].make(random.Random(3), b"AGE-SECRET-KEY-1")
    assert check("age-bech32", key.lower()).status is CheckStatus.passed
    assert check("age-bech32", key[:40] + key[40:].lower()).status is CheckStatus.failed

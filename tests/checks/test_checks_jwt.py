import base64
import hashlib
import hmac
import json
import random

import pytest

from detector.checks import jwt
from detector.types import CheckStatus, Privilege, Severity

REF = "abcdefghijklmnopqrst"


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


def signed(payload, secret, alg="HS256"):
    text = part({"alg": alg, "typ": "JWT"}) + b"." + part(payload)
    raw = hmac.new(secret, text, hashlib.sha256).digest()
    return text + b"." + base64.urlsafe_b64encode(raw).rstrip(b"=")


def check(payload, secret=b"nobody knows"):
    return jwt.check_jwt(signed(payload, secret), b"")


def test_claims_leave_the_person_out():
    result = check(
        {
            "iss": "https://id.example",
            "sub": "person-1",
            "email": "p@example",
            "aud": ["a", "b"],
            "scope": "read write",
            "exp": 1893456000,
        }
    )
    assert result.status is CheckStatus.passed
    assert result.claims == {
        "alg": "HS256",
        "iss": "https://id.example",
        "aud": "a b",
        "scope": "read write",
        "expires": "2030-01-01",
    }
    assert (result.privilege, result.severity, result.placeholder) == (None, None, False)


@pytest.mark.parametrize(
    ("payload", "privilege", "severity"),
    [
        ({"iss": "supabase", "ref": REF, "role": "anon"}, Privilege.public, Severity.info),
        ({"role": "anon", "iss": "supabase"}, Privilege.public, Severity.info),
        ({"iss": "supabase", "ref": REF, "role": "service_role"}, "admin", Severity.critical),
        ({"role": "service_role"}, Privilege.admin, Severity.critical),
        (
            {"iss": f"https://{REF}.supabase.co/auth/v1", "role": "authenticated"},
            Privilege.limited,
            Severity.medium,
        ),
        ({"iss": "elsewhere", "role": "anon"}, None, None),
        ({"iss": "elsewhere", "role": "authenticated"}, None, None),
    ],
)
def test_roles_of_supabase(payload, privilege, severity):
    result = check(payload)
    assert (result.privilege, result.severity) == (privilege, severity)
    assert result.claims.get("project") == (REF if REF in str(payload) else None)


@pytest.mark.parametrize("secret", jwt.DEMO_SECRETS)
def test_a_world_known_secret_is_told(secret):
    result = check({"iss": "x"}, secret)
    assert result.claims["signed_with"] == "a well-known demo secret"
    assert not result.placeholder


@pytest.mark.parametrize("secret", jwt.SUPABASE_DEMO_SECRETS)
def test_the_keys_of_supabases_guides_are_placeholders(secret):
    assert check({"iss": "supabase-demo", "role": "anon"}, secret).placeholder
    # A deployment that kept the demo secret is no placeholder: anybody can sign for it.
    result = check({"iss": "supabase", "role": "service_role"}, secret)
    assert not result.placeholder
    assert result.claims["signed_with"] == "a well-known demo secret"


def test_the_demo_issuer_alone_proves_nothing():
    result = check({"iss": "supabase-demo", "role": "service_role"})
    assert not result.placeholder
    assert "signed_with" not in result.claims
    assert result.severity is Severity.critical


def test_no_signature_is_told():
    token = part({"alg": "none"}) + b"." + part({"iss": "x"}) + b"."
    assert jwt.check_jwt(token, b"").claims == {"alg": "none", "iss": "x"}


def test_encrypted_tokens_show_their_header_only():
    token = b".".join([part({"alg": "RSA-OAEP", "enc": "A256GCM"}), b"aa", b"bb", b"cc", b"dd"])
    assert jwt.check_jwt(token, b"").claims == {"alg": "RSA-OAEP", "encrypted": True}


def test_a_prefix_before_the_token_is_skipped():
    token = b"ghs_12345_" + signed({"iss": "x"}, b"k")
    assert jwt.check_jwt(token, b"").claims == {"alg": "HS256", "iss": "x"}


@pytest.mark.parametrize(
    "token",
    [
        part({"typ": "JWT"}) + b"." + part({}) + b".x",
        part({"alg": 1}) + b"." + part({}) + b".x",
        part({"alg": "HS256"}) + b"." + part([1]) + b".x",
        part({"alg": "HS256"}) + b"." + part({"a": 1})[:-3] + b".x",
        part({"alg": "HS256"}) + b"." + part({}),
        part({"alg": "HS256"}) + b"." + base64.b64encode(b"[" * 30_000) + b".x",
        part({"alg": "HS256"}) + b"." + base64.b64encode(b'{"a":' * 9_000) + b".x",
    ],
)
def test_what_is_no_token_fails(token):
    assert jwt.check_jwt(token, b"").status is CheckStatus.failed


@pytest.mark.parametrize("exp", [True, "soon", -1, 1e300, 10**30, [1], None])
def test_an_expiry_that_is_no_date_is_left_out(exp):
    result = check({"iss": "x", "exp": exp})
    assert "expires" not in result.claims


def test_make_token_signs():
    token = jwt.make_token(random.Random(1), {"iss": "x"})
    header, payload, signature = token.split(b".")
    assert json.loads(base64.urlsafe_b64decode(payload + b"==")) == {"iss": "x"}
    assert json.loads(base64.urlsafe_b64decode(header + b"==")) == {"alg": "HS256", "typ": "JWT"}
    assert len(base64.urlsafe_b64decode(signature + b"==")) == 32
    none = jwt.make_token(random.Random(1), {}, {"alg": "none"})
    assert none.endswith(b".")


@pytest.mark.parametrize("role", ["anon", "service_role"])
def test_supabase_key_has_the_vendors_layout(role):
    key = jwt.supabase_key(random.Random(2), REF, role)
    assert key.startswith(b"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBhYmFzZSIsInJlZiI6")
    mark = {"anon": b"Iiwicm9sZSI6ImFub24i", "service_role": b"Iiwicm9sZSI6InNlcnZpY2Vfcm9sZS"}
    payload = key.split(b".")[1]
    assert payload[60:].startswith(mark[role])
    result = jwt.check_jwt(key, b"")
    assert (result.claims["project"], result.claims["role"]) == (REF, role)


@pytest.mark.parametrize(
    "lead",
    [
        b"eyJpc3MiOiJzdXBhYmFzZSIsInJlZiI6",
        b"eyJyb2xlIjoiYW5vbiIsImlzcyI6",
        b"eyJyb2xlIjoic2VydmljZV9yb2xlIi",
        b"eyJpc3MiOiJzdXBhYmFzZS1kZW1vIi",
    ],
)
@pytest.mark.parametrize("alg", ["HS256", "ES256", "RS256"])
def test_make_keeps_the_literals_of_a_rule(lead, alg):
    rng = random.Random(3)
    header = part({"alg": alg}).replace(b"IDog", b"I6I")  # any header that names it
    header = base64.urlsafe_b64encode(b'{"alg":"%b","typ":"JWT"}' % alg.encode()).rstrip(b"=")
    made = jwt.make_jwt(rng, header + b"." + lead + b"Qx" * 40 + b".abc")
    assert made.startswith(header + b"." + lead)
    assert jwt.check_jwt(made, b"").status is CheckStatus.passed

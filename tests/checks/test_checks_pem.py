"""Real keys of every kind, made by `cryptography`, in every escaping that dumps show."""

import base64
import json
import random
import warnings

import pytest
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519

from detector.checks import CHECKS, asn1, keymaker, pem
from detector.types import CheckStatus, Severity

PEM, PLAIN = ser.Encoding.PEM, ser.NoEncryption()
OLD, PKCS8, SSH = (
    ser.PrivateFormat.TraditionalOpenSSL,
    ser.PrivateFormat.PKCS8,
    ser.PrivateFormat.OpenSSH,
)
LOCKED = ser.BestAvailableEncryption(b"a passphrase")

KEYS = {
    "RSA": rsa.generate_private_key(65537, 2048),
    "EC": ec.generate_private_key(ec.SECP384R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate(),
    "Ed448": ed448.Ed448PrivateKey.generate(),
    "X25519": x25519.X25519PrivateKey.generate(),
    "DSA": dsa.generate_private_key(1024),
}
CASES = [
    ("RSA", OLD, 2048),
    ("RSA", PKCS8, 2048),
    ("RSA", SSH, 2048),
    ("EC", OLD, 384),
    ("EC", PKCS8, 384),
    ("EC", SSH, 384),
    ("Ed25519", PKCS8, 256),
    ("Ed25519", SSH, 256),
    ("Ed448", PKCS8, 456),
    ("X25519", PKCS8, 256),
    ("DSA", OLD, 1024),
    ("DSA", PKCS8, 1024),
]


def armoured(kind, form, lock=PLAIN):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # DSA in OpenSSH's format is deprecated there
        return KEYS[kind].private_bytes(PEM, form, lock)


def check(token):
    return pem.check_pem(token, b"")


@pytest.mark.parametrize(("kind", "form", "bits"), CASES)
def test_kinds(kind, form, bits):
    result = check(armoured(kind, form))
    assert result.status is CheckStatus.passed
    claims = dict(result.claims)
    claims.pop("format", None)
    assert claims == {"kind": kind, "bits": bits, "encrypted": False}
    assert result.severity is None


ESCAPES = {
    "CRLF": lambda t: t.replace(b"\n", b"\r\n"),
    "JSON": lambda t: json.dumps(t.decode()).encode()[1:-1],
    "JSON in JSON": lambda t: json.dumps(json.dumps(t.decode())).encode()[3:-3],
    "slashes escaped": lambda t: t.replace(b"/", b"\\/").replace(b"\n", b"\\n"),
    "unicode": lambda t: t.replace(b"+", b"\\u002b").replace(b"=", b"\\u003D"),
    "spaces": lambda t: t.replace(b"\n", b" "),
    "URL": lambda t: t.replace(b"+", b"%2B").replace(b"/", b"%2f").replace(b"\n", b"%0A"),
    "HTML": lambda t: t.replace(b"\n", b"&#10;"),
    "string literals": lambda t: t.replace(b"\n", b"\\n' +\n   '"),
    "indented": lambda t: t.replace(b"\n", b"\n        "),
}


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize("form", [OLD, PKCS8, SSH])
def test_escapes(escape, form):
    token = ESCAPES[escape](armoured("RSA", form).strip())
    assert check(token).claims["bits"] == 2048
    assert check(token).status is CheckStatus.passed


@pytest.mark.parametrize("form", [PKCS8, OLD])
@pytest.mark.parametrize("escape", ["CRLF", "JSON", "spaces"])
def test_encrypted(form, escape):
    result = check(ESCAPES[escape](armoured("RSA", form, LOCKED)))
    assert result.status is CheckStatus.passed
    assert result.claims["encrypted"] is True
    assert result.severity is Severity.medium


def test_encrypted_openssh():
    def string(data):
        return len(data).to_bytes(4, "big") + data

    lines = armoured("Ed25519", SSH).splitlines()
    raw = base64.b64decode(b"".join(lines[1:-1]))
    public = raw[raw.index(b"\0\0\0\x0bssh-ed25519") :][:51]
    raw = b"openssh-key-v1\0" + string(b"aes256-ctr") + string(b"bcrypt") + string(b"salt")
    raw += b"\0\0\0\1" + string(public) + string(random.Random(1).randbytes(144))
    body = base64.b64encode(raw)
    result = check(lines[0] + b"\n" + body + b"\n" + lines[-1])
    assert result.claims == {"kind": "Ed25519", "encrypted": True, "format": "OpenSSH"}


@pytest.mark.parametrize(("kind", "form", "bits"), CASES)
def test_cut_or_damaged(kind, form, bits):
    token = armoured(kind, form)
    lines = token.splitlines(keepends=True)
    assert check(b"".join(lines[:-1])).status is CheckStatus.failed
    if len(lines) > 4:
        assert check(b"".join(lines[:2] + lines[3:])).status is CheckStatus.failed


@pytest.mark.parametrize("form", [OLD, PKCS8, SSH])
def test_numbers_of_rsa_that_disagree(form):
    token = armoured("RSA", form)
    body = token.index(b"\n") + 200
    changed = bytearray(token)
    for at in range(body, body + 1000, 173):
        changed[at] = ord("A") if token[at] != ord("A") else ord("B")
        if token[at] != ord("\n"):
            assert check(bytes(changed)).status is CheckStatus.failed
        changed[at] = token[at]


@pytest.mark.parametrize(
    "body", [b"", b"\n...\n", b"\n<your key here>\n", b"\n" + b"x" * 64 + b"\n"]
)
def test_sketches_are_placeholders(body):
    token = b"-----BEGIN RSA PRIVATE KEY-----" + body + b"-----END RSA PRIVATE KEY-----"
    result = check(token)
    assert result.placeholder and result.status is CheckStatus.failed


@pytest.mark.parametrize("label", ["RSA ", "", "EC ", "DSA ", "ENCRYPTED "])
def test_made_keys_load_elsewhere(label):
    words = f"{label}PRIVATE KEY"
    draft = f"-----BEGIN {words}-----\nabc\n-----END {words}-----".encode()
    token = pem.make_pem(random.Random(5), draft)
    assert token.startswith(f"-----BEGIN {words}-----\n".encode())
    password = b"x" if label == "ENCRYPTED " else None
    try:
        ser.load_pem_private_key(token, password, unsafe_skip_rsa_key_validation=True)
    except ValueError as error:
        # Random bytes under a passphrase, or too few bits for that library: never "not parsed".
        text = str(error).lower()
        assert password or "bit" in text or "size" in text or "unsupported" in text, text


def test_made_rsa_holds_by_definition():
    n, e, d, p, q = keymaker.rsa_numbers(random.Random(1))
    assert n == p * q and n.bit_length() == 512
    assert pow(pow(1234567, e, n), d, n) == 1234567
    assert all(pow(a, p - 1, p) == 1 and pow(a, q - 1, q) == 1 for a in (2, 3, 5, 7))


def test_escaped_drafts_give_escaped_keys():
    draft = b"-----BEGIN PRIVATE KEY-----\\nabc\\n-----END PRIVATE KEY-----"
    token = pem.make_pem(random.Random(5), draft)
    assert b"\n" not in token and b"\\n" in token
    assert CHECKS["pem"].check(token, b"").status is CheckStatus.passed


def test_pgp():
    draft = b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n"
    token = pem.make_pem(random.Random(5), draft)
    assert check(token).claims == {"kind": "PGP", "bits": 512, "encrypted": False}
    with_header = token.replace(b"\n\n", b"\nVersion: Somebody's 1.0\nComment: hi\n\n", 1)
    assert check(with_header).status is CheckStatus.passed
    lines = token.splitlines(keepends=True)
    assert check(b"".join(lines[:4] + lines[5:])).status is CheckStatus.failed
    assert keymaker.crc24(b"123456789") == 0x21CF02  # the check value of CRC-24/OPENPGP


@pytest.mark.parametrize("data", [b"\x30", b"\x30\x05\x02", b"\x30\x84\0\0\0\1\0", b"\x02\0" * 40])
def test_der_that_is_cut_or_endless(data):
    with pytest.raises(asn1.DerError):
        asn1.items(data)


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 70_000])
def test_der_reads_what_it_writes(size):
    assert asn1.items(asn1.write(asn1.OCTET_STRING, b"x" * size)) == [(4, b"x" * size)]

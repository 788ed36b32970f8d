import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.checks import logins
from detector.types import CheckStatus

LEFT = b"DATABASE_URL=postgres://app:"

STAND_INS = [
    "password", "PASSWORD", "pass", "passwd", "your-password", "your_db_password", "YOUR-PASSWORD",
    "changeme", "change_me", "changeit", "secret", "user", "username", "example", "xxxx", "****",
    "...", "<password>", "[YOUR-PASSWORD]", "${DB_PASSWORD}", "$DB_PASSWORD", "{{ password }}",
    "{password}", "#{password}", "$(cat pw)", "%s", "%(password)s", "%PASSWORD%", "%3Cpassword%3E",
    "password1", "mypassword", "app",
]  # fmt: skip
REAL = [
    "hunter2hunter",
    "correct horse",
    "Passw0rdX!",
    "p4ssword99",
    "secretsauce",
    "$ecret!9x",
    "ab",
]


TO_BE_CHANGED = ("changeme", "change_me", "changeit")  # in manuals, and in use


@pytest.mark.parametrize("word", STAND_INS)
def test_stand_ins_are_placeholders(word):
    result = logins.check_url_credentials(word.encode(), LEFT)
    assert result.placeholder == (word not in TO_BE_CHANGED)
    assert result.status is CheckStatus.none
    pair = base64.b64encode(b"app:" + word.encode())
    assert logins.check_basic_auth(pair, b"").placeholder


@pytest.mark.parametrize("word", REAL)
def test_others_are_not(word):
    result = logins.check_url_credentials(word.encode(), LEFT)
    assert not result.placeholder
    assert result.claims == {"scheme": "postgres"}  # and not the user's name
    pair = base64.b64encode(b"app:" + word.encode())
    assert logins.check_basic_auth(pair, b"") == logins.PASSED


def test_the_user_of_a_pooler_names_the_project():
    left = b"x postgresql://postgres.abcdefghij0123456789:"
    result = logins.check_url_credentials(b"kd83hJw72k", left)
    assert result.status is CheckStatus.passed
    assert result.claims == {"scheme": "postgresql", "project": "abcdefghij0123456789"}


@pytest.mark.parametrize("slashes", [b"//", rb"\/\/", rb"\\/\\/"])
def test_escaped_slashes(slashes):
    result = logins.check_url_credentials(b"kd83hJw72k", b"go to https:" + slashes + b"app:")
    assert result.claims == {"scheme": "https"}
    assert logins.check_url_credentials(b"app", b"amqp:" + slashes + b"app:").placeholder


@pytest.mark.parametrize("left", [b"", b"://", b"redis://:", b"x" * 1024, b"http://a b:"])
def test_other_contexts(left):
    assert not logins.check_url_credentials(b"kd83hJw72k", left).placeholder


@pytest.mark.parametrize("raw", [b"no colon here", b"\xff\xfe:x", b"a:\x00b", b""])
def test_basic_authorization_needs_a_printable_pair(raw):
    assert logins.check_basic_auth(base64.b64encode(raw), b"").status is CheckStatus.failed


@given(st.binary(max_size=200))
def test_stand_in_test_takes_anything(text):
    assert logins.stands_for_a_password(text) in (True, False)

import base64
import hashlib
import random

import pytest

from detector.checks import jwt, supabase
from detector.types import CheckStatus

REF, OTHER = "abcdefghij0123456789", "zyxwvutsrqponmlkjihg"


def near(ref):
    return [
        f"const url = 'https://{ref}.supabase.co';".encode(),
        f"postgresql://postgres.{ref}:x@aws-0-eu.pooler.supabase.com:5432/".encode(),
        f"host=db.{ref}.supabase.co".encode(),
        b"anon: " + jwt.supabase_key(random.Random(1), ref, "anon") + b",",
    ]


@pytest.mark.parametrize("kind", ["publishable", "secret"])
@pytest.mark.parametrize("seed", range(30))  # some sums hold a `_` themselves
def test_the_sum_names_the_project(kind, seed):
    key = supabase.publishable_key(random.Random(seed), REF, kind)
    expected = hashlib.sha256(REF.encode() + b"|" + key[:-9]).digest()
    assert key[-8:] == base64.urlsafe_b64encode(expected)[:8]
    assert key[-9:-8] == b"_" and key.startswith(f"sb_{kind}_".encode())
    for before in near(REF):
        assert supabase.check_supabase(key, before).claims == {"project": REF}
    for before in near(OTHER):
        assert supabase.check_supabase(key, before).status is CheckStatus.failed
    assert supabase.check_supabase(key, b"").status is CheckStatus.none


def test_any_of_several_projects_may_fit():
    key = supabase.publishable_key(random.Random(1), REF)
    before = near(OTHER)[0] + near(REF)[0] + near(OTHER)[2]
    assert supabase.references(before) == [OTHER.encode(), REF.encode()]
    assert supabase.check_supabase(key, before).status is CheckStatus.passed


def test_self_hosted_needs_no_context():
    key = supabase.make_supabase(random.Random(1), b"sb_secret_" + b"x" * 22 + b"_" + b"y" * 8)
    for before in (b"", *near(OTHER)):
        result = supabase.check_supabase(key, before)
        assert result.claims == {"project": "supabase-self-hosted"}

"""Offline checks of a token's own structure: checksums, signatures, embedded claims.

Every check is a pair: ``check`` reads a token, ``make`` turns a random draft of the right
shape into a token that passes, so that samples, corpora and training data are valid
without a live token in any file.

A failed check lowers the confidence and says so. It never drops: a token may be
truncated, mistyped, or of a format that its vendor has changed since.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from detector.checks import (
    ai,
    azure,
    chat,
    cloud,
    crc,
    forges,
    jwt,
    logins,
    pem,
    registries,
    supabase,
)
from detector.types import CheckResult

CheckFunction = Callable[[bytes, bytes], CheckResult]
"""``check(token, before)``: the secret's bytes, and up to 1,024 bytes that stand before it."""

MakeFunction = Callable[[random.Random, bytes], bytes]
"""``make(rng, draft)``: a token that passes, of the draft's length and alphabet."""


class Check(NamedTuple):
    """One named check. ``proof``: what passes did not do so by chance. Where a check only
    reads the token's parts (an alphabet, a number in its place), words and runs in the token
    still speak against it."""

    name: str
    check: CheckFunction
    make: MakeFunction
    proof: bool = True


_ALL = (
    Check("age-bech32", crc.check_age, crc.make_age),
    Check("anthropic-key", ai.check_anthropic, ai.make_anthropic, proof=False),
    Check("atlassian-crc32", crc.check_atlassian, crc.make_atlassian),
    Check("aws-access-key", cloud.check_aws, cloud.make_aws, proof=False),
    Check("aws-bedrock", cloud.check_bedrock, cloud.make_bedrock),
    Check("azure-cask", azure.check_cask, azure.make_cask),
    Check("azure-identifiable", azure.check_identifiable, azure.make_identifiable),
    Check("basic-auth", logins.check_basic_auth, logins.make_basic_auth, proof=False),
    Check("bitbucket-bbdc", forges.check_data_center, forges.make_data_center),
    Check("clerk-publishable", cloud.check_clerk, cloud.make_clerk),
    Check("crc32-base62", crc.check_crc32_base62, crc.make_crc32_base62),
    Check("discord-bot", chat.check_discord_bot, chat.make_discord_bot),
    Check("discord-webhook", chat.check_discord_webhook, chat.make_discord_webhook, proof=False),
    Check("github-fine-grained", forges.check_github_fine_grained, forges.make_github_fine_grained),
    Check("gitlab-routable", forges.check_gitlab_routable, forges.make_gitlab_routable),
    Check("grafana-cloud", cloud.check_grafana_cloud, cloud.make_grafana_cloud),
    Check("grafana-sa", crc.check_grafana_sa, crc.make_grafana_sa),
    Check("groq-marker", ai.check_groq, ai.make_groq, proof=False),
    Check("jfrog-reftkn", registries.check_jfrog, registries.make_jfrog, proof=False),
    Check("jwt", jwt.check_jwt, jwt.make_jwt),
    Check("moltbook-code", ai.check_moltbook_code, ai.make_moltbook_code, proof=False),
    Check("nkey-crc16", crc.check_nkey, crc.make_nkey),
    Check("nuget-case", registries.check_nuget, registries.make_nuget, proof=False),
    Check("onepassword-ops", cloud.check_onepassword, cloud.make_onepassword),
    Check("openai-key", ai.check_openai, ai.make_openai, proof=False),
    Check("pem", pem.check_pem, pem.make_pem),
    Check("pypi-macaroon", registries.check_pypi, registries.make_pypi),
    Check("sentry-org", cloud.check_sentry_org, cloud.make_sentry_org),
    Check("slack-token", chat.check_slack_token, chat.make_slack_token, proof=False),
    Check("slack-webhook", chat.check_slack_webhook, chat.make_slack_webhook, proof=False),
    Check("stripe-key", cloud.check_stripe, cloud.make_stripe, proof=False),
    Check("supabase-key", supabase.check_supabase, supabase.make_supabase),
    Check("telegram-bot", chat.check_telegram, chat.make_telegram, proof=False),
    Check(
        "url-credentials", logins.check_url_credentials, logins.make_url_credentials, proof=False
    ),
    Check("zuplo-crc32", crc.check_zuplo, crc.make_zuplo),
)

CHECKS: Mapping[str, Check] = MappingProxyType({check.name: check for check in _ALL})
"""Every check by the name that rules use."""

"""URLs of brokers: what they mean, what is wrong with one, and what of them is shown."""

from __future__ import annotations

import pytest
from flowing import key

from detector.errors import UsageError
from detector.relay import FROM, TO, address_of


@pytest.mark.parametrize(
    ("url", "role", "hosts", "path", "options"),
    [
        ("nats://a/S", FROM, ("a:4222",), "S", {}),
        ("tls://a,b:1/S?subject=x.>", TO, ("a:4222", "b:1"), "S", {"subject": "x.>"}),
        ("redis://a/2?stream=in", FROM, ("a:6379",), "2", {"stream": "in"}),
        ("amqp://a/%2F?queue=q%20r", FROM, ("a:5672",), "/", {"queue": "q r"}),
        (
            "amqps://a?exchange=e&routing_key=k",
            TO,
            ("a:5671",),
            "",
            {"exchange": "e", "routing_key": "k"},
        ),
        ("kafka://[::1]:9,b/topic?group=g", FROM, ("[::1]:9", "b:9092"), "topic", {"group": "g"}),
    ],
)
def test_what_a_url_says(url, role, hosts, path, options):
    address = address_of(url, role)
    assert (address.hosts, address.path, address.options) == (hosts, path, options)


@pytest.mark.parametrize(
    ("url", "role", "complaint"),
    [
        ("http://a", FROM, "--from: begins with none of nats://"),
        ("nothing", TO, "--to: begins with none of"),
        ("nats://a", FROM, "names no stream"),
        ("nats://a/S", TO, "needs a subject"),
        ("nats://a/S?durabel=x", FROM, "no parameter 'durabel'; it knows creds, durable, subject"),
        ("nats://a/S?subject=x&durable=y", TO, "no parameter 'durable'"),
        ("redis://a/0", FROM, "needs a stream"),
        ("redis://a/x?stream=s", FROM, "no number of a database"),
        ("redis://a,b/0?stream=s", FROM, "takes one host"),
        ("redis://a/0?stream=s&idle=soon", FROM, "no number of milliseconds"),
        ("amqp://a/", FROM, "needs a queue"),
        ("amqp://a/?queue=x&exchange=y", TO, "a queue and an exchange"),
        ("kafka://a:port/t", FROM, "no host and port"),
        ("kafka://a", TO, "names no topic"),
        ("kafka://a/t?group=x&group=y", FROM, "given twice"),
    ],
)
def test_what_is_wrong_with_one(url, role, complaint):
    with pytest.raises(UsageError, match=complaint):
        address_of(url, role)


@pytest.mark.parametrize(
    "url", ["nats://u:{}@h/S", "redis://:{}@h/0?stream=s", "amqp://u:{}@h/v?queue=q"]
)
def test_no_password_is_shown(url):
    secret = key()
    address = address_of(url.format(secret), FROM)
    assert address.password == secret
    assert secret not in repr(address) + str(address) + f"{address}" + address.shown
    more = "&x=1" if "?" in url else "?x=1"
    for wrong in (url.format(secret) + more, url.format(secret).replace("@h", "@h:x")):
        with pytest.raises(UsageError) as complaint:
            address_of(wrong, FROM)
        assert secret not in str(complaint.value)

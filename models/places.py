"""Hosts, accounts, paths and names of one document's surroundings, a function each."""

from __future__ import annotations

from random import Random
from typing import Protocol

from models.lists import TEXTS
from models.naming import password_name, spelled, token_name
from models.values import ALNUM, first_name, pick, surname, uuid4, word

REAL, SAMPLE, TEST = "real", "sample", "test"


class Scene(Protocol):
    """What a drawer needs of :class:`models.world.World`."""

    rng: Random
    scene: str

    def fill(self, name: str) -> str:
        """A filler by its name."""
        ...

    def choice(self, *options: str) -> str:
        """One of some texts."""
        ...

    def number(self) -> str:
        """A number of a usual size."""
        ...


def company(w: Scene) -> str:
    """A made-up name."""
    return word(w.rng) + (
        w.choice("", "", "soft", "labs", "tech", "pay", "hub", "io", "net")
        if w.rng.random() < 0.6
        else word(w.rng)
    )


def domain(w: Scene) -> str:
    """A domain, of the company or of documentation."""
    if w.scene != REAL and w.rng.random() < 0.7:
        return w.rng.choice(TEXTS["domain-1"])
    return w.fill("company") + w.rng.choice(TEXTS["domain-2"])


def private_ip(w: Scene) -> str:
    """An address of a private net."""
    r = w.rng
    return w.choice(
        f"10.{r.randrange(256)}.{r.randrange(256)}.{r.randint(2, 254)}",
        f"192.168.{r.randrange(256)}.{r.randint(2, 254)}",
        f"172.{r.randint(16, 31)}.{r.randrange(256)}.{r.randint(2, 254)}",
    )


def host(w: Scene) -> str:
    """A server."""
    if w.scene == SAMPLE and w.rng.random() < 0.85:
        return w.rng.choice(TEXTS["host-1"])
    if w.scene == TEST and w.rng.random() < 0.85:
        return w.rng.choice(TEXTS["host-2"])
    domain, n = w.fill("domain"), w.rng.randint(1, 9)
    role = w.rng.choice(TEXTS["host-3"])
    return w.choice(
        private_ip(w),
        f"{role}{n}.{domain}",
        f"{role}-prod-{n:02d}.{domain}",
        f"{role}.internal.{domain}",
        f"{role}.{domain}",
        f"{role}-{w.choice('prod', 'prd', 'live', 'stage')}",
        f"{w.fill('slug')}.{pick(w.rng, ALNUM.lower(), 12)}.{w.fill('region')}.rds.amazonaws.com",
        f"{role}{n:02d}",
        f"{w.fill('slug')}.postgres.database.azure.com",
        role,
        f"{w.fill('slug')}-{role}",
        "localhost",
    )


def account(w: Scene) -> str:
    """Who logs in."""
    if w.scene != REAL and w.rng.random() < 0.75:
        return w.rng.choice(TEXTS["account-1"])
    first, last = first_name(w.rng), surname(w.rng)
    return w.choice(
        f"{first}.{last}",
        first[0] + last,
        first,
        f"{first}.{last}@{w.fill('domain')}",
        f"{w.fill('app')}_user",
        f"{w.fill('app')}",
        w.choice("svc_", "svc-", "sa_", "app_") + w.fill("app"),
        "root",
        "admin",
        "postgres",
        "deploy",
        "backup",
        "sa",
        f"{w.fill('app')}_rw",
        f"noreply@{w.fill('domain')}",
        f"u{w.rng.randrange(10**5)}",
        "readonly",
        "dbadmin",
        "jenkins",
    )


def user(w: Scene) -> str:
    """An account's name that needs no escape in a URL."""
    while True:
        name = account(w)
        if name.replace("_", "").replace("-", "").replace(".", "").isalnum():
            return name


def mail_host(w: Scene) -> str:
    """A mail server."""
    if w.scene != REAL and w.rng.random() < 0.7:
        return w.choice("smtp.example.com", "localhost", "mailhog", "smtp.mailtrap.io", "mail")
    return w.choice(
        f"smtp.{w.fill('domain')}",
        f"mail.{w.fill('domain')}",
        "smtp.gmail.com",
        "smtp.office365.com",
        "smtp.mailgun.org",
        f"email-smtp.{w.fill('region')}.amazonaws.com",
        "smtp.yandex.ru",
        "smtp.strato.de",
        private_ip(w),
    )


def mongo_host(w: Scene) -> str:
    """A server of MongoDB."""
    return (
        w.choice(f"{w.fill('slug')}.{pick(w.rng, ALNUM.lower(), 6)}.mongodb.net", host(w))
        if w.scene == REAL
        else host(w)
    )


def email(w: Scene) -> str:
    """An address of a person."""
    if w.scene != REAL and w.rng.random() < 0.7:
        return (
            w.rng.choice(TEXTS["email-1"])
            + "@"
            + w.choice("example.com", "test.com", "example.org", "mail.com")
        )
    domain = w.choice(
        w.fill("domain"),
        "gmail.com",
        "outlook.com",
        "yahoo.com",
        "mail.ru",
        "web.de",
        "qq.com",
        "hotmail.com",
    )
    first, last = first_name(w.rng), surname(w.rng)
    return (
        w.choice(
            f"{first}.{last}",
            first + last,
            f"{first[0]}{last}",
            f"{first}{w.rng.randrange(1950, 2010)}",
            f"{last}{w.rng.randrange(100)}",
        )
        + "@"
        + domain
    )


def slug(w: Scene) -> str:
    """A short name of a service."""
    return w.choice(
        word(w.rng),
        w.fill("app"),
        f"{word(w.rng)}-{word(w.rng)}",
        w.fill("app") + "-" + w.rng.choice(TEXTS["slug-tail"]),
    )


def path(w: Scene) -> str:
    """Where a key or the like lies."""
    stem, ext = (
        w.choice(
            "server",
            "private",
            "client",
            "tls",
            "id_rsa",
            "app",
            "jwt",
            "ca",
            "password",
            "db_password",
            "credentials",
            "token",
            w.fill("app"),
            "keystore",
            "secrets",
        ),
        w.rng.choice(TEXTS["path-1"]),
    )
    base = w.choice(
        "/etc/ssl",
        "/etc/ssl/private",
        "/run/secrets",
        "/var/run/secrets",
        "./certs",
        "config",
        "~/.ssh",
        f"/opt/{w.fill('app')}/conf",
        "/etc/nginx/ssl",
        "C:\\certs",
        "../keys",
        "${HOME}/.config",
        f"/home/{w.fill('app')}/.{w.fill('app')}",
        "classpath:",
        "src/test/resources",
        "file:///etc",
        "/mnt/secrets-store",
    )
    return f"{base}{'' if base[-1] == ':' else '/'}{stem}" + (
        f".{ext}" if w.rng.random() < 0.85 else ""
    )


def url(w: Scene) -> str:
    """A page or an endpoint."""
    scheme = w.choice("https", "https", "https", "http")
    host = w.choice(
        f"api.{w.fill('domain')}",
        f"auth.{w.fill('domain')}",
        f"login.{w.fill('domain')}",
        f"www.{w.fill('domain')}",
        f"localhost:{w.number()}",
        w.fill("domain"),
        "accounts.google.com",
        "login.microsoftonline.com",
        "github.com",
    )
    return f"{scheme}://{host}" + w.choice(
        "",
        "/",
        "/oauth/token",
        "/oauth2/authorize",
        "/api/v1",
        f"/{word(w.rng)}",
        "/auth/realms/master/protocol/openid-connect/token",
        f"/{word(w.rng)}/{word(w.rng)}",
        "/.well-known/jwks.json",
        "/password/reset",
        "/users/sign_in",
        f"/v2/{word(w.rng)}?page={w.number()}",
        "/o/oauth2/token",
        "/account/forgot-password",
        "/login",
    )


def ident(w: Scene) -> str:
    """A name of a field, header, key or kind."""
    if w.rng.random() < 0.55:
        return w.rng.choice(TEXTS["identifiers"])
    name = w.choice(
        password_name(w.rng),
        token_name(w.rng),
        f"{word(w.rng)} {w.choice('id', 'key', 'token', 'name', 'type', 'code')}",
        f"{word(w.rng)} {word(w.rng)}",
    )
    return spelled(name, w.rng.choice(TEXTS["ident-1"]))


def arn(w: Scene) -> str:
    """Where a secret is kept, in somebody's vault."""
    stage = w.choice("prod", "dev", "staging")
    kept = w.choice("db-password", "api-key", "jwt-secret", "token", "password")
    account, region, app = pick(w.rng, "0123456789", 12), w.fill("region"), w.fill("slug")
    return w.choice(
        f"arn:aws:secretsmanager:{region}:{account}:secret:{stage}/{app}-{pick(w.rng, ALNUM, 6)}",
        f"arn:aws:kms:{region}:{account}:key/{uuid4(w.rng)}",
        f"arn:aws:ssm:{region}:{account}:parameter/{app}/db/password",
        f"/{stage}/{app}/{kept}",
        f"alias/{app}-key",
        f"projects/{app}/secrets/{kept}/versions/{w.rng.randint(1, 4)}",
        f"https://{app}-kv.vault.azure.net/secrets/{kept}",
        f"op://{app}/server/{kept}",
        f"keyring:{app}",
        f"awssm://{app}",
        f"pass:{app}/db",
    )


def vault(w: Scene) -> str:
    """A path in a vault."""
    return (
        w.rng.choice(TEXTS["vault-1"])
        + w.fill("slug")
        + w.choice("", "#password", "/db", ":api_key")
    )


def env(w: Scene) -> str:
    """A variable of the environment."""
    return spelled(w.choice(password_name(w.rng), token_name(w.rng)), "scream")


def version(w: Scene) -> str:
    """A version as package lists ask for it."""
    r = w.rng
    number = f"{r.randrange(12)}.{r.randrange(30)}.{r.randrange(20)}"
    return (
        w.choice("^", "^", "^", "~", "", "", "", ">=", "==", "v", "~> ")
        + number
        + w.choice("", "", "", "", "-beta.1", "-rc2", "-alpha")
    )


def when(w: Scene) -> str:
    """A time in one of several forms."""
    r = w.rng
    day = f"{r.randrange(2012, 2027)}-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}"
    clock = f"{r.randrange(24):02d}:{r.randrange(60):02d}:{r.randrange(60):02d}"
    return w.choice(
        day,
        f"{day} {clock}",
        f"{day}T{clock}Z",
        f"{day}T{clock}+00:00",
        f"{day}T{clock}.{r.randrange(1000):03d}Z",
    )


def stamp(w: Scene) -> str:
    """A time as logs write it."""
    r = w.rng
    day = f"{r.randrange(2015, 2027)}-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}"
    return f"{day} {r.randrange(24):02d}:{r.randrange(60):02d}:{r.randrange(60):02d}"

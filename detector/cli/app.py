"""The commands, as Typer sees them."""

from __future__ import annotations

from typing import Annotated

import typer

from detector.cli import baseline, filter, findings, redact, relay, rules, scan

app = typer.Typer(
    name="detector",
    help="Finds plaintext credentials in dumps, messages and bundles.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        from detector import __version__

        typer.echo(f"detector {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Finds plaintext credentials in dumps, messages and bundles."""


app.command("scan")(scan.scan)
app.command("redact")(redact.redact)
app.command("filter")(filter.filter_)
app.command("relay")(relay.relay)
app.add_typer(rules.app, name="rules")
app.add_typer(baseline.app, name="baseline")
app.add_typer(findings.app, name="findings")

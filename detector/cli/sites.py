"""Options of a scan that are about live sites."""

from __future__ import annotations

from typing import Annotated

import typer

from detector.errors import UsageError
from detector.site import SiteOptions
from detector.site.options import MIB

_PANEL = "Sites (https://…)"

Pages = Annotated[
    int,
    typer.Option(
        min=1,
        metavar="N",
        rich_help_panel=_PANEL,
        help="Follow links of the same origin to N pages.",
    ),
]
Cdn = Annotated[
    list[str] | None,
    typer.Option(
        metavar="HOST", rich_help_panel=_PANEL, help="Read what lies on this host too. Repeatable."
    ),
]
AllowPrivate = Annotated[
    bool,
    typer.Option(
        "--allow-private",
        rich_help_panel=_PANEL,
        help="Ask addresses that are not of the public Internet, such as this machine's.",
    ),
]
MaxRequests = Annotated[
    int, typer.Option(min=1, metavar="N", rich_help_panel=_PANEL, help="Requests in all.")
]
MaxBytes = Annotated[
    int, typer.Option(min=1, metavar="MB", rich_help_panel=_PANEL, help="Megabytes in all.")
]
Timeout = Annotated[
    float,
    typer.Option(
        min=0.1, max=3600, metavar="SECONDS", rich_help_panel=_PANEL, help="For each answer."
    ),
]
Rate = Annotated[
    float,
    typer.Option(min=0.01, metavar="N", rich_help_panel=_PANEL, help="Requests a second at most."),
]


def options(
    pages: int,
    cdns: list[str] | None,
    allow_private: bool,
    max_requests: int,
    max_bytes: int,
    timeout: float,
    rate: float,
) -> SiteOptions:
    """What these say. Raises :class:`UsageError`."""
    for host in cdns or ():
        if not host or any(sign in host for sign in "/:@? "):
            raise UsageError("--cdn takes the name of a host, such as cdn.example.com")
    return SiteOptions(
        pages=pages,
        cdns=tuple(host.lower() for host in cdns or ()),
        allow_private=allow_private,
        max_requests=max_requests,
        max_bytes=max_bytes * MIB,
        timeout=timeout,
        rate=rate,
    )

"""Live sites: what a browser loads of a page, as a visitor without an account gets it.

    addresses   URLs, and how they are shown        network    connections to checked addresses
    client      one GET, with all its bounds        robots     what a host asks robots for
    pages       references in HTML                  scripts    references in scripts and styles
    webpack     the names of its chunks             crawl      what comes next, in which order

Nothing but GET is sent, no cookie and no credential, and what is found is never used. The client is
an optional extra, and not opened before a URL asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from detector.errors import UsageError
from detector.site.addresses import shown, site_of
from detector.site.options import SiteOptions
from detector.site.resource import Known, Resource
from detector.types import Skipped

__all__ = ["Known", "Resource", "SiteOptions", "open_site", "shown", "site_of"]


def open_site(url: str, options: SiteOptions) -> Iterator[Resource | Known | Skipped]:
    """The resources of a site in the order in which they became known, each script in front of its
    map; between them how many are known, and what could not be had.

    Raises :class:`~detector.errors.UsageError` where the client is not installed, which names the
    pip command.
    """
    try:
        from detector.site.crawl import crawl
    except ImportError:
        raise UsageError(
            "a site needs more packages: pip install 'secrets-leak-detector[site]'"
        ) from None
    return crawl(url, options)

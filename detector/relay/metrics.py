"""The tally for Prometheus, over HTTP.

https://prometheus.io/docs/instrumenting/exposition_formats/ ; names follow
https://prometheus.io/docs/practices/naming/ .
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any

from detector.errors import UsageError
from detector.relay.tally import BOUNDS, Histogram, Tally


class _Collector:
    """Reads the tally when somebody asks for it."""

    def __init__(self, tally: Tally, core: Any) -> None:
        self._tally, self._core = tally, core

    def collect(self) -> Iterator[Any]:
        tally = self._tally
        yield self._counter("messages", "Messages done with.", "action", tally.actions)
        yield self._counter("findings", "Secrets found.", "rule", tally.findings)
        yield self._counter("reconnects", "Connections lost.", "end", tally.reconnects)
        yield self._core.CounterMetricFamily(
            "detector_relay_redelivered", "Messages read again.", value=tally.redelivered
        )
        yield self._gauge("in_flight_messages", "Read, not yet acknowledged.", tally.in_flight)
        yield self._gauge("held_messages", "Waiting for the quarantine.", tally.held)
        yield self._histogram("latency", "From reading to acknowledging a message.", tally.latency)
        yield self._histogram("filter", "The filter's time for a message.", tally.filtering)

    def _counter(self, name: str, text: str, label: str, counts: dict[str, int]) -> Any:
        family = self._core.CounterMetricFamily(f"detector_relay_{name}", text, labels=[label])
        for key, count in list(counts.items()):
            family.add_metric([key], count)
        return family

    def _gauge(self, name: str, text: str, value: int) -> Any:
        return self._core.GaugeMetricFamily(f"detector_relay_{name}", text, value=value)

    def _histogram(self, name: str, text: str, histogram: Histogram) -> Any:
        bounds = [*map(str, BOUNDS), "+Inf"]
        buckets = list(zip(bounds, accumulate(histogram.counts), strict=True))
        return self._core.HistogramMetricFamily(
            f"detector_relay_{name}_seconds", text, buckets=buckets, sum_value=histogram.seconds
        )


def serve(tally: Tally, where: str) -> Callable[[], None]:
    """Answer at ``HOST:PORT`` from a thread of its own, until what is returned is called."""
    host, colon, port = where.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"--metrics: '{where}' is no HOST:PORT")
    try:
        import prometheus_client
        from prometheus_client import core
    except ImportError:
        raise UsageError(
            "--metrics needs prometheus-client: pip install 'secrets-leak-detector[relay]'"
        ) from None
    registry = prometheus_client.CollectorRegistry()
    registry.register(_Collector(tally, core))
    try:
        server, thread = prometheus_client.start_http_server(
            int(port), host.strip("[]") or "127.0.0.1", registry
        )
    except OSError as error:
        raise UsageError(f"--metrics: {where}: {error.strerror}") from None

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop

"""Scanning paths: sources through the scanner, on one core or several, in a stable order."""

from detector.run.run import Options, Run

__all__ = ["Options", "Run"]

"""Benches: seeded corpora, and this program measured beside its peers."""

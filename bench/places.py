"""Where each program sees a secret in the labelled files: its flagged lines, with scores.

This program is called as a library each time. A peer runs once over a folder of the files; its
places, never its values, are kept in the cache until the files or the peer change.
"""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from bench.matching import Flagged
from bench.peers import Peer, environment
from bench.reports import Place

CACHE = Path(__file__).with_name(".cache") / "creddata"
FORMAT = 1  # of the kept places; a change of a reader in ``reports`` changes it

Files = Mapping[str, bytes]


def of_detector(files: Files) -> Flagged:
    """All findings, however little is thought of them."""
    from detector import Scanner

    scanner = Scanner(min_confidence=0.0)
    return flagged(
        Place(path, found.line, found.line + found.secret.reveal().count(b"\n"), found.confidence)
        for path, content in files.items()
        for found in scanner.scan(content, path=path)
        if found.line is not None
    )


def of_peer(peer: Peer, files: Files, name: str, cache: Path = CACHE) -> Flagged:
    """What a peer flags in ``files``, by default or more: see ``Peer.listing``. ``name`` is that
    of the folder in the cache which they are written to.

    :raises RuntimeError: when the peer fails."""
    kept = cache / f"{name}.{peer.name}-{peer.version}.json"
    stamp = f"{FORMAT} {digest(files)}"
    if kept.exists() and (old := json.loads(kept.read_bytes()))["stamp"] == stamp:
        return {path: [(line, score) for line, score in lines] for path, lines in old["lines"]}
    found = _run(peer, tree(files, cache / name))
    kept.write_text(json.dumps({"stamp": stamp, "lines": list(found.items())}))
    return found


def _run(peer: Peer, root: Path) -> Flagged:
    argv = peer.listing or peer.argv
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        report = scratch / "report.json"
        # Called from within the folder: names above it are none of what is labelled.
        done = subprocess.run(
            argv(peer.bin, Path("data"), report), cwd=root, env=environment(scratch), check=False
        )
        if done.returncode not in peer.ok or peer.places is None:
            raise RuntimeError(f"{peer.name} failed with exit status {done.returncode}")
        return flagged(peer.places(report))


def flagged(places: Iterable[Place]) -> Flagged:
    """Every line of every place, once, with its highest score."""
    best: dict[str, dict[int, float]] = defaultdict(dict)
    for place in places:
        lines = best[place.path]
        for line in range(place.first, place.last + 1):
            lines[line] = max(place.score, lines.get(line, 0.0))
    return {path: sorted(best[path].items()) for path in sorted(best)}


def tree(files: Files, root: Path) -> Path:
    """The files in a folder, written anew when they are not the ones that it holds."""
    done = root / "digest"
    if not done.exists() or done.read_text() != digest(files):
        shutil.rmtree(root, ignore_errors=True)
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        done.write_text(digest(files))
    return root


def digest(files: Files) -> str:
    """Of paths and contents."""
    whole = hashlib.sha256()
    for path in sorted(files):
        whole.update(f"{path} {_sha256(files[path])}\n".encode())
    return whole.hexdigest()


@functools.cache
def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

"""Decoders: what text in other clothes says, and where each of its bytes comes from.

A decoder is given a text and a place in it, where a sign was seen (``signs``), and gives what the
text around the place stands for. It knows nothing of rules. ``detector.decoding`` drives them.
"""

from __future__ import annotations

from detector.decode.signs import Kind, Signs, signs_of
from detector.decode.types import Decoded, Text, Unfinished

__all__ = ["Decoded", "Kind", "Signs", "Text", "Unfinished", "signs_of"]

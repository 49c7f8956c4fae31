"""BrowseComp's encryption: its questions and answers are opened in memory and never written in clear.

The key is the SHA-256 of the row's canary, repeated; the text is XORed with it and written as base64 (the published
form of OpenAI's simple-evals). It keeps answers out of training data and search engines, nothing more.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import itertools


def opened(sealed: str, canary: str) -> str:
    """The text behind `sealed`.

    Raises:
        ValueError: it is not base64, or the canary is another one's.
    """
    try:
        return _xor(base64.b64decode(sealed, validate=True), canary).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as exc:
        raise ValueError("cannot be decrypted with its canary") from exc


def seal(text: str, canary: str) -> str:
    """`text` as it may be stored."""
    return base64.b64encode(_xor(text.encode("utf-8"), canary)).decode("ascii")


def _xor(data: bytes, canary: str) -> bytes:
    key = hashlib.sha256(canary.encode("utf-8")).digest()
    return bytes(a ^ b for a, b in zip(data, itertools.cycle(key), strict=False))

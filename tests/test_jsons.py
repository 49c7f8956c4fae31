"""JSON of strangers: counted before anything is made of it."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from hds_cli import jsons

BOMBS = {
    "lists": b'{"a": [' + b"[]," * 1_000_000 + b"[]]}",
    "objects": b"[" + b"{}," * 1_000_000 + b"{}]",
    "numbers": b"[" + b"1," * 1_500_000 + b"1]",
    "keys": b"{" + b",".join(b'"%d":1' % n for n in range(300_000)) + b"}",
    "nesting": b"[" * 1_000_000 + b"]" * 1_000_000,
    "quotes between": b"[" + b'"",' * 1_000_000 + b'""]',
    "a quote without an end": b"[" + b"1," * 1_000_000 + b'"' + b",\\" * 100,
    "a digit without an end": b"9" * 1_000_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_before_it_takes_room(name: str) -> None:
    """A `ValueError`, and no more memory than a few times its own size."""
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"values|deep|limit|digit|char|Expecting"):
            jsons.loads(BOMBS[name])
        assert tracemalloc.get_traced_memory()[1] < 4 * len(BOMBS[name]) + (1 << 20)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("text", ["1,234," * 500_000, '[{"' * 400_000, "\\" * 300_000, 'a\\",["' * 200_000, "渤海" * 9])
def test_signs_inside_of_a_text_are_no_values(text: str) -> None:
    """A long text of commas, brackets, quotes and backslashes comes back as it was."""
    assert jsons.loads(json.dumps({"text": text}).encode()) == {"text": text}


def test_bytes_that_are_not_utf_8_are_an_error_or_replaced() -> None:
    """As the caller wants it."""
    with pytest.raises(ValueError, match="utf-8"):
        jsons.loads(b'"\xff"')
    assert jsons.loads(b'"\xff"', errors="replace") == "\ufffd"


def test_many_megabytes_of_wide_letters_are_refused() -> None:
    """One emoji makes four bytes of each letter; hds itself writes ASCII."""
    with pytest.raises(ValueError, match="ASCII"):
        jsons.loads('"👩'.encode() + b"a" * jsons.MOST_WIDE + b'"')

"""Which watchers and which printer: the table of the contract."""

from __future__ import annotations

from typing import Any

import pytest

from hds_cli.render.choose import Choice, choose

TERMINAL: dict[str, Any] = {"stdout_tty": True, "stderr_tty": True, "term": "xterm"}
PIPE: dict[str, Any] = {"stdout_tty": False, "stderr_tty": True, "term": "xterm"}
NOTHING: dict[str, Any] = {"stdout_tty": False, "stderr_tty": False, "term": "xterm"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (TERMINAL, Choice("live", "terminal", True)),
        (TERMINAL | {"term": "dumb"}, Choice("plain", "terminal", True)),
        (TERMINAL | {"term": ""}, Choice("plain", "terminal", True)),
        (TERMINAL | {"quiet": True}, Choice("none", "bare", False)),
        (TERMINAL | {"format": "json"}, Choice("live", "json", True)),
        (TERMINAL | {"format": "jsonl"}, Choice("warnings", "jsonl", True)),
        (TERMINAL | {"format": "text"}, Choice("live", "text", True)),
        (TERMINAL | {"format": "html"}, Choice("live", "html", True)),
        (TERMINAL | {"plain": True}, Choice("plain", "terminal", True, linear=True)),
        (TERMINAL | {"timeline": True}, Choice("live", "terminal", True, timeline=True)),
        (TERMINAL | {"timeline": True, "quiet": True}, Choice("none", "bare", False)),
        (PIPE, Choice("live", "text", True)),
        (PIPE | {"format": "jsonl"}, Choice("live", "jsonl", True)),
        (PIPE | {"format": "tree"}, Choice("live", "terminal", True)),
        (PIPE | {"quiet": True, "format": "json"}, Choice("none", "json", False)),
        (PIPE | {"quiet": True, "verbose": True}, Choice("none", "bare", False)),
        (NOTHING, Choice("warnings", "text", False)),
        (NOTHING | {"verbose": True}, Choice("plain", "text", True)),
        (NOTHING | {"quiet": True}, Choice("none", "bare", False)),
        (NOTHING | {"plain": True}, Choice("plain", "text", True, linear=True)),
    ],
)  # fmt: skip
def test_choose_follows_the_contract(given: dict[str, Any], expected: Choice) -> None:
    """stdout carries the answer in the form its reader needs; stderr moves only on a capable terminal."""
    assert choose(**given) == expected

"""Hyperlinks are written for terminals that know them, and for no others."""

from __future__ import annotations

import pytest

from hds_cli.render import links
from hds_cli.render.text import link

XTERM = {"TERM": "xterm-256color"}


@pytest.mark.parametrize(
    "environ",
    [
        {"TERM": "xterm-kitty"},
        {"TERM": "foot-extra"},
        XTERM | {"VTE_VERSION": "7600"},
        XTERM | {"KONSOLE_VERSION": "230804"},
        XTERM | {"TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.5.0"},
        XTERM | {"TERM_PROGRAM": "vscode", "TERM_PROGRAM_VERSION": "1.90.1"},
        XTERM | {"WT_SESSION": "b2b4"},
        {"TERM": "tmux-256color", "TMUX": "/tmp/x", "TERM_PROGRAM": "tmux", "TERM_PROGRAM_VERSION": "3.4"},
    ],
)
def test_a_terminal_that_knows_links_gets_them(environ: dict[str, str]) -> None:
    """By its own name, its version, or the program that it says it is."""
    assert links.known(environ)
    assert not links.known(environ | {"NO_COLOR": "1"})
    assert not links.known(environ | {"TERM": "dumb"})


@pytest.mark.parametrize(
    "environ",
    [
        {},
        XTERM,
        {"TERM": "linux"},
        XTERM | {"VTE_VERSION": "5000"},
        XTERM | {"VTE_VERSION": "new"},
        XTERM | {"TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "2.9"},
        XTERM | {"TERM_PROGRAM": "Apple_Terminal", "TERM_PROGRAM_VERSION": "455"},
        {"TERM": "screen-256color", "TMUX": "/tmp/x", "VTE_VERSION": "7600"},
        {"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "TERM_PROGRAM_VERSION": "3.3a", "KITTY_WINDOW_ID": "1"},
    ],
)
def test_any_other_gets_plain_addresses(environ: dict[str, str]) -> None:
    """An unknown or old one, and one inside tmux or screen that does not pass them on."""
    assert not links.known(environ)


def test_an_address_is_a_link_where_the_terminal_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """The text is the same in both."""
    for term, spans in (("xterm-kitty", 1), ("xterm", 0)):
        monkeypatch.setenv("TERM", term)
        for name in ("NO_COLOR", "TERM_PROGRAM", "VTE_VERSION", "TMUX", "WT_SESSION", "KITTY_WINDOW_ID"):
            monkeypatch.delenv(name, raising=False)
        text = link("https://example.org/a")
        assert (text.plain, len(text.spans)) == ("https://example.org/a", spans)

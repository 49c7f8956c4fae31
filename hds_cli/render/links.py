"""Which terminals know hyperlinks (OSC 8): those that are known to. One that does not may print their addresses.

After the list of the terminals' own documentation that the package supports-hyperlinks keeps for Node and Rust.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

_TERMS = ("xterm-kitty", "alacritty", "foot", "contour", "wezterm", "xterm-ghostty", "ghostty", "rio", "mintty")
_PROGRAMS = {
    "iterm.app": (3, 1), "wezterm": (20200620,), "vscode": (1, 72), "ghostty": (), "zed": (), "hyper": (), "tabby": (),
    "mintty": (), "rio": (), "tmux": (3, 4),
}  # fmt: skip


def known(environ: Mapping[str, str] | None = None) -> bool:
    """True where the terminal that `environ` describes knows hyperlinks; `NO_COLOR` and `TERM=dumb` want none.

    In tmux and screen the outer terminal's variables are still there; only what they say themselves counts.
    """
    environ = os.environ if environ is None else environ
    term = environ.get("TERM", "").lower()
    if environ.get("NO_COLOR") or term in ("", "dumb", "unknown", "linux"):
        return False
    program = environ.get("TERM_PROGRAM", "").lower()
    if environ.get("TMUX") or term.startswith(("screen", "tmux")):
        return program == "tmux" and _version(environ.get("TERM_PROGRAM_VERSION", "")) >= _PROGRAMS["tmux"]
    if program in _PROGRAMS:
        return _version(environ.get("TERM_PROGRAM_VERSION", "")) >= _PROGRAMS[program]
    return (
        term.startswith(_TERMS)
        or _number(environ.get("VTE_VERSION", "")) > 5000  # that one crashes
        or _number(environ.get("KONSOLE_VERSION", "")) >= 210400
        or any(environ.get(name) for name in ("WT_SESSION", "DOMTERM", "KITTY_WINDOW_ID", "ALACRITTY_WINDOW_ID"))
    )


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"[0-9]{1,9}", text[:40])[:3])


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0

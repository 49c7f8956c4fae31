"""Make the README's picture of a real run: tmux draws it, Rich turns its screens into one SVG that plays them.

python tests/system/screenshot.py .assets/tree.svg -- hds ask --offline "What are the capitals of the countries that border Austria?"

A run that was kept is drawn at its own pace, under the line that asked for it (on a machine that is busy now):

python tests/system/screenshot.py .assets/tree.svg --as 'hds ask --offline "…"' -- hds history replay RUN

A viewer that plays nothing, and a reader who wants no motion, sees the last screen.
"""

from __future__ import annotations

import io
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH, HEIGHT = 100, 70
MOST = 24  # screens that are played, the last one apart
PAUSE = 6.0  # seconds that the last one stays
TMUX = ["tmux", "-L", "hds-shot"]
Screen = tuple[float, str]
"""When it was seen, in seconds, and what was on it."""

_PLAYED = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
{styles}
.screen {{ visibility: hidden }} .screen:last-of-type {{ visibility: visible }}
@media (prefers-reduced-motion: no-preference) {{
{moves}
}}
</style>
<rect fill="#292929" x="1" y="1" width="{inner}" height="{inner_height}" rx="8"/>
<g transform="translate(9, 12)" font-family="Fira Code, DejaVu Sans Mono, Menlo, monospace">
{screens}
</g>
</svg>
"""


def main() -> None:
    target, command = Path(sys.argv[1]), sys.argv[sys.argv.index("--") + 1 :]
    shown = sys.argv[sys.argv.index("--as") + 1] if "--as" in sys.argv else shlex.join(command)
    target.write_text(played(seen(shlex.join(command), shown)), encoding="utf-8")


def seen(line: str, asked: str) -> list[Screen]:
    """The screens of the command `line` below the prompt with `asked`, each different from the one before."""
    run = f"{line}; echo; echo READY; sleep 60"
    began = time.monotonic()
    subprocess.run(
        [*TMUX, "-f", "/dev/null", "new-session", "-d", "-x", str(WIDTH), "-y", str(HEIGHT), run], check=True
    )
    screens: list[Screen] = []
    try:
        while time.monotonic() - began < 300:
            time.sleep(0.1)
            screen = subprocess.run(
                [*TMUX, "capture-pane", "-e", "-p"], capture_output=True, text=True, check=True
            ).stdout
            shown = f"\x1b[2m$\x1b[0m {asked}\n{screen.split('READY')[0].rstrip()}"
            if not screens or screens[-1][1] != shown:
                screens.append((time.monotonic() - began, shown))
            if "READY" in screen:
                return screens
    finally:
        subprocess.run([*TMUX, "kill-server"], check=False)
    raise SystemExit("the run did not end")


def played(screens: list[Screen]) -> str:
    """The screens as one SVG; of many, evenly chosen ones."""
    step = max(1, -(-(len(screens) - 1) // MOST))
    chosen = [*screens[:-1:step], screens[-1]]
    end = chosen[-1][0] + PAUSE
    styles, moves, groups = [], [], []
    for number, (at, text) in enumerate(chosen):
        style, matrix = _drawn(text, f"s{number}")
        until = chosen[number + 1][0] if number + 1 < len(chosen) else end
        first, last = (100 * second / end for second in (at, until))
        shown = f"{first:.2f}% {{ visibility: visible }} {last:.2f}% {{ visibility: {'hidden' if until < end else 'visible'} }}"
        moves.append(f"@keyframes s{number} {{ 0% {{ visibility: hidden }} {shown} }}")
        moves.append(f"#s{number} {{ animation: s{number} {end:.1f}s step-end infinite }}")
        styles.append(style)
        groups.append(f'<g class="screen" id="s{number}">{matrix}</g>')
    rows = max(text.count("\n") + 1 for _, text in chosen)
    width, height = WIDTH * 12.2 + 18, rows * 24.4 + 24
    return _PLAYED.format(
        width=f"{width:.0f}", height=f"{height:.0f}", inner=f"{width - 2:.0f}", inner_height=f"{height - 2:.0f}",
        styles="\n".join(styles), moves="\n".join(moves), screens="\n".join(groups),
    )  # fmt: skip


def _drawn(text: str, name: str) -> tuple[str, str]:
    """The styles and the letters of one screen."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(text))
    svg = console.export_svg(code_format="{styles}\0{matrix}", unique_id=name)
    style, _, matrix = svg.partition("\0")
    # Rich clips every line; nothing is longer than the window here.
    return style, re.sub(r' clip-path="[^"]*"', ' font-size="20px"', matrix)


if __name__ == "__main__":
    main()

"""Make the README's picture from a real run: tmux draws it, Rich turns the screen into SVG.

python tests/system/screenshot.py .assets/tree.svg -- hds ask --offline "What are the capitals of Norway, Sweden and Finland?"
"""

from __future__ import annotations

import io
import shlex
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH, HEIGHT = 100, 70


def main() -> None:
    target, command = Path(sys.argv[1]), sys.argv[sys.argv.index("--") + 1 :]
    line = shlex.join(command)
    tmux = ["tmux", "-L", "hds-shot"]
    run = f"{line}; echo; echo READY; sleep 60"
    subprocess.run(
        [*tmux, "-f", "/dev/null", "new-session", "-d", "-x", str(WIDTH), "-y", str(HEIGHT), run], check=True
    )
    try:
        for _ in range(600):
            time.sleep(0.1)
            screen = subprocess.run(
                [*tmux, "capture-pane", "-e", "-p"], capture_output=True, text=True, check=True
            ).stdout
            if "READY" in screen:
                break
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)
    shown = "\n".join([f"\x1b[2m$\x1b[0m {line}", *screen.split("READY")[0].rstrip().splitlines()])
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(shown))
    console.save_svg(str(target), title="hds")


if __name__ == "__main__":
    main()

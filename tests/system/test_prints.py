"""stdout is the answer's: what a plugin prints, and what it starts prints, goes to stderr."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.conftest import command
from tests.system.outside import on_path

PLUGIN = '''
import os, subprocess, sys
from hds_cli import SearchResult, in_daemon

print("IMPORTED")

class Loud:
    """Prints wherever it can."""
    name, needs_network = "loud", False
    def __init__(self, *context):
        print("MADE")
    async def search(self, query, top_k):
        print("SEARCHED")
        await in_daemon(print, "FROM A THREAD")
        subprocess.run(["echo", "FROM A PROCESS"])
        os.system("echo FROM A SHELL")
        os.write(1, b"FROM BELOW\\n")
        return [SearchResult("loud:1", "One", "")]
'''


def test_only_results_reach_stdout(home: Path, tmp_path: Path) -> None:
    """Import, factory, search, a thread, a process, a shell, the file descriptor itself."""
    on_path(tmp_path / "p", "hds-loud", PLUGIN, [("hds.sources.v1", "loud", "Loud")])
    done = subprocess.run(
        [command(), "search", "-s", "loud", "anything"], capture_output=True, text=True, stdin=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "p")}, check=True,
    )  # fmt: skip
    assert done.stdout == "1\tOne\tloud:1\n"
    said = ("IMPORTED", "MADE", "SEARCHED", "FROM A THREAD", "FROM A PROCESS", "FROM A SHELL", "FROM BELOW")
    assert [word for word in said if word not in done.stderr] == []

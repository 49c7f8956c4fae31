"""The sources that work offline open no socket and look up no name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugins.books import make

_PROGRAM = """
import os, sys
def hook(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.bind"):
        if event == "socket.connect" and not isinstance(args[1], tuple):
            return
        os._exit(99)
sys.addaudithook(hook)
from hds_cli.cli import run
sys.exit(run(sys.argv[1:]))
"""


def audited(*args: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The command in a process that ends with 99 at any connection or look-up."""
    return subprocess.run(
        [sys.executable, "-c", _PROGRAM, *args], capture_output=True, text=True, check=False, env=os.environ | env
    )


@pytest.mark.parametrize("name", ["zim", "warc", "man"])
def test_offline_opens_no_socket(name: str, tmp_path: Path, home: Path) -> None:
    """Proven by an audit hook; searching and reading both happen (snippets of ZIM files are read pages)."""
    env: dict[str, str] = {}
    if name == "zim":
        env["HDS_ZIM_PATH"] = str(make(tmp_path / "small.zim"))
    elif name == "warc":
        pytest.importorskip("warcio", reason="warcio is not installed (extra warc)")
        from tests.plugins.test_warc import crawl

        env["HDS_WARC_PATH"] = str(crawl(tmp_path / "c.warc.gz"))
    elif shutil.which("man") is None:
        pytest.skip("no man here (apt install man-db)")
    query = "mandb" if name == "man" else "capital of Norway"
    done = audited("search", "--offline", "-s", name, "--json", query, env=env)
    assert done.returncode in (0, 3), done.stderr
    if name != "man":
        assert "Norway" in done.stdout


def test_the_hook_sees_a_source_of_the_web(home: Path) -> None:
    """So the test above can fail."""
    done = audited("search", "-s", "kiwix", "salt", env={"HDS_KIWIX_URL": "http://127.0.0.1:1"})
    assert done.returncode == 99

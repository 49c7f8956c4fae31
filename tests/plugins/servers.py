"""Real search servers of Debian (kiwix-tools, python3-searx) on loopback, for as long as a test lasts."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

SYSTEM_PYTHON = "/usr/bin/python3"  # Debian's packages are for Debian's Python


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def running(command: Sequence[str], url: str, log: Path, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """Start a server, wait until `url` answers, stop it in the end."""
    with log.open("wb") as out:
        process = subprocess.Popen(list(command), stdout=out, stderr=out, env={**os.environ, **(env or {})})
    try:
        for _ in range(300):
            if process.poll() is not None or _answers(url):
                break
            time.sleep(0.1)
        assert process.poll() is None, log.read_text()[-3000:]
        yield url
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2):
            return True
    except OSError:
        return False


@contextmanager
def kiwix_serve(books: Sequence[Path], log: Path, *options: str) -> Iterator[str]:
    """The address of a kiwix-serve with these ZIM files."""
    program = shutil.which("kiwix-serve")
    if program is None:
        pytest.skip("no kiwix-serve here (apt install kiwix-tools)")
    port = free_port()
    root = next((option.partition("=")[2] for option in options if option.startswith("--urlRootLocation=")), "")
    command = [program, "--address", "127.0.0.1", "--port", str(port), *options, *map(str, books)]
    with running(command, f"http://127.0.0.1:{port}{root}/", log) as url:
        yield url.rstrip("/")


@contextmanager
def searx(folder: Path, pages: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    """The address of a searx whose one engine is an SQLite table of `pages` (url, title, content) with full-text search.

    It has no engine that goes to the internet.
    """
    if not Path("/usr/lib/python3/dist-packages/searx/webapp.py").exists():
        pytest.skip("no searx here (apt install python3-searx)")
    folder.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(folder / "pages.sqlite") as db:
        db.execute("CREATE VIRTUAL TABLE pages USING fts5(url UNINDEXED, title, content)")
        db.executemany("INSERT INTO pages VALUES(?, ?, ?)", pages)
    db.close()
    port = free_port()
    settings = folder / "settings.yml"
    settings.write_text(json.dumps(_settings(port, folder / "pages.sqlite")))  # JSON is YAML
    command = [SYSTEM_PYTHON, "-m", "searx.webapp"]
    with running(command, f"http://127.0.0.1:{port}/", folder / "log", {"SEARX_SETTINGS_PATH": str(settings)}) as url:
        yield url.rstrip("/")


def _settings(port: int, database: Path) -> dict[str, object]:
    """All that Debian's searx reads; it has no defaults of its own."""
    share = "/usr/share/python3-searx"
    engine = {
        "name": "notes", "engine": "sqlite", "shortcut": "n", "categories": "general", "database": str(database),
        "query_str": "SELECT url, title, content FROM pages WHERE pages MATCH :query ORDER BY rank",
        "disabled": False, "timeout": 5.0,
    }  # fmt: skip
    return {
        "general": {"instance_name": "test", "debug": False, "contact_url": False},
        "search": {"safe_search": 0, "autocomplete": "", "default_lang": "", "formats": ["html", "json"]},
        "server": {
            "port": port, "bind_address": "127.0.0.1", "secret_key": "test", "base_url": False, "image_proxy": False,
            "http_protocol_version": "1.0", "method": "GET", "default_http_headers": {},
        },
        "ui": {
            "static_path": f"{share}/static", "templates_path": f"{share}/templates", "default_theme": "oscar",
            "default_locale": "", "theme_args": {"oscar_style": "logicodev"}, "results_on_new_tab": False, "query_in_title": False,
        },
        "outgoing": {"request_timeout": 3.0, "useragent_suffix": "", "pool_connections": 10, "pool_maxsize": 5, "enable_http2": False},
        "doi_resolvers": {"oadoi.org": "https://oadoi.org/"}, "default_doi_resolver": "oadoi.org",
        "locales": {"en": "English"}, "enabled_plugins": [], "engines": [engine],
    }  # fmt: skip

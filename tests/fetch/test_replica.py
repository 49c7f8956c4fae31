"""Every way in which the replica web misbehaves, and its canaries."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hds_cli.config import Settings
from tests.fetch.conftest import shared
from tests.fetch.test_client import fetch

WANTED = {
    "redirect-loop": {"too_many_redirects"}, "redirect-chain": {None}, "redirect-metadata": {"private_address"},
    "redirect-file": {"scheme"}, "redirect-internal": {"robots"}, "redirect-userinfo": {"userinfo"}, "meta-refresh": {"robots"},
    "infinite": {"too_big"}, "big": {"too_big"}, "gzip-bomb": {"bomb", "too_big"}, "drip": {"timeout"}, "hang": {"timeout"},
    "hang-body": {"timeout"}, "truncated": {"truncated"}, "reset": {"reset", "truncated"}, "bad-gzip": {"bad_encoding"},
    "bad-chunk": {"protocol", "truncated"}, "bad-charset": {None}, "unknown-charset": {None}, "utf16": {None}, "no-type": {None},
    "binary": {"not_text"}, "pdf": {"bad_pdf", "empty"}, "json": {None}, "empty": {"empty"}, "nul": {None}, "deep": {None},
    "huge-line": {None}, "many-headers": {"too_many_headers"}, "long-header": {"protocol"}, "header-split": {"http_404"},
    "status": {"http_503"}, "retry-date": {"http_503"}, "inject": {None},
}  # fmt: skip


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    tool = shared().parent / "tools" / "replica_web.py"
    corpus = shared("limit_small")
    if not tool.exists():
        pytest.skip("no replica web here")
    ready, log = tmp_path / "ready", tmp_path / "log"
    command = [
        sys.executable,
        str(tool),
        "serve",
        str(corpus),
        "--port",
        "0",
        "--ready-file",
        str(ready),
        "--log",
        str(log),
    ]
    process = subprocess.Popen([*command, "--hang-s", "8"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            if ready.exists() and ready.read_text().strip():
                break
            time.sleep(0.05)
        yield ready.read_text().strip(), log
    finally:
        process.kill()
        process.wait()


def test_every_hostile_path_ends_as_it_should_and_no_canary_sings(
    replica: tuple[str, Path], settings: Callable[..., Settings]
) -> None:
    """All kinds at once, typed and asked for by a model: the right reason each, and nobody reaches /internal/."""
    base, log = replica
    with urllib.request.urlopen(f"{base}/hostile/") as listing:
        assert set(json.load(listing)) == WANTED.keys()
    made = settings(fetch_allow=(base.removeprefix("http://"),), fetch_timeout=4.0)
    pages = fetch(made, *[f"{base}/hostile/{kind}" for kind in WANTED])
    for kind, page in zip(WANTED, pages, strict=True):
        assert page.reason in WANTED[kind], (kind, page.status, page.reason)
        assert page.seconds < 4.0 + 3.5, kind
    asked = fetch(made, *[f"{base}/hostile/{kind}?x" for kind in WANTED], typed=False)
    assert {page.reason for page in asked} == {"robots"}
    kinds = [json.loads(line)["kind"] for line in log.read_text("utf-8").splitlines()]
    assert "hostile" in kinds
    assert "canary" not in kinds

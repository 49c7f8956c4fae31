"""`hds fetch`: Markdown or one document on stdout, one line an error on stderr, 0 only if every page came."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hds_cli.commands.fetch import fetch
from tests.fetch.web import PAGE, Web, answer, web

app = typer.Typer()
app.command()(fetch)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Web]:
    with web() as running:
        monkeypatch.setenv("HDS_HOME", str(tmp_path))
        monkeypatch.setenv("HDS_FETCH_ALLOW", running.host)
        running.routes["/a"] = answer()
        yield running


def test_pages_are_printed_as_markdown(server: Web) -> None:
    """Title, address, text; nothing on stderr; exit 0."""
    done = CliRunner().invoke(app, [server.url + "/a"])
    assert done.exit_code == 0
    assert done.stdout.startswith(f"# Fine\n\n<{server.url}/a>\n\n")
    assert done.stderr == ""


def test_one_failure_is_named_and_the_others_are_printed(server: Web) -> None:
    """Exit 5, one line on stderr for each page that did not come."""
    done = CliRunner().invoke(app, [server.url + "/a", server.url + "/none", "http://10.0.0.1/", "ftp://x/"])
    assert done.exit_code == 5
    assert "ordinary page" in done.stdout
    lines = done.stderr.strip().split("\n")
    assert [line.rpartition("[")[2] for line in lines] == ["http_404]", "private_address]", "scheme]"]


def test_json_is_one_document_of_the_contract(server: Web) -> None:
    """Schema hds.fetch/1, in the order asked, ASCII only; the second time the page is cached."""
    for cached in (False, True):
        done = CliRunner().invoke(app, ["--json", server.url + "/none", server.url + "/a"])
        document = json.loads(done.stdout)
        assert done.exit_code == 5
        assert document["schema"] == "hds.fetch/1"
        missing, page = document["pages"]
        assert {"url", "final_url", "status", "reason", "title", "text", "bytes", "seconds", "cached"} <= page.keys()
        assert (missing["status"], missing["reason"]) == ("failed", "http_404")
        assert (page["status"], page["cached"]) == ("cached" if cached else "fetched", cached)
        assert page["bytes"] == len(PAGE)
        assert done.stdout.isascii()


def test_hostile_text_cannot_move_the_terminal(server: Web) -> None:
    """Escape sequences in title and text do not reach stdout or stderr."""
    evil = "\x1b]52;c;eA==\x07\x1b[2J\u202e\u009b31m"
    server.routes["/evil"] = answer(f"<title>{evil}</title><p>text {evil} more of this text</p>".encode())
    done = CliRunner().invoke(app, [server.url + "/evil", server.url + f"/none{evil}"])
    for stream in (done.stdout, done.stderr):
        assert not {c for c in stream if (ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) <= 0x9F or c == "\u202e"}


def test_offline_serves_what_is_kept_and_names_what_is_not(server: Web) -> None:
    """The cache answers without a request; anything else is exit 5."""
    CliRunner().invoke(app, [server.url + "/a"])
    before = len(server.seen)
    assert CliRunner().invoke(app, ["--offline", server.url + "/a"]).exit_code == 0
    missing = CliRunner().invoke(app, ["--offline", server.url + "/b"])
    assert missing.exit_code == 5
    assert "[offline]" in missing.stderr
    assert len(server.seen) == before


def test_addresses_are_read_from_stdin(server: Web) -> None:
    """`-`, one a line; the same address twice is one page."""
    done = CliRunner().invoke(app, ["-"], input=f"{server.url}/a\n\n{server.url}/a\n")
    assert done.exit_code == 0
    assert done.stdout.count("# Fine\n\n<") == 1


def test_verbose_ends_with_the_receipt(server: Web) -> None:
    """-v: every host with its requests and bytes."""
    done = CliRunner().invoke(app, ["-v", server.url + "/a"])
    assert f"127.0.0.1: 1 request, {len(PAGE)} bytes" in done.stderr

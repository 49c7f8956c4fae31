"""`hds model`: pulled from a hub that fails in every way, then listed, chosen and removed without a network."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Hds
from tests.engine import tiny
from tests.engine.hub_server import COMMIT, Hub, Repo

BIG = 25_000_000  # bytes after the weights: more than two of the pieces a download is written in


@pytest.fixture
def data(tmp_path: Path) -> bytes:
    """A model that loads, followed by what llama.cpp does not read."""
    return tiny.write(tmp_path / "made.gguf").read_bytes() + os.urandom(BIG)


@pytest.fixture
def hub(data: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """A hub with one small repository; HF_ENDPOINT names it."""
    files = {"README.md": b"hello", "Tiny-Q4_K_M.gguf": data, "Tiny-Q8_0.gguf": data + b"8", "mmproj-Q8_0.gguf": b"x"}
    parts = {f"Split-F16-0000{n}-of-00002.gguf": data + bytes([n]) for n in (1, 2)}
    hub = Hub(
        {
            "own/tiny": Repo(files),
            "own/split": Repo(parts),
            "own/gated": Repo(files, gated=True),
            "a/plain": Repo(files),
        }
    )
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    yield hub
    hub.shutdown()
    hub.server_close()


def folder(home: Path, name: str = "Tiny-Q4_K_M") -> Path:
    return home / "data" / "models" / name


def test_a_pulled_model_is_checked_recorded_and_ready_to_be_asked(hub: Hub, hds: Hds, home: Path, data: bytes) -> None:
    """Revision, licence and checksum stand in the record; the file is the hub's; nothing is left beside them."""
    done = hds("model", "pull", "own/tiny:q4_k_m")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert f"Tiny-Q4_K_M: 25.1 MB, licence apache-2.0, from own/tiny at {COMMIT[:12]}" in done.stderr
    record = json.loads((folder(home) / "model.json").read_text())
    assert (record["repo"], record["revision"], record["licence"], record["checked"]) == (
        "own/tiny",
        COMMIT,
        "apache-2.0",
        True,
    )
    assert record["files"] == [
        {"path": "Tiny-Q4_K_M.gguf", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    ]
    assert (folder(home) / "Tiny-Q4_K_M.gguf").read_bytes() == data
    assert sorted(p.name for p in folder(home).iterdir() if p.name != ".lock") == ["Tiny-Q4_K_M.gguf", "model.json"]
    again = hds("model", "pull", "own/tiny:Q4_K_M")
    assert "is here already" in again.stderr
    assert len(hub.gets()) == 1


def test_listing_choosing_and_removing_need_no_network(hub: Hub, hds: Hds, home: Path) -> None:
    """The hub is gone; list, info, use, ask's own look and remove work; other files of the folder survive nothing else."""
    hds("model", "pull", "own/tiny:Q4_K_M")
    hub.shutdown()
    asked = len(hub.requests)
    listed = json.loads(hds("model", "list", "--json").stdout)
    assert listed["models"][0]["name"] == "Tiny-Q4_K_M"
    info = json.loads(hds("model", "info", "Tiny-Q4_K_M", "--json").stdout)
    assert (info["repo"], info["architecture"], info["checked"]) == ("own/tiny", "llama", True)
    assert hds("model", "use", "own/tiny:Q4_K_M").returncode == 0
    assert hds("config", "get", "model").stdout == "Tiny-Q4_K_M\n"
    assert "* Tiny-Q4_K_M" in hds("model", "list").stdout
    refused = hds("model", "remove", "Tiny-Q4_K_M")
    assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
    removed = hds("model", "remove", "Tiny-Q4_K_M", "--yes")
    assert "it was the default" in removed.stderr
    assert not folder(home).exists()
    assert len(hub.requests) == asked


def test_a_line_that_breaks_once_is_gone_on_with(hub: Hub, hds: Hds, home: Path, data: bytes) -> None:
    """The rest is asked for by Range, and the whole has the right checksum."""
    hub.cut = [15_000_000]
    done = hds("model", "pull", "own/tiny:Q4_K_M")
    assert done.returncode == 0, done.stderr
    assert hub.gets()[0] is None
    assert hub.gets()[1] is not None
    assert (folder(home) / "Tiny-Q4_K_M.gguf").read_bytes() == data


def test_a_download_that_was_killed_is_gone_on_with_by_the_next(hub: Hub, hds: Hds, home: Path, data: bytes) -> None:
    """What the first left is kept and not fetched again."""
    hub.cut = [15_000_000]
    hub_down_after_the_cut(hub, hds)
    part = next(folder(home).glob(".*.part"))
    kept = part.stat().st_size
    assert 0 < kept < len(data)
    hub.down = False
    done = hds("model", "pull", "own/tiny:Q4_K_M")
    assert done.returncode == 0, done.stderr
    assert hub.gets()[-1] == f"bytes={kept}-"
    assert (folder(home) / "Tiny-Q4_K_M.gguf").read_bytes() == data
    assert not part.exists()


def test_a_download_that_broke_off_is_listed_and_can_be_removed(hub: Hub, hds: Hds, home: Path) -> None:
    """It takes room, so it is shown; it is no model to ask."""
    hub.cut = [15_000_000]
    hub_down_after_the_cut(hub, hds)
    rows = json.loads(hds("model", "list", "--json").stdout)["models"]
    assert (rows[0]["name"], rows[0]["from"]) == ("Tiny-Q4_K_M", "unfinished: pull it again")
    assert rows[0]["bytes"] > 1_000_000
    assert hds("model", "info", "Tiny-Q4_K_M").returncode == 4
    assert hds("model", "remove", "Tiny-Q4_K_M", "--yes").returncode == 0
    assert not folder(home).exists()


def hub_down_after_the_cut(hub: Hub, hds: Hds) -> None:
    """The line breaks, and every further request is refused."""
    import threading
    import time

    def watch() -> None:
        while not hub.gets():
            time.sleep(0.01)
        hub.down = True

    threading.Thread(target=watch, daemon=True).start()
    done = hds("model", "pull", "own/tiny:Q4_K_M")
    assert done.returncode == 4
    assert "502" in done.stderr or "are kept" in done.stderr


def test_a_server_without_ranges_begins_anew_and_the_checksum_still_holds(
    hub: Hub, hds: Hds, home: Path, data: bytes
) -> None:
    """The answer 200 to a Range replaces what was there."""
    hub.cut, hub.ranges = [15_000_000], False
    assert hds("model", "pull", "own/tiny:Q4_K_M").returncode == 0
    assert (folder(home) / "Tiny-Q4_K_M.gguf").read_bytes() == data


def test_a_wrong_checksum_is_an_error_and_the_file_goes(hub: Hub, hds: Hds, home: Path) -> None:
    """Neither the file nor a record of it stays."""
    hub.repos["own/tiny"].told["Tiny-Q4_K_M.gguf"] = "0" * 64
    done = hds("model", "pull", "own/tiny:Q4_K_M")
    assert done.returncode == 4
    assert done.stderr.splitlines()[-2].startswith("hds: error[checksum]: Tiny-Q4_K_M.gguf has another checksum")
    assert [p.name for p in folder(home).iterdir() if p.name != ".lock"] == []
    assert "Tiny" not in hds("model", "list").stdout


@pytest.mark.parametrize(
    ("reference", "code", "exit_code", "words"),
    [
        ("own/gated:Q4_K_M", "gated", 4, "accepted its terms"),
        ("own/none", "model_missing", 4, "no model own/none"),
        ("own/tiny@v9", "model_missing", 4, "no such revision"),
        ("own/tiny:Q2_K", "model_missing", 4, "no GGUF file Q2_K"),
        ("own/tiny", "usage", 2, "2 such files"),
        ("nonsense", "usage", 2, "no model that can be pulled"),
        ("{url}/files/a/plain/none.gguf", "model_missing", 4, "there is no"),
        ("{url}/files/a/plain/README.md", "usage", 2, "no address of a .gguf file"),
        ("http://127.0.0.1:9/x.gguf", "download_broken", 4, "is the network up?"),
    ],
)
def test_what_cannot_be_pulled_is_one_line_and_a_hint(
    hub: Hub, hds: Hds, reference: str, code: str, exit_code: int, words: str
) -> None:
    """Each with its own code; nothing is left behind."""
    done = hds("model", "pull", "--yes", reference.format(url=hub.url))
    assert done.returncode == exit_code, done.stderr
    assert f"hds: error[{code}]" in done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_split_model_is_one_model(hub: Hub, hds: Hds, home: Path) -> None:
    """Both parts lie in one folder, and the first is what llama.cpp is given."""
    assert hds("model", "pull", "own/split:F16").returncode == 0
    info = json.loads(hds("model", "info", "Split-F16", "--json").stdout)
    assert info["file"].endswith("Split-F16-00001-of-00002.gguf")
    assert len(list(folder(home, "Split-F16").glob("*.gguf"))) == 2


def test_an_address_is_pulled_and_its_checksum_can_be_given(hub: Hub, hds: Hds, data: bytes) -> None:
    """Without one that is said; with a wrong one the file goes; the user's token is not sent to a stranger."""
    url = f"{hub.url}/files/a/plain/Tiny-Q4_K_M.gguf"
    wrong = hds("model", "pull", url, "--sha256", "f" * 64)
    assert (wrong.returncode, "error[checksum]" in wrong.stderr) == (4, True)
    stranger = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_TOKEN": "hf_secretsecretsecret"}
    done = hds("model", "pull", url, env=stranger)
    assert (done.returncode, "names no checksum" in done.stderr) == (0, True)
    assert {authorization for *_, authorization in hub.requests} == {None}
    info = json.loads(hds("model", "info", "Tiny-Q4_K_M", "--json").stdout)
    assert (info["url"], info["sha256"], info["checked"]) == (url, hashlib.sha256(data).hexdigest(), False)


def test_the_users_token_goes_to_the_hub_alone(hub: Hub, hds: Hds) -> None:
    """As `Authorization`, and never onto the screen; nothing but the model is asked for."""
    done = hds("model", "pull", "own/tiny:Q4_K_M", env={"HF_TOKEN": "hf_secretsecretsecret"})
    assert {authorization for *_, authorization in hub.requests} == {"Bearer hf_secretsecretsecret"}
    assert "secret" not in done.stdout + done.stderr
    assert all("own/tiny" in path for _, path, *_ in hub.requests)


def asking(limit: int) -> list[str]:
    """The command, asked to call `limit` bytes large."""
    code = (
        f"import hds_cli.commands.model as m; m.LARGE = {limit}; from hds_cli.cli import run; "
        "raise SystemExit(run(['model', 'pull', 'own/tiny:Q4_K_M']))"
    )
    return [sys.executable, "-c", code]


def test_a_large_download_is_not_begun_in_a_script_without_yes(hub: Hub, home: Path) -> None:
    """Size and licence are said; nothing is fetched."""
    done = subprocess.run(asking(1000), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert (done.returncode, hub.gets()) == (2, [])
    assert "25.1 MB would be downloaded, licence apache-2.0" in done.stderr
    assert "hint: hds model pull own/tiny:Q4_K_M --yes" in done.stderr


@pytest.mark.parametrize(("said", "code", "fetched"), [(b"n\n", 130, 0), (b"y\n", 0, 1)])
def test_a_large_download_is_asked_about_on_a_terminal(
    hub: Hub, home: Path, said: bytes, code: int, fetched: int
) -> None:
    """Only `y` begins it, and then there is a progress bar."""
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    process = subprocess.Popen(asking(1000), stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, said)
    shown = b""
    with contextlib.suppress(OSError):
        while piece := os.read(ours, 4096):
            shown += piece
    assert (process.wait(60), len(hub.gets())) == (code, fetched)
    assert b"Download it?" in shown
    assert (b"100%" in shown) == bool(fetched)


def test_no_room_on_the_disk_is_said_before_anything_is_fetched(hub: Hub, hds: Hds, home: Path) -> None:
    """Exit 74 with both figures; judged by the size the hub tells."""
    from hds_cli.engine.files import hub as ours
    from hds_cli.engine.files.hub import Plan, RemoteFile
    from hds_cli.errors import OutputError

    huge = Plan("huge", "own/huge", (RemoteFile("huge.gguf", hub.url + "/files/a/plain/x", 10**15, "0" * 64),))
    with pytest.raises(OutputError) as raised:
        ours.download(huge)
    assert (raised.value.error_code, raised.value.exit_code) == ("disk_full", 74)
    assert "1000000.0 GB more" in raised.value.message
    assert hub.gets() == []


def test_names_from_a_hostile_hub_stay_in_their_folder(hub: Hub, hds: Hds, home: Path, data: bytes) -> None:
    """A path that climbs, hides or carries an escape sequence is no file of the model."""
    names = ["../../../evil.gguf", "/evil.gguf", ".hidden.gguf", "a/../b.gguf", "x\x1b[2J.gguf"]
    hub.repos["own/evil"] = Repo(dict.fromkeys(names, data))
    done = hds("model", "pull", "own/evil")
    assert done.returncode == 4
    assert "no GGUF file" in done.stderr
    assert "\x1b" not in done.stderr
    assert not list(home.parent.rglob("*evil*.gguf"))


def test_offline_pulls_nothing(hub: Hub, hds: Hds) -> None:
    """A usage error, and not one request."""
    done = hds("model", "pull", "own/tiny:Q4_K_M", env={"HDS_OFFLINE": "1"})
    assert (done.returncode, hub.requests) == (2, [])


def test_two_pulls_of_one_model_do_not_mix(hub: Hub, hds: Hds, home: Path) -> None:
    """The second says that the first is at work."""
    from filelock import FileLock

    folder(home).mkdir(parents=True)
    with FileLock(folder(home) / ".lock"):
        done = hds("model", "pull", "own/tiny:Q4_K_M")
    assert (done.returncode, "being pulled already" in done.stderr) == (4, True)


def test_any_local_file_stays_usable_by_its_path(hds: Hds, tmp_path: Path) -> None:
    """`use` writes the whole path; the short name of a package's model stays short."""
    path = tiny.write(tmp_path / "mine.gguf")
    assert hds("model", "use", str(path)).returncode == 0
    assert hds("config", "get", "model").stdout.strip() == str(path)
    (tmp_path / "page.gguf").write_text("<html>")
    done = hds("model", "use", str(tmp_path / "page.gguf"))
    assert (done.returncode, "web page" in done.stderr) == (4, True)


def test_a_name_nearly_right_is_guessed(hub: Hub, hds: Hds) -> None:
    """The hint names the model, or the pull that brings it."""
    hds("model", "pull", "own/tiny:Q4_K_M")
    assert "Tiny-Q4_K_M" in hds("model", "info", "Tiny-Q4_KM").stderr
    assert "hint: hds model pull hds:Q8_0" in hds("model", "info", "hds:Q8_0").stderr

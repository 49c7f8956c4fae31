"""A home that is read-only or full, and one of another user: the right words and codes, in every command."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.conftest import Hds, command

Inside = Callable[..., "subprocess.CompletedProcess[str]"]
KINDS = {"read-only": "size=20m", "full": "size=64k"}


@pytest.fixture(params=KINDS)
def inside(request: pytest.FixtureRequest, home: Path, tmp_path: Path) -> Inside:
    """Runs commands, one after the other, with HDS_HOME on a file system of that kind; the last one's outcome."""
    disk = tmp_path / "disk"
    disk.mkdir()
    spoil = (
        "mount -o remount,ro $0"
        if request.param == "read-only"
        else "head -c 99999 /dev/zero > $0/filler 2> /dev/null; true"
    )
    prepare = f'mount -t tmpfs -o {KINDS[request.param]} tmpfs "$0" && mkdir "$0/home" && {spoil} && exec "$@"'

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        shell: Sequence[str] = ["unshare", "-m", "bash", "-c", prepare, str(disk)]
        if (
            shutil.which("unshare") is None
            or subprocess.run([*shell, "true"], capture_output=True, check=False).returncode
        ):
            pytest.skip("no file system can be mounted here")
        env = os.environ | {"HDS_HOME": str(disk / "home")}
        return subprocess.run(
            [*shell, command(), *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env, check=False
        )

    return run


def test_what_a_package_brings_is_searched_all_the_same(inside: Inside) -> None:
    """Built where there is room."""
    pytest.importorskip("countryinfo")
    for source in ("world", "local"):
        done = inside("search", "-s", source, "capital of Peru")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("1\tPeru\t")


@pytest.mark.parametrize(
    "args",
    [
        ["config", "set", "top_k", "4"],
        ["model", "use", "starter"],
        ["index", "add", "/etc/hostname", "--name", "mine"],
    ],
)
def test_what_cannot_be_kept_is_74_and_names_the_disk(inside: Inside, args: list[str]) -> None:
    """Not a bug, not a damaged collection."""
    done = inside(*args)
    assert done.returncode == 74
    assert done.stderr.startswith("hds: error[output]: ")
    assert any(
        word in done.stderr for word in ("Read-only file system", "No space left", "disk is full", "cannot be written")
    )


@pytest.mark.parametrize(
    "args", [["index", "list"], ["history", "list"], ["cache", "info"], ["config", "show"], ["plugins", "list"]]
)
def test_what_only_looks_works(inside: Inside, args: list[str]) -> None:
    """There is nothing to see; that is no error."""
    done = inside(*args)
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr


def test_keys_of_another_user_are_refused(hds: Hds, home: Path) -> None:
    """Whoever owns the file, or the folder that it is in, could read or change it."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    folder = home / "config"
    folder.mkdir(parents=True)
    keys = folder / "keys.toml"
    keys.write_text('brave = "0123456789abcdef"\n')
    keys.chmod(0o600)
    assert hds("config", "show").returncode == 0
    for place in (keys, folder):
        os.chown(place, 12345, 12345)
        done = hds("config", "show")
        assert (done.returncode, f"{place} belongs to another user" in done.stderr) == (2, True)
        os.chown(place, 0, 0)

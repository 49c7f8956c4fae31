"""`hds man` and `hds completions --install`: for those whose installer puts neither where it is looked for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from hds_cli.shells import SCRIPTS
from tests.conftest import ROOT, Hds


def test_every_page_is_shown_as_text_in_a_pipe(hds: Hds) -> None:
    """Named with or without `hds`; no roff is left in it."""
    names = hds("man", "--list").stdout.split()
    assert names == sorted(path.stem for path in (ROOT / "man").glob("*.1"))
    for name in names:
        text = hds("man", name).stdout
        assert "EXIT STATUS" in text
        assert not {line for line in text.splitlines() if line.startswith(".") or "\\f" in line or "\\-" in line}
        assert max(map(len, text.splitlines())) < 200
    assert hds("man", "ask").stdout == hds("man", "hds-ask").stdout
    wrong = hds("man", "fetsch")
    assert (wrong.returncode, "hds man fetch" in wrong.stderr) == (2, True)


def test_the_text_is_what_man_shows(hds: Hds) -> None:
    """The same words as groff makes of the page."""
    if shutil.which("man") is None:
        pytest.skip("no man here")
    page = ROOT / "man" / "hds-cache.1"
    shown = subprocess.run(["man", "-P", "cat", str(page)], capture_output=True, text=True, check=True).stdout
    body = shown.split("NAME", 1)[1].rsplit("\n", 3)[0]
    ours = hds("man", "cache").stdout.split("NAME", 1)[1]
    join = lambda text: "".join(text.split()).translate(dict.fromkeys(map(ord, "-‐−")))  # noqa: E731
    assert join(body)[:4000] == join(ours)[:4000]


@pytest.mark.parametrize("shell", SCRIPTS)
def test_the_script_is_put_where_the_shell_looks(hds: Hds, tmp_path: Path, shell: str) -> None:
    """A second time changes nothing; what else is in a shell's own file stays."""
    env = {"HOME": str(tmp_path), "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": "", "ZDOTDIR": "", "SHELL": f"/bin/{shell}"}
    (tmp_path / ".zshrc").write_text("alias x=y")
    (tmp_path / ".bashrc").write_text("alias x=y")
    done = hds("completions", "--install", env=env)
    assert done.returncode == 0, done.stderr
    before = {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert (tmp_path / ".zshrc").read_text().startswith("alias x=y")
    assert any(text == SCRIPTS[shell] for text in before.values()) or shell == "powershell"
    assert hds("completions", shell, "--install", env=env).returncode == 0
    assert {path: path.read_text() for path in before} == before

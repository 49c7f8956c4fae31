"""A virtual environment with an installed `hds`, and distributions of strangers to install into it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Sequence
from pathlib import Path

from tests.conftest import ROOT

_PIP = ["install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
_PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "1.2"
{points}
[tool.hatch.build]
include = ["*.py"]
"""


class Place:
    """An environment of its own for `hds` and plugins; what `hds` needs comes from the one that runs the tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder / "venv", with_pip=False)
        self.python = folder / "venv" / "bin" / "python"
        self.site = next((folder / "venv" / "lib").glob("python*")) / "site-packages"
        needed = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
        (self.site / "needed.pth").write_text(needed)
        self.install(ROOT)

    def pip(self, *args: str) -> None:
        command = [sys.executable, "-m", "pip", "--python", str(self.python), *args]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def install(self, *folders: Path) -> None:
        self.pip(*_PIP, *map(str, folders))

    def uninstall(self, *names: str) -> None:
        self.pip("uninstall", "--quiet", "--yes", *names)

    def files(self) -> set[str]:
        """What is installed, compiled files aside."""
        every = (str(path.relative_to(self.site)) for path in self.site.rglob("*"))
        return {path for path in every if "__pycache__" not in path}

    def hds(
        self, *args: str, home: Path, env: dict[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the installed command."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("HDS_", "PYTHON"))}
        return subprocess.run(
            [str(self.python.with_name("hds")), *args],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=kept | {"HDS_HOME": str(home), "HDS_N_THREADS": "1"} | (env or {}),
            cwd=cwd,
            timeout=120,
            check=False,
        )


def distribution(folder: Path, name: str, code: str, points: Sequence[tuple[str, str, str]]) -> Path:
    """A project folder: one module (the name with `_`), and entry points as (group, name, object)."""
    folder = folder / name
    folder.mkdir(parents=True)
    module = name.replace("-", "_")
    (folder / f"{module}.py").write_text(code)
    groups: dict[str, list[str]] = {}
    for group, point, thing in points:
        groups.setdefault(group, []).append(f'{point} = "{module}:{thing}"')
    tables = "\n".join(f'[project.entry-points."{group}"]\n' + "\n".join(lines) for group, lines in groups.items())
    (folder / "pyproject.toml").write_text(_PROJECT.format(name=name, points=tables))
    return folder


def on_path(folder: Path, name: str, code: str, points: Sequence[tuple[str, str, str]]) -> Path:
    """As `distribution`, already installed: a folder for PYTHONPATH, with the metadata that an installer writes."""
    module = name.replace("-", "_")
    about = folder / f"{module}-1.2.dist-info"
    about.mkdir(parents=True)
    (folder / f"{module}.py").write_text(code)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    lines = [f"[{group}]\n{point} = {module}:{thing}" for group, point, thing in points]
    (about / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return folder

"""`hds plugins`, and outside plugins that are broken in every way: none of them harms anybody else (figure F26)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Hds

GOOD = '''
from hds_cli import Page, SearchResult, SourceContext


class Tides:
    """Tide tables of one harbour."""

    needs_network = False

    def __init__(self, name: str, context: SourceContext) -> None:
        self.name = name

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        return [SearchResult("https://tides.example/today", "Tides today", f"high water for {query}")][:top_k]

    async def read(self, url: str) -> Page | None:
        return Page(url=url, title="Tides today", text="High water at noon.")
'''
BROKEN = {
    "missing": "import a_module_that_is_not_there",
    "exits": "raise SystemExit(3)",
    "raises": "raise RuntimeError('at import: \\x1b[31mred sk-CANARY-0123456789')",
    "syntax": "def (",
    "nameless": "x = 1",
    "noisy": GOOD + "print('NOISE ON STDOUT')\n",
    "deep": "import sys\ndef f():\n    f()\nf()",
}
Install = Callable[..., dict[str, str]]


@pytest.fixture
def outside(tmp_path: Path) -> Install:
    """Installs distributions as pip leaves them behind (a module and a .dist-info folder); returns the environment."""

    def install(**modules: str) -> dict[str, str]:
        site = tmp_path / "site"
        for name, code in modules.items():
            package = site / f"hds_{name}"
            package.mkdir(parents=True)
            (package / "__init__.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'a').write('{name} ')\n")
            (package / "source.py").write_text(code)
            info = site / f"hds_{name}-1.2.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: hds-{name}\nVersion: 1.2\n")
            (info / "INSTALLER").write_text("pip\n")
            group = "hds.sources.v9" if name == "future" else "hds.sources.v1"
            (info / "entry_points.txt").write_text(f"[{group}]\n{name} = hds_{name}.source:Tides\n")
        return {"PYTHONPATH": str(site), "HDS_BRAVE_API_KEY": "sk-CANARY-0123456789"}

    return install


def listed(hds: Hds, env: dict[str, str]) -> dict[str, dict[str, str]]:
    done = hds("plugins", "list", "--json", env=env)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "hds.plugins/1"
    return {row["name"]: row for row in document["plugins"]}


def test_an_outside_plugin_is_listed_without_being_imported_and_works(
    hds: Hds, outside: Install, tmp_path: Path
) -> None:
    """Name, kind, distribution, version and path from its metadata; it loads when it is asked for, and searches."""
    env = outside(tides=GOOD)
    row = listed(hds, env)["tides"]
    assert (row["kind"], row["distribution"], row["version"]) == ("sources.v1", "hds-tides", "1.2")
    assert row["path"] == str(tmp_path / "site" / "hds_tides" / "source.py")
    line = next(x for x in hds("plugins", "list", env=env).stdout.splitlines() if x.startswith("tides"))
    assert "hds-tides 1.2" in line
    assert not (tmp_path / "imported").exists()
    info = hds("plugins", "info", "tides", env=env)
    assert (info.returncode, "loads:        yes" in info.stdout) == (0, True)
    assert "Tide tables of one harbour." in info.stdout
    found = hds("search", "-s", "tides", "--json", "Dover", env=env)
    assert json.loads(found.stdout)["queries"][0]["results"][0]["snippet"] == "high water for Dover"


def test_the_first_party_plugins_are_listed(hds: Hds) -> None:
    """Ours go through the same door; each has a file."""
    rows = listed(hds, {})
    assert {"local", "searxng", "wikipedia", "arxiv", "brave", "starter", "world"} <= set(rows)
    assert {row["distribution"] for row in rows.values()} == {"hds-cli"}
    assert all(Path(row["path"]).is_file() for row in rows.values())


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_harms_nobody(name: str, hds: Hds, outside: Install, tmp_path: Path) -> None:
    """It is listed; asked for, it is one line that names its distribution; all else works beside it."""
    env = outside(**{name: BROKEN[name], "tides": GOOD})
    assert {name, "tides"} <= set(listed(hds, env))
    for args in (["--help"], ["--version"], ["cache", "info"], ["plugins", "list"]):
        assert hds(*args, env=env).returncode == 0
    assert not (tmp_path / "imported").exists()
    assert hds("search", "-s", "tides", "Dover", env=env).returncode == 0
    info = hds("plugins", "info", name, "--json", env=env)
    (row,) = json.loads(info.stdout)["plugins"]
    if name == "noisy":
        assert (info.returncode, row["loads"]) == (0, True)
        return
    assert (info.returncode, row["loads"]) == (2, False)
    assert f"hds-{name}" in row["problem"]
    done = hds("search", "-s", name, "Dover", env=env)
    assert done.returncode == 2
    assert done.stderr.startswith("hds: error[plugin]: ")
    assert f"hds-{name}" in done.stderr
    for text in (done.stdout + done.stderr, info.stdout + info.stderr):
        assert "Traceback" not in text
        assert "\x1b" not in text
        assert "CANARY" not in text


@pytest.mark.parametrize(
    "body", ["raise ValueError('sk-CANARY-0123456789 \\x1b[31m')", "return None", "return [1, None]", "return 5"]
)
def test_a_plugin_that_breaks_in_a_search_costs_its_own_results(body: str, hds: Hds, outside: Install) -> None:
    """The other source answers; the failure is named, as text without power and without a key."""
    search = GOOD[: GOOD.index("        return [")] + f"        {body}\n"
    env = outside(bad=search, tides=GOOD)
    done = hds("search", "-s", "bad", "-s", "tides", "Dover", env=env)
    assert done.returncode == 0, done.stderr
    assert "Tides today" in done.stdout
    assert "warning: bad: " in done.stderr
    assert "CANARY" not in done.stderr
    assert "\x1b" not in done.stderr


def test_a_plugin_of_another_version_of_the_door_is_said(hds: Hds, outside: Install, tmp_path: Path) -> None:
    """It is listed with its kind, and not imported."""
    env = outside(future="raise SystemExit(9)")
    assert listed(hds, env)["future"]["kind"] == "sources.v9"
    done = hds("plugins", "info", "future", env=env)
    assert done.returncode == 2
    assert "does not know the kind hds.sources.v9" in done.stdout
    assert not (tmp_path / "imported").exists()


def test_outside_plugins_can_be_left_out_and_do_not_replace_ours(hds: Hds, outside: Install) -> None:
    """`HDS_NO_PLUGINS=1`; and a stranger's `wikipedia` does not become ours."""
    env = outside(tides=GOOD, wikipedia="raise SystemExit(9)")
    assert listed(hds, env)["wikipedia"]["distribution"] == "hds-cli"
    assert "tides" not in listed(hds, env | {"HDS_NO_PLUGINS": "1"})


def test_a_name_that_is_not_there_is_an_error_with_a_hint(hds: Hds) -> None:
    """One line, and the nearest name."""
    done = hds("plugins", "info", "wikipeda")
    assert done.returncode == 2
    assert done.stderr == "hds: error[plugin]: there is no plugin 'wikipeda'\nhint: hds plugins info wikipedia\n"

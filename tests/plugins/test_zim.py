"""ZIM files as sources: made by libzim's writer, searched and read by the installed command."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from hds_cli.config import Settings, SourceSettings
from hds_cli.errors import ConfigError, SourceError
from hds_cli.fetch.client import Fetcher
from hds_cli.search import linked, sources
from hds_cli.search.base import SourceContext
from hds_cli.types import Page, SearchResult
from hds_zim.archive import ZimFile
from tests.conftest import Hds
from tests.fetch.conftest import run
from tests.plugins.books import ARTICLES, make

Make = Callable[..., Settings]
BLOCK = "<think>\nOne thing.\n</think>\n\n<|begin_search_queries|>\ncapital of Norway\n<|end_search_queries|>"
ANSWER = "done\n</think>\n\n\\boxed{Oslo}"


@pytest.fixture
def zim(tmp_path: Path) -> Path:
    return make(tmp_path / "small.zim", redirects={"Kingdom of Norway": "Norway"})


def with_source(name: str, made: Settings, work: Callable[[Any], Any]) -> Any:
    """Make the source as a command does, and do something with it."""

    async def inside() -> Any:
        async with Fetcher(made) as fetcher:
            (source,) = sources.open_sources(
                [name], SourceContext(made, fetcher.api, None, fetcher.extract, archive=fetcher.archive)
            )
            return await work(source)

    return run(inside())


def search(path: Path, settings: Make, query: str, top_k: int = 5) -> list[SearchResult]:
    made = settings(offline=True, sources={"zim": SourceSettings(path=str(path))})
    found: list[SearchResult] = with_source("zim", made, lambda source: source.search(query, top_k))
    return found


def read(path: Path, settings: Make, url: str) -> Page | None:
    made = settings(offline=True, sources={"zim": SourceSettings(path=str(path))})
    page: Page | None = with_source("zim", made, lambda source: source.read(url))
    return page


def test_a_zim_file_is_a_source_by_name(hds: Hds, zim: Path) -> None:
    """`hds index add FILE.zim --name NAME`, then it is listed, searched offline, part of `local`, and forgotten again."""
    added = hds("index", "add", str(zim), "--name", "wiki")
    assert added.returncode == 0, added.stderr
    count = len(ARTICLES) + 1  # and one redirect
    assert f"wiki: {count} documents" in added.stderr
    rows = json.loads(hds("index", "list", "--json").stdout)["collections"]
    assert {"name": "wiki", "documents": count, "bytes": zim.stat().st_size, "origin": str(zim)} in rows
    for source in ("wiki", "local"):
        done = hds("search", "--offline", "-s", source, "--json", "capital of Norway")
        results = json.loads(done.stdout)["queries"][0]["results"]
        assert results[0]["source"] == "wiki" or source == "local", done.stderr
        assert "zim://small/Norway" in [row["url"] for row in results]
    assert hds("index", "remove", "wiki").returncode == 0
    assert zim.exists()
    assert hds("search", "--offline", "-s", "wiki", "Norway").returncode == 2


def test_a_question_is_answered_from_a_zim_file_alone(hds: Hds, zim: Path, script: Callable[..., str]) -> None:
    """Offline, with a citation whose quote stands in the article."""
    hds("index", "add", str(zim), "--name", "wiki")
    done = hds(
        "ask", "--offline", "-s", "wiki", "-e", "scripted", "-m", script(BLOCK, ANSWER), "--json", "Capital of Norway?"
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["answer"] == "Oslo"
    assert answer["egress"] == []
    assert [(c["url"], c["verified"]) for c in answer["citations"]] == [("zim://small/Norway", True)]


def test_words_are_dropped_until_something_is_found(zim: Path, settings: Make) -> None:
    """No article has `capital`, `Sweden` and `fjord`; those with some of the words come, what has most of them first."""
    found = search(zim, settings, "rock salt mineral of Wieliczka in Poland")
    assert found[0].url == "zim://small/Halite"
    assert "rock salt, is a mineral" in found[0].snippet
    assert [r.rank for r in found] == list(range(1, len(found) + 1))
    assert search(zim, settings, "zeppelin xylophone") == []


def test_an_accent_or_an_ending_does_not_matter(zim: Path, settings: Make) -> None:
    """Xapian folds accents and stems: `guerande` finds `Guérande`, `minerals` finds `mineral`."""
    assert search(zim, settings, "guerande")[0].title == "Sea salt"
    assert search(zim, settings, "minerals")[0].title == "Halite"


def test_a_redirect_leads_to_its_article_once(zim: Path, settings: Make) -> None:
    """The title of a redirect finds the article under the article's own address."""
    urls = [r.url for r in search(zim, settings, "Kingdom of Norway")]
    assert urls[0] == "zim://small/Norway"
    assert len(urls) == len(set(urls))
    page = read(zim, settings, "zim://small/Kingdom_of_Norway")
    assert page is not None
    assert "The capital of Norway is Oslo" in page.text


def test_an_article_is_read_by_the_normal_extractor(tmp_path: Path, settings: Make) -> None:
    """Headings are Markdown, scripts are gone; what is not in the file is not a page."""
    first, second = (
        " ".join(ARTICLES.values()),
        " ".join(f"In {year} it was sold for gold." for year in range(900, 940)),
    )
    text = f"<p>{first}</p><h2>History</h2><p>{second}</p><script>bad()</script>"
    path = make(tmp_path / "one book.zim", {"Salt & sea": text})
    page = read(path, settings, "zim://one%20book/Salt_%26_sea")
    assert page is not None
    assert page.ok
    assert page.title == "Salt & sea"
    assert "## History" in page.text
    assert "bad()" not in page.text
    for other in (
        "zim://one%20book/Nope",
        "zim://other/Salt_%26_sea",
        "https://example.org/",
        "zim://",
        "zim://one%20book/../x",
    ):
        assert read(path, settings, other) is None


def test_without_a_full_text_index_titles_are_searched_and_it_is_said(hds: Hds, tmp_path: Path) -> None:
    """`index add` names the lack; a query finds the articles whose titles it names."""
    path = make(tmp_path / "bare.zim", index=False)
    assert "no full-text index" in hds("index", "add", str(path)).stderr
    done = hds("search", "--offline", "-s", "bare", "--json", "capital of Norway", "iron age finds")
    urls = [[row["url"] for row in query["results"]] for query in json.loads(done.stdout)["queries"]]
    assert urls[0] == ["zim://bare/Norway"]
    assert urls[1][0] == "zim://bare/Iron_Age"


def test_a_folder_of_zim_files_is_one_source(tmp_path: Path, settings: Make) -> None:
    """The files below the path are searched together; each result says which it is from."""
    (tmp_path / "books" / "deep").mkdir(parents=True)
    make(tmp_path / "books" / "one.zim", {"Norway": ARTICLES["Norway"]})
    make(tmp_path / "books" / "deep" / "two.zim", {"Fjord": "A fjord is a long arm of the sea in Norway."})
    urls = {r.url for r in search(tmp_path / "books", settings, "Norway")}
    assert urls == {"zim://one/Norway", "zim://two/Fjord"}


@pytest.mark.parametrize("kind", ["cut", "text", "empty"])
def test_a_broken_file_is_named(kind: str, hds: Hds, zim: Path, settings: Make) -> None:
    """Not a ZIM file, or one that was not downloaded to its end: an error with the file's name, nothing is added."""
    data = zim.read_bytes()
    zim.write_bytes({"cut": data[: len(data) // 2], "text": b"not a ZIM file at all" * 100, "empty": b""}[kind])
    done = hds("index", "add", str(zim), "--name", "wiki")
    assert done.returncode == 5
    assert "error[zim_broken]: small.zim cannot be read as a ZIM file" in done.stderr
    assert linked.names() == []
    with pytest.raises(SourceError) as caught:
        search(zim, settings, "Norway")
    assert caught.value.error_code == "zim_broken"


def test_damage_inside_a_file_costs_a_search_or_a_page_but_is_no_bug(tmp_path: Path) -> None:
    """Bytes are overwritten all over the file: results, nothing, or `zim_broken`; nothing else is raised."""
    data = make(tmp_path / "good.zim").read_bytes()
    ends: set[bool | str] = set()
    for at in range(80, len(data), len(data) // 60):
        path = tmp_path / f"bad{at}.zim"
        path.write_bytes(data[:at] + b"\xa7\x00\xff\x13" * 16 + data[at + 64 :])
        try:
            file = ZimFile(path)
            found = {*file.matching(["norway"], 5)[1], *(place for place, _ in file.titled("Norway", 5))}
            ends.add(any(file.item(file.canonical(place)) for place in found))
        except SourceError as exc:
            ends.add(exc.error_code)
    assert ends >= {True, "zim_broken"}
    assert ends <= {True, False, "zim_broken"}


def test_without_libzim_the_extra_is_named(settings: Make, zim: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration error with the line to type, before anything is opened."""
    monkeypatch.setitem(sys.modules, "libzim", None)  # as if it were not installed
    with pytest.raises(ConfigError) as caught:
        search(zim, settings, "Norway")
    assert caught.value.hint == 'pip install "hds-cli[zim]"'


def test_what_is_not_set_or_gone_is_said(hds: Hds, zim: Path, tmp_path: Path) -> None:
    """No path, a path that is not there, a folder without ZIM files, a linked file that was deleted."""
    hds("index", "add", str(zim), "--name", "wiki")
    zim.unlink()
    empty = tmp_path / "empty"
    empty.mkdir()
    cases: Mapping[str, tuple[str, dict[str, str]]] = {
        "needs a file or folder": ("zim", {}),
        "is not there": ("zim", {"HDS_ZIM_PATH": str(tmp_path / "no.zim")}),
        "holds no such file": ("zim", {"HDS_ZIM_PATH": str(empty)}),
        "hds index remove wiki": ("wiki", {}),
    }
    for said, (name, env) in cases.items():
        done = hds("search", "-s", name, "Norway", env=env)
        assert done.returncode == 2
        assert said in done.stderr


def test_names_are_not_taken_twice(hds: Hds, zim: Path, tmp_path: Path) -> None:
    """A link does not shadow a plugin or a collection, nor a collection a link."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("A note on salt.")
    assert hds("index", "add", str(tmp_path / "notes")).returncode == 0
    assert hds("index", "add", str(zim), "--name", "notes").returncode == 2
    assert hds("index", "add", str(zim), "--name", "wikipedia").returncode == 2
    assert hds("index", "add", str(zim), "--name", "wiki").returncode == 0
    assert hds("index", "add", str(tmp_path / "notes"), "--name", "wiki").returncode == 2


def test_zimcheck_finds_our_test_files_sound(zim: Path) -> None:
    """The files these tests stand on are real ZIM files by the judgement of zim-tools."""
    program = shutil.which("zimcheck")
    if program is None:
        pytest.skip("no zimcheck here (apt install zim-tools)")
    done = subprocess.run([program, "--checksum", str(zim)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

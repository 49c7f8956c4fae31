"""What hostile texts, pages, files, servers and imports cost: seconds, and the peak memory of the command's own process.

    python tests/benchmarks/hostile.py functions [--size 200000]
    python tests/benchmarks/hostile.py commands [--megabytes 3]

`functions` calls every function of texts and every extractor with every family. `commands` runs the installed command:
`ask` and `fetch` against a web on loopback, `index add`, `cache import` and `history import` on files. Memory is that
over the same command with something harmless. A page that is not read within its limit is reported by its reason.
"""

from __future__ import annotations

import argparse
import functools
import io
import json
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the tests' own pages

from tests.fetch.web import PAGE, answer
from tests.growth.bodies import BODIES
from tests.growth.families import FAMILIES
from tests.growth.test_growth import CALLS
from tests.hostile import FILES, MIB, script_of, servers, serving, text_of, web_pages
from tests.measure import Measured, measured

LATE = 5.0  # seconds
TURN = 20.0
QUESTION = "where does the walrus sleep?"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    kinds.add_parser("functions").add_argument("--size", type=int, default=200_000, help="characters")
    kinds.add_parser("commands").add_argument("--megabytes", type=float, default=3.0, help="of a page")
    args = parser.parse_args()
    if args.kind == "functions":
        functions(args.size)
    else:
        commands(int(args.megabytes * 1_000_000))


def functions(size: int) -> None:
    """Every call with every family, in processor seconds of this process; those over `LATE`, and the slowest."""
    from hds_cli.extract.page import extract, preload

    preload()
    calls: dict[str, Callable[[str], object]] = dict(CALLS)
    for name, (kind, build) in BODIES.items():
        calls[f"extract {name}"] = functools.partial(_extracted, extract, kind, build)
    taken = []
    for family, make in FAMILIES.items():
        text = make(size)
        for name, call in calls.items():
            began = time.process_time()
            try:
                made = call(text)
                if isinstance(made, Iterator):
                    list(made)
            except Exception:  # noqa: S110 - not what the function reads
                pass
            taken.append((time.process_time() - began, name, family))
    taken.sort(reverse=True)
    print(f"{len(calls)} functions and extractors x {len(FAMILIES)} families of {size} characters")
    print(f"over {LATE:g} s: {sum(seconds > LATE for seconds, _, _ in taken)}; the slowest:")
    for seconds, name, family in taken[:8]:
        print(f"  {seconds:.2f} s  {name}: {family}")


def _extracted(extract: Callable[..., object], kind: str, build: Callable[[str], bytes], text: str) -> object:
    return extract(build(text), kind, "utf-8", "https://example.org/a")


def commands(size: int) -> None:
    """A table: the command, what it was given, its memory over the harmless run, its seconds, how pages ended."""
    print("| command | given | MiB over harmless | seconds | code | pages |\n|---|---|---|---|---|---|")
    pages = web_pages(size)
    with tempfile.TemporaryDirectory() as folder:
        web(Path(folder), pages, size)
        files(Path(folder))
        imports(Path(folder))


def web(folder: Path, pages: dict[str, bytes], size: int) -> None:
    wide = {f"/w{n:02}.txt": answer(b"%d " % n + text_of("one wide letter", size), "200 OK", "text/plain") for n in range(40)}  # fmt: skip
    least = _ask(folder, {"/fine": answer(PAGE)}, 1)
    for first in range(0, 32, 8):
        _row("ask", f"families {5 * first}-{5 * first + 39}", _ask(folder, pages, 8, first), least)
    _row("ask", "pages of one wide letter", _ask(folder, wide, 8), least)
    _row("ask", "hostile servers", _ask(folder, servers() | dict(list(pages.items())[:10]), 4), least)
    least = _fetch(folder, {"/fine": answer(PAGE)})
    for first in range(0, len(pages), 40):
        _row("fetch", f"families from {first}", _fetch(folder, dict(sorted(pages.items())[first : first + 40])), least)
    _row("fetch", "hostile servers", _fetch(folder, servers()), least)


def files(folder: Path) -> None:
    harmless = _files(folder / "plain", {"a.txt": b"A walrus sleeps on the ice of the bay.\n"})
    least = _run(folder, "index", "add", str(harmless))
    for name, build in FILES.items():
        _row("index add", name, _run(folder, "index", "add", str(_files(folder / "one", {name: build()}))), least)
    made = {f"{n}.md": FAMILIES[family](2_000_000).encode() for n, family in enumerate(FAMILIES)}
    _row("index add", f"{len(made)} families", _run(folder, "index", "add", str(_files(folder / "all", made))), least)


def imports(folder: Path) -> None:
    rows = {"harmless": _line("A walrus sleeps on the ice of the bay.")}
    rows |= {family: _line(FAMILIES[family](3_000_000)) for family in FAMILIES}
    rows |= {
        "lists in a line": '{"a": [' + "[]," * 5_000_000 + "[]]}",
        "keys in a line": "{" + '"a":1,' * 3_000_000 + '"b":1}',
        "a line without an end": "[" * 30_000_000,
    }
    least = None
    for name, row in rows.items():
        (path := folder / "pages.jsonl").write_text(row + "\n")
        done = _run(folder, "cache", "import", str(path))
        least = least or done
        if name not in FAMILIES or done.seconds > LATE + least.seconds or done.peak - least.peak > 40 * MIB:
            _row("cache import", name, done, least)
    path = folder / "pages.jsonl"
    path.write_text("\n".join(row for name, row in rows.items() if name in FAMILIES))
    _row("cache import", f"{len(FAMILIES)} families", _run(folder, "cache", "import", str(path)), least or done)
    event = json.dumps({"event": "notice", "t": 0.0, "level": "info", "code": "a", "message": "b"}) + "\n"
    bundles = {
        "harmless": (event, rows["harmless"]),
        "500 MB of blanks": (event, " " * (500 * MIB)),
        "pages of every family": (event, "\n".join(row for name, row in rows.items() if name in FAMILIES)),
        "lists in a line": ("[" + "[]," * 5_000_000 + "[]]\n", ""),
        "600,000 events": (event * 600_000, ""),
        "run of every family": ("".join(_event(FAMILIES[family](800_000)) for family in FAMILIES), ""),
    }
    first = None
    for name, (events, text) in bundles.items():
        done = _run(folder, "history", "import", str(_bundle(folder / "a.hds", events, text)))
        first = first or done
        _row("history import", name, done, first)


def _line(text: str) -> str:
    row: dict[str, object] = dict.fromkeys(["final_url", "fetched_at", "author", "date", "etag", "last_modified"])
    url = f"https://example.org/{hash(text)}"
    return json.dumps(row | {"schema": "hds.page/1", "url": url, "title": text[:500], "text": text, "stored": 1.0})


def _event(text: str) -> str:
    return json.dumps({"event": "thought", "t": 0.0, "turn": 1, "text": text}) + "\n"


def _bundle(path: Path, events: str, pages: str) -> Path:
    start = {
        "event": "run_started", "t": 0.0, "schema": "hds.event/1", "run_id": "abc234", "question": "q", "sources": [],
        "model": {"name": "m", "engine": "scripted", "n_ctx": 4096}, "offline": True, "seed": 0,
        "started_at": "2026-01-01T00:00:00Z", "settings": {},
    }  # fmt: skip
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("events.jsonl", json.dumps(start) + "\n" + events)
        archive.writestr("pages.jsonl", pages)
    path.write_bytes(stream.getvalue())
    return path


def _files(folder: Path, made: dict[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, data in made.items():
        (folder / name).write_bytes(data)
    return folder


def _run(folder: Path, *args: str, **env: str) -> Measured:
    with tempfile.TemporaryDirectory(dir=folder) as home:
        return measured(*args, env={"HDS_HOME": home, **env}, timeout=600)


def _ask(folder: Path, pages: dict[str, object], number: int, first: int = 0) -> Measured:
    script = folder / "script.jsonl"
    script.write_text(script_of([f"walrus {n}" for n in range(first, first + number)]))
    with serving(pages) as found:  # type: ignore[arg-type]
        return _run(
            folder, "ask", "-s", "searxng", "-e", "scripted", "-m", str(script), "--jsonl", QUESTION,
            HDS_SEARXNG_URL=found.url, HDS_FETCH_ALLOW=found.host,
        )  # fmt: skip


def _fetch(folder: Path, pages: dict[str, object]) -> Measured:
    with serving(pages) as found:  # type: ignore[arg-type]
        urls = [found.url + path for path in pages]
        return _run(folder, "fetch", "--json", *urls, HDS_FETCH_ALLOW=found.host)


def _row(command: str, given: str, done: Measured, least: Measured) -> None:
    over = (done.peak - least.peak) / MIB
    ends = ", ".join(f"{number} {how}" for how, number in sorted(Counter(_ends(done)).items()))
    print(
        f"| {command} | {given} | {over:.0f} | {done.seconds:.1f} | {done.done.returncode} | {ends} |", flush=True,
    )  # fmt: skip


def _ends(done: Measured) -> Sequence[str]:
    """How each page of a run ended; one whose reading took longer than `LATE` is `late`."""
    rows: list[dict[str, object]] = []
    for line in done.done.stdout.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            rows += [value] if value.get("event") == "page_finished" else list(value.get("pages", ()))
    late = [row for row in rows if float(str(row.get("extract_seconds") or 0)) > LATE + 0.5]
    return [*(str(row.get("reason") or row.get("status")) for row in rows), *["LATE"] * len(late)]


if __name__ == "__main__":
    main()

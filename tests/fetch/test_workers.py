"""Extraction processes: killed on time, replaced, without secrets, deaf to Ctrl-C (R2.5, R10.5, figure F7)."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from typing import Any

from hds_cli.fetch.workers import Workers, environment
from tests.fetch.conftest import LONG, run
from tests.fetch.web import PAGE

LIMIT = 5.0 if LONG else 1.0
SIZE = 4 << 20 if LONG else 700_000


def families() -> dict[str, str]:
    """Pages made to be slow, in many ways; the first two are quadratic in lxml."""
    n = SIZE

    def page(body: str) -> str:
        return f"<html><head><title>x</title></head><body>{body}</body></html>"

    made = {
        "spans": page("<span>w</span>" * (n // 14)),
        "attributes": page("<p " + " ".join(f"a{i}=1" for i in range(n // 9)) + ">x</p>"),
        "paragraphs": page("<p>short words here</p>" * (n // 23)),
        "rows": page("<table>" + "<tr><td>1</td><td>2</td></tr>" * (n // 29) + "</table>"),
        "deep": page("<div>" * (n // 11) + "deep" + "</div>" * (n // 11)),
        "line": page("<p>" + "a" * n + "</p>"),
        "spaces": page("<p>" + " " * n + "x</p>"),
        "entities": page("<p>" + "&amp;" * (n // 5) + "</p>"),
        "comments": page("<!-- x -->" * (n // 10)),
        "lists": page("<ul>" * 2000 + "<li>x" * (n // 5) + "</ul>" * 2000),
        "links": page('<a href="/x">y</a> ' * (n // 20)),
        "bold": page("<b><i>" * 3000 + "w" + "</i></b>" * 3000 + "<b>w</b>" * (n // 9)),
        "breaks": page("w<br>" * (n // 5)),
        "scripts": page("<script>" * (n // 8)),
        "open": page("<" * n),
        "quotes": page('<p title="' * (n // 10)),
        "json-ld": page('<script type="application/ld+json">' + "[" * (n // 2) + "</script><p>x</p>"),
        "fonts": page("<font>w</font>" * (n // 14)),
        "headings": page("<h2>head</h2>" * (n // 13)),
        "mixed": page("<div><p>text words <span>in</span> a row</p><ul><li>one</li></ul></div>" * (n // 75)),
        "options": page("<select>" + "<option>o</option>" * (n // 18) + "</select>"),
        "images": page('<img src="/i.png" alt="a">' * (n // 26)),
        "meta": "<html><head>"
        + '<meta name="author" content="a b">' * (n // 34)
        + "</head><body><p>x</p></body></html>",
        "title": f"<html><head><title>{'t ' * (n // 2)}</title></head><body><p>x</p></body></html>",
        "style": page("<style>" + "a{color:red}" * (n // 12) + "</style><p>x</p>"),
        "newlines": page("<pre>" + "\n" * n + "x</pre>"),
        "dates": page("<p>" + "2020-01-02 " * (n // 11) + "</p>"),
        "digits": page("<p>" + "1234567890" * (n // 10) + "</p>"),
        "combining": page("<p>a" + "\u0301" * (n // 2) + "</p>"),
        "numeric entities": page("<p>" + "&#x41;" * (n // 6) + "</p>"),
    }
    tags = ("em", "a", "code", "sub", "small", "u", "q", "cite", "abbr", "label", "mark", "pre", "section", "article",
            "aside", "blockquote", "dl", "form", "figure", "button")  # fmt: skip
    return made | {f"many {tag}": page(f"<{tag}>w</{tag}>" * (n // (2 * len(tag) + 6))) for tag in tags}


def test_there_are_as_many_families_as_the_figure_asks() -> None:
    """F7: fifty."""
    assert len(families()) == 50


def ask(body: bytes, kind: str = "html", limit: float = LIMIT, times: int = 1) -> list[dict[str, Any]]:
    async def work() -> list[dict[str, Any]]:
        workers = Workers(1, limit)
        try:
            answers = []
            for _ in range(times):
                answers.append(await workers.extract(body, kind, None, "http://x.example/"))
            return answers
        finally:
            workers.close()

    return run(work())


def test_no_page_is_returned_late_and_the_next_one_is_not_harmed() -> None:
    """F7: each family ends within the limit, as text or as a reason; a plain page after it is read."""

    async def work() -> list[tuple[str, float, dict[str, Any], dict[str, Any]]]:
        workers = Workers(1, LIMIT)
        out = []
        try:
            await workers.extract(PAGE, "html", None, "http://x.example/")
            for name, page in families().items():
                start = time.monotonic()
                answer = await workers.extract(page.encode(), "html", None, "http://x.example/")
                seconds = time.monotonic() - start
                out.append((name, seconds, answer, await workers.extract(PAGE, "html", None, "http://x.example/")))
            return out
        finally:
            workers.close()

    for name, seconds, answer, after in run(work()):
        assert seconds < LIMIT + 3.0, name
        assert answer.get("text") or answer.get("reason"), name
        assert after.get("title") == "Fine", name


def test_spans_alone_would_take_far_longer() -> None:
    """The hazard is there: without the bound, trafilatura takes many times as long on the same page."""
    code = """
import time, trafilatura
from hds_cli.extract.inline import settled
page = "<html><body><p>" + "<span>w</span>" * 8000 + "</p></body></html>"
for text in (page, settled(page)):
    start = time.perf_counter()
    trafilatura.extract(text)
    print(time.perf_counter() - start)
"""
    raw, kept = map(float, subprocess.check_output([sys.executable, "-c", code], text=True).split())
    assert raw > 5 * kept


def test_a_worker_stuck_in_c_is_killed_on_time_and_replaced() -> None:
    """The kernel's timer ends it, not a watcher: the page is one failed page."""
    program = "tests.fetch.stuck"

    async def work() -> tuple[list[dict[str, Any]], float]:
        workers = Workers(1, 0.5, module=program)
        start = time.monotonic()
        try:
            answers = [
                await workers.extract(b"hang", "html", None, "u"),
                await workers.extract(b"fine", "html", None, "u"),
            ]
            answers.append(await workers.extract(b"die", "html", None, "u"))
            answers.append(await workers.extract(b"memory", "html", None, "u"))
            answers.append(await workers.extract(b"fine", "html", None, "u"))
            return answers, time.monotonic() - start
        finally:
            workers.close()

    answers, seconds = run(work())
    assert [a.get("reason") for a in answers] == ["extract_killed", None, "extract_killed", "extract_memory", None]
    assert seconds < 30  # it would hang for longer


def test_the_first_page_has_its_time_however_long_the_process_takes_to_start() -> None:
    """A busy machine loads the extractors for seconds; the clock of a page begins when they are there."""

    async def work() -> dict[str, Any]:
        workers = Workers(1, 1.0, module="tests.fetch.late")
        try:
            return await workers.extract(PAGE, "html", None, "u")
        finally:
            workers.close()

    assert run(work())["title"] == "Fine"


def test_closing_ends_every_process_at_once() -> None:
    """Also with a page in work: nothing is left behind, and nobody waits."""

    async def work() -> tuple[float, int]:
        workers = Workers(2, 30.0, module="tests.fetch.stuck")
        tasks = [asyncio.create_task(workers.extract(b"hang", "html", None, "u")) for _ in range(2)]
        await asyncio.sleep(1.0)
        assert workers._process is not None
        group = workers._process.pid
        start = time.perf_counter()
        workers.close()
        seconds = time.perf_counter() - start
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.1)
        return seconds, group

    seconds, group = run(work())
    assert seconds < 3  # the pages in work hang for longer
    assert gone(group)


def gone(group: int) -> bool:
    """Whether no process of the group runs any more; an orphan nobody has reaped yet does not run."""
    for _ in range(50):
        states = subprocess.run(["ps", "-o", "pgid=,stat=", "-A"], capture_output=True, text=True, check=True).stdout
        rows = (line.split() for line in states.splitlines())
        if not any(int(number) == group and not state.startswith("Z") for number, state in rows):
            return True
        time.sleep(0.1)
    return False


def test_ctrl_c_at_the_terminal_does_not_reach_the_workers() -> None:
    """They are in a process group of their own and ignore SIGINT: no traceback of theirs, and a page still comes."""

    async def work() -> dict[str, Any]:
        workers = Workers(1, 5.0)
        try:
            await workers.extract(PAGE, "html", None, "u")
            assert workers._process is not None
            assert os.getpgid(workers._process.pid) != os.getpgid(0)
            os.kill(workers._process.pid, signal.SIGINT)
            await asyncio.sleep(0.1)
            return await workers.extract(PAGE, "html", None, "u")
        finally:
            workers.close()

    assert run(work())["title"] == "Fine"


def test_workers_die_with_a_killed_parent() -> None:
    """kill -9 of hds leaves no process behind."""
    code = """
import asyncio, os, signal
from hds_cli.fetch.workers import Workers
async def main():
    workers = Workers(1, 5.0)
    await workers.extract(b"<p>x</p>", "html", None, "u")
    print(workers._process.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert gone(int(done.stdout))


def test_children_get_no_api_key() -> None:
    """R10.5: what looks like a secret stays in the parent."""
    kept = environment({"PATH": "/bin", "HDS_SERPER_API_KEY": "k", "GITHUB_TOKEN": "t", "AWS_SECRET_ACCESS_KEY": "s"})
    assert {"PATH"} <= kept.keys()
    assert not {"HDS_SERPER_API_KEY", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY"} & kept.keys()

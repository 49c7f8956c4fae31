"""The HTML report: what it tells, that nothing in it can do harm, and how a real browser sees it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from hds_cli import events as e
from hds_cli.render.document import RunDocument
from hds_cli.render.report import render
from hds_cli.types import Citation, Passage

from .chromium import Chromium
from .sample import MODEL, big_run, whole_run
from .test_sinks import poisoned

HOSTILE = [
    "</script><script>alert(1)</script>", "</title></style><img src=x onerror=alert(1)>", "[/x]", "javascript:alert(1)",
    "\u202egnp.exe\u2066", '" onmouseover="alert(1)', "{{ 7*7 }}{% raw %}", "\x1b[2J\x00", "&lt;b&gt;", "--><!--", "]]>",
]  # fmt: skip
VOID = {"meta", "link", "br", "hr", "img", "rect", "line"}
NEVER = {"script", "img", "iframe", "object", "embed", "link", "form", "base", "video", "audio"}


class _Elements(HTMLParser):
    """Every element with its attributes, and whether all that were opened are closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID or tag == "rect":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def _plain(html: str) -> str:
    return " ".join(_Elements(html).text.split())


def test_report_tells_question_answer_sources_and_the_way_there() -> None:
    """The document first: the quote marked in its passage, every query and page, and what failed in words."""
    html = render("html", whole_run())
    assert "<title>What are the capitals of the countries that border Austria?</title>" in html
    assert '<sup><a href="#source-1" id="ref-1" aria-label="source 1">1</a></sup>' in html
    assert "<mark>Its capital is Berlin.</mark>" in html
    said = _plain(html)
    for words in (
        "capital of Slovakia asked before",
        "refused (403)",
        "rate limited, again in 4 s",
        "Austria borders 8 countries.",
    ):
        assert words in said
    assert "the quote was not found in the stored page" in said
    assert "in turn 2 it waited 1.0 s, last for capital of slovenia (web)" in said.lower()


def test_quote_is_marked_inside_its_passage() -> None:
    """The passage around a quote is shown, and the quote alone stands out, however its blanks differ."""
    passage = Passage("https://a.example/", "A", "Before it. Its  capital\nis Berlin! After it.", 1)
    run = [
        e.RunStarted(run_id="x", question="q", sources=(), model=MODEL),
        e.EvidenceSelected(turn=1, query=1, passages=(passage,)),
        e.RunFinished(status="answered", answer="Berlin", explanation=None,
                      citations=(Citation(1, passage.url, "A", "its capital is Berlin", True),)),
    ]  # fmt: skip
    assert "Before it. <mark>Its  capital\nis Berlin!</mark> After it." in render("html", run)


def test_ledger_is_shown_only_when_there_is_one() -> None:
    """A run without constraints has no empty table."""

    class WithLedger(RunDocument):
        def to_dict(self) -> dict[str, object]:
            row = {
                "constraint": "borders <Austria>",
                "state": "verified",
                "quote": "It borders",
                "url": "https://a.example/",
            }
            return super().to_dict() | {"ledger": [row]}

    from hds_cli.render.html import to_html

    document = WithLedger()
    for event in whole_run():
        document.handle(event)
    assert "borders &lt;Austria&gt;" in to_html(document)
    assert 'id="ledger"' not in render("html", whole_run())


@pytest.mark.parametrize(
    "run",
    [[], whole_run()[:20], [*whole_run()[:-1], e.RunFinished(status="unanswered", answer=None, explanation=None)]],
)
def test_report_of_a_run_without_an_answer_says_so(run: list[e.Event]) -> None:
    """Nothing at all, broken off, unanswered: each is a whole page that says what it is."""
    page = _Elements(render("html", run))
    assert page.wrong == []
    assert page.open == []
    assert "No answer: none of the pages" in page.text or "The run failed before an answer" in page.text


@pytest.mark.parametrize("payload", HOSTILE)
def test_hostile_text_stays_text(payload: str) -> None:
    """No string of a run becomes an element, an attribute or a link that could do something."""
    page = _Elements(render("html", poisoned(payload)))
    assert page.wrong == []
    assert not {tag for tag, _ in page.found} & NEVER
    for tag, attributes in page.found:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
        assert re.match(r"#|https?://", attributes.get("href") or "#")
    assert not set(page.text) & set("\u202e\u2066\x1b\x00")


def test_no_payload_raises_or_leaves_the_text(hostile: list[str]) -> None:
    """The naughty strings and every control character: a whole page each time."""
    for payload in hostile:
        page = _Elements(render("html", poisoned(payload)))
        assert page.wrong == []
        assert not {tag for tag, _ in page.found} & NEVER


# --- in a real browser ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    "run", [whole_run(), big_run(), *(poisoned(text) for text in HOSTILE)], ids=lambda r: str(len(r))
)
def test_chromium_runs_nothing_asks_for_nothing_and_complains_of_nothing(
    chromium: Chromium, run: list[e.Event], dark: bool
) -> None:
    """No request, no console message, no breach of the policy, no dialog; the style sheet is in force."""
    chromium.open(render("html", run), dark=dark)
    assert chromium.said() == []
    assert chromium.requests() == []
    assert not [event for event in chromium.events if event["method"] == "Page.javascriptDialogOpening"]
    paper = chromium.value("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(21, 24, 27)" if dark else "rgb(252, 251, 248)")
    assert chromium.value("document.scripts.length + document.images.length + document.links.length * 0") == 0


def test_policy_forbids_what_is_slipped_into_the_page(chromium: Chromium) -> None:
    """Were a script, an image or a style put in after all, the page's own policy would stop it, and say so."""
    bad = "<script>document.title='PWNED'</script><img src='http://127.0.0.1:9/x.png'><style>body{color:red}</style></main>"
    chromium.open(render("html", whole_run()).replace("</main>", bad))
    assert chromium.value("document.title") != "PWNED"
    assert sum("Content Security Policy" in line for line in chromium.said()) >= 3


@pytest.mark.parametrize("width", [320, 900])
def test_two_hundred_sources_fit_the_page(chromium: Chromium, width: int) -> None:
    """200 sources, on a phone as on a desk: nothing sticks out to the side, every source and reference leads somewhere."""
    chromium.open(render("html", big_run()), width=width)
    assert chromium.value("document.documentElement.scrollWidth") <= width
    assert chromium.value("document.querySelectorAll('.sources > li').length") == 200
    broken = (
        "[...document.querySelectorAll('a[href^=\"#\"]')].filter(a => !document.getElementById(a.hash.slice(1))).length"
    )
    assert chromium.value(broken) == 0
    assert chromium.value("document.querySelectorAll('[id]').length") == chromium.value(
        "new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size"
    )


def test_bars_lie_where_the_seconds_are(chromium: Chromium) -> None:
    """The search that took longest ends where the model's waiting ends, and searches of one turn overlap."""
    chromium.open(render("html", whole_run()), width=900)
    boxes = "(s => [...document.querySelectorAll(s)].map(r => { const b = r.getBoundingClientRect(); return [b.left, b.right] }))"
    (wait,) = [box for box in chromium.value(f"{boxes}('.model .wait')") if box[1] - box[0] > 20]
    searches = chromium.value(f"{boxes}('.chart .search')")[1:6]
    assert max(right for _, right in searches) == pytest.approx(wait[1], abs=1)
    assert max(left for left, _ in searches) < min(right for _, right in searches)


def _tree(chromium: Chromium) -> list[tuple[str, str]]:
    nodes = chromium.call("Accessibility.getFullAXTree")["nodes"]
    return [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes if not n.get("ignored")]


def test_screen_reader_finds_landmarks_headings_and_the_timeline_as_a_table(chromium: Chromium) -> None:
    """Landmarks and headings in order; the drawn bars are hidden from it, their table is there instead."""
    chromium.open(
        render("html", whole_run()).replace('<details>\n<summary class="meta">', '<details open><summary class="meta">')
    )
    tree = _tree(chromium)
    roles = [role for role, _ in tree]
    assert roles.count("main") == roles.count("banner") == 1
    assert ("navigation", "On this page") in tree
    headings = [name for role, name in tree if role == "heading"]
    assert headings == [
        "What are the capitals of the countries that border Austria?",
        "Sources",
        "How it was found",
        "Timeline",
        "Figures",
    ]
    assert ("columnheader", "Outcome") in tree
    assert ("rowheader", "capital of Slovenia") in tree
    assert ("link", "source 1") in tree
    assert "graphics-document" not in roles
    unnamed = [
        role for role, name in tree if role in ("link", "DisclosureTriangle", "region", "navigation") and not name
    ]
    assert unnamed == []


def test_keyboard_reaches_and_opens_everything(chromium: Chromium) -> None:
    """Tab goes to the skip link first, each stop shows where it is, Enter opens a branch."""
    chromium.open(render("html", big_run()))
    _press(chromium, "Tab")
    assert chromium.value("document.activeElement.className") == "skip"
    assert chromium.value("document.activeElement.getBoundingClientRect().left") >= 0
    chromium.value("document.querySelector('.tree summary').focus({focusVisible: true})")
    assert "2px" in chromium.value("getComputedStyle(document.activeElement).outline")
    assert chromium.value("document.querySelector('.tree details').open") is False
    _press(chromium, "Enter")
    assert chromium.value("document.querySelector('.tree details').open") is True


def _press(chromium: Chromium, key: str) -> None:
    code = {"Tab": 9, "Enter": 13}[key]
    for kind in ("keyDown", "keyUp"):
        text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
        chromium.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)


def test_printed_report_shows_what_is_folded(chromium: Chromium) -> None:
    """On paper nothing can be opened: the pages of folded queries are there."""
    chromium.open(render("html", big_run()), media="print")
    shown = "document.querySelector('.tree details:not([open]) li').checkVisibility({contentVisibilityAuto: true})"
    assert chromium.value(shown) is True
    assert chromium.value("getComputedStyle(document.querySelector('nav')).display") == "none"


# --- colours ---------------------------------------------------------------------------------------------------------


def _colours() -> list[dict[str, str]]:
    """The colours of the light and of the dark scheme."""
    css = files("hds_cli.render").joinpath("templates/report.css").read_text("utf-8")
    blocks = re.findall(r":root \{([^}]*)\}", css)[:2]
    return [dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block)) for block in blocks]


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2, relative luminance and contrast ratio."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", _colours(), ids=["light", "dark"])
def test_colours_reach_contrast_aa(scheme: dict[str, str]) -> None:
    """Text 4.5:1 on paper and on a marked quote, bars 3:1 on paper and on the shade of waiting (WCAG 2.2, 1.4.3, 1.4.11)."""
    for ground in (scheme["paper"], scheme["tint"]):
        for text in ("ink", "soft", "accent"):
            assert _contrast(scheme[text], ground) >= 4.5, (text, ground)

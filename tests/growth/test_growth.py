"""No text of a page costs more than in proportion to its length: time, memory, what comes out, what is stored."""

from __future__ import annotations

import gzip
import os
import time
from pathlib import Path

import pytest

from hds_cli.agent.support.initials import ShortForms
from hds_cli.extract.files import KINDS
from hds_cli.extract.page import extract, preload
from hds_cli.search.local import Collection
from hds_cli.types import Document
from tests.growth import measure
from tests.growth.bodies import BODIES
from tests.growth.families import FAMILIES
from tests.growth.functions import Call, automatic, functions

LONG = bool(os.environ.get("HDS_LONG"))
END = measure.END if LONG else 1 << 14  # a quadratic pattern takes seconds there

# Not called with texts alone, each with what calls it here, or why no length of a page reaches it.
ELSEWHERE: dict[str, str] = {
    "hds_cli.agent.support.fitting.rivals": "two values, no text",
    "hds_cli.agent.ranked.cuts_of": "part of ranked(), whose page and question are measured below",
    "hds_cli.agent.conditions.beliefs_grammar": "a number",
    "hds_cli.agent.conditions.entries_grammar": "a number",
    "hds_cli.agent.conditions.listed": "a dozen conditions",
    "hds_cli.agent.outline": "an outline of at most a dozen sections, which is as long as a model writes",
    "hds_cli.agent.sections": "the runs of a report's sections, each as long as a model writes",
    "hds_cli.agent.support.quotations": "lines of a message; each page up to 400,000 characters, which fold() is called with",
    "hds_cli.agent.support.marking.corrected": "the marks of a message against passages within the turn's budget",
    "hds_cli.agent.protocol.follow_up": "the model's own words",
    "hds_cli.agent.protocol.results_block": "passages within the turn's budget; neutral() is called here",
    "hds_cli.agent.support.arithmetic": "values of a message, which is as long as a model writes",
    "hds_cli.agent.support.asides.told": "units of a message; what stands in one is a sentence",
    "hds_cli.agent.support.fitting.is_telling": "a value, no text",
    "hds_cli.agent.support.comparatives.comparing_words": "a kind and a sign, no text",
    "hds_cli.agent.support.asked.is_lone": "units of a message, which is as long as a model writes",
    "hds_cli.agent.support.denying.stand": "two texts of 2,000 characters at most; clauses() is called here",
    "hds_cli.agent.support.inputs": "a unit of a message, or a sentence of 2,000 characters at most",
    "hds_cli.agent.support.attribution.attribute": "a message against passages within the turn's budget",
    "hds_cli.agent.support.attribution.attributed": "a message against passages within the turn's budget",
    "hds_cli.agent.support.claims": "a unit of a message, which is as long as a model writes",
    "hds_cli.agent.support.cldr.made": "reads no text",
    "hds_cli.agent.support.territories": "a name of a claim; made() reads no text",
    "hds_cli.agent.support.message.in_order": "numbers of a message",
    "hds_cli.agent.ranked.ranked 1": "the model's query, which has a limit",
    "hds_cli.agent.support.lists.of_queries": "the model's queries, which have a limit",
    "hds_cli.agent.support.lists.lacking 1": "a message, which is as long as a model writes",
    "hds_cli.agent.support.values.same": "two values",
    "hds_cli.agent.support.values.alike": "two values, no text",
    "hds_cli.agent.support.units.cjk_scaled": "one number of a text",
    "hds_cli.agent.support.digits.readings_of": "one number of a text",
    "hds_cli.extract": "part of an extractor, which is called here with every kind of body",
    "hds_cli.text.folding.in_pieces": "a function over pieces; fold(), plain() and indexed() are called here",
    "hds_cli.fetch.entry": "an entry of the cache, which is read whole",
    "hds_cli.search.feedback.drifted": "numbers of documents",
    "hds_cli.search.feedback.widened": "reads the beginning of three passages, which shares() is called with here",
    "hds_cli.search.fusion": "results of a query; fingerprint() and identity() are called here",
    "hds_cli.text.cutting.stretch": "two pieces of a text, which is cut here",
    "hds_cli.text.scoring.overlap": "two sets of terms",
    "hds_zim.words.search": "a query of the model",
}

# Called with whole bodies by `BODIES`; what they raise is caught by files.extract.
EXTRACTORS = {f"hds_cli.extract.{reader.replace(':', '.')}" for reader in KINDS.values()}
EXTRACTORS |= {"hds_cli.extract.files.extract", "hds_cli.extract.plugged.extract"}


def _named(name: str) -> str | None:
    """The entry of `ELSEWHERE` for a function."""
    while name:
        if name in ELSEWHERE:
            return name
        name = name.rpartition(".")[0]
    return None


def _calls() -> dict[str, Call]:
    made: dict[str, Call] = {}
    for name, function in functions().items():
        if name not in ELSEWHERE and name not in EXTRACTORS:
            made |= {f"{name} {number}": call for number, call in enumerate(automatic(function), 1)}
    forms = ShortForms("The WTO and the United Kingdom met.", ["The World Trade Organization met the UK."])
    made["hds_cli.agent.support.initials.ShortForms.put"] = forms.put
    made["hds_cli.agent.support.initials.ShortForms"] = lambda text: ShortForms(text, [text])
    return {name: call for name, call in made.items() if name not in ELSEWHERE}


CALLS = _calls()


def test_every_public_function_of_texts_is_called_or_named_with_a_reason() -> None:
    """A new function of a module that handles texts of pages is measured, or somebody says why not."""
    missing = [name for name, function in functions().items() if not automatic(function) and _named(name) is None]
    assert missing == []
    assert len(CALLS) > 80
    assert len(FAMILIES) >= 40


@pytest.mark.parametrize("name", CALLS)
def test_twice_the_text_costs_at_most_two_and_a_half_times(name: str) -> None:
    """Time and what comes out, for every family of texts."""
    call = CALLS[name]

    def tolerant(text: str) -> object:
        try:
            return call(text)
        except measure.TooSlow:
            raise
        except Exception as exc:  # not what the function reads, or its library is not here
            return type(exc).__name__

    wrong = {family: said for family, make in FAMILIES.items() if (said := measure.fault(tolerant, make, END))}
    assert wrong == {}


def test_the_measure_finds_what_is_quadratic_and_no_slow_moment() -> None:
    """A machine that is slow for a few calls is no fault of what is called."""
    slow = iter(range(5))

    def burning(seconds: float) -> None:
        until = time.process_time() + seconds
        while time.process_time() < until:
            pass

    def linear(text: str) -> None:
        burning(len(text) * (2e-5 if len(text) >= measure.START and next(slow, None) is not None else 2e-6))

    def quadratic(text: str) -> None:
        burning(len(text) ** 2 * 1e-9)

    assert measure.fault(linear, "a".__mul__, END) is None
    assert next(slow, None) is None
    assert measure.fault(quadratic, "a".__mul__, END) is not None


@pytest.mark.parametrize("name", BODIES)
def test_twice_the_body_costs_an_extractor_at_most_two_and_a_half_times(name: str) -> None:
    """Time and what comes out; a kind whose library is not installed is a reason like any other."""
    kind, build = BODIES[name]
    preload()
    wrong = {}
    for family, make in FAMILIES.items():
        said = measure.fault(
            lambda body: extract(body, kind, "utf-8", "https://example.org/a"),
            lambda size, make=make: build(make(size)),  # type: ignore[misc]
            END,
        )
        if said:
            wrong[family] = said
    assert wrong == {}


@pytest.mark.parametrize("name", ["html", "markdown", "json, keys", "csv", "epub"])
def test_twice_the_body_takes_at_most_two_and_a_half_times_the_memory(name: str) -> None:
    """What Python allocates; the process has a limit besides."""
    kind, build = BODIES[name]
    preload()
    wrong = {}
    families = FAMILIES if kind != "json" else {name: FAMILIES[name] for name in ("long word", "sentences")}
    for family, make in families.items():
        said = measure.memory_fault(
            lambda body: extract(body, kind, "utf-8", "https://example.org/a"),
            lambda size, make=make: build(make(size)),  # type: ignore[misc]
        )
        if said:
            wrong[family] = said
    assert wrong == {}


def test_twice_the_text_is_stored_in_at_most_two_and_a_half_times_the_bytes(tmp_path: Path) -> None:
    """A collection of one document, its words and passages with it."""

    def stored(name: str, text: str) -> int:
        collection = Collection(name, tmp_path, create=True)
        found = extract(text.encode(), "markdown", "utf-8", "https://example.org/a.md")
        collection.update([Document("a", found.get("title", ""), found.get("text", ""), "https://example.org/a")], "x")
        size = collection.info().bytes
        collection.remove()
        return size

    wrong = {}
    for family, make in FAMILIES.items():
        size = 1 << 16
        large = stored("large", make(2 * size))
        if large > measure.MOST * (1 << 19) and large > measure.MOST * (small := stored("small", make(size))):
            wrong[family] = f"{small} and {large} bytes"
    assert wrong == {}


@pytest.mark.parametrize("where", ["heading", "value"])
def test_a_line_without_an_end_in_an_archive_takes_little_memory(where: str, tmp_path: Path) -> None:
    """100 MB of one line of a record's head, in 100 kB."""
    pytest.importorskip("warcio", reason="warcio is not installed (extra warc)")
    from hds_warc import records

    start = b"WARC/1.1\r\n" if where == "heading" else b"WARC/1.1\r\nWARC-Type: response\r\nX: "
    path = tmp_path / "a.warc.gz"
    with gzip.open(path, "wb", 9) as out:
        out.write(start)
        for _ in range(100):
            out.write(b"x" * 1_000_000)

    def read(archive: str) -> str:
        try:
            return str(records.Reader(archive).next())
        except Exception as exc:
            return str(exc)

    assert measure.memory_fault(read, lambda size: str(path)) is None


@pytest.mark.parametrize("family", ["Dr. A. B. Smith etc. ", "# heading word ", "((((", "\u0301", "word " * 9 + "\n"])
def test_ranking_is_linear_in_the_length_of_a_page(family: str) -> None:
    """Twice the page costs at most two and a half times, with a query as long as a model may write."""
    import time

    from hds_cli.agent.ranked import ranked
    from hds_cli.types import Page

    def seconds(size: int) -> float:
        page = Page("u", title="t", text=family * (size // len(family)))
        taken = []
        for _ in range(3):
            began = time.process_time()
            ranked("Smith heading word", "who is Smith", [page], 250)
            taken.append(time.process_time() - began)
        return min(taken)

    assert seconds(200_000) <= 2.5 * max(seconds(100_000), 0.02)


def test_ranking_takes_no_longer_for_a_question_of_any_length() -> None:
    """A question counts by its beginning and its end: eight times the text costs about the same."""
    import time

    from hds_cli.agent.ranked import ranked
    from hds_cli.types import Page

    page = Page("u", title="t", text="The walrus sleeps on ice. " * 4000)

    def seconds(size: int) -> float:
        asked = " ".join(f"word{n}" for n in range(size // 8)) + " walrus"
        taken = []
        for _ in range(3):
            began = time.process_time()
            assert ranked(asked, asked, [page], 250)[0].score > 0
            taken.append(time.process_time() - began)
        return min(taken)

    assert seconds(64_000) <= 2.5 * max(seconds(8_000), 0.02)

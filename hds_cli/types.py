"""The values that travel between rooms. All of them are frozen, and hold data only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

PageStatus = Literal["fetched", "cached", "blocked", "failed", "skipped"]
RunStatus = Literal["answered", "unanswered", "partial", "failed"]
Level = Literal["quoted", "computed", "verified", "together", "apart", "contradicted", "missing", "unsourced"]
ConditionState = Literal["verified", "refuted", "assumed", "unchecked"]
GOOD_LEVELS: frozenset[Level] = frozenset(("quoted", "computed", "verified", "together"))


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One hit of a search: an address and what the source says about it (all of it untrusted text)."""

    url: str
    title: str
    snippet: str = ""
    rank: int = 1
    source: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page as text, or the reason why there is no text.

    `text` is the full clean text: paragraphs parted by blank lines, headings as `## …`.
    `reason` is a short machine word (`timeout`, `too_big`, `robots`, `http_404`, ...) unless the status is
    `fetched` or `cached`. `bytes` counts what came over the wire, `seconds` the whole request and extraction.
    `held_by` is the source that holds the page itself, such as a collection; empty for a page of the web.
    """

    url: str
    final_url: str = ""
    title: str = ""
    text: str = ""
    status: PageStatus = "fetched"
    reason: str | None = None
    bytes: int = 0
    seconds: float = 0.0
    fetched_at: str | None = None
    extract_seconds: float = 0.0
    author: str | None = None
    date: str | None = None
    held_by: str = ""

    @property
    def ok(self) -> bool:
        return self.status in ("fetched", "cached") and bool(self.text)


@dataclass(frozen=True, slots=True)
class Document:
    """One document on its way into a collection; `id` is unique there and stays the same when the text changes.

    `date` is when it was written, as far as that is known: `2024-05-17`, or the beginning of that.
    """

    id: str
    title: str
    text: str
    url: str
    date: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a page that the model may read; `n` is its number in this run (0: not numbered yet).

    `heading` is the heading it stands under, if any; `date` is when the page says that it was written.
    """

    url: str
    title: str
    text: str
    n: int = 0
    heading: str = ""
    score: float = 0.0
    fetched_at: str | None = None
    date: str | None = None

    @property
    def full(self) -> str:
        """Title, heading and text, as the model reads them."""
        return ": ".join(part for part in (self.title, self.heading, self.text) if part)


@dataclass(frozen=True, slots=True)
class Findings:
    """A query and the passages that were chosen for it."""

    query: str
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question of an earlier run and what was answered."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report: its title, and the question that is researched for it."""

    title: str
    question: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A source of the answer: `quote` was looked for in the stored page, `verified` says whether it stands there.

    `passage` is the number of its passage in the run, where the sources are numbered by themselves; 0: it is `n`.
    `led_to`: no part of the answer rests on it, but it led to the pages that others rest on. `author` and `date`: as
    the page says. `context` is text around the quote where the run read no passage with it; `line` is where the quote
    begins in a file of lines, from 1.
    """

    n: int
    url: str
    title: str
    quote: str
    verified: bool
    fetched_at: str | None = None
    passage: int = 0
    led_to: bool = False
    author: str | None = None
    date: str | None = None
    context: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of passage `n`, as they stand in its page."""

    n: int
    quote: str


@dataclass(frozen=True, slots=True)
class Support:
    """The ground of one unit of an answer (a sentence, a list item, a row of a table).

    `marks`: the passages it names; `quotes`: what it rests on, or what contradicts it; `missing`: its values and names
    that stand in no page read; `probability`: a verifier's, where one was asked.
    """

    text: str
    level: Level
    marks: tuple[int, ...] = ()
    quotes: tuple[Quote, ...] = ()
    missing: tuple[str, ...] = ()
    probability: float | None = None

    @property
    def weak(self) -> bool:
        return self.level not in GOOD_LEVELS


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of several tries at a question: `agree` of the `of` that came to an end gave the answer that is shown.

    `tries` were asked for; `shown` is the number of the try whose answer it is, `with_it` are those that agree.
    """

    agree: int
    of: int
    tries: int
    shown: int
    with_it: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of the question and its state. `quote` stands in the page `url`; where it is assumed, in the answer.

    `candidate`: the answer that it is about; empty: the answer as a whole.
    """

    constraint: str
    state: ConditionState
    quote: str = ""
    url: str = ""
    candidate: str = ""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The model that answered, recorded in every run.

    `kv` is the type of its keys and values, `n_batch` the tokens of a batch; None: the engine does not say.
    """

    name: str
    file: str | None = None
    sha256: str | None = None
    quantization: str | None = None
    engine: str = ""
    n_ctx: int = 0
    n_gpu_layers: int = 0
    dialect: str = ""
    prompt: str = "builtin"
    lora: str | None = None
    kv: str | None = None
    n_batch: int | None = None


@dataclass(frozen=True, slots=True)
class Seconds:
    """The time of a run by kind of work; `overlap` is the time saved by doing things at once."""

    total: float = 0.0
    model: float = 0.0
    search: float = 0.0
    fetch: float = 0.0
    extract: float = 0.0
    overlap: float = 0.0


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and seconds of a run, as `hds.run/1` defines them."""

    prompt_tokens: int = 0
    evaluated_tokens: int = 0
    reused_tokens: int = 0
    generated_tokens: int = 0
    seconds: Seconds = field(default_factory=Seconds)


@dataclass(frozen=True, slots=True)
class Egress:
    """One host that was contacted, how often, and how many bytes came back."""

    host: str
    requests: int
    bytes: int

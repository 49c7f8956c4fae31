"""Support of an answer by passages: every `[n]` resolves to a page of this run and a quote that stands in it.

Two ways lead to a source. The model may name one (`Oslo is the capital [1].`): then the sentence of passage 1 that
says most of it is quoted. Or it names none, as the searcher was trained to: then each item of the answer is looked
for in the passages it was given. Either way the quote is compared with the stored page, word by word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hds_cli.text import STOPWORDS, cut_passages, has_words, quote_words, terms
from hds_cli.text.cutting import surroundings
from hds_cli.types import Citation, Page, Passage

_NUMBER = re.compile(r"\[(\d{1,4})\]")
_COMPUTED = re.compile(
    r"yes|no|true|false|[-+]?[\d][\d.,]*\s*(?:%|[^\W\d]{0,12}\.?)(?:\s+[^\W\d]{0,12})?", re.IGNORECASE
)
_NAME = re.compile(r"\b[^\W\d_a-zß-öø-ÿ][\w'’-]*")
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")
_MAX_QUOTE = 300
_MAX_ENTRY = 6  # words
_LEAD = 300  # characters in which a page says what it is about


@dataclass(frozen=True)
class Support:
    """The citations of an answer, and the items of it that no passage holds. `supported`: at least one item is."""

    citations: tuple[Citation, ...]
    unsupported: tuple[str, ...]
    supported: bool


@dataclass(frozen=True)
class _Claim:
    """A sentence that names a passage, and the items of the answer it is meant for."""

    text: str
    number: int
    items: tuple[str, ...]

    @property
    def entry(self) -> tuple[str, str]:
        """Label and value of a short claim like `Norway: Oslo`; "" and the sentence of any other."""
        label, value = _labelled(self.text)
        return (label, value) if len(value.split()) <= _MAX_ENTRY else ("", self.text)


def support(
    answer: str,
    explanation: str,
    question: str,
    passages: Sequence[tuple[str, Passage]],
    page_of: Callable[[str], Page | None],
) -> Support:
    """Find what supports an answer.

    Args:
        passages: (query, passage) in the order they were read.
        page_of: the stored page of an address.
    """
    by_number = {p.n: p for _, p in passages}
    full = {n: quote_words(p.full) for n, p in by_number.items()}
    queries: dict[int, str] = {}
    for query, p in passages:
        queries.setdefault(p.n, query)
    cited: dict[int, Citation] = {}
    items = answer_items(answer, [p for _, p in passages])
    claims = [claim for claim in _claims(explanation, items) if claim.number in by_number]
    astray: dict[str, _Claim] = {}  # an item, and the claim on it that names a passage on something else
    groundless = 0
    for claim in claims:
        passage, query = by_number[claim.number], queries[claim.number]
        if not _grounds(passage, claim, query, page_of):
            astray |= dict.fromkeys(claim.items, claim)
            groundless += not any(_grounds(p, claim, q, page_of) for q, p in passages)
        elif claim.number not in cited:
            cited[claim.number] = _quote(passage, f"{claim.text} {query}", claim.items or items, page_of)
    if 2 * groundless > len(claims) or (groundless and _concluded(items, claims)):
        return Support((), tuple(items), False)  # what was concluded from claims without a ground has none either
    unsupported = []
    for item in items:
        if any(c.verified and _holds(quote_words(c.quote), item, full[c.n]) for c in cited.values()):
            continue
        read = passages
        if item in astray:
            claim = replace(astray[item], items=(item,))
            read = [(q, p) for q, p in passages if _about(p, claim, q, page_of)]
        best = _best(item, question, explanation, read)
        if best is not None:
            cited[best.n] = _quote(best, f"{item} {question} {queries[best.n]}", [item], page_of)
        if best is None or not cited[best.n].verified:
            unsupported.append(item)
    verified = any(c.verified for c in cited.values())
    if unsupported == items and verified and all(_COMPUTED.fullmatch(item) for item in items):
        unsupported = []  # a sum, a count or a yes stands in no page; the passages it was made from are cited
    supported = verified and len(unsupported) < len(items)
    return Support(tuple(cited[n] for n in sorted(cited)), tuple(unsupported), supported)


def answer_items(answer: str, passages: Sequence[Passage]) -> list[str]:
    """The parts of an answer that can be looked for: all of it where a passage holds it so, else its list items.

    Where each part says what it is of (`Norway: Oslo; Sweden: Stockholm`), it keeps that.
    """
    texts = [quote_words(p.full) for p in passages]
    if any(_holds(text, answer) for text in texts):
        return [answer.strip()]
    items: list[str] = []
    for part in re.split(r";\s*|\n+", answer):
        if any(_holds(text, part) for text in texts):
            items.append(part.strip())
            continue
        label, values = _labelled(part)
        for value in re.split(r",\s+(?:and\s+|&\s+)?|\s+and\s+|\s+&\s+", values):
            if value := _BULLET.sub("", value).strip(" ."):
                items.append(f"{_BULLET.sub('', label)}: {value}" if label else value)
    return list(dict.fromkeys(items))


def _labelled(item: str) -> tuple[str, str]:
    """The label of an item ("" if it has none), and its value: `Norway: Oslo`."""
    label, colon, value = item.partition(": ")
    return (label.strip(), value.strip()) if colon and label.strip() and value.strip() else ("", item)


def _holds(text: str, item: str, beside: str = "") -> bool:
    """True when normalised `text` has `item`, or both the label and the value of a labelled item.

    Args:
        beside: normalised text where the label may stand instead.
    """
    label, value = _labelled(item)
    return has_words(text, item) or (
        bool(label) and has_words(text, value) and (has_words(text, label) or has_words(beside, label))
    )


def _sentences(passage: Passage) -> list[str]:
    return [sentence for cut in cut_passages(passage.text) for sentence in cut.sentences] or [passage.text]


def _says(text: str, item: str) -> bool:
    """True when a passage has an item, or nearly all the words of an item of four or more."""
    if _holds(quote_words(text), item):
        return True
    item_terms = set(terms(item))
    return len(item_terms) >= 4 and len(item_terms & set(terms(text))) >= 0.75 * len(item_terms)


def _claims(explanation: str, items: Sequence[str]) -> list[_Claim]:
    """A claim for every `[n]`: the text since the last full stop before it."""
    claims = []
    for match in _NUMBER.finditer(explanation):
        before = _NUMBER.sub(" ", explanation[: match.start()])
        text = re.split(r"(?<=[.!?])\s+|\n", before.rstrip(" .") or before)[-1]
        words = quote_words(text)
        claims.append(_Claim(text, int(match[1]), tuple(item for item in items if _holds(words, item))))
    return claims


def _concluded(items: Sequence[str], claims: Sequence[_Claim]) -> bool:
    """True when an answer follows from several claims, as a largest or a sum does, and stands in none alone."""
    values = [quote_words(value) for label, value in (claim.entry for claim in claims) if label]
    return len(values) > 1 and not any(has_words(value, _labelled(item)[1]) for value in values for item in items)


def _grounds(passage: Passage, claim: _Claim, query: str, page_of: Callable[[str], Page | None]) -> bool:
    """True when a passage can be the source of a claim: it has the value, and it is about the subject."""
    return _fits(passage, claim) and _about(passage, claim, query, page_of)


def _about(passage: Passage, claim: _Claim, query: str, page_of: Callable[[str], Page | None]) -> bool:
    """True when the passage is about the entities that the claim mentions beside its items.

    `Italy has its capital in San Marino` needs Italy: in the title, where the page begins (other names stand there), or
    in a sentence that says nearly all of the claim. That a page on San Marino names Italy somewhere is not enough; nor
    is `Italy 39 km` on that page for `Italy: 39 km`, where its `query` was for a coastline.
    """
    label, value = claim.entry
    values = [_labelled(item)[1] for item in claim.items if item != label]
    named = " ".join(word for word in _NAME.findall(claim.text) if word.casefold() not in STOPWORDS)
    names = set(terms(named)) - set(terms(" ".join(values))) if named else set()
    if not names:
        return True
    page = page_of(passage.url)
    on = set(terms(f"{passage.title} {passage.heading}"))
    if 3 * len(names & (on | set(terms(_lead(page.text) if page else "")))) >= 2 * len(names):
        return True
    claim_terms = set(terms(claim.text))
    sought = set(terms(query)) - claim_terms if label else set()
    for sentence in _sentences(passage):
        passage_terms = on | set(terms(sentence))
        if 4 * len(claim_terms & passage_terms) <= 3 * len(claim_terms) or 3 * len(names & passage_terms) < 2 * len(
            names
        ):
            continue
        words = quote_words(sentence)
        if not label or (
            3 * len(sought & passage_terms) >= 2 * len(sought) and any(has_words(words, v) for v in values or [value])
        ):
            return True
    return False


def _lead(text: str) -> str:
    """The first paragraph of a page, which says what the page is about."""
    return next((part for part in text[:2000].split("\n\n") if not part.lstrip().startswith("#")), "")[:_LEAD]


def _fits(passage: Passage, claim: _Claim) -> bool:
    """True when a passage has the item of the claim it is cited for, or half of the words of the claim."""
    text = quote_words(passage.full)
    label, value = claim.entry
    if label and quote_words(label) == quote_words(value) != "":
        # `Gibraltar: Gibraltar` is said by a sentence with both, not by a page that names Gibraltar.
        twice = re.compile(rf"\b({re.escape(quote_words(value))})\b.*\b\1\b")
        return any(twice.search(quote_words(sentence)) for sentence in _sentences(passage))
    if label and has_words(text, value):
        return True
    if label or claim.items:
        return any(_holds(text, item) for item in claim.items if item != label)
    claim_terms = set(terms(claim.text))
    return len(claim_terms & set(terms(text))) * 2 >= len(claim_terms)


def _best(item: str, question: str, explanation: str, passages: Sequence[tuple[str, Passage]]) -> Passage | None:
    question_terms = set(terms(f"{question} {explanation}"))
    best: tuple[int, Passage] | None = None
    for query, passage in passages:
        text = passage.full
        if not _says(text, item):
            continue
        words = set(terms(text))
        # The query a passage was found for says most about what it supports.
        score = 2 * len(words & set(terms(query))) + len(words & question_terms)
        if best is None or score > best[0]:
            best = (score, passage)
    return best[1] if best else None


def _quote(passage: Passage, claim: str, items: Sequence[str], page_of: Callable[[str], Page | None]) -> Citation:
    """The sentence of the passage that says most of the claim; one that holds an item of the answer first."""
    pieces = _sentences(passage)
    claim_terms, values = set(terms(claim)), [_labelled(item)[1] for item in items]

    def worth(place: int) -> tuple[int, int, int]:
        words = quote_words(pieces[place])
        return (sum(has_words(words, value) for value in values), len(claim_terms & set(terms(pieces[place]))), -place)

    quote = _clip(pieces[max(range(len(pieces)), key=worth)], values)
    page = page_of(passage.url)
    stored = quote_words(surroundings(page.text, passage.text)) if page else ""
    if len(quote.split()) < 4 and passage.heading and has_words(stored, f"{passage.heading} {quote}"):
        quote = f"{passage.heading}: {quote}"  # ".no" says nothing without the heading it stands under
    verified = has_words(stored, quote)
    return Citation(passage.n, passage.url, passage.title, quote, verified, passage.fetched_at)


def _clip(quote: str, values: Sequence[str]) -> str:
    """At most `_MAX_QUOTE` characters of whole words, around the first of `values` that stands in it."""
    if len(quote) <= _MAX_QUOTE:
        return quote
    at = max(0, min((i for value in values if (i := quote.casefold().find(value.casefold())) >= 0), default=0) - 100)
    start = quote.rfind(" ", 0, at) + 1 if at else 0
    end = quote.rfind(" ", start, start + _MAX_QUOTE)
    return quote[start : end if end > start else start + _MAX_QUOTE]

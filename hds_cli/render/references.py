"""The sources of an answer for programs that keep references: BibTeX, CSL-JSON and RIS.

Everything of a source is a stranger's text: it is cleaned, kept on one line and escaped as its format wants it.
"""

from __future__ import annotations

import json
import re
import string
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from hds_cli.render.text import one_line, safe_url
from hds_cli.run_state import RunState
from hds_cli.types import Citation

_DOI = re.compile(r"10\.\d{4,9}/[^\s?#&]+")
_ARXIV = re.compile(r"/(?:abs|pdf|html)/((?:\d{4}\.\d{4,5}|[a-z-]{2,20}/\d{7})(?:v\d{1,3})?)")
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_TEX = {
    "\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}", "$": r"\$", "&": r"\&", "#": r"\#",
    "_": r"\_", "%": r"\%", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MOST_NAMES = 30


@dataclass(frozen=True)
class Reference:
    """One source; texts are clean lines, `date` and `accessed` a year with maybe a month and a day.

    `site` is the host of a web page; `place` the address of what is no web page.
    """

    key: str
    title: str
    authors: tuple[str, ...] = ()
    others: bool = False
    date: tuple[int, ...] = ()
    accessed: tuple[int, ...] = ()
    url: str = ""
    doi: str = ""
    site: str = ""
    place: str = ""


def references(state: RunState) -> list[Reference]:
    """The sources of a run in their order, each page once, under keys of their own."""
    cited = {c.url: c for c in reversed(state.finished.citations if state.finished else ())}
    listed: list[Reference] = []
    taken: set[str] = set()
    for citation in sorted(cited.values(), key=lambda c: c.n):
        reference = _reference(citation)
        key = next(k for k in _keys(reference) if k not in taken)
        taken.add(key)
        listed.append(Reference(**{**reference.__dict__, "key": key}))
    return listed


def to_bibtex(state: RunState) -> str:
    """`@misc` entries, which both BibTeX and Biber read; UTF-8."""
    return "\n\n".join(_bibtex(one) for one in references(state))


def to_csl(state: RunState) -> str:
    """A list of items as the schema of the Citation Style Language has them; ASCII."""
    return json.dumps([_csl(one) for one in references(state)], ensure_ascii=True, indent=2)


def to_ris(state: RunState) -> str:
    """RIS records, a tag a line."""
    return "\n\n".join("\n".join(f"{tag}  - {value}" for tag, value in _ris(one)) for one in references(state))


# --- one source ------------------------------------------------------------------------------------------------------


def _reference(citation: Citation) -> Reference:
    url = safe_url(citation.url)
    host = _host(url)
    authors, others = _authors(citation.author or "")
    return Reference(
        "", one_line(citation.title) or host or one_line(citation.url), authors, others, _day(citation.date),
        _day(citation.fetched_at), url if host else "", _doi(url) if host else "",
        "" if host in ("doi.org", "dx.doi.org") else host.removeprefix("www."),
        "" if host else one_line(citation.url),
    )  # fmt: skip


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        return (parts.hostname or "") if parts.scheme in ("http", "https") else ""
    except ValueError:
        return ""


def _doi(url: str) -> str:
    """The DOI that an address has in it, or that arXiv gives the paper; empty without one."""
    parts = urlsplit(url)
    if (parts.hostname or "").removeprefix("www.") == "arxiv.org" and (paper := _ARXIV.match(parts.path)):
        return f"10.48550/arXiv.{re.sub(r'v[0-9]+$', '', paper[1])}"
    match = _DOI.search(unquote(parts.path))
    if not match:
        return ""
    doi = one_line(re.sub(r"(?:/(?:full|abstract|pdf|epdf|html))?(?:\.pdf|\.html)?/?\Z", "", match[0].rstrip(".,;)")))
    return doi if doi.isprintable() else ""


def _authors(text: str) -> tuple[tuple[str, ...], bool]:
    """The names in the line of authors that a page has, and whether there are more.

    `Lovelace, Ada` is one name; `Ada Lovelace, Alan Turing` are two; a semicolon and `and` part names always.
    """
    line = re.sub(r"^by ", "", one_line(text), flags=re.I)
    others = re.search(r"(?:,| and| &)? (?:and )?(?:others|et al\.?)\Z", line, re.I)
    line = line[: others.start()] if others else line
    names: list[str] = []
    for part in re.split(r"\s*;\s*|,?\s+(?:and|&)\s+", line):
        words = [one.strip() for one in part.split(",")]
        inverted = len(words) == 2 and (" " not in words[0] or " " not in words[1]) and all(words)
        names += [", ".join(words)] if inverted else [word for word in words if word]
    return tuple(names[:_MOST_NAMES]), others is not None or len(names) > _MOST_NAMES


def _day(text: str | None) -> tuple[int, ...]:
    """Year, month and day as far as they are there and can be."""
    match = _DATE.match(text or "")
    if match is None or not int(match[1]):
        return ()
    year, month, day = int(match[1]), int(match[2] or 0), int(match[3] or 0)
    if not 1 <= month <= 12:
        return (year,)
    return (year, month, day) if 1 <= day <= 31 else (year, month)


def _keys(reference: Reference) -> Iterator[str]:
    """`lovelace1843`, `example`, `example2`: ASCII letters and digits, whatever the source is called."""
    first = reference.authors[0] if reference.authors else ""
    name = first.partition(",")[0] if "," in first else first.rpartition(" ")[2]
    site = reference.site.rpartition(".")[0].rpartition(".")[2] or reference.site
    stem = next(filter(None, map(_ascii, (name, site, reference.title.partition(" ")[0]))), "source")
    stem += str(reference.date[0]) if reference.date else ""
    yield stem
    for letter in string.ascii_lowercase:
        yield stem + letter
    number = 1
    while True:
        yield f"{stem}-{number}"
        number += 1


def _ascii(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text[:60]).casefold()
    return re.sub(r"[^a-z0-9]", "", folded)[:24]


# --- formats ---------------------------------------------------------------------------------------------------------


def _bibtex(one: Reference) -> str:
    names = [_tex(name) if "," in name or " " in name else f"{{{_tex(name)}}}" for name in one.authors]
    fields = {
        "author": " and ".join([*names, *(["others"] if one.others and names else [])]),
        "title": f"{{{_tex(one.title)}}}",
        "year": str(one.date[0]) if one.date else "",
        "howpublished": _tex(one.site or one.place),
        "doi": _verbatim(one.doi),
        "url": _verbatim(one.url),
        "urldate": _iso(one.accessed),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    if len(one.date) > 1:
        lines.append(f"  month = {_MONTHS[one.date[1] - 1]},")
    return "\n".join((f"@misc{{{one.key},", *lines, "}"))


def _tex(text: str) -> str:
    return "".join(_TEX.get(letter, letter) for letter in text)


def _verbatim(text: str) -> str:
    """A field that is read letter by letter: nothing is escaped, and what would end it is encoded."""
    return re.sub(r"[{}\\ ]", lambda letter: f"%{ord(letter[0]):02X}", text)


def _csl(one: Reference) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": one.key,
        "type": "article" if one.doi else "webpage" if one.url else "document",
        "title": one.title,
        "author": [_csl_name(name) for name in one.authors],
        "issued": {"date-parts": [list(one.date)]} if one.date else None,
        "accessed": {"date-parts": [list(one.accessed)]} if one.accessed else None,
        "container-title": one.site,
        "DOI": one.doi,
        "URL": one.url,
        "source": one.place,
    }
    return {name: value for name, value in item.items() if value}


def _csl_name(name: str) -> dict[str, str]:
    """A name that is written the other way round has its parts; of any other it is not known which is which."""
    family, comma, given = name.partition(", ")
    return {"family": family, "given": given} if comma else {"literal": name}


def _ris(one: Reference) -> Iterator[tuple[str, str]]:
    yield "TY", "GEN" if one.doi else "ELEC" if one.url else "UNPB"
    yield "TI", one.title
    yield from (("AU", name) for name in one.authors)
    if one.date:
        yield "PY", str(one.date[0])
        yield "DA", _slashed(one.date)
    yield from (
        (tag, value) for tag, value in (("PB", one.site), ("DB", one.place), ("DO", one.doi), ("UR", one.url)) if value
    )
    if one.accessed:
        yield "Y2", _slashed(one.accessed)
    yield "ID", one.key
    yield "ER", ""


def _iso(day: tuple[int, ...]) -> str:
    return "-".join(f"{part:0{4 if place == 0 else 2}d}" for place, part in enumerate(day))


def _slashed(day: tuple[int, ...]) -> str:
    """`2024/05/17/`: the slashes are there whatever is known."""
    parts = [f"{part:0{4 if place == 0 else 2}d}" for place, part in enumerate(day)]
    return "/".join([*parts, *[""] * (4 - len(parts))])


__all__ = ["Reference", "references", "to_bibtex", "to_csl", "to_ris"]

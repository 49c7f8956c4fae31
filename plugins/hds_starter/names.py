"""The countries by every name that people type: variants, demonyms, regions, and what a misspelt one means."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hds_starter import world
from hds_starter.spelling import FEW, places, plain, resembles, typed

MAX_WORDS = 60  # of a question that is read by rule
_LONGEST = 7  # words of a name
_MOST_SIMILAR = 3  # names that are asked back
_OTHERS = frozenset("cocos island mann mexicanos portuguesa prathet viti yugoslavia".split())
"""Spellings of the package that are other words to those who type them."""
_DEPENDENT = frozenset(
    " ".join(part.split())
    for part in """
    American Samoa; Anguilla; Antilles néerlandaises; Aruba; Bermuda; Bonaire, Sint Eustatius and Saba; British
    Indian Ocean Territory; Burma; Cayman Islands; Christmas Island; Cocos (Keeling) Islands; Cook Islands; Curaçao;
    Falkland Islands; Faroe Islands; French Guiana; French Polynesia; French Southern and Antarctic Lands;
    Gibraltar; Greenland; Guadeloupe; Guam; Guernsey; Hong Kong; Isle of Man; Jersey; Macau; Martinique; Mayotte;
    Montserrat; New Caledonia; Niue; Norfolk Island; Northern Mariana Islands; Palestine, State of; Pitcairn
    Islands; Puerto Rico; Réunion; Saint Barthélemy; Saint Helena; Saint Martin (French part); Saint Pierre and
    Miquelon; Scotland; Serbia and Montenegro; Sint Maarten (Dutch part); South Georgia; Svalbard and Jan Mayen;
    Tokelau; Turks and Caicos Islands; Vatican City State; Virgin Islands, British; Virgin Islands, U.S.; Wallis and
    Futuna; Western Sahara; Åland Islands
    """.split(";")
)
"""Pages on no country of its own: dependent territories, parts, former states, and second pages on one country."""
_PARTS = ("region", "subregion", "intermediateregion")
_OTHER_AMERICA = {"North America": "South America", "South America": "North America"}
_OF_TWO = frozenset(
    {"Armenia", "Azerbaijan", "Cyprus", "Denmark", "East Timor", "Egypt", "France", "Georgia", "Indonesia",
     "Kazakhstan", "Netherlands", "Portugal", "Russia", "Spain", "Turkey", "United Kingdom", "United States", "Yemen"}
)  # fmt: skip
"""Countries of which a part lies in, or is counted to, another continent."""
_VARIANTS = {
    "america": "United States", "u s": "United States", "u s a": "United States",
    "us": "United States", "usa": "United States", "united states of america": "United States",
    "britain": "United Kingdom", "uk": "United Kingdom", "u k": "United Kingdom", "great britain": "United Kingdom",
    "uae": "United Arab Emirates", "emirates": "United Arab Emirates", "drc": "Democratic Republic of the Congo",
    "dr congo": "Democratic Republic of the Congo", "congo kinshasa": "Democratic Republic of the Congo",
    "zaire": "Democratic Republic of the Congo", "congo brazzaville": "Republic of the Congo", "burma": "Myanmar",
    "vatican": "Holy See (Vatican City State)", "vatican city": "Holy See (Vatican City State)",
    "holy see": "Holy See (Vatican City State)", "czechia": "Czech Republic", "holland": "Netherlands",
    "macedonia": "Republic of Macedonia", "north macedonia": "Republic of Macedonia", "eswatini": "Swaziland",
    "cote divoire": "Ivory Coast", "cote d ivoire": "Ivory Coast", "timor leste": "East Timor",
    "cabo verde": "Cape Verde",
    "bosnia": "Bosnia and Herzegovina", "bosnia herzegovina": "Bosnia and Herzegovina", "micronesia":
    "Federated States of Micronesia", "turkiye": "Turkey", "viet nam": "Vietnam", "brunei darussalam": "Brunei",
    "trinidad": "Trinidad and Tobago", "antigua": "Antigua and Barbuda", "sao tome": "São Tomé and Príncipe",
    "sao tome and principe": "São Tomé and Príncipe", "st lucia": "Saint Lucia", "guinea bissau": "Guinea-Bissau",
    "st kitts and nevis": "Saint Kitts and Nevis", "saint kitts": "Saint Kitts and Nevis", "macao": "Macau",
    "st vincent": "Saint Vincent and the Grenadines", "saint vincent": "Saint Vincent and the Grenadines",
    "russian federation": "Russia", "bahamas": "The Bahamas", "gambia": "The Gambia",
    "democratic republic of congo": "Democratic Republic of the Congo", "republic of congo": "Republic of the Congo",
    "s korea": "South Korea", "n korea": "North Korea", "ksa": "Saudi Arabia",
    "png": "Papua New Guinea",
}  # fmt: skip
_ADJECTIVES = {
    "argentine": "Argentina", "filipino": "Philippines", "kazakh": "Kazakhstan",
    "kyrgyz": "Kyrgyzstan", "tajik": "Tajikistan", "uzbek": "Uzbekistan", "slovenian": "Slovenia", "dane": "Denmark",
    "argentinian": "Argentina", "ecuadorian": "Ecuador", "icelandic": "Iceland", "emirati": "United Arab Emirates",
    "pole": "Poland", "swede": "Sweden", "finn": "Finland", "spaniard": "Spain", "turk": "Turkey", "brit":
    "United Kingdom", "dutch": "Netherlands", "batswana": "Botswana", "basotho": "Lesotho", "surinamese": "Suriname",
}  # fmt: skip
_SEVERAL = {
    "congo": ("Democratic Republic of the Congo", "Republic of the Congo"), "korea": ("North Korea", "South Korea"),
    "guiana": ("French Guiana", "Guyana"), "congolese": ("Democratic Republic of the Congo", "Republic of the Congo"),
    "dominican": ("Dominica", "Dominican Republic"),
    "korean": ("North Korea", "South Korea"), "virgin islands": ("Virgin Islands, U.S.", "Virgin Islands, British"),
}  # fmt: skip
_GROUPS = {
    "baltic states": ("Estonia", "Latvia", "Lithuania"), "baltics": ("Estonia", "Latvia", "Lithuania"),
    "baltic countries": ("Estonia", "Latvia", "Lithuania"), "benelux": ("Belgium", "Netherlands", "Luxembourg"),
    "benelux countries": ("Belgium", "Netherlands", "Luxembourg"), "scandinavia": ("Denmark", "Norway", "Sweden"),
    "scandinavian countries": ("Denmark", "Norway", "Sweden"),
    "scandinavian": ("Denmark", "Norway", "Sweden"), "baltic": ("Estonia", "Latvia", "Lithuania"),
    "nordic": ("Denmark", "Finland", "Iceland", "Norway", "Sweden"),
    "nordic countries": ("Denmark", "Finland", "Iceland", "Norway", "Sweden"),
}  # fmt: skip
_REGIONS = {
    "europe": "Europe", "european": "Europe", "asia": "Asia", "asian": "Asia", "africa": "Africa", "african": "Africa",
    "oceania": "Oceania", "americas": "Americas", "caribbean": "Caribbean", "north africa": "Northern Africa",
    "south asia": "Southern Asia", "east asia": "Eastern Asia", "west asia": "Western Asia", "far east": "Eastern Asia",
    "southeast asia": "South-eastern Asia", "south east asia": "South-eastern Asia", "east africa": "Eastern Africa",
    "southeastern asia": "South-eastern Asia", "south eastern asia": "South-eastern Asia", "latin america":
    "Latin America and the Caribbean", "west africa": "Western Africa", "central africa": "Middle Africa",
    "north america": "North America", "south american": "South America", "central american": "Central America",
    "sub saharan africa": "Sub-Saharan Africa", "subsaharan africa": "Sub-Saharan Africa",
}  # fmt: skip


@dataclass(frozen=True)
class Found:
    """What a stretch of a question names: a country, several that share the name, a group of them, or a region.

    `meant` is the name that a misspelt one was read as; "" where it was written right.
    """

    kind: str  # country, several, group, region
    names: tuple[str, ...]
    words: int
    meant: str = ""
    demonym: bool = False


@functools.cache
def countries() -> Mapping[str, Mapping[str, Any]]:
    return world.countries()


@functools.cache
def by_name() -> Mapping[str, tuple[str, ...]]:
    """The titles of pages by a name, in plain letters; several where the name is of several."""
    known: dict[str, list[str]] = defaultdict(list)
    for title, info in countries().items():
        for name in (title, title.partition(" (")[0], *(info.get("altSpellings") or [])):
            short = plain(str(name))
            if len(short) < FEW or short in _OTHERS:
                continue
            if title not in known[short] and (short == plain(title) or not known[short]):
                known[short].append(title)
    exact = {plain(title): (title,) for title in countries() if title not in ("Burma", "Vatican City State")}
    variants = {name: (title,) for name, title in _VARIANTS.items() if title in countries()}
    return {name: tuple(titles) for name, titles in known.items()} | exact | variants | _SEVERAL


@functools.cache
def demonyms() -> Mapping[str, str]:
    """The title of a page by the adjective of its country, where that is of one country alone."""
    known: dict[str, set[str]] = defaultdict(set, {word: {title} for word, title in _ADJECTIVES.items()})
    for title, info in countries().items():
        if info.get("demonym") and title not in _DEPENDENT:
            for word in re.split(r"[,/]", str(info["demonym"])):
                known[plain(word)].add(title)
    return {word: next(iter(titles)) for word, titles in known.items() if len(titles) == 1 and word not in by_name()}


@functools.cache
def regions() -> Mapping[str, tuple[str, ...]]:
    """The countries of each part of the world, by its name: no dependent territories."""
    parts: dict[str, list[str]] = defaultdict(list)
    for title, info in countries().items():
        if title not in _DEPENDENT:
            for part in {str(info.get(key) or "") for key in _PARTS} - {""}:
                parts["South-eastern Asia" if part == "South-Eastern Asia" else part].append(title)
    # Of Central America it is to the United Nations alone.
    parts["Central America"] = [title for title in parts["Central America"] if title != "Mexico"]
    parts["North America"] = ["Mexico", *parts["Northern America"], *parts["Central America"], *parts["Caribbean"]]
    return {part: tuple(sorted(titles)) for part, titles in parts.items()}


def lies_in(title: str, part: str) -> bool | None:
    """Whether a country lies in a part of the world; None where that is a matter of how the parts are drawn.

    The United Kingdom is of Northern Europe on its page, and of Western Europe to many; Russia is of two continents.
    """
    info = countries()[title]
    if (title, part) == ("Mexico", "Central America"):
        return None
    if title in regions().get(part, ()) or part in {str(info.get(key)) for key in _PARTS}:
        return True
    if title in regions().get(_OTHER_AMERICA.get(part, ""), ()):
        return False
    continents = {str(countries()[name].get("region")) for name in regions().get(part, ())}
    apart = str(info.get("region")) not in continents and title not in _OF_TWO
    return False if apart and info.get("region") and continents else None


@functools.cache
def _by_region() -> Mapping[str, str]:
    return _REGIONS | {plain(part): part for part in regions()}


@functools.cache
def _spellings() -> tuple[str, ...]:
    """The names that a misspelt one may be meant to be: English ones, of four letters or more."""
    titles = {plain(title.partition(" (")[0]) for title in countries() if title not in _DEPENDENT}
    return tuple(sorted(name for name in {*titles, *_VARIANTS, *_by_region()} if len(name) >= FEW))


def find(words: Sequence[str]) -> Found | None:
    """What the words begin with: the longest name that is written right."""
    for count in range(min(_LONGEST, len(words)), 0, -1):
        if words[count - 1] in ",;":
            continue
        text = " ".join(word for word in words[:count] if word not in ",;")
        for form in (text, text.removesuffix("s")) if count == 1 else (text,):
            if group := _GROUPS.get(text):
                return Found("group", group, count)
            if titles := by_name().get(form):
                return Found("country" if len(titles) == 1 else "several", titles, count)
            if part := _by_region().get(form):
                return Found("region", (part,), count)
            if title := demonyms().get(form):
                return Found("country", (title,), count, demonym=True)
    return None


def meant(word: str, following: str = "") -> Found | None:
    """What a misspelt name was meant to be, where one alone is a typist's slip away and the word names nothing else."""
    for text, count in ((f"{word} {following}", 2), (word, 1)) if following else ((word, 1),):
        near = [] if text in places() or text in _OTHERS else [name for name in _spellings() if typed(text, name)]
        titles = {by_name().get(name) or (_by_region()[name],) for name in near}
        if len(titles) == 1:
            (names,) = titles
            kind = "region" if near[0] in _by_region() else "country" if len(names) == 1 else "several"
            return Found(kind, names, count, meant=names[0])
    return None


def similar(word: str) -> str:
    """The names that a word resembles, for `did you mean …?`; "" for none."""
    if word in _OTHERS:
        return ""
    near = [name for name in _spellings() if resembles(word, name)]
    titles = dict.fromkeys(by_name().get(name, (_by_region().get(name, ""),))[0] for name in near)
    return " or ".join(titles) if len(titles) <= _MOST_SIMILAR else ""

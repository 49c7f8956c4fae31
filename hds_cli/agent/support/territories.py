"""Names of countries and territories in many languages: `Sambia` is `Zambia`, `Costa de Marfil` is `Ivory Coast`.

`territories.json` beside this file is made by `python -m hds_cli.agent.support.territories` from the Unicode Common
Locale Data Repository, which needs Babel; reading it does not.
"""

from __future__ import annotations

import functools
import json
import re
from collections import defaultdict
from pathlib import Path

from hds_cli.agent.support.cldr import LOCALES
from hds_cli.agent.support.words import words

_FILE = Path(__file__).with_name("territories.json")
_LEAST = 3  # letters of a name in the Latin script
Name = tuple[str, ...]
# Words within a name that no claim's name keeps: `Costa de Marfil`.
_LITTLE = frozenset("of the de la le du des del della di da do dos van von der den zu zur and und et y e".split())
# Common beside the official names, which the locale data have.
_EXTRA = {
    "BA": "Bosnia|Bosnien|Bosnie", "BY": "Weißrussland|Byelorussia",
    "CD": "DR Congo|DR Kongo|Democratic Republic of Congo",
    "CI": "Ivory Coast|Elfenbeinküste|Costa d'Avorio|Costa de Marfil|Ivoorkust", "CV": "Cape Verde|Kap Verde|Kapverden",
    "CZ": "Czech Republic|Tschechische Republik", "GB": "Great Britain|Großbritannien|Grande-Bretagne|Gran Bretaña|UK",
    "KP": "North Korea|Nordkorea", "KR": "South Korea|Südkorea", "MD": "Moldova|Moldau|Moldawien",
    "MK": "Macedonia|Mazedonien|Macédoine", "MM": "Burma|Birma|Birmanie|Birmania|Myanmar",
    "NL": "Holland|the Netherlands", "SZ": "Swaziland|Swasiland", "TL": "East Timor|Osttimor", "TR": "Turkey",
    "US": "USA|United States of America|Vereinigte Staaten von Amerika|Etats-Unis d'Amérique", "VA": "Vatican|Vatikan",
}  # fmt: skip


def forms(name: Name) -> tuple[Name, ...]:
    """The names in all languages of the territory that has this one, whatever ending German gives it; (): none has."""
    by_name, of_code = _tables()
    codes = next((by_name[key] for key in _keys(name) if key in by_name), ())
    return tuple(dict.fromkeys(form for code in codes for form in of_code[code]))


@functools.cache
def _tables() -> tuple[dict[Name, tuple[str, ...]], dict[str, tuple[Name, ...]]]:
    by_name: dict[Name, tuple[str, ...]] = defaultdict(tuple)
    of_code: dict[str, tuple[Name, ...]] = {}
    for code, listed in json.loads(_FILE.read_text("utf-8")).items():
        of_code[code] = tuple(tuple(name.split()) for name in listed)
        for name in of_code[code]:
            by_name[name] += (code,)
    return dict(by_name), of_code


def _keys(name: Name) -> list[Name]:
    """A name, and it without the endings of a genitive and a dative: `Sambias`, `Vereinigten Staaten`."""
    bare = tuple(word for word in name if word not in _LITTLE)
    first, last = bare[:-1], bare[-1:]
    return [bare, (*first, *(word.removesuffix("s") for word in last)), (*(w.removesuffix("n") for w in first), *last)]


def made() -> dict[str, list[str]]:
    """The content of `territories.json`, from the locale data of the installed Babel."""
    from babel import Locale

    listed: dict[str, set[str]] = defaultdict(set)
    for locale in LOCALES:
        for code, name in Locale.parse(locale).territories.items():
            if len(code) == 2 and code.isalpha() and code not in ("EU", "EZ", "UN", "XA", "XB", "ZZ"):
                listed[code] |= _folded(name)
    for code, names in _EXTRA.items():
        listed[code] |= {form for name in names.split("|") for form in _folded(name)}
    return {code: sorted(listed[code]) for code in sorted(listed)}


def _folded(name: str) -> set[str]:
    """The words of a name, without what stands in brackets, `Hong Kong (China)`."""
    form = " ".join(word for word in words(re.split(r"[(（]", name)[0]) if word not in _LITTLE)
    return {form} if len(form) >= _LEAST or (form and not form.isascii()) else set()


if __name__ == "__main__":
    _FILE.write_text(json.dumps(made(), ensure_ascii=False, indent=0, separators=(",", ":")) + "\n", "utf-8")

"""The collection `world`: one page a country, from the data of the countryinfo package (MIT)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from hds_cli.search.base import BundledCollection
from hds_cli.types import Document

# The package does not date its figures; they agree with the official estimates of 2014.
POPULATION_YEAR = 2014
# Units of account, which nobody pays with: the funds codes of ISO 4217.
_FUNDS = frozenset({"BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "USS", "UYI", "UYW"})
# Neighbours that the package lacks or has wrong, by code: those to add, and those that are none.
_BORDERS = {
    "CHN": ("NPL", ""), "IND": ("", "LKA AFG"), "KWT": ("IRQ", "IRN"), "LKA": ("", "IND"), "MMR": ("IND", "BTN"),
    "TCD": ("SDN", "SSD"),
}  # fmt: skip
_MORE_LANGUAGES = {"ZAF": ("nso",)}  # which the package lacks, as they have no code of two letters
# Short names that people use; the others of so few letters are codes.
_SHORT = frozenset({"DRC", "UAE", "UK", "USA"})


def collection() -> BundledCollection:
    """The entry point of `hds.collections.v1`."""
    import countryinfo

    version = getattr(countryinfo, "__version__", None) or _installed_version()
    return BundledCollection(f"countryinfo {version}, pages 5", "one page a country (countryinfo, MIT)", documents)


def _installed_version() -> str:
    from importlib.metadata import version

    return version("countryinfo")


def countries() -> dict[str, dict[str, Any]]:
    """The countries by name, those with a capital or a population."""
    from countryinfo import all_countries

    by_name = {}
    for country in all_countries():
        info = country.info()
        if info.get("capital") or info.get("population"):
            # One record has its capital in a list.
            by_name[str(info["name"])] = {
                k: v[0] if k == "capital" and isinstance(v, list) else v for k, v in info.items()
            }
    return dict(sorted(by_name.items()))


def names() -> list[str]:
    """The names of the countries, none where the package is not installed."""
    try:
        return list(countries())
    except ImportError:
        return []


def documents() -> Iterable[Document]:
    """One document a country."""
    everything = countries()
    by_code = {info["ISO"]["alpha3"]: name for name, info in everything.items()}
    for name, info in everything.items():
        yield Document(name, name, page(name, info, by_code), f"local://world/{name.replace(' ', '_')}")


def page(name: str, info: dict[str, Any], by_code: dict[str, str]) -> str:
    """The text of one country's page: short sections of whole sentences, each naming the country."""
    sections = [
        ("", _overview(name, info)),
        ("Geography", _geography(name, info, by_code)),
        ("People", _people(name, info)),
        ("Economy", _economy(name, info)),
        ("Provinces", _provinces(name, info)),
    ]
    return "\n\n".join(f"## {heading}\n\n{text}" if heading else text for heading, text in sections if text)


def borders(info: dict[str, Any], by_code: dict[str, str]) -> list[str]:
    """The names of the neighbours."""
    add, drop = _BORDERS.get(info["ISO"]["alpha3"], ("", ""))
    codes = [code for code in info.get("borders") or [] if code not in drop.split()]
    codes += [add] if add and add not in codes else []
    return [by_code[code] for code in codes if code in by_code]


def _overview(name: str, info: dict[str, Any]) -> str:
    sentences = []
    if info.get("capital"):
        sentences.append(f"The capital of {name} is {str(info['capital']).replace(' D.C.', ', D.C')}.")
    if region := info.get("subregion") or info.get("region"):
        sentences.append(f"{name} lies in {region}.")
    if info.get("demonym"):
        sentences.append(f"The people of {name} are called {info['demonym']}.")
    known = [s for s in info.get("altSpellings") or [] if len(s) > 3 or s in _SHORT]
    also = [s for s in known if s.isascii() and s != name][:2]
    if also:
        sentences.append(f"{name} is also known as {_list(also)}.")
    return " ".join(sentences)


def _geography(name: str, info: dict[str, Any], by_code: dict[str, str]) -> str:
    sentences = []
    if info.get("area"):
        area = f"{info['area']:,.0f}" if info["area"] >= 10 else f"{info['area']:g}"  # Monaco has 2.02
        sentences.append(f"{name} has an area of {area} square kilometres.")
    if neighbours := borders(info, by_code):
        count = f"{len(neighbours)} countries" if len(neighbours) > 1 else "one country"
        sentences.append(f"{name} borders {count}: {_list(neighbours)}.")
    elif info.get("area"):
        sentences.append(f"{name} has no land borders.")
    return " ".join(sentences)


def _people(name: str, info: dict[str, Any]) -> str:
    sentences = []
    if info.get("population"):
        sentences.append(f"The population of {name} is {info['population']:,} ({POPULATION_YEAR}).")
    languages = languages_of(info)
    if languages:
        word = "language" if len(languages) == 1 else "languages"
        sentences.append(f"The official {word} of {name} {'is' if len(languages) == 1 else 'are'} {_list(languages)}.")
    return " ".join(sentences)


def languages_of(info: dict[str, Any]) -> list[str]:
    """The names of the official languages."""
    return _named([*(info.get("languages") or []), *_MORE_LANGUAGES.get(info["ISO"]["alpha3"], ())], "languages")


def _economy(name: str, info: dict[str, Any]) -> str:
    sentences = []
    currencies = _named(info.get("currencies"), "currencies")
    if currencies:
        word = "currency" if len(currencies) == 1 else "currencies"
        sentences.append(f"The {word} of {name} {'is' if len(currencies) == 1 else 'are'} the {_list(currencies)}.")
    if info.get("tld"):
        sentences.append(f"The internet domain of {name} is {info['tld'][0]}.")
    if info.get("callingCodes"):
        sentences.append(f"The calling code of {name} is +{info['callingCodes'][0]}.")
    return " ".join(sentences)


def _provinces(name: str, info: dict[str, Any]) -> str:
    provinces = [str(p) for p in info.get("provinces") or []]
    if not provinces:
        return ""
    return f"{name} has {len(provinces)} provinces or regions: {_list(provinces)}."


def _named(codes: Any, kind: str) -> list[str]:
    from babel import Locale

    names = getattr(Locale("en"), kind)
    known = [str(names[code]) for code in codes or [] if code in names and code not in _FUNDS]
    return [re.sub(r"\s*\(\d{4}\D+(?:\d{4})?\)\Z", "", name) for name in known]  # Zambian Kwacha (1968–2012)


def _list(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"

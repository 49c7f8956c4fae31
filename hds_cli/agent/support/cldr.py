"""Names of months, units, scales and currencies in many languages, from the Unicode Common Locale Data Repository.

`cldr.json` beside this file is made by `python -m hds_cli.agent.support.cldr`, which needs Babel; reading it does not.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hds_cli.text import fold

_FILE = Path(__file__).with_name("cldr.json")
LOCALES = "en en_GB de fr es it pt nl sv da nb fi pl cs uk ru el tr hu ro ar he fa hi zh zh_Hant ja ko th vi id".split()
_UNITS: dict[str, tuple[str, float]] = {
    "length-kilometer": ("length", 1000.0),
    "length-meter": ("length", 1.0),
    "length-centimeter": ("length", 0.01),
    "length-millimeter": ("length", 0.001),
    "length-micrometer": ("length", 1e-6),
    "length-nanometer": ("length", 1e-9),
    "length-mile": ("length", 1609.344),
    "length-yard": ("length", 0.9144),
    "length-foot": ("length", 0.3048),
    "length-inch": ("length", 0.0254),
    "length-nautical-mile": ("length", 1852.0),
    "length-light-year": ("length", 9.4607304725808e15),
    "area-square-kilometer": ("area", 1e6),
    "area-hectare": ("area", 1e4),
    "area-square-meter": ("area", 1.0),
    "area-square-centimeter": ("area", 1e-4),
    "area-square-mile": ("area", 2589988.110336),
    "area-acre": ("area", 4046.8564224),
    "area-square-foot": ("area", 0.09290304),
    "volume-cubic-kilometer": ("volume", 1e9),
    "volume-cubic-meter": ("volume", 1.0),
    "volume-cubic-centimeter": ("volume", 1e-6),
    "volume-liter": ("volume", 1e-3),
    "volume-milliliter": ("volume", 1e-6),
    "volume-gallon": ("volume", 0.003785411784),
    "mass-tonne": ("mass", 1000.0),
    "mass-kilogram": ("mass", 1.0),
    "mass-gram": ("mass", 1e-3),
    "mass-milligram": ("mass", 1e-6),
    "mass-microgram": ("mass", 1e-9),
    "mass-pound": ("mass", 0.45359237),
    "mass-ounce": ("mass", 0.028349523125),
    "duration-year": ("years", 1.0),
    "duration-century": ("years", 100.0),
    "duration-decade": ("years", 10.0),
    "duration-month": ("months", 1.0),
    "duration-week": ("time", 604800.0),
    "duration-day": ("time", 86400.0),
    "duration-hour": ("time", 3600.0),
    "duration-minute": ("time", 60.0),
    "duration-second": ("time", 1.0),
    "duration-millisecond": ("time", 1e-3),
    "concentr-percent": ("%", 1.0),
    "concentr-permille": ("%", 0.1),
    "temperature-celsius": ("celsius", 1.0),
    "temperature-fahrenheit": ("fahrenheit", 1.0),
    "temperature-kelvin": ("kelvin", 1.0),
    "speed-kilometer-per-hour": ("speed", 1 / 3.6),
    "speed-meter-per-second": ("speed", 1.0),
    "speed-mile-per-hour": ("speed", 0.44704),
    "speed-knot": ("speed", 1852 / 3600),
    "power-gigawatt": ("power", 1e9),
    "power-megawatt": ("power", 1e6),
    "power-kilowatt": ("power", 1e3),
    "power-watt": ("power", 1.0),
    "energy-kilowatt-hour": ("energy", 3.6e6),
    "energy-joule": ("energy", 1.0),
    "energy-kilocalorie": ("energy", 4184.0),
    "frequency-gigahertz": ("frequency", 1e9),
    "frequency-megahertz": ("frequency", 1e6),
    "frequency-kilohertz": ("frequency", 1e3),
    "frequency-hertz": ("frequency", 1.0),
    "electric-volt": ("voltage", 1.0),
    "digital-terabyte": ("data", 1e12),
    "digital-gigabyte": ("data", 1e9),
    "digital-megabyte": ("data", 1e6),
    "digital-kilobyte": ("data", 1e3),
    "pressure-hectopascal": ("pressure", 100.0),
    "pressure-pascal": ("pressure", 1.0),
    "pressure-bar": ("pressure", 1e5),
}
_CURRENCIES = (
    "USD EUR GBP JPY CNY CHF CAD AUD NZD SEK NOK DKK PLN CZK HUF RUB UAH TRY INR BRL MXN KRW THB ILS ZAR SAR AED EGP "
    "IDR VND PHP SGD HKD TWD ISK RON BGN"
).split()
# Short names that are no other word beside a number; `5 in`, `5 a` and `5 d` are not read as inches, years and days.
_SHORT = frozenset(
    "m g l h s t % m2 m3 km cm mm nm kg mg ml ha mi ft yd lb oz kw mw gw hz gb mb kb tb ms kn w v".split()
)
_NO_UNIT = frozenset(
    "man den het let art lit nod von fit met pie tim rok lab lat sem mes mon dam uns ore ons inc dec "
    "jun jul mar".split()
)
_EXTRA = {
    "area-square-kilometer": "sq km|sq. km|square km|quadrat-km|qkm|кв. км|кв км",
    "area-square-mile": "sq mi|sq. mi|square miles|square mile",
    "area-square-meter": "sq m|sq. m|square metres|square metre|qm|кв. м|кв м",
    "area-square-foot": "sq ft|sq. ft",
    "volume-cubic-meter": "cu m|cu. m|cubic metres|cubic metre",
    "volume-cubic-kilometer": "cu km",
    "duration-year": "yrs|years old|years of age|year-old|years-old|jahre alt|歳|岁|歲|세",
    "duration-hour": "hrs|hr",
    "speed-kilometer-per-hour": "kph",
    "concentr-percent": "per cent|pct|percent|проц|百分点|パーセント",
    "mass-tonne": "metric tons|metric tonnes",
}
_SCALES = {
    "k": 3,
    "bn": 9,
    "tn": 12,
    "mn": 6,
    "lakh": 5,
    "crore": 7,
    "crores": 7,
    "thousands": 3,
    "millions": 6,
    "billions": 9,
}
_NO_SCALE = frozenset("bill mill bil bin tri tril mie mii mia tn tis".split())
_NO_MONTH = frozenset("out set ago mag lis".split())  # `set 2 records`, `out 1 of 3`


@dataclass(frozen=True)
class Names:
    """Folded names: month -> 1-12, unit -> (dimension, factor to its base), scale -> power, currency -> ISO 4217."""

    months: dict[str, int]
    units: dict[str, tuple[str, float]]
    scales: dict[str, float]
    currencies: dict[str, str]


@functools.cache
def names() -> Names:
    """The names of all languages, read once."""
    tables = json.loads(_FILE.read_text("utf-8"))
    units: dict[str, tuple[str, float]] = {}
    for unit, listed in tables["units"].items():  # in the order of `_UNITS`: `m` is the metre
        for name in listed:
            units.setdefault(name, _UNITS[unit])
    months = {name: number for number, listed in enumerate(tables["months"], 1) for name in listed}
    scales = {name: 10.0**power for name, power in _SCALES.items()}
    for power, listed in tables["scales"].items():  # from the smallest: `billion` is the English one
        for name in listed:
            scales.setdefault(name, 10.0 ** int(power))
    currencies = {name: code for code, listed in tables["currencies"].items() for name in listed}
    return Names(months, units, scales, currencies)


def made() -> dict[str, Any]:
    """The content of `cldr.json`, from the locale data of the installed Babel."""
    from babel import Locale

    months: list[set[str]] = [set() for _ in range(12)]
    units: dict[str, set[str]] = {unit: set(filter(None, _EXTRA.get(unit, "").split("|"))) for unit in _UNITS}
    scales: dict[str, set[str]] = {}
    currencies: dict[str, set[str]] = {code: {code.lower()} for code in _CURRENCIES}
    for code in LOCALES:
        locale = Locale.parse(code)
        data = locale._data
        for number, name in _months(locale, english=code == "en"):
            months[number - 1].add(name)
        for unit in _UNITS:
            units[unit] |= set(_unit_names(data["unit_patterns"].get(unit, {})))
        for power, name in _scales(data["compact_decimal_formats"]):
            scales.setdefault(str(power), set()).add(name)
        for currency in _CURRENCIES:
            plural = data["currency_names_plural"].get(currency, {})
            currencies[currency] |= {_clean(name) for name in plural.values()}
    return {
        "months": [sorted(listed) for listed in months],
        "units": {unit: sorted(listed) for unit, listed in units.items()},
        "scales": {power: sorted(listed) for power, listed in sorted(scales.items(), key=lambda item: int(item[0]))},
        "currencies": {code: sorted(listed) for code, listed in currencies.items()},
    }


def _clean(name: str) -> str:
    return " ".join(fold(name).replace("\u200f", "").replace("²", "2").replace("³", "3").strip(" .").split())


def _months(locale: Any, *, english: bool) -> Iterator[tuple[int, str]]:
    for form in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            for number, name in locale.months[form][width].items():
                short = _clean(name)
                if short.isdigit() or len(short) < 3 or any(c.isdigit() for c in short):
                    continue
                if english or width == "wide" or short not in _NO_MONTH:
                    yield number, short


def _unit_names(patterns: Any) -> Iterator[str]:
    for length in ("long", "short"):
        for count, pattern in patterns.get(length, {}).items():
            name = _clean(pattern.replace("{0}", "")) if count != "per" and isinstance(pattern, str) else ""
            if name and name not in _NO_UNIT and (len(name) > 2 or name in _SHORT or not name.isascii()):
                yield name


def _scales(formats: Any) -> Iterator[tuple[int, str]]:
    for length in ("long", "short"):
        for patterns in (formats.get(length) or {}).values():
            for size, pattern in patterns.items():
                text = getattr(pattern, "pattern", str(pattern))
                name = _clean(re.sub(r"[0'\u200f]", "", text).replace("¤", ""))
                if (
                    "0" in text
                    and name
                    and name not in _NO_SCALE
                    and (len(name) > 2 or name in ("bn", "mn") or not name.isascii())
                ):
                    yield len(size) - text.count("0"), name


if __name__ == "__main__":
    _FILE.write_text(json.dumps(made(), ensure_ascii=False, indent=0, separators=(",", ":")) + "\n", "utf-8")

"""Whether a city is the capital of a country: what is known well enough to say yes or no."""

from __future__ import annotations

import difflib

from hds_starter import names
from hds_starter.spelling import plain
from hds_starter.symbols import held

_CITIES = frozenset(
    " ".join(city.split())
    for city in """
    antwerp; auckland; barcelona; basel; bordeaux; casablanca; chicago; cologne; cordoba; frankfurt; geneva; glasgow;
    gothenburg; guayaquil; hamburg; hong kong; houston; istanbul; johannesburg; karachi; krakow; lagos; lahore; lyon;
    manchester; marrakesh; marseille; medellin; melbourne; milan; montreal; mumbai; munich; naples; new york; new york
    city; osaka; porto; rio; rio de janeiro; rotterdam; salzburg; sao paulo; saint petersburg; st petersburg; seville;
    shanghai; sydney; toronto; turin; valencia; vancouver; venice; zurich
    """.split(";")
)
_DISPUTED = frozenset(
    " ".join(city.split())
    for city in """
    abidjan; astana; bloemfontein; bujumbura; cape town; colombo; cotonou; dar es salaam; gitega; jerusalem; kotte;
    kuala lumpur; la paz; lobamba; mbabane; nur sultan; putrajaya; tel aviv; the hague; valparaiso
    """.split(";")
)
"""Seats of a government beside the capital, or before it, of which a page says nothing."""
_ALIKE = 0.5  # of the letters, above which one name may be another spelling of the other (Praha, Prague)


def is_capital(city: str, country: str) -> bool | None:
    """True or False where a city in plain letters is known to be, or not to be, the capital; None for another one.

    `Kiev` may be `Kyiv` in other letters, and a city that no list has may be any.
    """
    capital = plain(str(names.countries()[country].get("capital") or ""))
    if not capital:
        return None
    if country in held()["capital"].get(city, ()) or city.replace(" ", "") == capital.replace(" ", ""):
        return True
    if city in _DISPUTED or set(city.split()) & set(capital.split()):
        return None
    alike = difflib.SequenceMatcher(None, city, capital, autojunk=False).ratio() >= _ALIKE
    known = city in _CITIES or city in held()["capital"]
    return False if known and not alike else None

"""The words behind a number: a scale (`million`, `万`), a unit of measure, a currency."""

from __future__ import annotations

import functools
import re

from hds_cli.agent.support.cldr import names
from hds_cli.text import fold

_OF = re.compile(r"\s(?:de|of|di|von)\s|\sd['’]")  # `34,9 millones de dólares`
_AFTER = re.compile(r"[\s-]?\s?([^\W\d_]+|[%‰٪°$€£¥₹₽₩₺₴₫₦₱฿₪])")
_LATIN = "[A-Za-zÀ-ɏµμ]"
_UNIT_WORD = re.compile(
    r"[\s-]?\s?(?:°\s?[A-Za-zА-я]\b|[%‰٪]|"
    rf"{_LATIN}+(?:[/.·]{_LATIN}+)*[.]?(?:[23²³]|\^[23])?(?!{_LATIN})|[^\W\d_]+(?:[/.·״׳][^\W\d_]+)*[.]?(?:[23²³]|\^[23])?(?![^\W\d_]))"
)
CURRENCY_SIGNS = {
    "$": "$", "€": "EUR", "£": "GBP", "¥": "¥", "₹": "INR", "₽": "RUB", "₩": "KRW", "₺": "TRY", "₴": "UAH", "₫": "VND",
    "₱": "PHP", "฿": "THB", "₪": "ILS", "₦": "NGN", "US$": "USD", "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD",
    "NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "R$": "BRL",
}  # fmt: skip
_CURRENCY_WORD = {
    "$": "dollar dollars dolar dolares dolare доллар доллара долларов δολαρια δολαριο دولار 美元 美金 ドル ดอลลาร 달러",
    "EUR": "euro euros евро ευρω يورو 欧元 歐元 ユーロ ยูโร 유로",
    "GBP": "pounds sterling quid", "¥": "yen yuan йен юань юаней 円 元 人民币 เยน หยวน",
    "RUB": "рублей рубля рубль rubles",
    "INR": "rupees rupee", "CHF": "francs franken", "THB": "บาท baht", "$k": "kronor kroner crowns koruna kronen",
}  # fmt: skip
_WORD_CURRENCY = {fold(word): code for code, words in _CURRENCY_WORD.items() for word in words.split()}
UNSPACED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
CJK_SCALES = {"百": 1e2, "千": 1e3, "万": 1e4, "萬": 1e4, "만": 1e4, "亿": 1e8, "億": 1e8, "억": 1e8, "兆": 1e12}
_SHORT_SCALES = {"k": 1e3, "m": 1e6, "mn": 1e6, "mm": 1e6, "bn": 1e9, "b": 1e9, "tn": 1e12}
_SHORT_SCALE = re.compile(r"\s?(k|mn|mm|m|bn|b|tn)\b", re.IGNORECASE)
_SHORT = 40  # letters of a word behind numbers that is kept: few are longer
_CJK_REST = re.compile(r"(\d{1,4})([百千万萬亿億兆만억]?)")


def cjk_scaled(text: str, number: float, end: int) -> tuple[tuple[float, ...], float, int]:
    """`1億2000万`: the number, the place of its last digit, and where it ends."""
    scale = CJK_SCALES[text[end]]
    total, end = number * scale, end + 1
    while end < len(text) and text[end] in CJK_SCALES:  # `3千万`
        total, scale, end = total * CJK_SCALES[text[end]], scale * CJK_SCALES[text[end]], end + 1
    while (more := _CJK_REST.match(text, end)) and CJK_SCALES.get(more[2], 1.0) < scale:
        scale = CJK_SCALES.get(more[2], 1.0)
        total, end = total + float(more[1]) * scale, more.end()
    digits = f"{total:.0f}"
    return (total,), max(1.0, 10.0 ** (len(digits) - len(digits.rstrip("0")) - 1) * 10), end


@functools.lru_cache(maxsize=8)  # a number is asked for its scale, its unit and its currency
def _words_behind(text: str, end: int) -> tuple[tuple[str, int], ...]:
    """Up to three words behind a place, as they are looked up, the longest first: each with its end."""
    out: list[tuple[str, int]] = []
    place = end
    for _ in range(3):
        match = _UNIT_WORD.match(text, place)
        if match is None:
            break
        place = match.end()
        name = text[end:place].lstrip(" -")
        if len(name) != 1 or not name.isupper() or name in "LVWCFK":  # `4G` is no weight
            out.append((_key(name), place))
        if name.endswith("."):
            out.append((_key(name.rstrip(".")), place - 1))
    return tuple(out[::-1])


def _key(name: str) -> str:
    return _short_key(name) if len(name) <= _SHORT else _short_key.__wrapped__(name)


@functools.lru_cache(maxsize=4096)
def _short_key(name: str) -> str:
    folded = fold(name).replace("²", "2").replace("³", "3").replace("^", "").replace("٪", "%")
    return " ".join(folded.strip(" .").split())


def scale(text: str, end: int) -> tuple[float, int] | None:
    """The factor of a scale behind a number (`million`), and where it ends."""
    table = names().scales
    for word, place in _words_behind(text, end):
        if word in table:
            return table[word], place
    return None


def short_scale(text: str, end: int) -> tuple[float, int] | None:
    """The factor of a letter behind an amount of money, `£48.6m`, and where it ends."""
    match = _SHORT_SCALE.match(text, end)
    return (_SHORT_SCALES[match[1].casefold()], match.end()) if match else None


def unit(text: str, end: int) -> tuple[tuple[str, float], int] | None:
    """The dimension and factor of a unit behind a number, and where it ends."""
    units = names().units
    for word, place in _words_behind(text, end):
        if word in units:
            return units[word], place
        if word.startswith("°"):
            word = word.replace(" ", "")
            if word in ("°c", "°f", "°k", "°с"):
                return ({"f": "fahrenheit", "k": "kelvin"}.get(word[1:], "celsius"), 1.0), place
    blank = end + 1 if text[end : end + 1] == " " else end
    if UNSPACED.match(text, blank):
        for length in range(8, 0, -1):
            word = _key(text[blank : blank + length])
            if word in units:
                return units[word], blank + length
    return None


def currency(text: str, end: int) -> tuple[str, int] | None:
    """The currency behind a number, and where its name ends."""
    if of := _OF.match(text, end):
        end = of.end() - 1 if text[of.end() - 1] == " " else of.end()
    after = _AFTER.match(text, end)
    if after is None:
        return None
    if after[1] in CURRENCY_SIGNS:
        return CURRENCY_SIGNS[after[1]], after.end()
    for word, place in _words_behind(text, end):
        if code := names().currencies.get(word) or _WORD_CURRENCY.get(word):
            return code, place
    start = after.start(1)
    for place in range(start + 3, start, -1) if UNSPACED.match(text, start) else ():
        if code := _WORD_CURRENCY.get(fold(text[start:place])):
            return code, place
    return None

"""Values in a text: numbers with their units, signs and currencies, dates and times, in many languages.

Two values are compared as values, never as words: 2,500,000 is 2.5 million and 2500000, and neither 500,000 nor 500.
Every function is linear in the length of its text.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from hds_cli.agent.support.cldr import names
from hds_cli.agent.support.clock import clock_times, joined, lengths
from hds_cli.agent.support.dates import Day, dates
from hds_cli.agent.support.digits import readings_of
from hds_cli.agent.support.numerals import number_words
from hds_cli.agent.support.ordinals import ordinal_words
from hds_cli.agent.support.units import (
    CJK_SCALES,
    CURRENCY_SIGNS,
    UNSPACED,
    cjk_scaled,
    currency,
    scale,
    short_scale,
    unit,
)

_REMEMBERED = 2000  # characters of a text whose values are kept: the same sentences are asked for again
_CENTURIES = frozenset(str(century) for century in range(10, 22))
Kind = Literal["number", "date", "time", "decade", "code"]


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it stands in a text, from `start` to `end`.

    `readings`: the numbers it may mean, as written, with its scale (`2.5 million`: 2500000); a time in minutes.
    `factor` and `dimension`: its unit (`km`: 1000, `length`); `step`: the place of its last written digit;
    `rounded`: written as an approximation; `worded`: written in words. `bound`: 1 for more than it, -1 for less;
    `lean`: the same of an approximation, `over 900,000` and `nearly 900,000`.
    """

    kind: Kind
    text: str
    start: int
    end: int
    readings: tuple[float, ...] = ()
    factor: float = 1.0
    dimension: str = ""
    currency: str = ""
    step: float = 1.0
    rounded: bool = False
    worded: bool = False
    days: tuple[Day, ...] = ()
    bound: int = 0
    lean: int = 0

    @property
    def key(self) -> tuple[object, ...]:
        """The key that two equal values share wherever they stand."""
        text = self.text if self.kind == "code" else ""
        unit = (self.factor, self.dimension, self.currency)
        written = (self.step, self.rounded, self.worded, self.bound, self.lean)
        return (self.kind, self.readings, unit, written, self.days, text)

    @property
    def number(self) -> float:
        """The first reading in the base of its unit."""
        return self.readings[0] * self.factor

    @property
    def is_year(self) -> bool:
        """True for a number of four digits that is most likely a year."""
        digits = self.text.strip()
        return len(digits) == 4 and digits[:2] in _CENTURIES and bool(self.years)

    @property
    def years(self) -> tuple[int, ...]:
        """The years it may be or lie in."""
        if self.kind == "date":
            return tuple(day.year for day in self.days if day.year is not None)
        bare = self.kind == "number" and not (self.dimension or self.currency or self.worded or self.rounded)
        return tuple(int(n) for n in self.readings if bare and n.is_integer() and 0 < abs(n) <= 2200)


_DIGITS = r"\d{1,3}(?: \d{3})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,٫٬'’]\d+)*"
_SIGNS = "$€£¥₹₽₩₺₴₫₦₱฿₪"
_NUMBER = re.compile(
    rf"(?P<about>[~≈±]\s?)?(?P<sign>(?<![\w)\]%])[-−](?=[\d{_SIGNS}])|(?<=[(\s])\+(?=\d))?"
    rf"(?:(?P<money>(?:(?<!\w)(?:US|A|C|CA|AU|NZ|HK|S|R)?[{_SIGNS}]|\b[A-Z]{{3}}(?=\s?\d))\s?)(?P<inner>-)?)?"
    rf"(?<![\dA-Za-z\u00c0-\u06ff^_])(?<!\d[.,])(?<![^\W\d_][-‑])(?P<digits>{_DIGITS})"
    r"(?:\s?[×x·*]\s?10(?:\^?(?P<power>[-−⁻]?[\d⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3}))|\^(?P<up>\d{1,3})|(?P<raised>[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3}))?"
)
_DIGIT = re.compile(r"\d")
_DECADE = re.compile(r"(?<![\w.,])(1\d{2}0|20\d0)(?:['’]?s\b|er[n]?\b|-[ех]\b|\s?年代)")
_ORDINAL = re.compile(r"(?:st|nd|rd|th|º|ª|ème|er|-?й|-?я)\b", re.IGNORECASE)
_BEFORE_CHRIST = re.compile(r"\s?(?:BCE?\b|B\.\s?C\.|v\.\s?Chr\.|av\.\s?J\.|a\.\s?C\.|до н\.\s?э\.|π\.\s?Χ\.)")
_ABOUT = frozenset(
    "about|around|approximately|approx|approx.|roughly|some|circa|ca.|c.|nearly|almost|over"
    "|more than|just under|just over|under"
    "|at most|at least|less than|up to|close to|etwa|rund|ungefähr|fast|knapp|über|environ|près de"
    "|quelque|unos|unas|cerca de"
    "|alrededor de|casi|aproximadamente|около|примерно|почти|более|περίπου|σχεδόν|حوالي|نحو|تقريبا"
    "|约|約|大约|およそ|ประมาณ|ราว".split("|")
)
# Of these, what is said of a larger number, or of a smaller one; neither is said of a number of the other kind.
_MORE = frozenset("over|more than|just over|at least|über|plus de|más de|più di|более".split("|"))
_NOT_YET = frozenset(
    "nearly|almost|just under|under|at most|less than|up to|fast|knapp|près de|casi|почти|σχεδόν".split("|")
)
_BOUND = re.compile(
    r"(?<!\w)(?:"
    r"(?P<less>(?:less|fewer|lower|smaller|shorter|lighter|younger|no more|not more) than|short of"
    r"|below|at most|up to|weniger als|höchstens|moins de|menos de|meno di|менее)"
    r"|(?:more|greater|higher|larger|bigger|longer|heavier|older|no less|not less) than|exceed(?:s|ed|ing)?"
    r"|above|at least|mehr als|mindestens|plus de|más de|più di|более)\s$",
    re.IGNORECASE,
)  # not `over` and `under`: who rules over five provinces rules five
_DENIED = re.compile(r"(?:\b(?:not|never|cannot|nicht|nie|pas|jamais)|n['’]t)\b[^.,;:]{0,24}$", re.IGNORECASE)
_ELEVEN = re.compile(r"\s+(?:de\b|mil\b|(?!(?:as|has|his|is|its|this|was)\b)\w+s\b)", re.IGNORECASE)  # behind `once`
_REACH = 1.5  # times a bound, up to which a page's value is taken for the one that was compared with it
_LEANS = 1.1  # the same of an approximation, not tuned: `over 850,000` for 874,579
_MINUS = frozenset("minus|moins|menos|meno|минус|μείον|ناقص|负|負|零下|氷点下|マイナス|ลบ".split("|"))
_FALLS = re.compile(
    r"\b(?:shr[iau]nk|f[ae]ll|declin|decreas|dropp?|contract|los[est]|sink|sank|schrumpf|fiel|gesunken|zurückgeh"
    r"|baiss|diminu|recul|disminuy|descend|cay|cal[ao]|scend)\w{0,8}\s(?:by|of|um|de|en|un|del|di)\s(?:\S{1,8}\s)?$",
    re.IGNORECASE,
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "0123456789--")
_FAMILIES = {
    "$": "USD CAD AUD NZD HKD SGD TWD MXN".split(),
    "¥": "JPY CNY".split(),
    "$k": "SEK NOK DKK CZK ISK".split(),
}


def plain(text: str) -> str:
    """Text of the same length whose digits are ASCII and whose signs and blanks are of one kind."""
    return text if text.isascii() else text.translate(_plain_letters())


@functools.cache
def _plain_letters() -> dict[int, str]:
    digits = {code: str(unicodedata.decimal(chr(code))) for code in range(0x80, 0x1FC00) if chr(code).isdecimal()}
    wide = {code: chr(code - 0xFEE0) for code in range(0xFF21, 0xFF5B) if chr(code).isalpha()}
    signs = dict.fromkeys(map(ord, "−﹣－"), "-") | dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f\u3000"), " ")
    return digits | wide | signs


def values(text: str) -> tuple[Value, ...]:
    """The values of a text in the order in which they stand."""
    return _values(text) if len(text) <= _REMEMBERED else _values.__wrapped__(text)


@functools.lru_cache(maxsize=4096)
def _values(text: str) -> tuple[Value, ...]:
    folded = plain(text)
    values = [Value("date", text[slice(*d.whole)], d.start, d.end, days=d.days) for d in dates(folded)]
    in_words = (_lengths, _ordinals, _worded)
    for finder in (_times, _lengths, _decades, _numbers, *in_words) if _DIGIT.search(folded) else in_words:
        values += _free(finder(folded), values)
    return tuple(joined(text, sorted(values, key=lambda value: value.start)))


def _free(more: Iterable[Value], taken: Iterable[Value]) -> list[Value]:
    """The values that stand in no stretch that is taken."""
    used = {place for value in taken for place in range(value.start, value.end)}
    return [value for value in more if value.start not in used and value.end - 1 not in used]


def _times(text: str) -> Iterator[Value]:
    for start, end, minutes in clock_times(text):
        yield Value("time", text[start:end], start, end, (minutes,))


def _lengths(text: str) -> Iterator[Value]:
    for start, end, number, factor, dimension in lengths(text):
        yield Value("number", text[start:end], start, end, (number,), factor, dimension, rounded=dimension == "years")


def _decades(text: str) -> Iterator[Value]:
    for match in _DECADE.finditer(text):
        yield Value("decade", match[0], match.start(), match.end(), (float(match[1]),))


def _ordinals(text: str) -> Iterator[Value]:
    for start, end, number in ordinal_words(text):
        yield Value("number", text[start:end], start, end, (number,), dimension="ordinal")


def _worded(text: str) -> Iterator[Value]:
    for start, end, number in number_words(text):
        word = Value("number", text[start:end], start, end, (number,), step=0.0, worded=True)
        if text[start : end + 4].casefold() == "due to ":
            continue  # `due` is two in Italian
        if not text[end : end + 1].isdigit() and not text[start - 1 : start].isdigit():
            yield _with_unit(text, word)


def _numbers(text: str) -> Iterator[Value]:
    commas = bool(re.search(r"\d,\d{1,2}(?!\d)|\d\.\d{3},\d", text)) and not re.search(r"\d\.\d{1,2}(?!\d)", text)
    reach = 0
    for match in _NUMBER.finditer(text):
        if match.start() < reach:
            continue  # `1億2000万` is one number
        digits = match["digits"]
        readings, step = readings_of(digits, commas)
        start, end = match.start(), match.end()
        if not readings:
            yield Value("code", digits, start, end)
            continue
        power = match["power"]
        raised = match["up"] or match["raised"]
        if power or raised:
            exponent = int((power or raised).translate(_RAISED))
            if abs(exponent) > 40:
                continue
            readings = tuple(n * 10.0**exponent if power else n**exponent if n < 1e6 else n for n in readings)
            step *= 10.0**exponent if power else 1.0
        before = text[max(0, start - 24) : start]
        if match["sign"] == "-" or match["inner"] or _follows(before, _MINUS):
            readings = tuple(-n for n in readings)
        elif _FALLS.search(before):
            readings += tuple(-n for n in readings)  # `shrinks by 0.47 %` is -0.47 %
        value = Value(
            "number", match[0], start, end, readings, step=step,
            currency=CURRENCY_SIGNS.get((match["money"] or "").strip(), (match["money"] or "").strip()),
            rounded=bool(match["about"] or _follows(before, _ABOUT)), bound=_bound(text[max(0, start - 48) : start]),
            lean=_follows(before, _MORE) - _follows(before, _NOT_YET),
        )  # fmt: skip
        if value.currency and value.currency.isalpha() and value.currency.lower() not in names().currencies:
            start = match.start("digits")  # `UAE 609 km` is 609 km
            value = replace(value, currency="", start=start, text=text[start:end])
        with_unit = _with_unit(text, value)
        if with_unit.end == end and text[end : end + 1].isalpha() and not UNSPACED.match(text[end]):
            continue  # `4G`, `747s`: a word
        reach = with_unit.end
        yield with_unit


def _follows(before: str, words: frozenset[str]) -> bool:
    """True when a text ends with one of some words, of one or two words or of letters that nothing parts."""
    folded = before.rstrip().casefold()
    if not folded or not (folded[-1].isalpha() or folded[-1] == "." or not folded.isascii()):
        return False
    last = folded.rsplit(None, 2)[-2:]
    tail = last[-1].lstrip("(")
    return (
        tail in words
        or " ".join(last).lstrip("(") in words
        or tail[-1:] in words
        or tail[-2:] in words
        or (tail[-3:] in words and not tail.isascii())
    )


def _bound(before: str) -> int:
    """-1 behind words such as `less than` and `must not exceed`, 1 behind `more than`, else 0."""
    match = _BOUND.search(before)
    denied = match is not None and _DENIED.search(before[: match.start()]) is not None
    return 0 if match is None else -1 if bool(match["less"]) != denied else 1


def _with_unit(text: str, value: Value) -> Value:
    """A value with the scale, unit, percent sign or currency that stands behind it."""
    end = value.end
    readings, step, rounded = value.readings, value.step, value.rounded
    if text[end : end + 1] in CJK_SCALES and text[end : end + 1]:
        readings, step, end = cjk_scaled(text, readings[0], end)
        rounded = True
    elif scaled := (value.currency and short_scale(text, end)) or scale(text, end):
        readings, step = tuple(n * scaled[0] for n in readings), step * scaled[0]
        rounded, end = not value.worded, scaled[1]
    dimension, factor, money = value.dimension, value.factor, value.currency
    if _BEFORE_CHRIST.match(text, end):
        readings = tuple(-n for n in readings)
    elif not money and end == value.end and (match := _ORDINAL.match(text, end)):
        dimension, end = "ordinal", match.end()
    elif measured := unit(text, end):
        (dimension, factor), end = measured
    elif not money and (paid := currency(text, end)):
        money, end = paid
    if end == value.end and readings is value.readings:
        return value
    return replace(
        value, text=text[value.start : end], end=end, readings=readings, step=step, rounded=rounded,
        dimension=dimension, factor=factor, currency=money,
    )  # fmt: skip


def is_once(value: Value, text: str) -> bool:
    """True for an English `once`; the Spanish one is eleven: `once provincias`, `once de mayo`."""
    return value.text.strip().casefold() == "once" and not _ELEVEN.match(text, value.end)


def alike(value: Value, other: Value) -> bool:
    """True for two values of one kind and unit, written in words or not."""
    return (value.kind, value.dimension, value.currency, value.is_year) == (
        other.kind, other.dimension, other.currency, other.is_year,
    )  # fmt: skip


def same(stated: Value, ground: Value) -> bool:
    """True when the value that is `said` is the one that `ground` gives, as exactly as it is said."""
    if stated.kind == "number" == ground.kind:
        return _same_unit(stated, ground) and any(
            _near(stated, ground, a, b) for a in stated.readings for b in ground.readings
        )
    if stated.kind == "code" or ground.kind == "code":
        return stated.kind == ground.kind and stated.text == ground.text
    if stated.kind == ground.kind == "date":
        return any(_within(a, b) for a in stated.days for b in ground.days)
    if "date" in (stated.kind, ground.kind):
        bare = stated.kind == "number" or all(day[1:] == (None, None) for day in stated.days)
        return bare and bool(set(stated.years) & set(ground.years))
    if stated.kind == "decade" and ground.kind == "number":
        return any(stated.readings[0] <= year < stated.readings[0] + 10 for year in ground.years)
    return stated.kind == ground.kind and stated.readings == ground.readings


def _within(stated: Day, ground: Day) -> bool:
    """True when no part of the said date differs, and the other lacks none but the year."""
    return all(
        a is None or a == b or (b is None and place == 0)
        for place, (a, b) in enumerate(zip(stated, ground, strict=True))
    )


def _same_unit(stated: Value, ground: Value) -> bool:
    if stated.currency == ground.currency and stated.dimension == ground.dimension:
        return True
    if stated.currency and ground.currency and stated.currency != ground.currency:
        a, b = stated.currency, ground.currency
        if b not in _FAMILIES.get(a, ()) and a not in _FAMILIES.get(b, ()):
            return False
    if bool(stated.currency) != bool(ground.currency) and (stated.dimension or ground.dimension):
        return "GBP" in (stated.currency, ground.currency) and _may_be_money(ground if stated.currency else stated)
    return stated.dimension == ground.dimension or not stated.dimension or not ground.dimension


def _may_be_money(value: Value) -> bool:
    """True for a weight in pounds, which may be an amount."""
    return value.dimension == "mass" and value.text.casefold().endswith(("pound", "pounds"))


def _near(stated: Value, ground: Value, a: float, b: float) -> bool:
    """True when two readings are one number; a rounded one may be another by half of its last place.

    `more than 66,000` is said of 66,516, and not of 65,900; nor of 200,000, which is another thing's number.
    """
    scaled = bool(stated.dimension and ground.dimension and stated.factor != ground.factor)
    if scaled:
        a, b = a * stated.factor, b * ground.factor
        room = (stated.step * stated.factor + ground.step * ground.factor) / 2
    else:
        room = _place(stated, a) / 2 if stated.rounded else 0.0
    if stated.bound and ground.bound:
        return stated.bound == ground.bound and abs(a - b) <= 1e-9 * max(abs(a), abs(b))
    if stated.bound and a > 0 and not (stated.is_year or ground.is_year):
        least, most = (a, _REACH * a) if stated.bound > 0 else (a / _REACH, a)
        return least <= b * (1 + 1e-9) and b <= most * (1 + 1e-9)
    if stated.lean and a > 0 and not (stated.bound or ground.rounded or stated.is_year or ground.is_year):
        least, most = (a, _LEANS * a) if stated.lean > 0 else (a / _LEANS, a)
        return least <= b * (1 + 1e-9) and b <= most * (1 + 1e-9)
    return a == b or abs(a - b) <= room + 1e-9 * max(abs(a), abs(b))


def _place(value: Value, reading: float) -> float:
    """The place to which a rounded value is exact: `about 220,000` to ten thousands, `1.54 million` to hundredths."""
    if value.step < 1 or not reading.is_integer() or reading == 0:
        return value.step
    digits = f"{abs(reading):.0f}"
    return max(value.step, 10.0 ** (len(digits) - len(digits.rstrip("0")))) if len(digits) < 18 else value.step

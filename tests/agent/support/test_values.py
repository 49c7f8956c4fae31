"""Values are compared as values: numbers, units, signs, currencies, dates, in many languages."""

import time

import pytest

from hds_cli.agent.support.cldr import made, names
from hds_cli.agent.support.values import Value, same, values


def _only(text: str) -> Value:
    (value,) = values(text)
    return value


@pytest.mark.parametrize(
    ("said", "page"),
    [
        ("2,500,000", "2500000"), ("2500000", "2.5 million"), ("2.5 million", "2,500,000"), ("2.500.000", "2,500,000"),
        ("2 500 000", "2,500,000"), ("25,00,000", "2.5 million"), ("2,5 Millionen", "2,500,000"), ("2,5 млн", "2 500 000"),
        ("٢٬٥٠٠٬٠٠٠", "2,500,000"), ("250万", "2,500,000"), ("1億2000万", "120,000,000"), ("1.2亿", "120 million"),
        ("5 %", "5 percent"), ("5 Prozent", "5%"), ("5 процентов", "5 %"), ("5 por ciento", "5 %"), ("٥٪", "5 %"),
        ("330 m", "330 metres"), ("330 m", "330 метров"), ("330 m", "330 μέτρα"), ("330m", "330 メートル"), ("0.33 km", "330 m"),
        ("1.2 g", "1,200 mg"), ("two", "2"), ("eleven", "11"), ("twenty-one", "21"), ("einundzwanzig", "21"),
        ("quatre-vingt-dix", "90"), ("двадцать пять", "25"), ("treinta y dos", "32"), ("三百", "300"), ("ثلاثة", "3"),
        ("about 7 years", "7 years"), ("about 220,000", "221,000"), ("221 million", "221,359,387"), ("about 1.54 million", "1,541,000"),
        ("greater than 66,000", "66,516"), ("falls short of 2,600", "2,586"), ("more than 5 km", "5,600 m"), ("below 10", "8.6"),
        ("shrinks by 0.47 %", "-0.47 %"), ("fell by about 3,000", "-3,012"), ("sank um 2 %", "-2 %"), ("fell by 2 %", "fell by 2 %"),
        ("$5", "5 US dollars"), ("34.9 million dollars", "34,9 millones de dólares"), ("€465 million", "465 millions d’euros"),
        ("3 December 2024", "2024-12-03"), ("December 3rd, 2024", "3 December 2024"), ("3rd of December 2024", "December 3, 2024"),
        ("3.12.2024", "3. Dezember 2024"), ("3 декабря 2024 г.", "3 December 2024"), ("3 de diciembre de 2024", "2024-12-03"),
        ("2024年12月3日", "3 December 2024"), ("٣ ديسمبر ٢٠٢٤", "3 December 2024"), ("3 Δεκεμβρίου 2024", "2024-12-03"),
        ("พ.ศ. 2567", "2024"), ("December 2024", "3 December 2024"), ("2024", "3 December 2024"), ("the 1960s", "1963"),
        ("7 a.m.", "07:00"), ("minus 3 °C", "-3 °C"), ("−3 °C", "-3 °C"), ("44 BC", "44 v. Chr."), ("10^6", "1,000,000"),
        ("5.97 × 10²⁴ kg", "5.97 × 10^24 kg"),
    ],
)  # fmt: skip
def test_values_written_otherwise_are_the_same(said: str, page: str) -> None:
    """The same number, measure or date is one value, however it is written."""
    assert same(_only(said), _only(page))


@pytest.mark.parametrize(
    ("said", "page"),
    [
        ("500,000", "2,500,000"), ("500", "2,500,000"), ("7 %", "4.7 %"), ("-5 %", "5 %"), ("€1,234.50", "$1,234.50"),
        ("-3 °C", "3 °C"), ("5 %", "5 km"), ("330 m", "330 km"), ("330 m", "330 kg"), ("2,541,000", "2.5 million"),
        ("cover 2,600 km2", "3,100 km2"), ("a turnover 50 billion euros", "60 billion euros"), ("Hannover 96 km", "120 km"),
        ("more than 50 km", "less than 60 km"), ("over 5 provinces", "7 provinces"), ("at least 1951", "1977"),
        ("more than 9", "8.6"), ("less than $4 billion", "$5 billion"), ("more than 5", "2,005"), ("over 100 million", "250 million"),
        ("grew by 0.47 %", "-0.47 %"), ("1951", "1977"), ("8 June 1977", "8 June 1951"), ("9 March 1934", "9 May 1934"), ("8 June 1951", "June 1951"),
        ("1960", "the 1960s"), ("3.13.1", "3.13.2"), ("3.13", "3.13.1"), ("about 230,000", "221,000"), ("44", "44 BC"),
        ("3 million", "3 billion"), ("27万", "72万"), ("two", "three"), ("7 a.m.", "7 p.m."), ("465 million dollars", "465 millions d’euros"),
    ],
)  # fmt: skip
def test_other_values_are_not_the_same(said: str, page: str) -> None:
    """A part of a number, another sign, unit, currency or date is another value."""
    assert not same(_only(said), _only(page))


@pytest.mark.parametrize(
    "text", ["K2", "COVID-19", "the U-20 team", "Route 66A", "4G", "one of them", "一般", "in May they may"]
)
def test_a_name_with_digits_is_no_value(text: str) -> None:
    """Digits within a word, and words such as `one`, state no value."""
    assert values(text) == ()


def test_two_days_in_one_stretch_are_two_dates() -> None:
    """`March 2–3, 2012` states both days, each with month and year."""
    days = [value.days[0] for value in values("the storms of March 2–3, 2012, and 28 and 29 February 2012")]
    assert days == [(2012, 3, 2), (2012, 3, 3), (2012, 2, 28), (2012, 2, 29)]


def test_a_range_is_no_negative_number() -> None:
    """The dash between two years or numbers is no sign."""
    assert [v.readings for v in values("from 1984–2004, 10-20 people")] == [(1984.0,), (2004.0,), (10.0,), (20.0,)]


def test_hostile_digits_take_no_long_time() -> None:
    """Values of a megabyte of digits and separators are found in time that grows with its length."""
    for piece in ("9", "1,", "1 ", "two hundred ", "3 March ", "$", "1.", "a.m. 7 "):
        started = time.process_time()
        values(piece * (100_000 // len(piece)))
        assert time.process_time() - started < 5


def test_the_names_are_those_of_the_locale_data() -> None:
    """The file of names holds what Babel's locale data says today for the month, unit and scale of a few languages."""
    fresh, kept = made(), names()
    assert set(fresh["months"][11]) & {"dezember", "декабря", "diciembre"} <= {
        n for n, m in kept.months.items() if m == 12
    }
    assert kept.units["quadratkilometer"] == kept.units["km2"] == ("area", 1e6)
    assert kept.scales["millionen"] == kept.scales["млн"] == 1e6


@pytest.mark.parametrize(
    ("said", "page", "expected"),
    [
        ("over 900,000", "874,579", False), ("over 850,000", "874,579", True), ("nearly 875,000", "874,579", True),
        ("nearly 870,000", "874,579", False), ("about 870,000", "874,579", True), ("über 870.000", "874.579", True),
        ("almost 880,000", "about 881,000", True), ("over 5 provinces", "5 provinces", True),
    ],
)  # fmt: skip
def test_over_is_said_of_more_and_nearly_of_less(said: str, page: str, expected: bool) -> None:
    assert same(values(said)[0], values(page)[0]) is expected

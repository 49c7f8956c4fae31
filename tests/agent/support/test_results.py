"""Results: a value that stands in no page follows from those that the message names, in its unit and direction."""

from __future__ import annotations

import time

import pytest

from hds_cli.agent.support.attribution import attribute
from hds_cli.types import GOOD_LEVELS, Passage, Support

LAMPS = (
    "Lamps",
    "The Brookwell Duo costs 5.10 euros a piece. The Clarissa One costs 7.95 euros a piece. A lamp lasts 2 years, 3 at best.",
)
FIRM = (
    "Plan of the firm",
    "The budget stands on page 60.\n\n5. **Hiring.** We pay the agency 1,480 euros a month.\n\nThe settings keep backups for 14 days. "
    "The database is PostgreSQL 16.",
)
KEPT = ("Settings", "The settings keep logs for 60 days. The settings keep backups for 14 days.")
PRICES = (
    "Prices",
    "The support plan cost 240 euros a year in 2023. Since 2024 the support plan costs 290 euros a year.",
)
LIBRARY = ("Loan", "card: 4411\n\npicked_up: 2025-02-14\n\nA book may be kept for 21 days.")
CAFE = ("Café", "In May the café took in 1,364 euros. In May the café spent 988 euros.")
TIMER = ("Timer", "Enable the timer. Wait until the timer has run. Then remove the old line with crontab -e.")
LOGGER = (
    "Logger",
    "The logger keeps readings: keep_days is 30. A report covers 14 days, or 3 months. A file has 300 rows.",
)
STAFF = (
    "Server plan",
    "Staff: 14 in Leeds, 9 in York, 6 in Hull. There are 3 servers. A restore took 12 minutes in March and 9 minutes in May. "
    "The plan costs 240 euros a year until 2024, and 290 euros a year from 2025.",
)
MOONS = ("Planets", "Jupiter has 95 moons. Saturn has 146 moons.")
AREAS = ("Lakes", "Lake Vanern: 5,650 km2. Lake Vattern: 1,912 km2. Lake Malaren: 1,140 km2.")


def graded(message: str, *pages: tuple[str, str], query: str = "") -> tuple[Support, ...]:
    read = [Passage(url=f"https://p{n}.example", title=t, text=text, n=n) for n, (t, text) in enumerate(pages, 1)]
    return attribute(message, query, [(query, passage) for passage in read])


SIX = "Six Brookwell Duo cost 6 × 5.10 = 30.60 euros, six Clarissa One 6 × 7.95 = 47.70 euros."
LIST = "- Brookwell Duo: 6 × 5.10 = 30.60 euros\n- Clarissa One: 6 × 7.95 = 47.70 euros"
SETUP = (PRICES[0], f"{PRICES[1]} Setup costs 60 euros.")
RIGHT = [
    (LAMPS, "Six lamps are 6 × 5.10 = 30.60 euros.", "What do six Brookwell Duo lamps cost?"),
    (LAMPS, "6 × 5.10 = 30.60 euros against 6 × 7.95 = 47.70 euros, a difference of 17.10 euros.", "What do six lamps cost?"),
    (LAMPS, "For six lamps the Brookwell Duo costs 30.60 euros, the Clarissa One 47.70 euros. "
     "Brookwell Duo: 6 × 5.10 = 30.60 euros. Clarissa One: 6 × 7.95 = 47.70 euros.", "What do six lamps cost?"),
    (PRICES, "The support plan became 50 euros dearer: 240 euros in 2023, 290 euros in 2024.", ""),
    (PRICES, "The support plan is 290 euros now, 50 more than the 240 before.", ""),
    (LAMPS, f"17.10 euros\n\n{SIX} The difference is 17.10 euros.", "How much cheaper are six Brookwell Duo?"),
    (LAMPS, "The Brookwell Duo is 17.10 euros cheaper than the Clarissa One: 6 × 5.10 = 30.60 euros against "
     "6 × 7.95 = 47.70 euros.", "What do six lamps cost?"),
    (LAMPS, f"30.60 euros for six Brookwell Duo\n\n{LIST}", "What do six lamps cost?"),
    (LIBRARY, "21 days after 14 February 2025 is 7 March 2025.", "When is the book due?"),
    (LIBRARY, "The book was picked up on 14 February 2025 and may be kept for 21 days, so until 7 March 2025.", ""),
    (CAFE, "The café took in 1,364 euros and spent 988 euros, so it had 376 euros left.", ""),
    (CAFE, "The café had 376 euros left.", "What did the café have left?"),
    (CAFE, "The café had 376 euros left. It took in 1,364 euros in May. It spent 988 euros in May.", ""),
    (MOONS, "Saturn has 51 more moons than Jupiter: 146 moons and 95 moons.", ""),
    (STAFF, "Leeds has 5 more staff than York.", "How many more staff has Leeds than York?"),
    (STAFF, "The staff is 29 in total: 14 in Leeds, 9 in York and 6 in Hull.", ""),
    (STAFF, "The restore became 3 minutes faster: 12 minutes in March, 9 minutes in May.", ""),
    (MOONS, "(95 + 146) / 2 = 120.5 moons on average.", "How many moons?"),
    (AREAS, "| Lake | km2 |\n|---|---|\n| Vanern | 5,650 km2 |\n| Vattern | 1,912 km2 |\n| Malaren | 1,140 km2 |\n\n"
     "Together the three lakes cover 8,702 km2.", ""),
]  # fmt: skip
WRONG = [
    (LAMPS, "It lasts 12,345 days, because 2 × 3 = 6.", ""),
    (LAMPS, "6 × 5.10 = 30.60 euros against 6 × 7.95 = 47.70 euros, a difference of 27.10 euros.", "What do six lamps cost?"),
    (LAMPS, "Six lamps are 6 × 5.10 = 31.60 euros.", "What do six lamps cost?"),
    (LAMPS, "For six lamps the Brookwell Duo costs 47.70 euros, the Clarissa One 30.60 euros. "
     "Brookwell Duo: 6 × 5.10 = 30.60 euros. Clarissa One: 6 × 7.95 = 47.70 euros.", "What do six lamps cost?"),
    (LAMPS, "The owner of the harbour sold an old boat in winter for 13.05 euros, 5.10 + 7.95 = 13.05 euros.", ""),
    (FIRM, "The agency costs 5 × 1,480 = 7,400 euros.", ""),
    (FIRM, "The settings keep backups for 46 days.", ""),
    (KEPT, "The settings keep backups for 46 days.", "How long are backups kept?"),
    (FIRM, "The database is PostgreSQL 16, and backups are kept for 14 days. The settings also name 30 days.", ""),
    (FIRM, "Die Datenbank ist PostgreSQL 16, die Einstellungen nennen 14 Tage. Die Einstellungen nennen ebenfalls 30 Tage.", ""),
    (PRICES, "The support plan became 60 euros dearer: 240 euros in 2023, 290 euros in 2024.", ""),
    (PRICES, "The support plan became 50 euros cheaper: 240 euros in 2023, 290 euros in 2024.", ""),
    (PRICES, "The support plan fell by 50 euros, from 240 euros to 290 euros.", ""),
    (LAMPS, f"27.10 euros\n\n{SIX} The difference is 27.10 euros.", "How much cheaper are six Brookwell Duo?"),
    (LAMPS, "The Brookwell Duo is 17.10 euros dearer than the Clarissa One: 6 × 5.10 = 30.60 euros against "
     "6 × 7.95 = 47.70 euros.", "What do six lamps cost?"),
    (LAMPS, f"47.70 euros for six Brookwell Duo\n\n{LIST}", "What do six lamps cost?"),
    (LAMPS, "A lamp burns for 13.05 hours, since 5.10 + 7.95 = 13.05.", ""),
    (SETUP, "The support plan became 60 euros dearer: 240 euros in 2023 and 290 euros since 2024.", ""),
    (LIBRARY, "21 days after 14 February 2025 is 9 March 2025.", "When is the book due?"),
    (CAFE, "The café had 476 euros left.", "What did the café have left?"),
    (TIMER, "Do not remove the old line with crontab -e after the timer has run once.", ""),
    (LOGGER, "A logger also keeps the readings of the last 72 hours.", ""),
    (STAFF, "York has 5 more staff than Leeds.", "How many more staff has Leeds than York?"),
    (STAFF, "The restore became 4 minutes faster: 12 minutes in March, 9 minutes in May.", ""),
    (STAFF, "The price of the plan fell by about 21 percent, from 240 to 290 euros.", ""),
    (MOONS, "Jupiter has 51 more moons than Saturn: 95 moons and 146 moons.", ""),
    (AREAS, "| Lake | km2 |\n|---|---|\n| Vanern | 5,650 km2 |\n| Vattern | 1,912 km2 |\n| Malaren | 1,140 km2 |\n\n"
     "Together the three lakes cover 8,792 km2.", ""),
]  # fmt: skip


@pytest.mark.parametrize(("page", "message", "question"), RIGHT)
def test_what_follows_from_values_of_the_message_is_computed(
    page: tuple[str, str], message: str, question: str
) -> None:
    """A sum, a product, a day so much later; a result that another sentence works out has the ground of that."""
    said = graded(message, page, query=question)
    assert all(s.level in GOOD_LEVELS for s in said), said


@pytest.mark.parametrize(("page", "message", "question"), WRONG)
def test_one_right_result_clears_no_other_value_and_no_other_words(
    page: tuple[str, str], message: str, question: str
) -> None:
    """Another value, another unit, a number of a page or list, the wrong direction: none of them is worked out."""
    said = graded(message, page, query=question)
    assert any(s.level not in GOOD_LEVELS for s in said), said


def test_many_results_take_no_long_time() -> None:
    """Hundreds of rows, equations and open values in one message are worked out in bounded time."""
    row = "| Town {0} | 1{0}7 km2 | 9{0}3 km2 |\n"
    for message in (
        "| Town | a | b |\n|---|---|---|\n"
        + "".join(row.format(n) for n in range(200))
        + "\nTogether they cover 77,777 km2.",
        " ".join(f"Town {n} has 5.10 + {n}.95 = 7 euros more." for n in range(200)),
        "1 + " * 2_000 + "1 = 7",
        "(" * 2_000 + "1 + 1) = 2",
    ):
        started = time.process_time()
        graded(message, LAMPS, AREAS)
        assert time.process_time() - started < 10, message[:40]


def test_a_date_is_no_product() -> None:
    """It is worked out from nothing but another day: numbers beside it end nothing."""
    page = Passage("https://example.org/fair", "Fair", "The fair has 12 stands and 4 rows. Entry is 6 euros.", n=1)
    said = "The fair with 12 stands in 4 rows opens on 3 May 2031."
    (support,) = attribute(said, "", [("", page)])
    assert support.weak

"""What a sentence says of another thing: rates, ends, parts, limits, order; and short forms and results of a sentence."""

from __future__ import annotations

import pytest

from hds_cli.agent.support.clock import clock_times
from hds_cli.agent.support.initials import ShortForms
from hds_cli.agent.support.message import units
from hds_cli.agent.support.values import same, values
from hds_cli.types import GOOD_LEVELS
from tests.agent.support.test_denying import graded


def is_good(said: str, page: str) -> bool:
    support = graded(said, page)
    return bool(support) and all(one.level in GOOD_LEVELS for one in support)


@pytest.mark.parametrize(
    ("page", "right", "wrong"),
    [
        # what it is said of each of, and of all
        ("The guided walk costs 12 euros per child and 18 euros per adult.",
         "The guided walk costs 12 euros per child.", "The guided walk costs 12 euros per adult."),
        ("A room at the inn costs 95 euros a night.", "A room at the inn costs 95 euros per night.",
         "A room at the inn costs 95 euros a week."),
        ("The locker costs 36 euros for 4 months.", "The locker costs 36 euros for 4 months.",
         "The locker costs 36 euros a month."),
        ("Die Führung kostet 9 Euro pro Person.", "Die Führung kostet 9 Euro pro Person.",
         "Die Führung kostet insgesamt 9 Euro."),
        ("Yuma has 2.63 inches (6.7 cm) of rain each year.", "Yuma has 2.63 inches of rain per year.",
         "Yuma has 2.63 inches of rain in an average month."),
        # where it begins and ends, and by how much it changed
        ("The exhibition can be visited until 14 June.", "The exhibition can be visited until 14 June.",
         "The exhibition can be visited from 14 June."),
        ("Entries are accepted from 3 March to 28 March.", "Entries are accepted until 28 March.",
         "Entries are accepted from 28 March."),
        ("The fare rose from 40 to 46 dollars.", "The fare rose to 46 dollars.", "The fare rose by 46 dollars."),
        ("Der Beitrag steigt von 60 auf 66 Euro.", "Der Beitrag steigt auf 66 Euro.", "Der Beitrag steigt um 66 Euro."),
        ("The valve now opens below 15 degrees (before: below 20 degrees).",
         "The valve now opens below 15 degrees.", "The valve now opens below 20 degrees."),
        ("The two totals must not differ by more than 300.", "The two totals may differ by at most 300.",
         "The two totals must differ by at least 300."),
        # another part of the sentence
        ("A single room costs 64 euros, a double room 98 euros.", "A double room costs 98 euros.",
         "A single room costs 98 euros."),
        ("The barn was built in 1802, burned down in 1840 and was sold in 1851.", "The barn was built in 1802.",
         "The barn was built in 1840."),
        ("The market opens at 7:30 and closes at 13:00.", "The market opens at 7:30.", "The market opens at 13:00."),
        # limits that are lost
        ("Carlow is the tallest residential building of the coast.",
         "Carlow is the tallest residential building of the coast.", "Carlow is the tallest building of the coast."),
        ("Lune is one of the largest lakes of the north.", "Lune is one of the largest lakes of the north.",
         "Lune is the largest lake of the north."),
        ("Lune is the second largest lake of the north.", "Lune is the second-largest lake of the north.",
         "Lune is the largest lake of the north."),
        ("Nearly all of the nests on the cliff were empty.", "Nearly all of the nests on the cliff were empty.",
         "All of the nests on the cliff were empty."),
        ("Only the paper files are kept in the cellar.", "Only the paper files are kept in the cellar.",
         "All paper files and films are kept in the cellar."),
        # what comes first
        ("The tour shows the old mill, then the glass works.", "The old mill comes before the glass works on the tour.",
         "The glass works come before the old mill on the tour."),
        ("She served as a pilot and then taught physics.", "She served as a pilot before she taught physics.",
         "She taught physics before she served as a pilot."),
        ("The tower was struck by lightning during the siege.", "The tower was struck by lightning during the siege.",
         "The tower was struck by lightning before the siege."),
        ("The head leaves in May and is succeeded by Anita Shaw; Tom Reeve was head for long.",
         "Anita Shaw succeeds Tom Reeve.", "Tom Reeve succeeds Anita Shaw."),
        # a role in brackets, and who a pronoun is
        ("Present: Ina Holt (minutes), Karl Beck (chair).", "Karl Beck was chair.", "Ina Holt was chair."),
        ("She studied in Hull for four years under Harold Munt.", "She studied in Hull under Harold Munt.",
         "Harold Munt studied in Hull."),
    ],
)  # fmt: skip
def test_a_value_belongs_to_what_it_is_said_of(page: str, right: str, wrong: str) -> None:
    """The page is a ground for the one, and none for the other."""
    assert is_good(right, page)
    assert not is_good(wrong, page)


@pytest.mark.parametrize(
    ("page", "right", "wrong"),
    [
        ("Pets may ride on all trains except the night train.", "Pets may ride on all trains except the night train.",
         "Pets may ride on the night train."),
        ("Parcels are handed over in person, never by post.", "Parcels are never handed over by post.",
         "Parcels are handed over by post."),
        ("Mirrors and vases are not insured.", "Mirrors are not insured.", "Mirrors are insured."),
        ("The budget is 900 euros without the flight.", "The budget of 900 euros does not include the flight.",
         "The flight is included in the budget of 900 euros."),
        ("Bikes are insured if they are locked.", "Bikes are insured if they are locked.",
         "Bikes are insured even if they are unlocked."),
        ("Orm and Velland took part, but they decided not to join the league.", "Velland did not join the league.",
         "Velland joined the league."),
        ("The rent rises in May; the fee stays.", "The fee stays.", "The fee rises in May."),
        ("Most cases occur in the developing world.", "Most cases occur in the developing world.",
         "Most cases occur in the developed world."),
        ("The hall costs 640 euros, heating included.", "The hall costs 640 euros with heating included.",
         "The hall costs 640 euros without heating."),
    ],
)  # fmt: skip
def test_exceptions_and_opposites_deny(page: str, right: str, wrong: str) -> None:
    """Also `except`, `without`, a denied list, and a word with `un`."""
    assert is_good(right, page)
    assert not is_good(wrong, page)


@pytest.mark.parametrize(
    ("page", "right", "wrong"),
    [
        ("The licence costs 84 euros for 3 months.", "The licence costs 28 euros a month.", "The licence costs 27 euros a month."),
        ("We stay four nights at 110 euros a night.", "The four nights cost 440 euros.", "The four nights cost 450 euros."),
        ("The hotline is open from 7 to 22 o'clock.", "The hotline is open 15 hours.", "The hotline is open 14 hours."),
        ("Lorn has 48 inches of rain each year.", "Lorn has 4 inches of rain per month.", "Lorn has 5 inches of rain per month."),
        ("Population of Lorn in 2000: 12,000.\n\nPopulation of Lorn in 2020: 15,000.",
         "Lorn gained 3,000 inhabitants between 2000 and 2020.", "Lorn lost 3,000 inhabitants between 2000 and 2020."),
        ("In 2001 Lorn had 800 people, increasing to 1,000 in 2011.", "From 2001 to 2011 Lorn grew by 25 %, to 1,000 people.",
         "From 2001 to 2011 Lorn grew by 30 %, to 1,000 people."),
        ("The toll rises from 72 to 84 euros.", "The toll rises by 12 euros.", "The toll rises by 14 euros."),
        ("The pump runs for 3 hours and 20 minutes.", "The pump runs for 200 minutes.", "The pump runs for less than 3 hours."),
        ("The hike takes 90 minutes.", "The hike takes an hour and a half.", "The hike takes two hours and a half."),
        ("Sales of Brine were 48.6 million pounds.", "Brine had sales of £48.6m.", "Brine had sales of £48.6bn."),
        ("The sensor is read every 360 seconds.", "The sensor is read every 360 seconds, i.e. every six minutes.",
         "The sensor is read every 360 seconds, i.e. every five minutes."),
        ("Deaths fell from 200 to 150 in Hull.", "Deaths fell from 200 to 150 in Hull, a drop of 25 %.",
         "Deaths fell from 200 to 150 in Hull, a drop of 30 %."),
    ],
)  # fmt: skip
def test_a_result_of_one_sentence_is_worked_out(page: str, right: str, wrong: str) -> None:
    """Rates, totals, spans of hours, halves and other units; another number is none."""
    assert is_good(right, page)
    assert not is_good(wrong, page)


def test_what_a_page_and_a_result_both_have_is_not_contradicted() -> None:
    """A total is more than the part that a sentence gives."""
    page = "Stage 1 of the trail is 14.2 km long. Stage 2 of the trail is 17.8 km long."
    assert graded("The trail is 62.5 km long in total.", page)[0].level != "contradicted"
    assert graded("Stage 1 of the trail is 62.5 km long.", page)[0].level == "contradicted"


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("She was a spy from the United Kingdom.", "She was a UK spy."),
        ("The UK sent a ship in 1921.", "The United Kingdom sent a ship in 1921."),
        ("The U.S. sent a ship in 1921.", "The USA sent a ship in 1921."),
        ("Norway joined the World Trade Organization in 1995.", "Norway joined the WTO in 1995."),
        ("The drug was approved by the NHS in 2004.", "The National Health Service approved the drug in 2004."),
        ("He served in Malta during the Second World War.", "He served in Malta in WWII."),
        ("The concert is at St. James Church on Dec. 5.", "The concert is at Saint James Church on 5 December."),
        ("Mount Orr lies in Velland.", "Mt. Orr lies in Velland."),
    ],
)
def test_a_short_form_is_the_long_one(page: str, said: str) -> None:
    """Whichever of them the page has; what is shown is what was written."""
    support = graded(said, page)
    assert [one.level for one in support] == ["quoted"]
    assert support[0].text == said
    assert all(quote.quote in page for quote in support[0].quotes)


def test_other_letters_and_other_words_are_no_short_form() -> None:
    """`UAE` is not the United Kingdom, and two letters may be anybody's."""
    assert not is_good("The UAE sent a ship in 1921.", "The United Kingdom sent a ship in 1921.")
    assert not is_good("The PM resigned in 1921.", "Paul Martin resigned in 1921.")
    assert not is_good("Wall Street burned in 1921.", "The old wall burned in 1921.")
    assert (
        ShortForms("The WTO met.", ["The walrus met."]).put("The World Trade Organization")
        == "The World Trade Organization"
    )


def test_a_line_in_bold_letters_that_says_something_is_judged() -> None:
    """A sentence, an amount, or what nothing stands under is no heading."""
    assert units("**The total is 250 euros.**\n\nIt was paid in May.")[0].text == "The total is 250 euros."
    assert [unit.text for unit in units("**150 euros**")] == ["150 euros"]
    assert [unit.text for unit in units("**Costs**\n\n- Rent: 5 euros")] == ["Rent: 5 euros"]


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("from 10 to 14 o'clock", [600, 840]), ("von 10 bis 14 Uhr", [600, 840]), ("at 6 and 7 am", [360, 420]),
        ("10 to 2 pm", [600, 840]), ("8:05 p.m.", [1205]), ("с 10 до 18 часов", [600, 1080]),
        ("午後6時30分から8時まで", [1110, 1200]), ("3時間", []), ("version 10.14", []),
    ],
)  # fmt: skip
def test_times_of_the_day(text: str, minutes: list[float]) -> None:
    """With what stands behind the second of two."""
    assert [found for _, _, found in sorted(clock_times(text))] == minutes


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("half a year", "6 months", True), ("an hour and 45 minutes", "105 minutes", True),
        ("three quarters of an hour", "45 minutes", True), ("fifteen and a half hours", "930 minutes", True), ("4 h 30 min", "4.5 h", True),
        ("3 hours and 50 minutes", "3 hours", False), ("£40m", "40 million pounds", True), ("£40m", "40 metres", False),
        ("40 pounds", "£40", True), ("40 pounds", "$40", False), ("at most 30", "at most 24", False),
        ("two days and 3 hours", "51 hours", True), ("eineinhalb Stunden", "90 minutes", True),
    ],
)  # fmt: skip
def test_lengths_of_time_and_amounts(one: str, other: str, equal: bool) -> None:
    """Parts of one measure are one value."""
    (mine,), (theirs,) = values(one), values(other)
    assert same(mine, theirs) is equal


@pytest.mark.parametrize(
    ("page", "right", "wrong"),
    [
        ("In 1956 she had two daughters, Eva and Brigid, and worked for three years as a nurse.",
         "She had two daughters.", "She had three daughters."),
        ("The dough needs two spoons of water.", "The dough needs two spoons of water.", "The dough needs two hours."),
        ("The garages and sheds are not heated.", "No, the sheds are not heated.", "Yes, the garages and sheds are heated."),
    ],
)  # fmt: skip
def test_a_number_is_of_what_is_counted(page: str, right: str, wrong: str) -> None:
    """And a yes is a claim like any other."""
    assert is_good(right, page)
    assert not is_good(wrong, page)


STAGES = (
    "Stage 1, Ald to Fox: 14.2 km, 620 m of ascent.\n\nStage 2, Fox to Gan: 17.8 km, 940 m of ascent.\n\n"
    "Stage 3, Gan to Pin: 11.5 km, 310 m of ascent."
)
LEAVE = "name: Ina Holt; month: March; days: 5\n\nname: Karl Beck; month: May; days: 9\n\nname: Ina Holt; month: June; days: 15"


@pytest.mark.parametrize(
    ("page", "right", "wrong"),
    [
        (STAGES, "The three stages are 43.5 km long.", "The three stages are 44.5 km long."),
        (STAGES, "The three stages are 43.5 km long.", "The five stages are 43.5 km long."),
        (STAGES, "The total ascent of the stages is 1,870 m.", "The total ascent of the stages is 1,970 m."),
        (STAGES, "On average a stage is 14.5 km long.", "On average a stage is 15.5 km long."),
        (LEAVE, "Ina Holt has 20 days in total.", "Ina Holt has 29 days in total."),
        (LEAVE, "All names together have 29 days.", "All names together have 28 days."),
    ],
)
def test_rows_are_added_up(page: str, right: str, wrong: str) -> None:
    """Those of a name by themselves; a total is a column's."""
    assert is_good(right, page)
    assert not is_good(wrong, page)


def test_a_sentence_that_says_it_of_another_thing_is_against_it() -> None:
    """With what the page says; of a total nobody knows."""
    page = "The guided walk costs 12 euros per child and 18 per adult. The walk can be booked until 14 June."
    for said in ("The guided walk costs 12 euros per adult.", "The walk can be booked from 14 June."):
        (support,) = graded(said, page)
        assert support.level == "contradicted"
        assert support.quotes
    assert graded("The guided walk costs 12 euros in total.", page)[0].level == "unsourced"

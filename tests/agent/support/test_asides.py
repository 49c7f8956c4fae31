"""What claims nothing of the world is no part that needs a source: what was not found, and what only leads in."""

from __future__ import annotations

import pytest

from hds_cli.agent.support.attribution import attribute
from hds_cli.agent.support.claims import Names, claim
from hds_cli.types import Passage, Support

PIER = (
    "Kelmar",
    "Kelmar is a port town. Its pier is 142 metres long and was rebuilt in 1951. Shops on the pier pay a rent. "
    "The tide mill beside it was designed by Ada Holt.",
)
CATS = (
    "Sand cat",
    "The sand cat weighs 1.5 to 3.4 kg. Norway and Sweden are not part of its range. It lives in deserts.",
)
QUESTION = "How long is the pier of Kelmar, when did it open, who designed it, and what was the rent in 2024?"


def _graded(message: str, *pages: tuple[str, str], question: str = QUESTION) -> tuple[Support, ...]:
    passages = [Passage(f"https://p{n}.example", title, text, n) for n, (title, text) in enumerate(pages or (PIER,), 1)]
    return attribute(message, question, [(question, passage) for passage in passages])


@pytest.mark.parametrize(
    "absent",
    [
        "The pages do not say when it opened.",
        "The pages don't say who designed the pier, or why.",
        "I found nothing on the rent in 2024.",
        "I could not find the opening date.",
        "I was unable to find out who designed it.",
        "No information on the designer was found.",
        "Not found in the pages.",
        "not found",
        "Not stated.",
        "Opening year: not found in the pages.",
        "Rent in 2024: not found",
        "The designer is not named in any of the passages.",
        "Nothing in the sources tells the rent.",
        "None of the pages gives the dose for children.",
        "There is no information on side effects in the passages.",
        "The search found nothing on the second album of the band.",
        "My searches returned no page about the licence of the library.",
        "The documents are silent on the notice period.",
        "The pages do not mention the rent.",
        "Whether it is open in winter, the pages do not say.",
        "Die Seiten sagen nicht, wann er eröffnet wurde.",
        "In den Seiten steht nicht, wann die Brücke gebaut wurde.",
        "Ich habe nichts zur Miete im Jahr 2024 gefunden.",
        "Dazu habe ich nichts gefunden.",
        "Über den Architekten steht in den Quellen nichts.",
        "Es wurden keine Angaben zur Dosis gefunden.",
        "In den Seiten nicht gefunden.",
        "Eröffnung: nicht gefunden",
        "Les pages ne disent pas quand elle a ouvert.",
        "Je n'ai rien trouvé sur le loyer en 2024.",
        "Aucune page n'indique le nom de l'architecte.",
        "Non trouvé dans les pages.",
        "Las páginas no dicen cuándo se inauguró.",
        "No encontré nada sobre el alquiler en 2024.",
        "No he encontrado información sobre el arquitecto.",
        "Ninguna página indica el precio.",
        "No figura en las páginas.",
    ],
)
def test_what_was_not_found_needs_no_source(absent: str) -> None:
    """It says what the pages or the search have, in English, German, French and Spanish, also with a mark."""
    for message in (absent, f"- {absent}"):
        assert _graded(f"The pier is 142 metres long [1].\n\n{message}") == _graded("The pier is 142 metres long [1].")


def test_a_cell_that_was_not_found_leaves_the_rest_of_its_row() -> None:
    """A row of nothing else is no claim; one with a value is judged by it, right and wrong."""
    table = "| Part | Length | Rent |\n|---|---|---|\n| Pier | 142 m | {} |\n| Quay | not found | not stated |"
    for cell in ("not found", "not stated", "nicht gefunden", "n/a", "—", "unknown"):
        (row,) = _graded(table.format(cell))
        assert row.level in ("quoted", "together"), (cell, row)
    (row,) = _graded(table.format("not found").replace("142", "977"))
    assert row.weak


@pytest.mark.parametrize(
    "claim",
    [
        "The pages do not say that it was built in 1932 by Otto Krahe.",
        "The pages do not say that it burned down.",
        "The pages do not say it, but the pier was built in 1871.",
        "The pages do not say when it opened; it closed in 1990.",
        "The pages do not say when it opened, it was closed in 1990.",
        "The pages do not say when it opened, only that it closed in 1990.",
        "The pages do not say who designed it because the plans burned in a fire.",
        "The pages do not say who rebuilt the 977 m pier.",
        "The pages do not say who built the pier in 1871.",
        "No page says that 9,999 ships landed.",
        "The wreck was never found.",
        "Her body was not found.",
        "No survivors were found in the harbour.",
        "He found nothing in the desert.",
        "The patient was not given the drug.",
        "The source of the river was not found until the last century.",
        "The licence is not MIT.",
        "Die Seiten sagen nicht, dass er 1932 von Otto Krahe gebaut wurde.",
        "Die Seiten nennen keinen Preis, aber er betrug 900 Euro.",
        "Les pages ne disent pas que le pont fut construit en 1932.",
        "Las páginas no dicen que se construyó en 1932.",
        "Die Leiche wurde nie gefunden.",
        "On n'a jamais trouvé l'épave.",
        "Opening year: not 1951",
        "Harlan State, and not Kelmar, is where Larry Page studied.",
        "The search for the crew found nothing.",
    ],
)
def test_a_claim_in_such_a_statement_is_judged(claim: str) -> None:
    """What is said to be said by no page, what stands behind it, and what was not found in the world."""
    graded = _graded(f"The pier is 142 metres long [1].\n\n{claim}")
    assert len(graded) > 1
    assert all(support.weak for support in graded[1:]), graded


def test_a_source_that_was_asked_about_is_of_the_world() -> None:
    """What an article of a law does not say is what was asked for."""
    question = "What does article 4 of the law say on fishing?"
    assert len(_graded("The article does not mention nets.", question=question)) == 1
    assert not _graded("The pages do not mention nets.", question=question)


@pytest.mark.parametrize(
    "lead",
    [
        "**In short:**",
        "In short:",
        "Here is the comparison:",
        "Here is what I found.",
        "Here's a summary of the results:",
        "**Answer:**",
        "- **Summary:**",
        "The following table compares the two:",
        "Based on the pages, here are the details.",
        "Let me summarise the findings.",
        "To sum up:",
        "The answer follows from the pages.",
        "Sources: [1]",
        "Kurz gesagt:",
        "Hier ist der Vergleich:",
        "Hier die Ergebnisse im Überblick:",
        "En résumé :",
        "Voici la comparaison :",
        "En resumen:",
        "Esta es la respuesta:",
    ],
)
def test_what_leads_in_is_no_claim(lead: str) -> None:
    """On a line of its own, in front of a sentence in the same paragraph, and before a list."""
    alone = _graded("The pier is 142 metres long [1].")
    assert [s.level for s in _graded(f"{lead}\n\nThe pier is 142 metres long [1].")] == [s.level for s in alone]
    assert [s.level for s in _graded(f"{lead}\n- The pier is 142 metres long [1].")] == [s.level for s in alone]
    assert [s.level for s in _graded(f"The pier is 142 metres long [1].\n\n{lead}")] == [s.level for s in alone]


@pytest.mark.parametrize(
    "message",
    [
        "**In short:** The pier is 142 metres long [1].",
        "**Short answer:** the pier is 142 metres long [1].",
        "Answer: 142 metres",
        "Fazit: 142 m",
        "**Result:** 142 m [1]",
        "En bref : 142 m",
        "Conclusion: the pier was rebuilt in 1951 [1].",
        "Respuesta: 142 m",
    ],
)
def test_a_lead_in_before_a_claim_leaves_it(message: str) -> None:
    """The claim behind it is judged as if it stood alone, right and wrong."""
    assert not _graded(message)[0].weak, _graded(message)
    assert _graded(message.replace("142", "977").replace("1951", "1977"))[0].weak


@pytest.mark.parametrize(
    "claim",
    [
        "In short, it burned down.",
        "- It was closed by Otto Krahe.",
        "The answer is Otto Krahe.",
        "The table was made by monks.",
        "Summary: it is 977 m long.",
        "The following year it burned down.",
    ],
)
def test_a_claim_in_the_place_of_a_lead_in_is_judged(claim: str) -> None:
    """A name, a value or a word of the world in it is a claim."""
    graded = _graded(f"The pier is 142 metres long [1].\n\n{claim}")
    assert [support.weak for support in graded] == [False, True], graded


@pytest.mark.parametrize(
    ("message", "weak"),
    [
        ("Neither Norway nor Sweden is part of its range [1].", False),
        ("Neither Norway nor Sweden are part of the range of the sand cat.", False),
        ("Neither Norway nor Denmark is part of its range [1].", True),
        ("Neither the deserts of Norway nor Chad are part of its range.", True),
    ],
)
def test_neither_is_no_part_of_a_name(message: str, weak: bool) -> None:
    """`Neither Norway` is Norway, and `neither … nor` denies once."""
    (support,) = _graded(message, CATS, question="Is the sand cat found in Norway or Sweden?")
    assert support.weak is weak, support


@pytest.mark.parametrize("first", ["Neither", "Unlike", "Despite", "Whereas", "Compared", "Weder", "Selon", "Según"])
def test_a_word_that_only_begins_a_sentence_is_no_part_of_a_name(first: str) -> None:
    """Its capital is that of the sentence."""
    known = Names(frozenset({"norway"}), frozenset())
    assert claim(f"{first} Norway it lives in deserts.", known).names == (("norway",),)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("The dough rests for half an hour.", "The sources don't mention how long the dough rests."),
        ("The Sharks are owned by Hasso Berg.", "The passages do not mention who owns the Sharks."),
        ("The museum was opened on 5 May 1921.", "The pages do not say when the museum was opened."),
        ("Das Museum wurde am 5. Mai 1921 eröffnet.", "Die Quellen sagen nicht, wann das Museum eröffnet wurde."),
    ],
)
def test_what_a_page_tells_is_not_absent(page: str, said: str) -> None:
    """Such a statement is against the page; where the page has no answer of the kind, it claims nothing."""
    passage = Passage(url="https://p.example", title="", text=page, n=1)
    assert [one.level for one in attribute(said, "", [("", passage)])] == ["contradicted"]
    other = Passage(url="https://p.example", title="", text="The dough, the Sharks and the museum are old.", n=1)
    assert attribute(said, "", [("", other)]) == ()

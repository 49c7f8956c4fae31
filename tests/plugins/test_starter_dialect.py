"""The starter's turns: what can be read is planned by rule, what it was taught it writes, what is strange it takes over."""

from __future__ import annotations

from pathlib import Path

from hds_cli.agent import protocol
from hds_cli.agent.dialects import QueryResult
from hds_cli.types import Passage
from hds_starter import world
from hds_starter.dialect import StarterDialect
from tests.agent.test_dialects import Seen, session


def results(dialect: StarterDialect, queries: tuple[str, ...]) -> list[QueryResult]:
    """What a search of `world` finds: the page of the country that a query ends with."""
    pages = {d.title: d for d in world.documents()}
    found: list[QueryResult] = []
    for n, query in enumerate(queries, len(dialect.asked) + 1):
        title = next(title for title in sorted(pages, key=len, reverse=True) if query.endswith(f" {title}"))
        found.append((query, [Passage(pages[title].url, title, pages[title].text, n)]))
    return found


def test_queries_over_the_limit_come_in_the_next_turn(tmp_path: Path) -> None:
    """The nine neighbours of Germany: one query, eight, one, and the answer; the model writes nothing."""
    dialect = StarterDialect(session(tmp_path))
    dialect.start("capitals of germanys neighbours please", [])
    turns = []
    while (written := dialect.write(Seen().hooks)).queries:
        turns.append(len(written.queries))
        dialect.read(results(dialect, written.queries))
    assert turns == [1, 8, 1]
    assert written.answer
    assert "Czech Republic: Prague" in written.answer
    assert written.answer.count(";") == 8


def test_pages_that_the_rules_do_not_know_are_left_to_the_model(tmp_path: Path) -> None:
    """It goes on behind the searches that were made by rule, and its own answer is the answer."""
    made = session(tmp_path, "\n</think>\n\nBotswana is larger [2].\n\n\\boxed{Botswana}")
    dialect = StarterDialect(made)
    dialect.start("which is bigger, kenya or botswana", [])
    written = dialect.write(Seen().hooks)
    assert written.queries == ("area of Kenya", "area of Botswana")
    page = Passage("https://x.example", "Kenya (World Factbook)", "Area: total 580,367 sq km.", 1)
    dialect.read([(written.queries[0], [page]), (written.queries[1], [])])
    assert dialect.write(Seen().hooks).answer == "Botswana"


def test_what_the_model_was_taught_it_writes_and_is_looked_over(tmp_path: Path) -> None:
    """A value that is not the page's gives way to the page's."""
    made = session(
        tmp_path,
        "I look this up.\n</think>\n\n<|begin_search_queries|>\ncapital of Kenya<|end_search_queries|>",
        "\n</think>\n\nThe capital of Kenya is Mombasa [1].\n\n\\boxed{Mombasa}",
    )
    dialect = StarterDialect(made)
    dialect.start("What is the capital of Kenya?", [])
    written = dialect.write(Seen().hooks)
    assert written.queries == ("capital of Kenya",)
    dialect.read(results(dialect, written.queries))
    assert dialect.write(Seen().hooks).answer == "Nairobi"


def test_what_a_turn_had_no_room_for_is_searched_before_the_answer(tmp_path: Path) -> None:
    """The model asks for nine capitals in a turn of eight, and answers: the ninth is looked up by rule."""
    around = "Austria Belgium Czech_Republic Denmark France Luxembourg Netherlands Poland Switzerland".split()
    capitals = tuple(f"capital of {name.replace('_', ' ')}" for name in around)
    made = session(
        tmp_path,
        "First the neighbours.\n</think>\n\n<|begin_search_queries|>\ncountries that border Germany<|end_search_queries|>",
        f"\n<|begin_search_queries|>\n{'; '.join(capitals)}<|end_search_queries|>",
        "\n</think>\n\nThe capital of Austria is Vienna [2].\n\n\\boxed{Vienna}",
    )
    dialect = StarterDialect(made)
    dialect.start("What are the capitals of the countries that border Germany?", [])
    dialect.read(results(dialect, dialect.write(Seen().hooks).queries))
    assert dialect.write(Seen().hooks).queries == capitals
    dialect.read([*results(dialect, capitals[:8]), (capitals[8], protocol.NOT_SEARCHED)])
    assert dialect.write(Seen().hooks).queries == capitals[8:]
    dialect.read(results(dialect, capitals[8:]))
    answer = dialect.write(Seen().hooks).answer
    assert answer
    assert "Switzerland: Bern" in answer


def test_a_run_taken_up_again_goes_on_by_rule(tmp_path: Path) -> None:
    """The turns that were written by rule are put back as they were."""
    first = StarterDialect(session(tmp_path))
    first.start("combined population of sweden and denmark", [])
    written = first.write(Seen().hooks)
    again = StarterDialect(session(tmp_path))
    again.start("combined population of sweden and denmark", [])
    again.replay(written.text, results(again, written.queries))
    assert again.write(Seen().hooks).answer == "15,393,271"


def test_a_taught_question_taken_up_again_is_looked_over_with_all_that_was_read(tmp_path: Path) -> None:
    """What the first turn read before the stop is not searched again."""
    around, end = (
        "countries that border Norway",
        "\n</think>\n\nThe capital of Finland is Helsinki [2].\n\n\\boxed{Helsinki}",
    )
    block = "\n<|begin_search_queries|>\n{}<|end_search_queries|>"
    capitals = tuple(f"capital of {name}" for name in ("Finland", "Sweden", "Russia"))
    dialect = StarterDialect(session(tmp_path, block.format("; ".join(capitals)), end))
    dialect.start("What are the capitals of the countries that border Norway?", [])
    dialect.replay(f"I look for them.\n</think>\n\n{block.format(around)}", results(dialect, (around,)))
    assert dialect.write(Seen().hooks).queries == capitals
    dialect.read(results(dialect, capitals))
    written = dialect.write(Seen().hooks)
    assert not written.queries
    assert written.answer
    assert "Sweden: Stockholm" in written.answer

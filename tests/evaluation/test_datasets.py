"""Published question sets are read from their own files; what does not fit is named by its line."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from hds_cli.errors import HdsError, UsageError
from hds_cli.evaluation.datasets import DatasetError, chosen, load, parse_shard
from hds_cli.evaluation.journal import read_lines
from hds_cli.evaluation.questions import Question, Step, Support
from hds_cli.evaluation.sealed import opened, seal


def _jsonl(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _only(path: Path, name: str) -> Question:
    found = load(path)
    assert found.format == name
    return found.questions[0]


def test_musique_has_aliases_supporting_paragraphs_and_steps(tmp_path: Path) -> None:
    """The answer and its aliases are alternatives; only paragraphs marked as supporting are."""
    row = {
        "id": "2hop__1_2", "question": "Q?", "answer": "A", "answer_aliases": ["B"],
        "paragraphs": [
            {"idx": 0, "title": "One", "paragraph_text": "…", "is_supporting": True},
            {"idx": 1, "title": "Two", "paragraph_text": "…", "is_supporting": False},
        ],
        "question_decomposition": [{"id": 9, "question": "s?", "answer": "x", "paragraph_support_idx": 0}],
    }  # fmt: skip
    found = _only(_jsonl(tmp_path / "m.jsonl", row), "musique")
    assert (found.answers, found.support, found.kind) == (("A", "B"), (Support("One"),), "2hop")
    assert found.steps == (Step("s?", "x", "One"),)


@pytest.mark.parametrize(("gold", "kind"), [({"a": "1"}, "dict"), (["x", "y"], "list"), ("z", "str")])
def test_fanoutqa_keeps_dictionaries_and_lists(tmp_path: Path, gold: Any, kind: str) -> None:
    """One JSON array; the gold answer stays what it is, evidence comes from nested steps as well."""
    inner = {
        "question": "i?",
        "answer": "1",
        "evidence": {"title": "Inner", "url": "https://en.wikipedia.org/wiki/Inner"},
    }
    row = {
        "id": "f",
        "question": "Q?",
        "answer": gold,
        "decomposition": [{"question": "o?", "answer": "1", "decomposition": [inner]}],
    }
    path = tmp_path / "dev.json"
    path.write_text(json.dumps([row]))
    found = _only(path, "fanoutqa")
    assert found.gold == (gold,)
    assert found.fan_out
    assert found.kind == kind
    assert found.support == (Support("Inner", "https://en.wikipedia.org/wiki/Inner"),)


def test_frames_has_the_pages_as_links(tmp_path: Path) -> None:
    """The TSV of the set: a list in a cell."""
    path = tmp_path / "frames.tsv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerow(["", "Prompt", "Answer", "reasoning_types", "wiki_links"])
        writer.writerow(
            [
                "0",
                "Q?",
                "Jane",
                "Multiple constraints",
                "['https://en.wikipedia.org/wiki/A', 'https://en.wikipedia.org/wiki/B']",
            ]
        )
    found = _only(path, "frames")
    assert (found.id, found.text, found.answers) == ("0", "Q?", ("Jane",))
    assert [s.url for s in found.support] == ["https://en.wikipedia.org/wiki/A", "https://en.wikipedia.org/wiki/B"]


def test_medbrowsecomp_without_an_answer_means_no_date(tmp_path: Path) -> None:
    """82 of its 605 answers are null."""
    found = _only(
        _jsonl(tmp_path / "m.jsonl", {"id": 3, "question": "Q?", "answer": None, "task_name": "Date"}), "medbrowsecomp"
    )
    assert found.gold == (None,)
    assert found.answers == ("NA",)


def test_hotpotqa_and_2wiki_in_both_published_forms(tmp_path: Path) -> None:
    """Supporting facts as pairs, or as a dictionary of columns."""
    row = {
        "_id": "h",
        "question": "Q?",
        "answer": "yes",
        "supporting_facts": [["A", 0], ["B", 1], ["A", 2]],
        "type": "comparison",
    }
    found = _only(_jsonl(tmp_path / "h.jsonl", row), "hotpotqa")
    assert (found.id, found.support) == ("h", (Support("A"), Support("B")))
    row |= {"supporting_facts": {"title": ["A"], "sent_id": [0]}, "evidences": []}
    assert _only(_jsonl(tmp_path / "w.jsonl", row), "2wiki").support == (Support("A"),)


def test_simpleqa_is_a_csv_with_problem_and_answer(tmp_path: Path) -> None:
    """Quoted commas and line ends are the CSV's business."""
    path = tmp_path / "simple.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["metadata", "problem", "answer"])
        writer.writerow(["{'topic': 'x', 'urls': ['https://a.example/1']}", "Who, then?", "A\nB"])
    found = _only(path, "simpleqa")
    assert (found.text, found.answers, found.support) == (
        "Who, then?",
        ("A\nB",),
        (Support(url="https://a.example/1"),),
    )


def _encrypt(text: str, canary: str) -> str:
    """As the published set was made: an implementation of its own, to compare with."""
    key = hashlib.sha256(canary.encode()).digest()
    data = text.encode()
    stream = (key * (len(data) // len(key) + 1))[: len(data)]
    return base64.b64encode(bytes(a ^ b for a, b in zip(data, stream, strict=True))).decode()


def test_browsecomp_is_opened_in_memory(tmp_path: Path) -> None:
    """A row is decrypted with its own canary; the question cannot be shown by accident (its key is not in its repr)."""
    path = tmp_path / "bc.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["problem", "answer", "problem_topic", "canary"])
        writer.writerow([_encrypt("Which ship?", "canary-1"), _encrypt("Ünique", "canary-1"), "Other", "canary-1"])
    found = _only(path, "browsecomp")
    assert (found.text, found.answers, found.key) == ("Which ship?", ("Ünique",), "canary-1")
    assert "canary" not in repr(found)
    assert opened(seal("ä question", "c"), "c") == "ä question"


def test_a_wrong_canary_is_an_error_that_shows_nothing(tmp_path: Path) -> None:
    """The line is named, its content is not."""
    sealed = _encrypt("secretly long question with ünicode " * 9, "right")
    path = _jsonl(tmp_path / "bc.jsonl", {"problem": sealed, "answer": sealed, "canary": "wrong"})
    with pytest.raises(DatasetError) as caught:
        load(path)
    assert "line 1" in caught.value.message
    assert "secret" not in caught.value.message
    assert sealed not in caught.value.message


def test_the_shared_sets_are_plain(shared: Path) -> None:
    """Lists and dictionaries of answers are all wanted; alternatives are not."""
    everything = {folder.parent.name: load(folder.parent) for folder in (shared / "data").glob("*/questions.jsonl")}
    assert {found.format for found in everything.values()} == {"plain"}
    assert sum(len(found.questions) for found in everything.values()) > 4000
    assert all(found.corpus for found in everything.values())
    assert everything["limit_small"].questions[0].wanted == ["Geneva Durben", "Dorathea Bastress"]
    assert everything["musique_train100"].questions[0].answers == ("G. Stanley Hall", "Stanley Hall")
    assert isinstance(everything["fanoutqa_synth"].questions[0].wanted, dict)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"question": "Q?", "answers": ["a"]}\n{"question": ""}\n', "line 2"),
        ('{"question": "Q?", "answers": ["a"]}\n[1]\n', "line 2"),
        ('{"question": "Q?", "answers": ["a"]}\n{"question": "Q?', "line 2"),
        ('{"id": 1, "question": "Q?", "answers": ["a"]}\n{"id": 1, "question": "R?", "answers": ["a"]}\n', "line 2"),
        ('{"foo": 1}\n', "no known format"),
        ("", "no questions"),
    ],
)
def test_a_row_that_does_not_fit_is_named(tmp_path: Path, text: str, said: str) -> None:
    """Not JSON, not an object, no question, an id twice, an unknown set, an empty file."""
    path = tmp_path / "q.jsonl"
    path.write_text(text)
    with pytest.raises(HdsError, match=said):
        load(path)


def test_the_format_can_be_forced(tmp_path: Path) -> None:
    """`--format` overrides what the fields say; an unknown one is a usage error."""
    path = _jsonl(tmp_path / "q.jsonl", {"question": "Q?", "answer": "a", "supporting_facts": [["A", 0]]})
    assert load(path, "plain").format == "plain"
    with pytest.raises(UsageError, match="nope"):
        load(path, "nope")


def test_shards_are_disjoint_and_complete(shared: Path) -> None:
    """Machines that each take a shard ask every question once."""
    questions = load(shared / "data" / "limit_small").questions
    parts = [chosen(questions, limit=10, shard=(i, 3)) for i in (1, 2, 3)]
    assert sorted(q.id for part in parts for q in part) == sorted(q.id for q in questions[:10])
    for wrong in ("0/3", "4/3", "1", "a/b"):
        with pytest.raises(UsageError):
            parse_shard(wrong)


def test_a_context_that_is_something_else_is_no_page(tmp_path: Path) -> None:
    """Other sets have a field of that name, too."""
    path = _jsonl(tmp_path / "q.jsonl", {"question": "Q?", "answer": "a", "context": "some words"})
    assert not load(path).brings_pages


@pytest.mark.parametrize(
    ("gold", "text", "kind"),
    [
        ({"A": "Right", "B": "Left"}, "A: Right, B: Left", "dict"),
        (["x", "y"], "x, y", "list"),
        ("{'A': 'Right'}", "A: Right", "dict"),
    ],
)
def test_the_authors_fanoutqa_is_known_by_its_three_fields(tmp_path: Path, gold: Any, text: str, kind: str) -> None:
    """`id`, `question`, `answer` alone; `hds_compat` compares with the gold answer's Python text."""
    question = _only(_jsonl(tmp_path / "dev.jsonl", {"id": "f1", "question": "Who?", "answer": gold}), "fanoutqa")
    assert (question.answers, question.fan_out, question.kind) == ((text,), True, kind)
    assert str(question.gold[0]) == str(gold)


def test_the_authors_fanoutqa_may_begin_with_a_single_value(tmp_path: Path) -> None:
    """The file's name says it where the first row does not; one JSON array, as they keep it."""
    path = tmp_path / "fanoutqa_dev.json"
    path.write_text(json.dumps([{"id": "1", "question": "How many?", "answer": 5},
                                {"id": "2", "question": "Which?", "answer": {"a": 1}}], indent=1))  # fmt: skip
    loaded = load(path)
    assert (loaded.format, [q.fan_out for q in loaded.questions]) == ("fanoutqa", [True, True])


def test_the_authors_browsecomp_is_sealed_though_it_lies_in_the_clear(tmp_path: Path) -> None:
    """`Question` and `Answer`; what is stored of a run is not readable."""
    question = _only(_jsonl(tmp_path / "browsecomp50.jsonl", {"Question": "Which?", "Answer": "That"}), "browsecomp")
    assert (question.text, question.answers) == ("Which?", ("That",))
    assert question.key


@pytest.mark.parametrize(
    "links",
    [
        ["https://en.wikipedia.org/wiki/A", "https://en.wikipedia.org/wiki/B,_C"],
        "['https://en.wikipedia.org/wiki/A', 'https://en.wikipedia.org/wiki/B,_C']",
        "https://en.wikipedia.org/wiki/A, https://en.wikipedia.org/wiki/B,_C",
        "['https://en.wikipedia.org/wiki/A' https://en.wikipedia.org/wiki/B,_C",
    ],
)
@pytest.mark.parametrize("names", [("Prompt", "Answer"), ("question", "answer")])
def test_the_authors_frames_has_its_pages_in_wiki_links(tmp_path: Path, links: Any, names: tuple[str, str]) -> None:
    """A list, or the text of one, whole or broken; the fields in either letters."""
    row = {"id": 7, names[0]: "Which?", names[1]: "That", "wiki_links": links}
    question = _only(_jsonl(tmp_path / "frames.jsonl", row), "frames")
    assert (question.text, question.answers) == ("Which?", ("That",))
    assert [s.url for s in question.support] == [
        "https://en.wikipedia.org/wiki/A", "https://en.wikipedia.org/wiki/B,_C"
    ]  # fmt: skip


def test_a_line_ends_where_a_line_feed_is(tmp_path: Path) -> None:
    """A separator of Unicode's in a text that was written as it is (ensure_ascii=False) is part of that text."""
    row = {"id": "a", "question": "one\u2028two\x85three", "answers": ["x"]}
    path = tmp_path / "set.jsonl"
    path.write_text(
        json.dumps(row, ensure_ascii=False) + "\r\n" + json.dumps(row | {"id": "b"}) + "\n", "utf-8", newline=""
    )
    assert [question.text for question in load(path).questions] == [row["question"]] * 2
    assert read_lines(path) == [row, row | {"id": "b"}]


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000])
def test_a_set_that_is_nested_without_an_end_is_an_error(tmp_path: Path, text: str) -> None:
    """One sentence, and no traceback."""
    (tmp_path / "set.jsonl").write_text(text)
    with pytest.raises(DatasetError, match="not JSON"):
        load(tmp_path / "set.jsonl")

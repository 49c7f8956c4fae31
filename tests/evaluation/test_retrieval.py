"""The retrieval bench: scores as the field defines them, our folders and BEIR's, and the figures known of the sets."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hds_cli.evaluation.ranking import ndcg, recall, reciprocal_rank
from tests.conftest import Hds
from tests.contract.schemas import validate


def test_graded_scores_by_hand() -> None:
    """Grades 3 and 1 at places 3 and 1: linear gains, log2 discount."""
    ranked, grades = ["b", "x", "a", "y"], {"a": 3, "b": 1, "c": 0}
    best = 3 / math.log2(2) + 1 / math.log2(3)
    assert ndcg(ranked, grades, 10) == pytest.approx((1 / math.log2(2) + 3 / math.log2(4)) / best)
    assert recall(ranked, grades, 2) == 0.5  # a page of grade 0 is not relevant
    assert reciprocal_rank(["x", "c", "a"], grades, 10) == pytest.approx(1 / 3)
    assert reciprocal_rank(["x", "c", "a"], grades, 2) == 0
    assert (recall([], {}, 5), ndcg([], {}, 5)) == (0, 0)


@given(st.permutations(list("abcdef")), st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3)))
def test_the_best_order_has_the_best_ndcg(ranked: list[str], grades: dict[str, int]) -> None:
    """No order beats that by grade, whose nDCG is 1 as soon as a page is relevant."""
    best = sorted(ranked, key=lambda page: -grades.get(page, 0))
    assert ndcg(ranked, grades, 6) <= ndcg(best, grades, 6) + 1e-12
    assert ndcg(best, grades, 6) == (pytest.approx(1) if any(grades.values()) else 0)


def _write(path: Path, *rows: dict[str, object]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_beir_folder_is_graded(hds: Hds, tmp_path: Path) -> None:
    """corpus.jsonl, queries.jsonl, qrels/test.tsv; queries without a judgement are left out."""
    _write(
        tmp_path / "corpus.jsonl",
        {"_id": "d1", "title": "", "text": "red apples"},
        {"_id": "d/2", "title": "", "text": "green apples and pears"},
    )
    _write(tmp_path / "queries.jsonl", {"_id": "1", "text": "green pears"}, {"_id": "2", "text": "unjudged"})
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n1\td/2\t2\n1\td1\t0\n")
    found = json.loads(hds("eval", "retrieval", str(tmp_path), "--json").stdout)
    validate(found, "hds.eval.retrieval/1")
    (row,) = found["findings"]
    assert (row["n"], row["R@2"], row["nDCG@10"], row["MRR@10"]) == (1, 100, 100, 100)


def test_limit_in_its_published_form(hds: Hds, tmp_path: Path) -> None:
    """LIMIT's judgements are JSON lines."""
    _write(
        tmp_path / "corpus.jsonl",
        {"_id": "Ann", "title": "", "text": "Ann likes quokkas."},
        {"_id": "Bob", "title": "", "text": "Bob likes otters."},
    )
    _write(tmp_path / "queries.jsonl", {"_id": "q", "text": "Who likes otters?"})
    _write(tmp_path / "qrels.jsonl", {"query-id": "q", "corpus-id": "Bob", "score": 1})
    (row,) = json.loads(hds("eval", "retrieval", str(tmp_path), "--json").stdout)["findings"]
    assert row["MRR@10"] == 100


def test_bm25_finds_all_of_limit_small(hds: Hds, shared: Path) -> None:
    """A known figure (BM25 R@2 99.15 at least): hybrid retrieval must not fall below it."""
    (row,) = json.loads(
        hds("eval", "retrieval", str(shared / "data" / "limit_small"), "--json", "--limit", "200").stdout
    )["findings"]
    assert row["R@2"] >= 99


def test_selectors_are_measured_beside_the_ranking(hds: Hds, shared: Path) -> None:
    """What hds's own selector keeps of the first pages; several sets get their mean."""
    folders = [str(shared / "data" / name) for name in ("hotpotqa_train100", "musique_train100")]
    out = hds("eval", "retrieval", *folders, "--limit", "20", "--select", "bm25", "--json")
    rows = json.loads(out.stdout)["findings"]
    assert [(r["set"], r["selector"]) for r in rows] == [
        ("hotpotqa_train100", None), ("hotpotqa_train100", "bm25"), ("musique_train100", None), ("musique_train100", "bm25"),
        ("mean of the sets", None), ("mean of the sets", "bm25"),
    ]  # fmt: skip
    kept = rows[1]
    assert kept["pages kept"] <= kept["pages given"] <= 100
    assert kept["answer kept"] > 20
    assert rows[2]["sub5"] > rows[2]["R@5"]  # gold sub-queries find more than the whole question


def test_an_unknown_selector_is_said(hds: Hds, shared: Path) -> None:
    """Named, not silently replaced."""
    out = hds("eval", "retrieval", str(shared / "data" / "limit_small"), "--limit", "1", "--select", "nope")
    assert out.returncode == 2
    assert "nope" in out.stderr


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """Two kinds of questions; one asks for a list, and for its pages in words that no page has."""
    folder = tmp_path / "lists"
    folder.mkdir()
    _write(
        folder / "corpus.jsonl",
        {"title": "Chari", "text": "The Chari is a river of Chad, 949 km long."},
        {"title": "Logone", "text": "The Logone is a river of Chad."},
        {"title": "Bodele", "text": "The Bodele is a dry basin."},
        {"title": "Oslo", "text": "Oslo is the capital of Norway."},
    )
    _write(
        folder / "questions.jsonl",
        {"id": "a", "question": "Which waters flow there?", "answers": ["Chari", "Logone"], "all_answers_wanted": True,
         "type": "list", "supporting_titles": ["Chari", "Logone"]},
        {"id": "b", "question": "What is the capital of Norway?", "answers": ["Oslo"], "type": "one",
         "supporting_titles": ["Oslo"]},
    )  # fmt: skip
    return folder


def test_rewritten_queries_are_an_arm_of_their_own_by_kind(hds: Hds, lists: Path, tmp_path: Path) -> None:
    """A file of `{"id", "queries"}`, nested as `hds eval` keeps them; a question without stays as it is."""
    queries = tmp_path / "q.jsonl"
    _write(
        queries, {"schema": "hds.eval.questions/1"}, {"id": "a", "queries": [["river Chari of Chad"], ["Logone river"]]}
    )
    out = hds("eval", "retrieval", str(lists), "--queries", str(queries), "--select", "bm25", "--json")
    assert out.returncode == 0, out.stderr
    document = json.loads(out.stdout)
    validate(document)
    plain, _, rewritten, chosen = document["findings"]
    assert (plain["source"], rewritten["source"]) == ("corpus", "corpus, rewritten")
    assert plain["kinds"]["list"]["R@5"] < rewritten["kinds"]["list"]["R@5"] == 100
    assert plain["kinds"]["one"]["R@5"] == rewritten["kinds"]["one"]["R@5"] == 100
    assert chosen["kinds"]["list"]["n"] == 1
    assert 0 <= chosen["nuggets kept"] <= 100
    assert "nuggets kept" not in chosen["kinds"]["one"]
    table = hds("eval", "retrieval", str(lists), "--queries", str(queries)).stdout
    assert "list" in table
    bad = hds("eval", "retrieval", str(lists), "--queries", str(lists / "corpus.jsonl"))
    assert (bad.returncode, "no id or no queries" in bad.stderr) == (2, True)


def test_distractors_are_pages_of_other_questions(hds: Hds, lists: Path) -> None:
    """They are given beside the pages that were found, and cost precision, not what was found."""
    options = ("eval", "retrieval", str(lists), "--select", "bm25", "--json")
    plain, noisy = hds(*options), hds(*options, "--distractors", "5")
    (_, before), (_, after) = (json.loads(out.stdout)["findings"] for out in (plain, noisy))
    assert after["pages given"] == before["pages given"]
    assert after["precision"] <= before["precision"]


def test_feedback_is_measured_by_its_option(hds: Hds, tmp_path: Path) -> None:
    """The page that shares words with the best page alone counts with `--prf`, which the settings may turn on too."""
    texts = {
        "Infarction": "A heart attack closes a coronary artery. Troponin in the blood shows it.",
        "Laboratory": "Troponin rises within hours when a coronary artery closes.",
        "Garden": "Roses are cut in spring.",
    }
    _write(tmp_path / "corpus.jsonl", *({"_id": name, "title": name, "text": text} for name, text in texts.items()))
    _write(tmp_path / "queries.jsonl", {"_id": "q", "text": "heart attack"})
    _write(tmp_path / "qrels.jsonl", *({"query-id": "q", "corpus-id": name, "score": 1} for name in list(texts)[:2]))

    def recall_at_5(*options: str, setting: str = "") -> float:
        out = hds("eval", "retrieval", str(tmp_path), "--json", *options, env={"HDS_PRF": setting}).stdout
        return float(json.loads(out)["findings"][0]["R@5"])

    assert (recall_at_5(), recall_at_5("--prf")) == (50, 100)
    assert (recall_at_5(setting="true"), recall_at_5("--no-prf", setting="true")) == (100, 50)

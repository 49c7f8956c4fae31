"""`hds_compat` against the published evaluation, written down again from its description: row by row the same."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hds_cli.agent.protocol import BEGIN_QUERIES, END_QUERIES
from hds_cli.evaluation.metrics import Effort, accumulated, compat, count_calls, count_turns
from hds_cli.evaluation.observe import Observer
from hds_cli.evaluation.questions import Question
from hds_cli.events import QueryProposed, RunFinished, TurnFinished, TurnStarted
from tests.conftest import Hds

ROWS = 8000
REMOVED = ["begin{aligned}", "end{aligned}", "\\", "&", "{", "}", "(", ")", ":", '"', "'", ".", ",", ";", "!", "?"]
WORDS = ["Paris", "paris,", "the", "city", "of", "A:", "Right,", "'B'", "{Left}", "\\begin{aligned}", "&", "3.5", "(C)",
         "[x]", "NA", "DATE:", "é", "", "\t", "\n", "und", "!", "a a"]  # fmt: skip


# --- the published functions, from their description ----------------------------------------------------------------


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.lower().strip())


def reference_scores(prediction: str, gold: Any, fanoutqa: bool) -> tuple[float, float, float]:
    said, meant = plain(prediction), plain("DATE: NA" if gold is None else str(gold))
    em, acc = float(said == meant), float(meant in said)
    tokens = []
    for text in (said, meant):
        words = text.split()
        if fanoutqa:
            for bad in REMOVED:
                words = [word.replace(bad, "") for word in words]
            words = [word for word in words if word]
        tokens.append(words)
    common, left = 0, list(tokens[1])
    for word in tokens[0]:
        if word in left:
            left.remove(word)
            common += 1
    f1 = 0.0
    if common:
        p, r = common / len(tokens[0]), common / len(tokens[1])
        f1 = 2 * p * r / (p + r)
    return 100 * em, 100 * acc, 100 * f1


def reference_effort(history: list[str], search_count: list[int]) -> tuple[int, int]:
    block = re.compile(r"<\|begin_search_queries\|>(.*?)<\|end_search_queries\|>", re.DOTALL)
    calls = 0
    for n in range(min(len(history), len(search_count))):
        if block.search(history[n]):
            calls += search_count[n]
    return len({history[n] for n in range(min(len(history), len(search_count)))}), calls


def reference_curves(items: list[tuple[float, int, int, int]]) -> dict[str, Any]:
    turns, calls = dict.fromkeys(range(1, 11), 0.0), dict.fromkeys(range(2, 17), 0.0)
    tokens = dict.fromkeys(range(300, 1501, 300), 0.0)
    for f1, t, c, n in items:
        for i in turns:
            turns[i] += f1 if min(max(t, 1), 10) <= i else 0
        for i in calls:
            calls[i] += f1 if min(max(c, 2), 16) <= i else 0
        floor = min(max(n, 300), 1500) // 300 * 300
        for i in tokens:
            tokens[i] += f1 if floor <= i else 0
    for table in (turns, calls, tokens):
        for i in table:
            table[i] /= len(items)
    areas = [sum(table.values()) / len(table) for table in (turns, calls, tokens)]
    return {"turns": turns, "calls": calls, "tokens": tokens, "areas": [areas[0], areas[1], areas[2] * 500]}


# --- ours against them ----------------------------------------------------------------------------------------------


def text(rng: random.Random, most: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(0, most)))


def gold(rng: random.Random) -> Any:
    roll = rng.random()
    if roll < 0.1:
        return None
    if roll < 0.3:
        return {text(rng, 1) or "k": text(rng, 2) for _ in range(rng.randint(1, 3))}
    if roll < 0.4:
        return [text(rng, 2) for _ in range(rng.randint(0, 3))]
    return rng.randint(0, 99) if roll < 0.45 else text(rng, 4)


def test_no_row_of_eight_thousand_differs() -> None:
    """Exact match, accuracy, F1, turns, calls; and the curves over all of them."""
    rng = random.Random(8000)
    efforts: list[tuple[float, int, int, int]] = []
    right = 0
    for _ in range(ROWS):
        meant, fan_out = gold(rng), rng.random() < 0.5
        said = str(meant) if rng.random() < 0.2 else text(rng, 8)
        ours = compat(said, meant, fan_out=fan_out)
        theirs = reference_scores(said, meant, fan_out)
        assert (ours.em, ours.acc) == theirs[:2], (said, meant)
        assert ours.f1 == pytest.approx(theirs[2], abs=1e-9), (said, meant, fan_out)
        history = [
            f"{text(rng, 2)}{BEGIN_QUERIES}\n{text(rng, 1)}\n{END_QUERIES}" if rng.random() < 0.7 else text(rng, 2)
            for _ in range(rng.randint(1, 12))
        ]
        searches = [rng.randint(1, 9) for _ in range(rng.randint(0, len(history)))]
        turns, calls = reference_effort(history, searches)
        assert (count_turns(history, searches), count_calls(history, searches)) == (turns, calls)
        efforts.append((ours.f1, turns, calls, rng.randint(0, 3000)))
        right += ours.f1 > 0
    assert right > ROWS // 5
    curves = reference_curves(efforts)
    found = accumulated([Effort(*effort) for effort in efforts])
    for name in ("turns", "calls", "tokens"):
        assert getattr(found, name) == pytest.approx(curves[name])
    assert [found.auc_at, found.auc_ac, found.auc_al] == pytest.approx(curves["areas"])


@pytest.mark.parametrize("reason", [None, "unsupported", "not_found"])
def test_compat_scores_the_headline_whatever_became_of_it(reason: str | None) -> None:
    """Honest scores are those of what was shown; the published evaluation knows no refusal."""
    observer = Observer(Question("q", "How long?", ("142 m",), ("142 m",)), len)
    shown = "142 m" if reason is None else None
    observer.handle(RunFinished(status="answered", answer=shown, explanation=None, raw_answer="142 m", reason=reason))
    scores = observer.row()["scores"]
    assert scores["hds_compat"] == {"em": 100.0, "acc": 100.0, "f1": 100.0}
    assert scores["squad"]["em"] == (100.0 if reason is None else 0.0)


def test_the_text_of_a_forced_answer_counts() -> None:
    """It is an element of the history there, and a part of the output."""

    def tokens(forced: str) -> int:
        observer = Observer(Question("q", "How long?", ("142 m",), ("142 m",)), len)
        observer.handle(TurnStarted(turn=1))
        observer.handle(QueryProposed(turn=1, query=1, text="a", repeated=False))
        observer.handle(TurnFinished(turn=1, seconds=1.0, written=f"{BEGIN_QUERIES}\na\n{END_QUERIES}"))
        observer.handle(TurnStarted(turn=2, forced=True))
        observer.handle(TurnFinished(turn=2, seconds=1.0, written=forced))
        return int(observer.row()["compat"]["tokens"])

    assert tokens("**Final Answer:** 142 m") - tokens("") == len("**Final Answer:** 142 m")


def test_a_run_that_is_forced_says_what_it_wrote(hds: Hds, tmp_path: Path, script: Callable[..., str]) -> None:
    """The opening that the run put in and the answer behind it are in the event."""
    (tmp_path / "corpus.jsonl").write_text(json.dumps({"title": "Oslo", "text": "Oslo is the capital of Norway."}))
    hds("index", "add", str(tmp_path / "corpus.jsonl"), "--name", "c")
    model = script(f"<think>\nt\n</think>\n\n{BEGIN_QUERIES}\nOslo\n{END_QUERIES}", "Oslo")
    done = hds("ask", "-e", "scripted", "-m", model, "--offline", "-s", "c", "--max-turns", "1", "--jsonl", "Capital?")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    (last,) = (row for row in rows if row["event"] == "turn_finished" and row["turn"] == 2)
    assert last["written"] == "\n</think>\n\n**Final Answer:**\n\\boxed{Oslo}"


def test_paper_puts_ours_beside_the_published(hds: Hds, tmp_path: Path, script: Callable[..., str]) -> None:
    """Each condition that differs is named; sets without published figures are refused."""
    row = {"id": "2hop__1", "question": "Q?", "answer": "A", "answer_aliases": [], "paragraphs": []}
    (tmp_path / "m.jsonl").write_text(json.dumps(row))
    (tmp_path / "corpus.jsonl").write_text(json.dumps({"title": "A", "text": "A is a letter."}))
    model = script("x\n</think>\n\n\\boxed{A}")
    done = hds("eval", str(tmp_path / "m.jsonl"), "-e", "scripted", "-m", model, "--paper", "--max-turns", "3")
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.lstrip().startswith("F1 (hds_compat)"))
    assert line.split()[-3:] == ["100.0", "31.2", "29.7"]
    assert "max_turns: 3 here, 10 there" in done.stderr
    assert "Qwen3-32B there" in done.stderr
    (tmp_path / "p.jsonl").write_text(json.dumps({"question": "Q?", "answers": ["A"]}))
    refused = hds("eval", str(tmp_path / "p.jsonl"), "-e", "scripted", "-m", model, "--paper")
    assert (refused.returncode, "nothing was published" in refused.stderr) == (2, True)

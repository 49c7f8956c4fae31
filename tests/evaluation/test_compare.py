"""Two evaluations side by side: a difference is named only where the interval allows it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from hds_cli.errors import UsageError
from hds_cli.evaluation.bootstrap import interval, paired
from hds_cli.evaluation.compare import differences, read, read_all, shared
from hds_cli.evaluation.curves import curves
from tests.conftest import Hds
from tests.contract.schemas import validate


def _row(name: str, f1: float, turns: int) -> dict[str, Any]:
    return {
        "id": name, "correct": f1 == 100, "scores": {"hds_compat": {"em": 0, "acc": 0, "f1": f1}, "squad": {"em": 0, "f1": f1}},
        "coverage": None, "turns": turns, "searches": 2 * turns, "tokens": 100, "bytes": 0, "status": "answered", "error": None,
        "compat": {"turns": turns, "calls": 2 * turns, "tokens": 700}, "citations": {"n": 0, "verified": 0}, "queries_good": None,
    }  # fmt: skip


def _results(path: Path, f1: list[float], turns: int, sha: str = "d", seconds: float = 1.0) -> Path:
    header = {"schema": "hds.eval.questions/1", "dataset": {"name": "set", "sha256": sha}, "options": {}}
    rows = [_row(f"q{n}", value, turns) for n, value in enumerate(f1)]
    phases = dict.fromkeys(("total", "model", "search", "fetch", "extract", "overlap"), seconds)
    path.write_text("".join(json.dumps(line) + "\n" for line in (header, *rows)))
    costs = [{"id": row["id"], "seconds": phases} for row in rows]
    path.with_name(path.stem + ".costs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in costs))
    return path


def test_a_clear_difference_is_named_and_noise_is_not(tmp_path: Path) -> None:
    """Every question better by 20: better. The same values in another order: no difference shown."""
    rng = random.Random(1)
    values = [rng.choice([0.0, 40.0, 80.0]) for _ in range(60)]
    shuffled = rng.sample(values, k=60)
    a = read(_results(tmp_path / "a.jsonl", values, 4))
    b = read(_results(tmp_path / "b.jsonl", [v + 20 for v in values], 2))
    c = read(_results(tmp_path / "c.jsonl", shuffled, 4))
    said = {d.figure: d.verdict for d in differences(a, b)}
    assert (said["squad f1"], said["turns"], said["tokens"]) == ("better", "less", "no difference shown")
    assert {d.verdict for d in differences(a, c)} == {"no difference shown"}


def test_only_questions_that_all_asked_are_compared(tmp_path: Path) -> None:
    """A shard beside the whole set; another set is refused."""
    a, b = _results(tmp_path / "a.jsonl", [0, 50, 100], 1), _results(tmp_path / "b.jsonl", [0, 50], 1)
    assert [list(one.rows) for one in shared(read_all([a, b]))] == [["q0", "q1"]] * 2
    with pytest.raises(UsageError, match="different question sets"):
        shared(read_all([a, _results(tmp_path / "x.jsonl", [0], 1, sha="other")]))


def test_results_of_one_file_name_are_told_apart(tmp_path: Path) -> None:
    """`parallel/r.jsonl` and `sequential/r.jsonl` do not share a column's name."""
    for name in ("parallel", "sequential"):
        (tmp_path / name).mkdir()
    files = [_results(tmp_path / name / "r.jsonl", [0.0], 1) for name in ("parallel", "sequential")]
    assert len({one.name for one in read_all(files)}) == 2


def test_the_interval_is_that_of_the_mean() -> None:
    """Against the normal approximation, and reproducible by its seed."""
    rng = random.Random(3)
    values = [rng.gauss(10, 4) for _ in range(400)]
    found = interval(values, seed=5)
    assert found.low == pytest.approx(found.mean - 1.96 * 4 / 20, abs=0.12)
    assert found.high == pytest.approx(found.mean + 1.96 * 4 / 20, abs=0.12)
    assert found == interval(values, seed=5)
    assert paired(values, [v + 1 for v in values]).mean == pytest.approx(1)


def test_curves_end_at_the_whole_f1(tmp_path: Path) -> None:
    """Whatever the axis: with enough of it, everything counts; four turns are not in the bin of three."""
    one = read(_results(tmp_path / "a.jsonl", [100, 50], 4, seconds=3.0))
    found = curves([one])
    assert all(lines[0][-1][1] == 75 for lines in found.values())
    assert dict(found["turns"][0])[3.0] == 0
    assert dict(found["turns"][0])[4.0] == 75


def test_compare_draws_prints_and_reports(hds: Hds, tmp_path: Path) -> None:
    """The curves as text and as a picture, the verdicts, the report."""
    pytest.importorskip("matplotlib")
    a = _results(tmp_path / "a.jsonl", [100.0, 0.0] * 20, 1)
    b = _results(tmp_path / "b.jsonl", [100.0, 100.0] * 20, 3)
    out = hds("eval", "compare", str(a), str(b), "--curves", str(tmp_path / "c.png"))
    assert out.returncode == 0, out.stderr
    assert "b minus a" in out.stdout
    assert "F1 within so many turns" in out.stdout
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    found = json.loads(hds("eval", "compare", str(a), str(b), "--json").stdout)
    validate(found, "hds.eval.compare/1")
    assert found["differences"][0]["figures"]["squad f1"]["verdict"] == "better"
    hds("eval", "compare", str(a), str(b), "-o", str(tmp_path / "r.md"), "--curves", str(tmp_path / "c.svg"))
    assert (tmp_path / "r.md").read_text().startswith("# a and b")
    assert "<svg" in (tmp_path / "c.svg").read_text()


def test_what_is_no_result_file_is_said(hds: Hds, tmp_path: Path) -> None:
    """Not a trace: one line and a hint."""
    (tmp_path / "x.jsonl").write_text("{}\n")
    out = hds("eval", "compare", str(tmp_path / "x.jsonl"))
    assert out.returncode == 2
    assert "error[results]" in out.stderr

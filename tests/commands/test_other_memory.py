"""What was begun goes on although the memory that is free, and so the context, is another one by then."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hds_cli.commands import _evaluate
from hds_cli.commands._evaluate import Plan
from hds_cli.commands.batch import _Batch
from hds_cli.config import Settings
from hds_cli.desk.batch import Item
from hds_cli.desk.rows import Rows, of_model
from hds_cli.engine import scripted
from hds_cli.errors import UsageError
from hds_cli.evaluation import datasets
from hds_cli.types import ModelInfo

INFO = ModelInfo("m", "m.gguf", "abc", "Q4_1", "llama_cpp", n_ctx=16_384, n_gpu_layers=37, kv="f16", n_batch=512)
BLOCK = "<think>\nt\n</think>\n\n<|begin_search_queries|>\ncapital city\n<|end_search_queries|>"


@pytest.fixture
def settings(script: Callable[..., str]) -> Settings:
    return Settings(engine="scripted", model=script(BLOCK, "x\n</think>\n\n\\boxed{Oslo}"), offline=True)


def test_a_head_has_what_the_user_chose_and_not_what_memory_did() -> None:
    """Another model, or another context that was asked for, is still another head."""
    less = replace(INFO, n_ctx=8_192, n_gpu_layers=20, kv="q8_0", n_batch=128, file="elsewhere/m.gguf")
    assert of_model(INFO, Settings()) == of_model(less, Settings())
    assert of_model(INFO, Settings())["sha256"] == "abc"
    assert of_model(replace(INFO, sha256="abd"), Settings()) != of_model(INFO, Settings())
    assert of_model(INFO, Settings(n_ctx=16_384))["n_ctx"] == 16_384
    assert of_model(INFO, Settings(n_gpu_layers=37))["n_gpu_layers"] == 37


def test_a_batch_goes_on(settings: Settings, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rows, "remove", lambda self: None)  # as if it had been killed before it was done

    def ask(settings: Settings, *, resume: bool) -> None:
        items, out = [Item("1", "Which city is it?")], tmp_path / "out.jsonl"
        work = _Batch(items, settings, jobs=1, unordered=False, output=out, quiet=True)
        assert sum(work.run(resume=resume, overwrite=False).values()) == 1

    settings = replace(settings, source=("world",))
    ask(settings, resume=False)
    monkeypatch.setattr(scripted, "N_CTX", 8_192)
    ask(settings, resume=True)
    with pytest.raises(UsageError, match="another"):
        ask(replace(settings, n_ctx=8_192), resume=True)


def test_an_evaluation_goes_on_in_the_same_file(
    settings: Settings, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "corpus.jsonl").write_text(json.dumps({"title": "Page", "text": "The capital city here is Oslo."}))
    (tmp_path / "questions.jsonl").write_text(json.dumps({"id": "q", "question": "Which?", "answers": ["Oslo"]}))
    data = datasets.load(tmp_path, None)
    plan = Plan(data, data.questions, settings, quiet=True)
    first = _evaluate.evaluate(plan)
    before = first.path.read_bytes()
    monkeypatch.setattr(scripted, "N_CTX", 8_192)
    again = _evaluate.evaluate(replace(plan, resume=True))
    assert (again.path, again.path.read_bytes()) == (first.path, before)

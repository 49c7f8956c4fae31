"""The legacy of a run for the question behind it."""

from __future__ import annotations

import pytest

from hds_cli import events as e
from hds_cli.agent.earlier import earlier
from hds_cli.commands._earlier import settings_of
from hds_cli.types import ModelInfo


def run(answer: str) -> list[e.Event]:
    kept = {"openai_url": "http://127.0.0.1:1", "engine": "openai", "sources": ["notes"]}
    return [
        e.RunStarted(run_id="r1", question="Where?", sources=("notes",), model=ModelInfo(name="m"), settings=kept),
        e.RunFinished(status="answered", answer=answer, explanation=None, text=answer),
    ]


def test_the_marks_of_an_answer_are_not_told_again() -> None:
    """They are numbers of its own sources, and the passages of the next question have others."""
    (said,) = earlier(run("It lies on the Aue [1], near `rows[2]`.\n\n- Lindow [1][2]")).exchanges
    assert said.answer == "It lies on the Aue, near `rows[2]`.\n\n- Lindow"


def test_the_environment_says_where_the_server_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings_of(run("x"))["openai_url"] == "http://127.0.0.1:1"
    monkeypatch.setenv("HDS_OPENAI_URL", "http://127.0.0.1:2")
    kept = settings_of(run("x"))
    assert "openai_url" not in kept
    assert kept["engine"] == "openai"

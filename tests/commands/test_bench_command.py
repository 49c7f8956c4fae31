"""`hds model bench`: measures a real, tiny model, prints what it found and keeps it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Hds
from tests.contract.schemas import validate
from tests.engine import tiny


def test_a_bench_is_printed_and_kept(hds: Hds, home: Path, tmp_path: Path) -> None:
    """With one thread set, four batches are tried: four, two, one. The next run is loaded with the best."""
    model = str(tiny.write(tmp_path / "tiny.gguf"))
    done = hds("model", "bench", model, "--json", env={"HDS_N_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    validate(document)
    assert document["complete"]
    assert sorted(row["rounds"] for row in document["rows"]) == [1, 1, 2, 3]
    assert document["best"] == document["rows"][0]
    kept = json.loads(Path(document["saved"]).read_text())
    assert home in Path(document["saved"]).parents
    assert (kept["n_threads"], kept["n_batch"]) == (None, document["best"]["n_batch"]), "the number was the user's"
    assert "from now on: batches of" in done.stderr


def test_a_bench_that_is_not_kept_leaves_nothing(hds: Hds, home: Path, tmp_path: Path) -> None:
    model = str(tiny.write(tmp_path / "tiny.gguf"))
    done = hds("model", "bench", model, "--no-save", "-q", env={"HDS_N_THREADS": "1"})
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 4
    assert not (home / "data" / "machines").exists()


def test_a_model_elsewhere_is_not_benched(hds: Hds) -> None:
    done = hds("model", "bench", env={"HDS_ENGINE": "scripted"})
    assert done.returncode == 2
    assert "in this process" in done.stderr

"""`hds verify`: a text of anybody's against a file, a collection, a run or an address."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Hds

DRAFT = "Oslo is the capital of Norway. It has 900,000 inhabitants.\n\nThe moon is made of cheese.\n"
SAYS = {
    "yes": json.dumps({"passage": 1, "quote": "known for rain", "says": "yes"}),
    "no": json.dumps({"passage": 1, "quote": "known for rain", "says": "no"}),
}


@pytest.fixture
def notes(hds: Hds, tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "oslo.md").write_text("# Oslo\n\nOslo is the capital of Norway. It has 700,000 inhabitants.\n")
    (folder / "bergen.md").write_text("# Bergen\n\nBergen is a town in Norway known for rain.\n")
    assert hds("index", "add", str(folder), "--name", "notes").returncode == 0
    return folder


def levels(stdout: str) -> list[str]:
    document = json.loads(stdout)
    assert document["schema"] == "hds.verify/1"
    return [unit["level"] for unit in document["units"]]


def test_a_text_is_verified_against_a_collection_a_file_and_a_run(
    hds: Hds, notes: Path, script, tmp_path: Path
) -> None:
    """Each sentence has its grade; one that is not supported makes exit 7."""
    draft = tmp_path / "draft.md"
    draft.write_text(DRAFT)
    block = "x\n</think>\n\n<|begin_search_queries|>\nOslo\n<|end_search_queries|>"
    played = script(block, "x\n</think>\n\nOslo is the capital [1].\n\n\\boxed{Oslo}")
    assert hds("ask", "--offline", "-s", "notes", "-e", "scripted", "-m", played, "Oslo?").returncode == 0
    for ground in ("notes", str(notes / "oslo.md"), "last"):
        done = hds("verify", str(draft), "--against", ground, "--no-verify", "--json")
        assert done.returncode == 7, done.stderr
        assert levels(done.stdout) == ["quoted", "contradicted", "unsourced"]


def test_a_text_that_is_wholly_supported_exits_with_0(hds: Hds, notes: Path) -> None:
    """From stdin; the table in a pipe is a line a sentence, with the source and its words."""
    done = hds("verify", "-a", "notes", "--no-verify", stdin="Oslo is the capital of Norway.")
    assert done.returncode == 0
    cells = done.stdout.rstrip("\n").split("\t")
    assert cells[0] == "quoted"
    assert cells[2] == "Oslo is the capital of Norway."
    assert cells[3].endswith("oslo.md")
    assert cells[4] == "Oslo is the capital of Norway."
    assert "1 part: 1 quoted" in done.stderr
    assert hds("verify", "-a", "notes", "--no-verify", "-q", stdin="Oslo is the capital of Norway.").stderr == ""


@pytest.mark.parametrize(("says", "level", "code"), [("yes", "verified", 0), ("no", "contradicted", 7)])
def test_a_model_is_asked_about_what_strings_do_not_prove(
    hds: Hds, notes: Path, script: Callable[..., str], says: str, level: str, code: int
) -> None:
    """`--verifier FILE` answers by grammar; its word stands in the document with its probability."""
    text = "In Bergen people seldom leave home without an umbrella."
    done = hds("verify", "-a", "notes", "--verifier", script(*[SAYS[says]] * 6), "--json", stdin=text)
    [unit] = json.loads(done.stdout)["units"]
    assert (unit["level"], done.returncode) == (level, code)
    assert (unit["probability"] > 0.5) is (says == "yes")
    assert unit["quotes"][0]["source"].endswith("bergen.md")


def test_without_its_adapter_words_and_values_are_compared_alone(hds: Hds, notes: Path) -> None:
    """A word says so; who asks for a verifier gets an error."""
    text = "In Bergen people seldom leave home without an umbrella."
    found = hds("verify", "-a", "notes", "--verifier", "none.gguf", stdin=text)
    assert found.returncode == 4
    assert "none.gguf" in found.stderr


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "says"),
    [
        (["-a", "nosuch"], "Oslo.", 2, "no page, source or run 'nosuch'"),
        ([], "Oslo.", 2, "against what"),
        (["-a", "notes"], "", 2, "no sentence"),
        (["-a", "notes"], "# A heading\n", 5, "nothing to verify against"),
        (["none.md", "-a", "notes"], None, 2, "no file none.md"),
        (["-a", "https://example.org/", "--offline"], "Oslo.", 5, "offline"),
    ],
)
def test_what_cannot_be_verified_is_one_clear_error(
    hds: Hds, notes: Path, arguments: list[str], stdin: str | None, code: int, says: str
) -> None:
    """With the next thing to type."""
    done = hds("verify", *arguments, "--no-verify", stdin=stdin)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert "hint: " in done.stderr


def test_a_long_hostile_text_is_read_within_its_bounds(hds: Hds, notes: Path) -> None:
    """A paragraph without an end, thousands of one-word lines, marks and escapes."""
    text = "Oslo is the capital. " * 2000 + "\n\n" + "a.\n\n" * 3000 + "\x1b]0;x\x07[1][2][9999]" * 500
    done = hds("verify", "-a", "notes", "--no-verify", stdin=text)
    assert done.returncode == 7
    assert "\x1b" not in done.stdout


BLOCK = "x\n</think>\n\n<|begin_search_queries|>\nBergen\n<|end_search_queries|>"
PROVEN = "x\n</think>\n\nBergen is a town in Norway [1].\n\n\\boxed{Bergen}"
WEAK = "x\n</think>\n\nIn Bergen people seldom leave home without an umbrella [1].\n\n\\boxed{Bergen}"


def test_ask_has_a_model_read_what_strings_do_not_prove(hds: Hds, notes: Path, script: Callable[..., str]) -> None:
    """The grade with its probability in `--json`, in words on the screen; `--no-verify` leaves it as it was."""
    ask = ["ask", "--offline", "-s", "notes", "-e", "scripted", "-m", script(BLOCK, WEAK), "Where does it rain?"]
    judge = ["--verifier", script(*[SAYS["yes"]] * 6)]
    [unit, *_] = json.loads(hds(*ask, *judge, "--json").stdout)["support"]
    assert (unit["level"], unit["probability"]) == ("verified", 0.95)
    assert unit["quotes"] == [{"n": 1, "quote": "Bergen is a town in Norway known for rain."}]
    shown = hds(*ask, *judge)
    assert "[?]" not in shown.stdout
    assert "no clear ground" not in shown.stderr
    [unit, *_] = json.loads(hds(*ask, *judge, "--no-verify", "--json").stdout)["support"]
    assert (unit["level"], unit["probability"]) == ("unsourced", None)
    against = ["--verifier", script(*[SAYS["no"]] * 6)]
    assert "[!]" in hds(*ask, *against).stdout
    assert hds(*ask, *against, "--strict").returncode == 7


def test_nothing_is_opened_where_nothing_is_to_be_verified(hds: Hds, notes: Path, script: Callable[..., str]) -> None:
    """A verifier that is not there is missed only when a part of the answer is not proven."""
    for written, missed in ((PROVEN, False), (WEAK, True)):
        done = hds(
            "ask", "--offline", "-s", "notes", "-e", "scripted", "-m", script(BLOCK, written), "--verifier",
            "none.gguf", "Where does it rain?",
        )  # fmt: skip
        assert done.returncode == 0
        assert ("not verified: " in done.stderr) is missed

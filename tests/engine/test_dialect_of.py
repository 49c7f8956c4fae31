"""Which dialect fits a model's file, and the reason that is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hds_cli import paths
from hds_cli.engine.base import ModelSpec
from hds_cli.engine.files import models
from hds_cli.engine.files.gguf import GgufHeader, names_searcher
from hds_cli.engine.files.library import PulledFile, Record
from tests.conftest import Hds
from tests.engine import tiny

TEMPLATE = {"tokenizer.chat_template": "{{ messages }}", "general.name": "Qwen3 8B Sft"}
BIG = GgufHeader(3, 1, TEMPLATE, 8_000_000_000)


def test_a_file_is_spoken_to_by_its_names_its_template_and_its_size() -> None:
    """The searcher as it was trained; a conversation from about a billion parameters on; small tasks below."""
    spec = ModelSpec("m", Path("/m/m.gguf"))
    assert models.dialect_of(BIG, spec) == ("chat", "it carries a chat template and has 8.0 billion parameters")
    assert models.dialect_of(GgufHeader(3, 1, TEMPLATE, 135_000_000), spec)[0] == "guided"
    assert models.dialect_of(GgufHeader(3, 1, {}, 8_000_000_000), spec) == ("hds", "it carries no chat template")
    named = GgufHeader(3, 1, TEMPLATE | {"general.name": "Hybrid-Deep-Searcher"}, 8_000_000_000)
    assert models.dialect_of(named, spec) == ("hds", models.NAMED)


@pytest.mark.parametrize(
    ("file", "known_as", "why"),
    [
        ("HybridDeepSearcher.Q4_K_M.gguf", (), "its file's name is HybridDeepSearcher.Q4_K_M.gguf"),
        ("hybrid_deep_searcher-q8.gguf", (), "its file's name is hybrid_deep_searcher-q8.gguf"),
        ("m.gguf", (("its repository", "dayoon/HybridDeepSearcher-GRPO"),), "its repository is dayoon/HybridDeepSearcher-GRPO"),
    ],
)  # fmt: skip
def test_the_searcher_is_known_by_its_file_or_its_origin(
    file: str, known_as: tuple[tuple[str, str], ...], why: str
) -> None:
    """Its metadata may name the model that it was made from."""
    assert models.dialect_of(BIG, ModelSpec("m", Path("/m") / file, known_as=known_as)) == ("hds", why)


def test_a_pulled_file_is_known_by_its_record_by_name_and_by_path(home: Path) -> None:
    """`hds ask -m NAME` and `hds ask -m PATH` speak alike."""
    folder = paths.private_dir(paths.models_dir() / "sft")
    tiny.write(folder / "sft.gguf", tiny.metadata("{{ messages }}", general__name="Qwen3 8B Sft"))
    Record("sft", "me/HybridDeepSearcher-GGUF", (PulledFile("sft.gguf", 1, ""),), "me/HybridDeepSearcher-GGUF").save()
    for name in ("sft", str(folder / "sft.gguf")):
        spec = models.resolve(name)
        assert models.dialect_of(models.read_header(spec.path), spec) == (
            "hds",
            "its repository is me/HybridDeepSearcher-GGUF",
        )


@pytest.mark.parametrize(
    ("name", "template", "dialect"),
    [
        ("Tongyi DeepResearch 30B A3B", "<tool_call>", "tools"),
        ("Marco-DeepResearch-8B", "<tool_call>", "tools"),
        ("LiteResearcher-4B", "<tool_call>", "tools"),
        ("WebExplorer 8B", "<tool_call>", "tools"),
        ("Qwen3 8B", "<tool_call>", "chat"),
        ("Marco-DeepResearch-8B", "plain", "chat"),
        ("HybridDeepSearcher", "<tool_call>", "hds"),
    ],
)
def test_a_model_is_known_by_template_and_name(name: str, template: str, dialect: str) -> None:
    """Every Qwen has the template; only these were trained to research with it."""
    metadata = {"general.name": name, "tokenizer.chat_template": template}
    assert models.dialect_of(GgufHeader(3, 0, metadata, 8_000_000_000), ModelSpec("m", Path("/m/m.gguf")))[0] == dialect


def test_other_names_are_not_the_searcher() -> None:
    """A part of the name is not enough."""
    assert not any(names_searcher(name) for name in ("DeepSearcher-8B", "Qwen3-8B-Hybrid", "hds.gguf", ""))


def test_a_run_tells_that_a_name_decided(hds: Hds, tmp_path: Path) -> None:
    """A file of another name in its metadata is spoken to in `hds`, and the reason is one line in `info` and the run."""
    path = tmp_path / "HybridDeepSearcher.Q4_K_M.gguf"
    tiny.write(path, tiny.metadata("{{ messages }}", general__name="Qwen3 8B Sft"))
    info = json.loads(hds("model", "info", str(path), "--json").stdout)
    assert (info["dialect"], info["dialect_reason"]) == ("hds", f"its file's name is {path.name}")
    asked = hds(
        "ask",
        "-v",
        "--offline",
        "-m",
        str(path),
        "--max-turns",
        "1",
        "--threads",
        "1",
        "x",
        env={"HDS_MAX_TOKENS": "64"},
    )
    assert f"is spoken to in the dialect hds: its file's name is {path.name}" in asked.stderr

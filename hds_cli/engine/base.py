"""The door to a language model: an Engine holds the weights, a Session is one growing token sequence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from hds_cli.types import Exchange, ModelInfo, Section

StopReason = Literal["stop", "eos", "length", "context", "loop", "aborted"]
OnText = Callable[[str], None]


class Segment(NamedTuple):
    """A piece of prompt. Only `trusted` text (ours, or the model's own protocol) may form special tokens."""

    text: str
    trusted: bool = False


class ChatTemplate(NamedTuple):
    """The Jinja template of a model's file, and the texts of its first and last token.

    `adds_bos`: the vocabulary wants the first token before every text, whether or not the template writes it.
    """

    source: str
    bos: str = ""
    eos: str = ""
    adds_bos: bool = False


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is drawn; `temperature` 0 takes the likeliest. `sampling_top_k` 0 and `top_p` 1 are off.

    `temperature_first`: it comes before top-k and top-p, as in vLLM, and not behind them, as in llama.cpp.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    sampling_top_k: int = 0
    min_p: float = 0.0
    seed: int = 0
    temperature_first: bool = False


@dataclass(frozen=True, slots=True)
class Generation:
    """The result of one `generate` call. `text` ends before the stop string; `stop` is that string or None."""

    text: str
    reason: StopReason
    stop: str | None = None
    tokens: int = 0


@dataclass(slots=True)
class Counter:
    """Tokens of a session: `prompt + generated == evaluated + reused`, but for tokens not evaluated yet.

    More are evaluated where an engine had to give up what it held, and evaluated it again.
    """

    prompt: int = 0
    evaluated: int = 0
    reused: int = 0
    generated: int = 0
    seconds: float = 0.0


class Session(Protocol):
    """One growing sequence of tokens. Used from one thread at a time; `abort` and `close` may come from any.

    Several sessions of an engine may `generate` at once, each from a thread of its own; the engine does their work
    together where it can.
    """

    @property
    def counter(self) -> Counter:
        """The token counts of this session, from its beginning or fork on."""

    @property
    def n_ctx(self) -> int:
        """Tokens the sequence can hold."""

    @property
    def used(self) -> int:
        """Tokens the sequence holds now."""

    def append(self, segments: Sequence[Segment]) -> int:
        """Add text at the end; returns how many tokens it took. It is evaluated with the next `generate`."""

    def mark(self) -> int:
        """The present end, for `rewrite`."""

    def rewrite(self, mark: int, segments: Sequence[Segment]) -> int:
        """Replace all text after `mark` (0: the whole sequence) by `segments`; returns the number of their tokens.

        A beginning that the old and the new text share stays evaluated.
        """

    def generate(
        self,
        *,
        max_tokens: int,
        stop: Sequence[str] = (),
        sampling: Sampling = Sampling(),
        grammar: str | None = None,
        on_text: OnText | None = None,
    ) -> Generation:
        """Let the model write until a stop string, its own end, `max_tokens`, or a full context.

        The stop string itself is not part of the sequence afterwards. `on_text` is given the text as it comes, never
        a part of a stop string, in the caller's thread.

        The same seed writes the same text after the same calls, as long as no other session works meanwhile and the
        number of threads is the same. What else is in a batch may change the last bits of the model's numbers, and so
        a token whose choice was close; so may the number of threads, where the engine chooses it.
        """

    def fork(self) -> Session:
        """A new session with the same tokens. Evaluated tokens are shared, and neither counter counts them again."""

    def save(self, path: Path) -> None:
        """Save the tokens, and the model's state after those evaluated, in a file.

        Raises:
            OSError: as writing a file does.
        """

    def load(self, path: Path) -> bool:
        """Restore a session that `save` wrote to `path`.

        Returns False, and leaves the session as it is, when the file is missing or damaged, or was saved by another
        model, adapter or build, or with other parameters.
        """

    def abort(self) -> None:
        """Make a running `generate` of this session return at once with the reason `aborted`, and later ones too,
        until `resume`.
        """

    def resume(self) -> None:
        """Let it write again after `abort`."""

    def close(self) -> None:
        """Give back what the sequence holds; a running `generate` returns with the reason `aborted`."""


@runtime_checkable
class Resumable(Protocol):
    """A session whose text can outlive this process, evaluated, so that a run that was killed need not repeat it."""

    def keep(self) -> None:
        """Keep it from now on, where that pays; a later session with the same text takes it from there."""

    def drop(self) -> None:
        """The run has come to its end: delete what was kept."""


class Engine(Protocol):
    """A loaded model."""

    info: ModelInfo

    def session(self) -> Session:
        """A session that holds nothing yet."""

    def count(self, segments: Sequence[Segment]) -> int:
        """The number of tokens that `segments` would take."""

    def chat_template(self) -> ChatTemplate | None:
        """The template the model's file carries, if any."""

    def close(self) -> None:
        """Give everything back; sessions that are still written end as aborted."""


Further = Callable[[Sequence[Exchange], str, Sequence[str]], str | None]
"""(what was asked and answered, a further question, the titles that were read) -> the question in full, or None."""


Outline = Callable[[str, Sequence[str], int], Sequence[Section]]
"""(a question, the titles of the pages found for it, at most so many) -> the sections of a report, or none."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model to load and what it was made for.

    `dialect` names how it is spoken to; an adapter (`lora`) goes with that dialect alone. `preamble` and `boxed`
    replace the texts of the hds dialect's prompt (a model knows the prompt it was trained on). `evidence_tokens` and
    `evidence_passages` bound the passages that it reads in a turn, and for one query; `passage_words` how long they
    are; `select` names what chooses them. `verdict` is what becomes of an answer: `mark` (the default) shows it with
    its weak parts marked, `refuse` shows none that no page supports; a plugin may name its own. `notice` is said when
    the model is used without having been asked for. `further` makes a further question one that stands alone, for a
    model that was not taught conversations; `outline` makes the sections of a report for one that cannot plan them.
    `known_as` are the names by which the model was pulled, each after what it is ("its repository"): they tell the
    dialect where the file itself does not.
    """

    name: str
    path: Path
    lora: Path | None = None
    dialect: str | None = None
    preamble: str | None = None
    boxed: str | None = None
    temperature: float | None = None
    n_ctx: int | None = None
    evidence_tokens: int | None = None
    evidence_passages: int | None = None
    passage_words: int | None = None
    select: str | None = None
    notice: str = ""
    about: str = ""
    verdict: str | None = None
    further: Further | None = None
    known_as: tuple[tuple[str, str], ...] = ()
    outline: Outline | None = None

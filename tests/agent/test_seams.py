"""Tokens at the seams of a run: those of the whole transcript, as the searcher was trained and as its authors run it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from hds_cli.agent import protocol as p
from hds_cli.agent.dialects import Hooks
from hds_cli.agent.hds import HdsDialect
from hds_cli.agent.seams import pieces
from hds_cli.engine.base import Counter, Generation, Segment
from hds_cli.types import Passage
from hds_train.data import row_of
from tests.engine.qwen3 import Words, words

B, E = p.BEGIN_QUERIES, p.END_QUERIES
SILENT = Hooks(lambda _: None, lambda _: None, lambda _: None)
AFTER_QUERIES = 1339  # `>\n\n`
QUESTIONS = (
    "Which of the rivers of Chad is the longest?",
    "which release of Python brought f-strings",
    '"X-2": who sells it?',
    "1976: what was founded in Köln?",
    " Сколько лет было Гагарину?",
    "富嶽三十六景を描いたのは誰ですか。",
)
RESULTS = (
    [("longest river of Chad", "The Chari is 949 km long [1]."), ("1. FC Köln", p.NOTHING_FOUND)],
    [("source of the Chari", (Passage("u", "Chari", "It rises in the Central African Republic.", 2),
                              Passage("v", "", "“Bamingui” — 1,000 m!", 3))), ("more", "Yes?")],
)  # fmt: skip


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Words:
    return words(tmp_path_factory.mktemp("vocabulary"))


class Dictated:
    """A session of a vocabulary alone: the model writes what it is told, in tokens of its own."""

    n_ctx = 32_768

    def __init__(self, vocabulary: Words, *texts: str) -> None:
        self._vocabulary, self._texts = vocabulary, list(texts)
        self.tokens: list[int] = []
        self.text = ""
        self.counter = Counter()

    @property
    def used(self) -> int:
        return len(self.tokens)

    def append(self, segments: Sequence[Segment]) -> int:
        ids = self._vocabulary.tokenize(segments)
        self.tokens += ids
        return len(ids)

    def mark(self) -> int:
        return len(self.tokens)

    def rewrite(self, mark: int, segments: Sequence[Segment]) -> int:
        del self.tokens[mark:]
        return self.append(segments)

    def generate(self, *, stop: Sequence[str] = (), on_text: Any = None, **_: object) -> Generation:
        text = self._texts.pop(0)
        end, mark = min(((text.find(s), s) for s in stop if s in text), default=(len(text), None))
        if on_text:
            on_text(text[:end])
        for char in text[:end]:  # a model need not write the longest tokens
            self.append([Segment(char)])
        return Generation(text[:end], "stop" if mark else "eos", mark, end)


def test_the_vocabulary_is_that_of_the_reference(vocabulary: Words) -> None:
    """The ids that the authors' code has in it."""
    assert vocabulary.whole("<|im_start|><|im_end|><think></think>") == [151644, 151645, 151667, 151668]
    assert vocabulary.whole(f"{E}\n\n")[-1] == AFTER_QUERIES
    assert vocabulary.tokenize([Segment("<think>")]) == [151667]


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("forced", [False, True])
def test_a_run_has_the_tokens_of_its_whole_transcript(vocabulary: Words, question: str, forced: bool) -> None:
    """Question, blocks of queries, results, a note of a method, and the answer, forced or not."""
    texts = [
        f"<think>\nTwo facts are needed.\n</think>\n\n{B}\nlongest river of Chad;\n1. FC Köln\n{E}",
        f"The Chari is meant.\n\n{B}\nsource of the Chari?;\nmore\n{E}",  # its thought is closed by the run
        "I give up." if forced else "I know.\n</think>\n\nThe Chari [1].\n\n\\boxed{Chari}",
    ]
    session = Dictated(vocabulary, *texts, "Chari")
    dialect = HdsDialect(session)
    dialect.start(question, [])
    for results in RESULTS:
        dialect.write(SILENT)
        dialect.read(results, [Segment("Still open: when.")] if results is RESULTS[1] else [])
    dialect.write(SILENT)
    if forced:
        assert dialect.force(SILENT).answer == "Chari"
    whole = "".join(segment.text for part in dialect._parts for segment in part.segments)
    if forced:
        assert whole.endswith("I give up.\n</think>\n\n**Final Answer:**\n\\boxed{")
    written = vocabulary.whole(whole)
    last = 0 if forced else len(texts[2])  # the model's own last words are in the tokens that it chose
    assert session.tokens[: len(written) - last] == written[: len(written) - last]
    assert written.count(AFTER_QUERIES) >= 2
    assert f"\n</think>\n\n{B}\nsource" in whole


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_training_row_has_them_too_and_learns_the_end_of_the_queries(vocabulary: Words, question: str) -> None:
    """Rows are cut by the same borders; results are read, and the marker before them is learned."""
    block = "".join(segment.text for segment in p.results_block(RESULTS[0]))
    said = f"<think>\nTwo.\n</think>\n\n{B}\na;\nb\n{E}{block}I know.\n</think>\n\n\\boxed{{Chari}}"
    asked = "".join(part.text for part in p.prompt(question)[:2]).removeprefix("<|im_start|>user\n")
    row = row_of(pieces([{"role": "user", "content": asked}, {"role": "assistant", "content": said}]), vocabulary)
    whole = "".join(part.text for part in p.prompt(question)) + said + "<|im_end|>"
    assert list(row.ids) == vocabulary.whole(whole)
    learned = [token for token, mask in zip(row.ids, row.mask, strict=True) if mask]
    assert AFTER_QUERIES in learned
    text = b"".join(map(vocabulary.piece, learned)).decode()
    assert text.startswith(f"<think>\nTwo.\n</think>\n\n{B}\na;\nb\n{E}\n\nI know.")


def test_a_question_begins_a_token_with_its_blank(vocabulary: Words) -> None:
    """`: Which` is tokenized as it stands in the whole prompt."""
    ids = vocabulary.tokenize(p.prompt("Which one?"))
    assert vocabulary.whole(": Which")[1] in ids
    assert ids == vocabulary.whole("".join(part.text for part in p.prompt("Which one?")))

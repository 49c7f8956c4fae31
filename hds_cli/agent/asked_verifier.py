"""A verifier made of any instruct model: it is asked about each claim, and answers by grammar with a quote."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence

from hds_cli.agent.aside import Aside
from hds_cli.agent.verifying import Odds, Text, heeding
from hds_cli.engine.base import Engine, Session
from hds_cli.text import has_words, quote_words

SYSTEM = (
    "You check claims. Say whether the passage says the claim: yes, no (it says something else instead), or partly. "
    "Copy the words of the passage that decide it as the quote. Answer as JSON."
)
GRAMMAR = (
    'root ::= "{\\"passage\\": 1, \\"quote\\": \\"" quote "\\", \\"says\\": \\"" ("yes" | "no" | "partly") "\\"}"\n'
    'quote ::= [^"\\\\\\x00-\\x1f]{0,300}\n'
)
YES, NO = Odds(0.95, 0.01, 0.04), Odds(0.01, 0.95, 0.04)
PARTLY, UNSURE = Odds(0.4, 0.1, 0.5), Odds(0.3, 0.1, 0.6)
_TOKENS = 200


class AskedVerifier:
    """Asks an instruct model; a `yes` or `no` counts only with a quote that stands in the passage.

    Args:
        engine: the model; its sessions of others go on.
    """

    sure_supported = sure_contradicted = 0.9

    def __init__(self, engine: Engine) -> None:
        self._session: Session = engine.session()
        self._aside = Aside(self._session, engine.chat_template())
        self._lock = threading.Lock()

    def verify(
        self, passages: Sequence[Text], claims: Sequence[Sequence[str]], late: Callable[[], bool] = lambda: False
    ) -> list[list[Odds | None]]:
        """The probabilities of the claims of each passage; None where the time was over.

        Raises:
            ScriptEnded: the scripted engine has no further line.
        """
        found: list[list[Odds | None]] = []
        with self._lock, heeding(late, self._session):
            for passage, of_passage in zip(passages, claims, strict=True):
                found.append([None if late() else self._one(passage, claim, late) for claim in of_passage])
        return found

    def close(self) -> None:
        self._session.abort()
        with self._lock:
            self._aside.close()

    def _one(self, passage: Text, claim: str, late: Callable[[], bool]) -> Odds | None:
        task = f"Passage 1: {passage.title}. {passage.text}\n\nClaim: {claim}"
        written = self._aside.ask(SYSTEM, task, GRAMMAR, _TOKENS)
        return None if not written and late() else odds_of(written, passage)


def odds_of(written: str, passage: Text) -> Odds:
    """What an answer of the model is worth; without a quote from the passage it decides nothing."""
    try:
        answer = json.loads(written)
        says, quote = str(answer["says"]), str(answer["quote"])
    except (ValueError, KeyError, TypeError):
        return UNSURE
    words = quote_words(quote)
    stands = len(words.split()) > 1 and has_words(quote_words(f"{passage.title}. {passage.text}"), quote)
    if not stands or says not in ("yes", "no"):
        return PARTLY if stands else UNSURE
    return YES if says == "yes" else NO

"""The headline of a message: its line `Answer: …`, as models write it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hds_cli.agent import protocol
from hds_cli.agent.dialects import says_nothing

FENCE = "```"
_LABEL = re.compile(
    r"([ \t>#*_-]*)(?:(?:final|short|direct)[ \t]+)?(?:answer|antwort|réponse|respuesta|resposta|risposta|antwoord|svar"
    r"|vastaus|odpowiedź|odpověď|ответ|відповідь|απάντηση|cevap|yanıt|jawaban|trả lời|答え|回答|答案|答|답변|정답|답"
    r"|उत्तर|الإجابة|الجواب|תשובה|คำตอบ)[ \t\xa0\u202f*_]*([:：]?)[ \t*_]*(?![ \t*_])(.*)",
    re.IGNORECASE,
)
_EMPHASIS = re.compile(r"(?<![\w`*_])(?:\*{1,3}|_{1,3})(?=[^\s*_])|(?<=[^\s*_])(?:\*{1,3}|_{1,3})(?![\w`*_])")
_MARKUP = re.compile(r"[ \t]*(?:[-*+•][ \t]|[>|#]|\d{1,3}[.)][ \t]|```|~~~)")


def with_headline(text: str) -> tuple[str, str | None]:
    """A message with its line `Answer: …` first and in a box, which is how headlines are known; and that headline.

    A label that stands above a list, a table or paragraphs is left out; a headline that nothing was found, too.
    """
    lines, fenced = text.split("\n"), False
    for at, line in enumerate(lines):
        fenced ^= line.lstrip().startswith(FENCE)
        label = None if fenced else _LABEL.match(line)
        if label is None or not (label[2] or (not label[3] and set(label[1]) & set("#*_"))):
            continue
        said, below = (label[3], lines[at + 1 :]) if label[3] else _paragraph(lines[at + 1 :])
        rest = "\n\n".join(part for part in ("\n".join(lines[:at]).strip(), "\n".join(below).strip()) if part)
        headline = _EMPHASIS.sub("", said).strip()
        if not headline or says_nothing(headline):
            return rest, headline or None
        return f"{boxed(headline)}\n\n{rest}".strip(), headline
    return text, None


def boxed(headline: str) -> str:
    """A headline in its box; one whose braces do not fit is left as it is."""
    box = f"{protocol.BOX}{headline}}}"
    return box if protocol.balanced(box, len(protocol.BOX))[1] == len(box) else headline


def is_labelled(line: str) -> bool:
    """True for a line that begins with `Answer:`."""
    label = _LABEL.match(line)
    return bool(label and label[2])


def _paragraph(lines: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The paragraph of one line that the lines begin with, and the lines below it; "" where they begin otherwise."""
    first = next((at for at, line in enumerate(lines) if line.strip()), len(lines))
    if first == len(lines) or "".join(lines[first + 1 : first + 2]).strip() or _MARKUP.match(lines[first]):
        return "", lines
    return lines[first], lines[first + 1 :]

"""The user's question: the arguments, and the text on stdin."""

from __future__ import annotations

import os
import select
import stat
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hds_cli import kinds
from hds_cli.commands import _print
from hds_cli.commands._earlier import Start
from hds_cli.config import Settings
from hds_cli.errors import UsageError
from hds_cli.text.language import language_of
from hds_cli.types import Page

MAX_QUESTION = 8_000
MAX_DOCUMENT = 5 << 20
STDIN_URL = "stdin"


def read(arguments: Sequence[str], *, stdin: bool = True) -> tuple[str, list[Page]]:
    """The question, and the document that was piped in along with it, if one was.

    A document from stdin is said on stderr: in a shell's loop over a file it is the rest of that file.

    Args:
        stdin: False: it is left alone (`--no-stdin`).

    Raises:
        UsageError: no question, one that is too long, or something that is not text.
    """
    words = " ".join(arguments).strip()
    if words and words != "-":
        document = _stdin() if stdin and _piped() else ""
        if not document.strip():
            return _checked(words), []
        lines = len(document.splitlines())
        counted = f"{lines:,} {'line' if lines == 1 else 'lines'}"
        _print.say(f"read {counted} from stdin as a document (not meant, as in a loop: --no-stdin)")
        return _checked(words), [Page(STDIN_URL, STDIN_URL, STDIN_URL, document, "cached")]
    if not stdin and words == "-":
        raise UsageError("`-` is a question from stdin, which --no-stdin leaves alone")
    if not stdin or sys.stdin is None or (not words and sys.stdin.isatty()):
        raise UsageError("no question was asked", hint='hds ask "What is …?"')
    return _checked(_stdin()), []


def gathered(start: Start, files: Sequence[Path], *, stdin: bool) -> tuple[str, list[Page], list[str]]:
    """The question, the documents with it (stdin, `--attach`), and what is to be said of these.

    Raises:
        UsageError: no question, or a document that cannot be read.
    """
    question, documents = (start.question, []) if start.question else read(start.words, stdin=stdin)
    pages, notes = attached(files)
    return question, [*documents, *pages], notes


def attached(files: Sequence[Path], doing: str = "attach") -> tuple[list[Page], list[str]]:
    """The documents of `--attach`, read as `hds index add` reads files, and what is to be said of them.

    Args:
        doing: the verb of the error.

    Raises:
        UsageError: a file is not there, or there is no text in it.
    """
    from hds_cli.commands._files import Reader

    if not files:
        return [], []
    with Reader() as reader:
        documents = reader([file.absolute() for file in files])
    pages = []
    for file, document in zip(files, documents, strict=True):
        if isinstance(document, str):
            raise UsageError(f"cannot {doing} {file}: {document}", hint="a text, PDF, Word, HTML, CSV or notebook file")
        size, date = len(document.text.encode("utf-8", "replace")), document.date or None
        pages.append(Page(document.url, document.url, document.title, document.text, "cached", bytes=size, date=date))
    return pages, reader.notes


def in_language_of(question: str, settings: Settings) -> Settings:
    """The settings with the language of the question, where none is set; English is what sources take by themselves."""
    language = settings.language or language_of(question)
    return settings if language in (settings.language, None, "en") else replace(settings, language=language)


def _checked(question: str) -> str:
    question = question.encode("utf-8", "replace").decode("utf-8").strip()
    if not question:
        raise UsageError("the question is empty", hint='hds ask "What is …?"')
    if len(question) > MAX_QUESTION:
        raise UsageError(
            f"the question has {len(question):,} characters; at most {MAX_QUESTION:,} are asked",
            hint='give a long text as a document: hds ask "What does it say on …?" < FILE',
        )
    return question


def plain_text(file: Path) -> str | None:
    """The text of a plain text or Markdown file; None: it is of another kind, or not text.

    Raises:
        UsageError: it cannot be read, or is too long.
    """
    if kinds.of_name(file.name) not in ("text", "markdown"):
        return None
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_DOCUMENT + 1)
    except OSError as exc:
        raise UsageError(f"cannot read {file}: {exc.strerror}") from exc
    if len(data) > MAX_DOCUMENT:
        raise UsageError(f"{file} is larger than {MAX_DOCUMENT >> 20} MiB", hint=f"hds index add {file}")
    return None if b"\0" in data else data.decode("utf-8-sig", "replace")


def piped_text() -> str:
    """The text on stdin.

    Raises:
        UsageError: it is too long, or not text.
    """
    return _stdin()


def _piped() -> bool:
    """True when stdin is a pipe, a file or a socket (not a terminal, not /dev/null, not closed)."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def _stdin() -> str:
    try:
        if not select.select([0], [], [], 2.0)[0]:
            _print.say("waiting for the end of stdin (if none is meant: --no-stdin)")
    except (OSError, ValueError):
        pass  # not selectable (Windows): just read
    with open(0, "rb", closefd=False) as stream:
        data = stream.read(MAX_DOCUMENT + 1)
    if len(data) > MAX_DOCUMENT:
        raise UsageError(
            f"stdin holds more than {MAX_DOCUMENT >> 20} MiB", hint="hds index add FILE   and then   hds ask -s NAME …"
        )
    if b"\0" in data:
        raise UsageError("stdin is not text (it has NUL bytes)", hint="convert it to text first")
    return data.decode("utf-8-sig", "replace")

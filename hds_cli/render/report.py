"""A run as a document: one function for every format that is made from events alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, TextIO, get_args

from hds_cli.events import Event
from hds_cli.render.document import RunDocument

DocumentFormat = Literal["text", "json", "markdown", "html", "bibtex", "csl-json", "ris"]
DOCX = "docx"
FORMATS: tuple[str, ...] = (*get_args(DocumentFormat), DOCX)
DOCUMENTS: tuple[DocumentFormat, ...] = get_args(DocumentFormat)


def render(format: DocumentFormat, events: Iterable[Event]) -> str:
    """The run that `events` tell, as a document without a line end after it.

    Args:
        format: one of `DOCUMENTS`.
        events: in the order they happened; a run without its end is shown as far as it came.
    """
    return writer(format)(collected(events))


def collected(events: Iterable[Event]) -> RunDocument:
    """The run that `events` tell, in the order they happened."""
    document = RunDocument()
    for event in events:
        document.handle(event)
    return document


def write(stream: TextIO, format: str, document: RunDocument) -> None:
    """Write a collected run to a stream in a format of `FORMATS`; a Word document as the bytes that it is.

    Raises:
        HdsError: a package is missing.
        OSError: the output could not be written.
    """
    if format == DOCX:
        from hds_cli.render.word import to_docx

        data = to_docx(document)
        stream.flush()
        stream.buffer.write(data)
        stream.buffer.flush()
        return
    for known in DOCUMENTS:
        if format == known and (text := writer(known)(document)):
            stream.write(text + "\n")


def writer(format: DocumentFormat) -> Callable[[RunDocument], str]:
    """The function that turns a collected run into a document of a format; loads the modules of that format."""
    match format:
        case "json":
            return RunDocument.to_json
        case "text":
            from hds_cli.render import answer

            return lambda document: answer.text(document.state)
        case "markdown":
            from hds_cli.render.markdown import to_markdown

            return to_markdown
        case "html":
            from hds_cli.render.html import to_html

            return to_html
        case _:
            from hds_cli.render import references

            convert = {"bibtex": references.to_bibtex, "csl-json": references.to_csl, "ris": references.to_ris}[format]
            return lambda document: convert(document.state)

"""PDF as it is met: locked without a password, filled in, scanned in part, in columns, with words parted at line ends."""

from __future__ import annotations

import io
from typing import Any

import pypdf
import pytest
from pypdf.generic import ArrayObject, DictionaryObject, FloatObject, NameObject, NumberObject, TextStringObject

from hds_cli.extract import pdf
from hds_cli.extract.page import extract
from tests.extract.test_extract import make_pdf


def read(body: bytes) -> dict[str, Any]:
    return extract(body, "pdf", None, "file:///x.pdf")


def written(writer: pypdf.PdfWriter) -> bytes:
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


@pytest.mark.parametrize("algorithm", ["AES-128", "AES-256", "RC4-128"])
def test_a_file_that_is_locked_without_a_password_is_read(algorithm: str) -> None:
    """An empty user password opens it for everybody; a real one does not."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(make_pdf("The lamp has 41 watts")))
    writer.encrypt("", "owner", algorithm=algorithm)
    assert "41 watts" in read(written(writer))["text"]
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(make_pdf("The lamp")))
    writer.encrypt("secret", algorithm=algorithm)
    assert read(written(writer))["reason"] == "encrypted"


@pytest.mark.parametrize(
    ("lines", "joined"),
    [
        ("a led-\nger of ships", "a ledger of ships"), ("die Grö-\nße", "die Größe"), ("маяч-\nный свет", "маячный свет"),
        ("φά-\nρος", "φάρος"), ("in mid-\n2019", "in mid-2019"), ("Franco-\nGerman", "Franco-German"), ("UNESCO-\nlisted", "UNESCO-listed"),
        ("3-\n4 euros", "3-4 euros"), ("soft\u00ad\nen", "soften"), ("a -\nb", "a -\nb"),
    ],
)  # fmt: skip
def test_words_parted_at_a_line_end_are_joined_in_any_alphabet(lines: str, joined: str) -> None:
    """Where both parts are small letters; names, numbers and ranges keep their hyphen."""
    assert pdf._joined(lines) == joined


def test_the_values_of_a_form_are_there() -> None:
    """Texts and ticks by the names of their fields; what is empty or off is not."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(make_pdf("Application")))

    def field(name: str, kind: str, value: Any) -> Any:
        made = DictionaryObject({
            NameObject("/T"): TextStringObject(name), NameObject("/FT"): NameObject(kind), NameObject("/V"): value,
            NameObject("/Subtype"): NameObject("/Widget"), NameObject("/Rect"): ArrayObject([FloatObject(0)] * 4),
        })  # fmt: skip
        return writer._add_object(made)

    fields = [
        field("Keeper", "/Tx", TextStringObject("Ada Ohrid")),
        field("Lit", "/Btn", NameObject("/Yes")),
        field("Out", "/Btn", NameObject("/Off")),
    ]
    writer._root_object[NameObject("/AcroForm")] = DictionaryObject({NameObject("/Fields"): ArrayObject(fields)})
    text = read(written(writer))["text"]
    assert text.endswith("## Form\n\n- Keeper: Ada Ohrid\n- Lit: Yes")


def picture_page(writer: pypdf.PdfWriter) -> None:
    page = writer.add_blank_page(300, 300)
    image = DictionaryObject({NameObject("/Subtype"): NameObject("/Image"), NameObject("/Width"): NumberObject(1)})
    page[NameObject("/Resources")] = DictionaryObject(
        {NameObject("/XObject"): DictionaryObject({NameObject("/I"): writer._add_object(image)})}
    )


def test_scanned_pages_among_others_are_named() -> None:
    """A reader knows that something is missing, and on which page; a file of pictures alone has no text."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(make_pdf("The lamp")))
    picture_page(writer)
    made = read(written(writer))
    assert "## Page 2\n\n(a picture of a page: there is no text in the file)" in made["text"]
    assert made["note"] == "1 of 2 pages is a picture without text"
    alone = pypdf.PdfWriter()
    picture_page(alone)
    assert read(written(alone))["reason"] == "empty"


def two_columns(*, by_lines: bool) -> bytes:
    left = [f"left line number {n} of the text" for n in range(12)]
    right = [f"right line number {n} of the text" for n in range(12)]
    cells = (
        [(60, 700 - 14 * n, text) for n, text in enumerate(left)],
        [(320, 700 - 14 * n, text) for n, text in enumerate(right)],
    )
    order = [cell for pair in zip(*cells, strict=True) for cell in pair] if by_lines else [*cells[0], *cells[1]]
    stream = "".join(f"1 0 0 1 {x} {y} Tm ({text}) Tj " for x, y, text in order)
    return make_pdf("X").replace(b"BT /F1 12 Tf 72 700 Td (X) Tj ET", f"BT /F1 10 Tf {stream} ET".encode())


@pytest.mark.parametrize("by_lines", [False, True])
def test_two_columns_are_read_one_after_the_other(by_lines: bool) -> None:
    """Also in a file that was written line by line across both."""
    text = " ".join(read(two_columns(by_lines=by_lines))["text"].split())
    assert text.index("left line number 11") < text.index("right line number 0")


def test_a_table_is_not_taken_for_columns() -> None:
    """Short cells side by side stay in their rows."""
    rows = "".join(
        f"1 0 0 1 60 {700 - 14 * n} Tm (Port {n}) Tj 1 0 0 1 320 {700 - 14 * n} Tm ({n * 3}) Tj " for n in range(12)
    )
    body = make_pdf("X").replace(b"BT /F1 12 Tf 72 700 Td (X) Tj ET", f"BT /F1 10 Tf {rows} ET".encode())
    text = " ".join(read(body)["text"].split())
    assert text.index("33") > text.index("Port 11")
    assert text.index("Port 1 ") < text.index(" 6 ")


def test_pages_beyond_the_limit_are_said() -> None:
    """A file of more pages than are read says so, in the text and beside it."""
    made = pdf.extract(make_pdf("one", "two", "three"), most=2)
    assert made["note"] == "only the first 2 of 3 pages are read"
    assert made["text"].endswith("two\n\n(only the first 2 of 3 pages are read)")

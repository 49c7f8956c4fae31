"""Files that the web seldom has, made by the real libraries or by hand, whole and broken."""

from __future__ import annotations

import io
import json
import zipfile

import docx
import pytest

from hds_cli.extract.page import extract

CONTAINER = '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="O/p.opf"/></rootfiles></container>'
PACKAGE = """<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title>Two chapters</dc:title><dc:creator>A. Writer</dc:creator><dc:date>2019-04-02T00:00:00Z</dc:date></metadata>
<manifest><item id="b" href="two.xhtml"/><item id="a" href="a%20one.xhtml"/></manifest>
<spine><itemref idref="a"/><itemref idref="b"/></spine></package>"""


def word() -> bytes:
    document = docx.Document()
    document.add_heading("Report", 0)
    document.add_heading("Budget", 1)
    document.add_paragraph("The budget was 12 euros.")
    document.add_paragraph("one thing", style="List Bullet")
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "rent", "900"
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def book() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("O/p.opf", PACKAGE)
        archive.writestr("O/a one.xhtml", "<html><body><h1>First</h1><p>It began in <b>Oslo</b>.</p></body></html>")
        archive.writestr("O/two.xhtml", "<html><body><h2>Second</h2><p>It ended.</p><script>x</script></body></html>")
    return stream.getvalue()


def test_a_word_document_keeps_headings_lists_and_tables() -> None:
    """In their order; the title is its first heading when it has no other."""
    found = extract(word(), "docx", None, "file:///r.docx")
    assert found["text"] == "# Report\n\n## Budget\n\nThe budget was 12 euros.\n\n- one thing\n\n| rent | 900 |"
    assert found["title"]


def test_a_book_is_read_in_the_order_of_its_spine() -> None:
    """Not in that of its files; with title, author and date."""
    found = extract(book(), "epub", None, "file:///b.epub")
    assert found["text"] == "## First\n\nIt began in Oslo.\n\n## Second\n\nIt ended."
    assert (found["title"], found["author"], found["date"]) == ("Two chapters", "A. Writer", "2019-04-02")


def test_a_notebook_gives_text_code_and_what_was_printed() -> None:
    """The first heading is the title."""
    cells = [
        {"cell_type": "markdown", "source": ["# Zebras\n", "about them"]},
        {"cell_type": "code", "source": "print(42)", "outputs": [{"text": ["42\n"]}, {"data": {"text/plain": "7"}}]},
    ]
    found = extract(json.dumps({"cells": cells, "metadata": {}}).encode(), "ipynb", None, "file:///n.ipynb")
    assert (found["title"], found["text"]) == ("Zebras", "# Zebras\nabout them\n\nprint(42)\n\n42\n\n7")


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_row_says_what_its_numbers_are(mark: str) -> None:
    """Every value with the name of its column, whatever parts them."""
    rows = [["city", "people"], ["Oslo", "700000"], ["Bergen", ""]]
    found = extract("\n".join(mark.join(row) for row in rows).encode(), "csv", None, "file:///c.csv")
    assert found["text"] == "city, people\n\n- city: Oslo; people: 700000\n- city: Bergen"


@pytest.mark.parametrize("kind", ["docx", "epub", "ipynb"])
@pytest.mark.parametrize("body", [b"", b"PK\x03\x04 broken", b"[1, 2]", b'{"cells": 5}', b"\x00" * 500])
def test_a_broken_file_is_a_reason(kind: str, body: bytes) -> None:
    """No exception leaves the reader."""
    assert extract(body, kind, None, "file:///x")["reason"] in (f"bad_{kind}", "empty")


def test_an_archive_that_would_fill_the_memory_is_refused() -> None:
    """By what it says of itself, before it is unpacked."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(5):
            archive.writestr(f"{n}", b"\0" * 50_000_000)
    assert extract(stream.getvalue(), "epub", None, "file:///b.epub")["reason"] == "bad_epub"

"""Documents as people keep them, made here part by part: Word, slides, OpenDocument, workbooks, books, letters, notebooks."""

from __future__ import annotations

import io
import json
import zipfile
from email.message import EmailMessage
from typing import Any

import pytest

from hds_cli.extract.page import extract

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:wps="urn:x"'
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def packed(**parts: str) -> bytes:
    """A zip archive of parts; `__` in a name is `/`."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name.replace("__", "/"), text)
    return stream.getvalue()


def archive(parts: dict[str, str]) -> bytes:
    return packed(**{name.replace("/", "__"): text for name, text in parts.items()})


def read(body: bytes, kind: str) -> dict[str, Any]:
    return extract(body, kind, None, f"file:///x.{kind}")


def word(body: str, **notes: str) -> dict[str, Any]:
    parts = {"word/document.xml": f"<w:document {W}><w:body>{body}</w:body></w:document>"}
    kinds = {"footnotes": "footnote", "endnotes": "endnote", "header": "hdr"}
    related = "".join(
        f'<Relationship Id="r{n}" Type="{R}/{name}" Target="{name}.xml"/>' for n, name in enumerate(notes)
    )
    parts["word/_rels/document.xml.rels"] = f"<Relationships>{related}</Relationships>"
    for name, text in notes.items():
        inner = text if name == "header" else f'<w:{kinds[name]} w:id="7">{text}</w:{kinds[name]}>'
        parts[f"word/{name}.xml"] = f"<w:{kinds[name]}s {W}>{inner}</w:{kinds[name]}s>"
    return read(archive(parts), "docx")


def p(runs: str) -> str:
    return f"<w:p>{runs}</w:p>"


def r(text: str, looks: str = "") -> str:
    return f"<w:r><w:rPr>{looks}</w:rPr><w:t>{text}</w:t></w:r>"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (p(r("The fee is ") + "<w:ins>" + r("40") + "</w:ins><w:del><w:r><w:delText>15</w:delText></w:r></w:del>" + r(" euros.")), "The fee is 40 euros."),
        ("<w:ins>" + p(r("All new.")) + "</w:ins>", "All new."),
        (p("<w:moveFrom>" + r("old place") + "</w:moveFrom><w:moveTo>" + r("new place") + "</w:moveTo>"), "new place"),
        ("<w:sdt><w:sdtPr><w:alias/></w:sdtPr><w:sdtContent>" + p(r("In a control.")) + "</w:sdtContent></w:sdt>", "In a control."),
        (p(r("Name: ") + "<w:sdt><w:sdtContent>" + r("Ada") + "</w:sdtContent></w:sdt>"), "Name: Ada"),
        (p(r("See ") + "<w:hyperlink>" + r("rule 12b") + "</w:hyperlink>"), "See rule 12b"),
        (p(r("Text") + "<w:r><mc:AlternateContent><mc:Choice><wps:txbx><w:txbxContent>" + p(r("in the box")) + "</w:txbxContent></wps:txbx></mc:Choice>"
           "<mc:Fallback><w:txbxContent>" + p(r("in the box")) + "</w:txbxContent></mc:Fallback></mc:AlternateContent></w:r>"), "Text\n\nin the box"),
        (p(r("10") + r("6", '<w:vertAlign w:val="superscript"/>') + r(" litres")), "10^6 litres"),
        (p(r("H") + r("2", '<w:vertAlign w:val="subscript"/>') + r("O")), "H2O"),
        (p(r("It is ") + r("15 ", "<w:strike/>") + r("12 euros")), "It is 12 euros"),
        (p("<m:oMath><m:f><m:num><m:r><m:t>a</m:t></m:r></m:num><m:den><m:r><m:t>b</m:t></m:r></m:den></m:f></m:oMath>"), "(a)/(b)"),
        (p('<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>PAGE 7</w:instrText></w:r>' + r("seven")), "seven"),
        ('<w:tbl><w:tr><w:tc><w:tcPr><w:vMerge w:val="restart"/></w:tcPr>' + p(r("2019")) + "</w:tc><w:tc>" + p(r("oil")) + "</w:tc></w:tr>"
         "<w:tr><w:tc><w:tcPr><w:vMerge/></w:tcPr>" + p("") + "</w:tc><w:tc>" + p(r("41")) + p(r("42")) + "</w:tc></w:tr></w:tbl>", "| 2019 | oil |\n| 2019 | 41; 42 |"),
        ("<w:tbl><w:tr><w:tc><w:tbl><w:tr><w:tc>" + p(r("inner")) + "</w:tc></w:tr></w:tbl>" + p("") + "</w:tc></w:tr></w:tbl>", "inner"),
    ],
)  # fmt: skip
def test_a_word_document_is_read_as_it_is_shown(body: str, shown: str) -> None:
    """Insertions without deletions, controls, boxes once, raised signs, merged cells, nested tables."""
    text = word(body)["text"]
    assert shown in text
    assert text.count(shown) == 1


def test_notes_and_headers_of_a_word_document_are_there() -> None:
    """A note stands after the paragraph that refers to it."""
    made = word(
        p(r("A claim.") + '<w:r><w:footnoteReference w:id="7"/></w:r>') + p(r("Next.") + '<w:r><w:endnoteReference w:id="7"/></w:r>'),
        footnotes=p(r("Its ground.")), endnotes=p(r("At the end.")), header=p(r("Secret plan")),
    )  # fmt: skip
    assert made["text"] == "A claim.\n\nNote: Its ground.\n\nNext.\n\nNote: At the end.\n\nSecret plan"


def test_slides_have_their_titles_tables_and_notes() -> None:
    """In the order of the presentation, not of the files."""
    a = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:p="urn:p" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    para = "<a:p><a:r><a:t>{}</a:t></a:r></a:p>"
    title = f'<p:sp><p:nvPr><p:ph type="title"/></p:nvPr><p:txBody>{para.format("Plan")}</p:txBody></p:sp>'
    table = f"<a:tbl><a:tr><a:tc>{para.format('rent')}</a:tc><a:tc>{para.format('900')}</a:tc></a:tr></a:tbl>"
    struck = '<a:p><a:r><a:rPr strike="sngStrike"/><a:t>gone</a:t></a:r><a:r><a:t>10</a:t></a:r><a:r><a:rPr baseline="30000"/><a:t>6</a:t></a:r></a:p>'
    found = read(archive({
        "ppt/presentation.xml": f'<p:presentation {a}><p:sldId r:id="r2"/><p:sldId r:id="r1"/></p:presentation>',
        "ppt/_rels/presentation.xml.rels": f'<R><Relationship Id="r1" Type="{R}/slide" Target="slides/one.xml"/><Relationship Id="r2" Type="{R}/slide" Target="slides/two.xml"/></R>',
        "ppt/slides/one.xml": f"<p:sld {a}>{table}{struck}</p:sld>", "ppt/slides/two.xml": f"<p:sld {a}>{title}{para.format('First')}</p:sld>",
        "ppt/slides/_rels/two.xml.rels": f'<R><Relationship Id="r1" Type="{R}/notesSlide" Target="../notes/n.xml"/></R>',
        "ppt/notes/n.xml": f"<p:notes {a}>{para.format('Say it slowly')}{para.format('1')}</p:notes>",
    }), "pptx")  # fmt: skip
    assert found["text"] == "## Slide 1: Plan\n\nFirst\n\nNotes: Say it slowly\n\n## Slide 2\n\n| rent | 900 |\n\n10^6"


def test_an_opendocument_text_is_read_as_it_is_shown() -> None:
    """Headings, lists, repeated cells within bounds, notes; what was deleted is not there."""
    o = 'xmlns:office="urn:o" xmlns:text="urn:t" xmlns:table="urn:b" xmlns:style="urn:s" xmlns:fo="urn:f"'
    body = (
        '<text:tracked-changes><text:p>deleted</text:p></text:tracked-changes><text:h text:outline-level="2">Fees</text:h>'
        "<text:p>A<text:s text:c='3'/>b<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>why</text:p></text:note-body></text:note>"
        '<text:span text:style-name="G">15</text:span></text:p><text:list><text:list-item><text:p>one</text:p><text:list><text:list-item><text:p>two</text:p>'
        "</text:list-item></text:list></text:list-item></text:list>"
        '<table:table><table:table-row><table:table-cell><text:p>x</text:p></table:table-cell><table:table-cell table:number-columns-repeated="99999999"/></table:table-row></table:table>'
    )
    style = '<style:style style:name="G"><style:text-properties style:text-line-through-style="solid"/></style:style>'
    content = f"<office:document-content {o}>{style}<office:body><office:text>{body}</office:text></office:body></office:document-content>"
    found = read(archive({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content}), "odt")
    assert found["text"] == "## Fees\n\nA b\n\nNote: why\n\n- one\n  - two\n\n| x |  |"
    assert read(content.encode(), "odt")["text"] == found["text"]


def workbook(sheet: str, more: str = "") -> bytes:
    x = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    return archive({
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="{R}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {x} xmlns:r="{R}"><sheets><sheet name="Fees" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="{R}/worksheet" Target="worksheets/s.xml"/></Relationships>',
        "xl/worksheets/s.xml": f"<worksheet {x}><sheetData>{sheet}</sheetData>{more}</worksheet>",
    })  # fmt: skip


def row(number: int, *values: str | float) -> str:
    cells = "".join(
        f'<c r="{"ABCDE"[n]}{number}" t="inlineStr"><is><t>{v}</t></is></c>' if isinstance(v, str) else f'<c r="{"ABCDE"[n]}{number}"><v>{v}</v></c>'
        for n, v in enumerate(values) if v != ""
    )  # fmt: skip
    return f'<row r="{number}">{cells}</row>'


def test_a_workbook_gives_statements() -> None:
    """Whole numbers without a point, merged cells in each row, a head below a title."""
    sheet = (
        row(1, "Fees of 2024")
        + row(3, "Port", "Ship", "Euros")
        + row(4, "Ohrid", "large", 41.0)
        + row(5, "", "small", 7.5)
    )
    merged = '<mergeCells count="1"><mergeCell ref="A4:A5"/></mergeCells>'
    found = read(workbook(sheet, merged), "xlsx")
    assert found["text"] == (
        "Fees of 2024\n\nPort, Ship, Euros\n\n- Port: Ohrid; Ship: large; Euros: 41\n- Port: Ohrid; Ship: small; Euros: 7.5"
    )
    assert read(b"PK\x03\x04 broken", "xlsx")["reason"] == "bad_xlsx"


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ('"Port","Note","Lamps"\n"Ohrid","The ""old"" pier, rebuilt","41"\n', '- Port: Ohrid; Note: The "old" pier, rebuilt; Lamps: 41'),
        ("sep=;\nPort;Lamps\nOhrid;41\n", "- Port: Ohrid; Lamps: 41"),
        ('"sep=|"\nPort|Lamps\nOhrid|41\n', "- Port: Ohrid; Lamps: 41"),
        ('"Source","Statistics",\n\n"Updated","2024-03-05",\n\n"Port","Code","2019","2020"\n"Ohrid","OHR","41","42"\n"Struga","STR","1","2"\n',
         "- Port: Ohrid; Code: OHR; 2019: 41; 2020: 42"),
        ("# measured in May\n# by hand\nPort,Lamps\nOhrid,41\n", "- Port: Ohrid; Lamps: 41"),
        ("#,Port\n1,Ohrid\n2,Struga\n", "- #: 1; Port: Ohrid"),
        ("Port,Lamps\nOhrid,41,extra\nStruga\n", "- Port: Ohrid; Lamps: 41; extra\n- Port: Struga"),
        ("Ohrid,41\nStruga,42\nPrespa,43\n", "- Ohrid; 41\n- Struga; 42"),
        ("Year,Lamps\n2019,41\n2020,42\n", "- Year: 2019; Lamps: 41"),
        ("Port\tLamps\tNote\nOhrid\t41\ta, b; c\n", "- Port: Ohrid; Lamps: 41; Note: a, b; c"),
        ("Name;Preis\nBirne;1,50\nApfel;2,25\n", "- Name: Birne; Preis: 1,50"),
        ('Port,Note\nOhrid,"two\nlines"\n', "- Port: Ohrid; Note: two lines"),
        ("\ufeffPort,Lamps\r\nOhrid,41\r\n", "- Port: Ohrid; Lamps: 41"),
    ],
)  # fmt: skip
def test_a_csv_file_is_read_whatever_stands_above_its_head(body: str, line: str) -> None:
    """Doubled quotes, `sep=`, preambles, comments, ragged rows, no head at all."""
    assert line in read(body.encode(), "csv")["text"]


def test_a_csv_file_says_what_it_took_for_the_head() -> None:
    """The lines above it stand above; the head is a line of its own."""
    text = read(b"Lamps of the lake\nas of 2024\n\nPort,Lamps,Keeper\nOhrid,41,Ann\nStruga,1,Bo\n", "csv")["text"]
    assert text.startswith("Lamps of the lake\nas of 2024\n\nPort, Lamps, Keeper\n\n- Port: Ohrid")


def test_a_book_follows_its_references_and_takes_titles_from_its_contents() -> None:
    """`../` leads within the archive; the list of contents itself is no chapter."""
    container = '<container><rootfiles><rootfile full-path="O/pkg/b.opf"/></rootfiles></container>'
    package = (
        '<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>Lamps</dc:title></metadata><manifest><item id="n" properties="nav" href="nav.xhtml"/>'
        '<item id="a" href="../text/a.xhtml"/></manifest><spine><itemref idref="n"/><itemref idref="a"/></spine></package>'
    )
    nav = '<html><body><nav><a href="../text/a.xhtml#s">The first light</a></nav></body></html>'
    chapter = "<html><body><p>It cost 10<sup>6</sup>.</p><table><tr><td>a</td><td><p>1</p><p>2</p></td></tr></table></body></html>"
    found = read(
        archive(
            {
                "META-INF/container.xml": container,
                "O/pkg/b.opf": package,
                "O/pkg/nav.xhtml": nav,
                "O/text/a.xhtml": chapter,
            }
        ),
        "epub",
    )
    assert found["text"] == "## The first light\n\nIt cost 10^6.\n\n| a | 1; 2 |"
    assert found["title"] == "Lamps"


def letter() -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["Date"] = (
        "Grüße aus Bar",
        "Zoë <z@x.example>",
        "Tue, 05 Mar 2024 10:00:00 +0000",
    )
    message.set_content("Die Lampe hat 40 Watt.\n", cte="base64")
    message.add_alternative("<p>Die <b>Lampe</b></p>", subtype="html")
    message.add_attachment(b"x", maintype="image", subtype="png", filename="lampe.png")
    return message


def test_a_letter_is_decoded() -> None:
    """Headers, transfer codings, of two forms the plain one, attachments by name."""
    found = read(letter().as_bytes(), "eml")
    assert (found["title"], found["date"], found["author"]) == ("Grüße aus Bar", "2024-03-05", "Zoë <z@x.example>")
    assert found["text"].endswith("Die Lampe hat 40 Watt.\n\nAttachment: lampe.png")
    only = EmailMessage()
    only.set_content("<p>The fee is <b>40</b> euros.</p>", subtype="html")
    assert "The fee is 40 euros." in read(only.as_bytes(), "eml")["text"]


def test_a_mailbox_is_a_heading_a_letter() -> None:
    """A line that begins with `From ` within a letter begins none."""
    box = (
        b"From a@x Tue Mar  5 10:00:00 2024\n"
        + letter().as_bytes()
        + b"\n\nFrom b@x Tue Mar  5\nSubject: Two\n\n>From here on\n"
    )
    text = read(box, "mbox")["text"]
    assert [line for line in text.split("\n") if line.startswith("## ")] == ["## Grüße aus Bar", "## Two"]
    assert text.endswith("From here on")


def test_rich_text_is_read() -> None:
    """Letters of other code pages, paragraphs, no control words."""
    body = rb"{\rtf1\ansi\ansicpg1252{\title Lamps}{\fonttbl{\f0 Arial;}}The caf\'e9 has {\b 40} lamps.\par Two \u8364? each.\par}"
    found = read(body, "rtf")
    assert found["text"] == "The café has 40 lamps.\n\nTwo € each."
    assert found["title"] == "Lamps"


def notebook(*outputs: dict[str, Any]) -> str:
    cell = {"cell_type": "code", "source": ["a()"], "outputs": list(outputs)}
    return str(read(json.dumps({"cells": [cell], "metadata": {}}).encode(), "ipynb")["text"])


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        ({"output_type": "display_data", "data": {"text/html": "<table><tr><td>a</td><td>41</td></tr></table>"}}, "| a | 41 |"),
        ({"output_type": "execute_result", "data": {"text/html": ["<b>Only</b> 42"], "text/plain": ["<IPython.core.display.HTML object>"]}}, "Only 42"),
        ({"output_type": "display_data", "data": {"text/markdown": "**Result 43**"}}, "**Result 43**"),
        ({"output_type": "error", "ename": "ZeroDivisionError", "evalue": "division by zero", "traceback": ["\x1b[0;31m---\x1b[0m"]}, "ZeroDivisionError: division by zero"),
        ({"output_type": "stream", "text": ["\x1b[32mgreen\x1b[0m ok\n"]}, "green ok"),
        ({"output_type": "stream", "text": "10%\r50%\r100% done\nnext"}, "100% done\nnext"),
    ],
)  # fmt: skip
def test_a_notebook_shows_what_its_cells_show(output: dict[str, Any], shown: str) -> None:
    """HTML, Markdown and errors; no colours, of a line that is written over the last state."""
    text = notebook(output)
    assert shown in text
    assert "\x1b" not in text
    assert "[32m" not in text
    assert "50%" not in text


def test_lines_of_json_and_of_code_are_lines() -> None:
    """A block a value; code in a fence, its indent kept."""
    assert (
        read(b'{"port": "Ohrid", "lamps": 41}\n{"port": "Struga"}\n', "jsonl")["text"]
        == "port: Ohrid\nlamps: 41\n\nport: Struga"
    )
    assert read(b"def f():\n\treturn 1\n", "code")["text"] == "```\ndef f():\n    return 1\n```"


def test_an_archive_is_what_its_parts_are() -> None:
    """A book that a server calls a Word document is a book."""
    container = '<container><rootfile full-path="b.opf"/></container>'
    package = '<package><item id="a" href="a.html"/><itemref idref="a"/></package>'
    book = archive({"META-INF/container.xml": container, "b.opf": package, "a.html": "<p>lit</p>"})
    assert read(book, "docx")["text"] == "lit"

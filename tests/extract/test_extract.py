"""Bytes to text: structure kept, nothing dangerous kept, nothing that raises (figures F6 and F8)."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hds_cli.extract import html, pdf, text
from hds_cli.extract.charset import decode
from hds_cli.extract.page import extract
from hds_cli.fetch.body import Body, Refused, charset_of, sniff
from tests.fetch.conftest import LONG, shared

ARTICLE = """<html><head><title>The Tides - Sea News</title><meta property="og:site_name" content="Sea News">
<meta name="author" content="Ann Lee"><meta property="article:published_time" content="2024-05-06T07:08:09Z"></head><body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/shop">Shop</a></li></ul></nav><article><h1>The Tides</h1>
<p>The <b>moon</b> pulls the <a href="/sea">sea</a> twice a day, and the shore <i>answers</i> with a long, slow rise of water.</p>
<h2>Causes</h2><p>Gravity is the cause of it, as was known to Newton, who wrote about the matter in his Principia.</p>
<ul><li>the moon, which is near</li><li>the sun, which is large</li></ul>
<table><tr><th>Place</th><th>Metres</th></tr><tr><td>Fundy</td><td>16</td></tr><tr><td>Severn</td><td>15</td></tr></table>
<h3>Details</h3><p>There is more to say about the details of this, but this sentence will have to do for now, and so it ends.</p>
</article><footer>All rights reserved by nobody.</footer></body></html>"""


def read(body: bytes | str, kind: str = "html", charset: str | None = None) -> dict[str, Any]:
    return extract(body if isinstance(body, bytes) else body.encode(), kind, charset, "http://x.example/some_page")


def test_an_article_keeps_its_headings_lists_and_tables() -> None:
    """Headings as `## …`, lists as `- …`, rows as `| … |`, no bold marks, nothing of the navigation."""
    page = read(ARTICLE)
    blocks = page["text"].split("\n\n")
    assert (page["title"], page["author"], page["date"]) == ("The Tides", "Ann Lee", "2024-05-06")
    assert "## Causes" in blocks
    assert "### Details" in blocks
    assert "- the moon, which is near\n- the sun, which is large" in blocks
    assert "| Place | Metres |\n| Fundy | 16 |\n| Severn | 15 |" in blocks
    assert any(block.startswith("The moon pulls the sea twice a day") for block in blocks)
    assert "**" not in page["text"]
    assert "Shop" not in page["text"]


def test_a_page_without_main_text_falls_back_to_all_its_text() -> None:
    """Short, broken and absurdly nested pages give what they have."""
    assert read("<html><body><p>caf\u00e9</p></body></html>")["text"] == "caf\u00e9"
    assert "deep" in read("<html><body>" + "<div>" * 20000 + "deep" + "</div>" * 20000)["text"]
    assert read("just words, no markup")["text"] == "just words, no markup"
    assert read("<html><body><script>var x = 1</script></body></html>") == {"reason": "empty", "title": ""}


def test_a_bot_check_is_not_a_page() -> None:
    """What a guard serves instead of the page is not stored as its content."""
    body = "<html><head><title>Just a moment...</title></head><body><h1>Checking your browser</h1></body></html>"
    assert read(body)["reason"] == "challenge"
    assert read(ARTICLE.replace("The Tides - Sea News", "Just a moment").replace("<p>", "<p>" + "long text " * 200))[
        "text"
    ]


def test_control_characters_do_not_survive() -> None:
    """Text on disk holds no C0 or C1 controls but line ends and tabs."""
    page = read(
        b"<html><head><title>a\x1b[31mb\x07</title></head><body><p>before\x00after \x08\x0b\x1b]52;c;x\x07 \xc2\x9b</p>"
    )
    for value in (page["title"], page["text"]):
        assert not {c for c in value if (ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) <= 0x9F}


def test_json_ld_gives_author_and_date() -> None:
    """Structured data is read where meta tags are silent; broken JSON is nothing."""
    data = {"@graph": [{"@type": "Article", "author": [{"name": "Bo"}], "datePublished": "2020-02-03T00:00"}]}
    page = read(ARTICLE.replace('<meta name="author" content="Ann Lee">', f'<script type="application/ld+json">{json.dumps(data)}</script>')
                .replace("article:published_time", "x"))  # fmt: skip
    assert (page["author"], page["date"]) == ("Bo", "2020-02-03")
    assert read('<script type="application/ld+json">{"a":</script><p>text here</p>')["text"] == "text here"


def test_real_articles_are_found_at_least_as_well_as_by_plain_trafilatura() -> None:
    """F8 and the article figure: 181 pages, F1 no lower; and no page loses by the bounds put on markup."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))
    import extract_articles as measure  # type: ignore[import-not-found]

    pages = measure.load(shared("extraction_aeb"))
    pages = pages if LONG else pages[::4]
    ours, plain = measure.measure(pages, measure.ours), measure.measure(pages, measure.plain)
    assert ours["f1"] >= plain["f1"] - 0.005
    few = pages if LONG else pages[::3]
    assert poorer(few, html.bounded) == 0
    assert poorer(few, lambda markup: markup[: len(markup) // 3]) > len(few) // 3  # a clumsy bound is seen


def poorer(pages: list[tuple[bytes, str]], bound: Callable[[str], str]) -> int:
    """How many pages have less text with `bound` than without any."""
    found = 0
    for body, _ in pages:
        markup = decode(body, None, markup=True)
        kept, whole = (html.extract(markup, b).get("text", "") for b in (bound, str))
        found += len(" ".join(kept.split())) < 0.99 * len(" ".join(whole.split()))
    return found


def test_every_naughty_string_can_be_a_page() -> None:
    """As title and text of HTML, and as a page of its own of every kind: text or a reason, nothing raised."""
    for naughty in json.loads(shared("hostile_blns", "blns.json").read_text("utf-8")):
        page = read(f"<title>{naughty}</title><body><h1>{naughty}</h1><p>{naughty}</p><p>An end.</p>")
        assert set(page) & {"text", "reason"}, naughty
        for kind in ("text", "markdown", "json", "xml"):
            assert set(read(naughty, kind)) & {"text", "reason"}, (kind, naughty)


# -- charsets ------------------------------------------------------------------
LABELS = (
    "utf-8 utf8 UTF-8 latin1 iso-8859-1 windows-1252 cp1252 ascii us-ascii iso-8859-2 iso-8859-5 iso-8859-8-i iso-8859-15 "
    "windows-1250 windows-1251 windows-1253 windows-1254 windows-1255 windows-1256 windows-1257 windows-1258 windows-874 "
    "koi8-r koi8-u ibm866 macintosh x-mac-cyrillic gbk gb2312 gb18030 big5 big5-hkscs euc-jp iso-2022-jp shift_jis sjis euc-kr "
    "ks_c_5601-1987 utf-16 utf-16le utf-16be utf-32 utf-32le utf-7 utf_7 hex hex_codec rot13 rot_13 base64 base64_codec bz2 zip "
    "zlib uu uu_codec quopri quoted-printable punycode idna unicode_escape raw_unicode_escape unicode_internal undefined mbcs oem "
    "string_escape charmap x-user-defined replacement hz-gb-2312 iso-2022-kr iso-2022-cn iso-2022-jp-2 iso-2022-jp-ext cp037 "
    "cp273 cp424 cp437 cp500 cp720 cp737 cp775 cp850 cp852 cp855 cp856 cp857 cp858 cp860 cp861 cp862 cp863 cp864 cp865 cp869 "
    "cp875 cp932 cp949 cp950 cp1006 cp1026 cp1125 cp1140 johab kz1048 ptcp154 tis-620 viscii hp-roman8 mac-greek mac-iceland "
    "mac-latin2 mac-roman mac-turkish palmos shift_jis_2004 shift_jisx0213 euc_jis_2004 x-nope none null undefined-x 1 0 -1 "
    "utf-8;q=1 'utf-8' utf-8\u00e9 \u4f60\u597d ../../etc/passwd %s {0} utf\u20118 unicode-1-1-utf-8 x-cp1251 x-sjis csbig5 l9 latin10 "
    "arabic greek8 hebrew visual logical cyrillic korean dos-874"
).split()


def test_no_charset_label_raises_or_is_slow() -> None:
    """F6: 140 labels, WHATWG's and Python's and nonsense; each decodes everything in a tenth of a second."""
    assert len(LABELS) >= 140
    random.seed(5)
    bodies = [bytes(random.randrange(256) for _ in range(20_000)), "caf\u00e9 \u4f60".encode() * 2000, b"x-" * 40_000]
    slowest = 0.0
    for label in LABELS:
        for body in bodies:
            start = time.thread_time()
            assert isinstance(decode(body, label, markup=True), str)
            slowest = max(slowest, time.thread_time() - start)
    assert slowest <= 0.1


def test_pythons_own_codecs_would_raise() -> None:
    """The hazard is there: bytes.decode by these labels raises for a good part of them."""
    failed = 0
    for label in LABELS:
        try:
            b"caf\xe9".decode(label, "replace")
        except (LookupError, UnicodeError, ValueError, TypeError):
            failed += 1
    assert failed > 20


@pytest.mark.parametrize(
    ("body", "label", "wanted"),
    [
        ("\u00fcber".encode(), None, "\u00fcber"),
        ("\u00fcber".encode("latin-1"), "iso-8859-1", "\u00fcber"),
        ("\u00fcber".encode("latin-1"), "utf-8", "\u00fcber"),
        ("na\u00efve caf\u00e9 \u2019s".encode("cp1252"), "x-nope", "na\u00efve caf\u00e9 \u2019s"),
        ("\u4f60\u597d".encode("utf-16"), None, "\u4f60\u597d"),
        ("\u4f60\u597d".encode("gb2312"), "gb2312", "\u4f60\u597d"),
        (b'<meta charset="windows-1251">' + "\u041f\u0440\u0438\u0432\u0435\u0442".encode("cp1251"), None, "\u041f\u0440\u0438\u0432\u0435\u0442"),
        (("Привет мир, это проверка кодировки текста. " * 30).encode("cp1251"), None, "Привет мир"),
        (b"ok \xff\xfe ok " + "\u00e9\u00e8\u00ea".encode() * 9, "utf-8", "ok \ufffd\ufffd ok"),
        (b"\xef\xbb\xbfx", "koi8-r", "x"),
    ],
)  # fmt: skip
def test_text_is_read_as_it_was_meant(body: bytes, label: str | None, wanted: str) -> None:
    """Byte order mark, then header, then markup, then detection."""
    assert wanted in decode(body, label, markup=True)


# -- other kinds ---------------------------------------------------------------
def test_plain_text_and_markdown_are_kept_as_they_are() -> None:
    """The first heading or short first line is the title; front matter is not text."""
    page = read("---\ntags: x\n---\n# Notes\n\n\n\ntext\r\nmore", "markdown")
    assert (page["title"], page["text"]) == ("Notes", "# Notes\n\ntext\nmore")
    assert read("First line\n\nbody", "text")["title"] == "First line"
    assert read("x" * 500, "text")["title"] == "some_page"


def test_json_becomes_lines_that_can_be_quoted() -> None:
    """`path: value`, whatever the depth; broken JSON is plain text."""
    page = read('{"title": "T", "a": [1, {"b": "text"}], "n": null}', "json")
    assert (page["title"], page["text"]) == ("T", "title: T\na[0]: 1\na[1].b: text")
    assert read("[" * 100_000, "json")["text"].startswith("[[")
    assert read('{"a":', "json")["text"] == '{"a":'


@pytest.mark.parametrize(
    "feed",
    [
        '<?xml version="1.0"?><rss><channel><title>News</title><item><title>One</title><link>http://x.example/1</link>'
        "<pubDate>Mon, 01 Jan 2024</pubDate><description>&lt;p&gt;First &lt;b&gt;story&lt;/b&gt;&lt;/p&gt;</description></item></channel></rss>",
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title><entry><title>One</title><link href="http://x.example/1"/>'
        "<updated>Mon, 01 Jan 2024</updated><summary>First story</summary></entry></feed>",
    ],
)
def test_a_feed_becomes_a_heading_an_entry(feed: str) -> None:
    """RSS and Atom give the same text."""
    page = read(feed, "xml")
    assert page["title"] == "News"
    assert page["text"] == "## One\n\nMon, 01 Jan 2024\n\nFirst story\n\nhttp://x.example/1"


def test_xml_expands_no_entity_and_loads_no_file() -> None:
    """Billion laughs and external entities are text that is not there."""
    laughs = '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]><rss><channel><title>t</title><item><title>&b;&c;</title></item></channel></rss>'
    start = time.process_time()
    page = read('<?xml version="1.0"?>' + laughs, "xml")
    assert "lollol" not in str(page)
    assert "root:" not in str(page)
    assert time.process_time() - start < 1


def make_pdf(*pages: str) -> bytes:
    """A PDF with a line of text a page, written by hand."""
    objects: list[bytes] = [b"", b"", b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    kids = []
    for line in pages:
        stream = f"BT /F1 12 Tf 72 700 Td ({line}) Tj ET".encode()
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            b"<</Type/Page/Parent 2 0 R/Resources<</Font<</F1 3 0 R>>>>/MediaBox[0 0 612 792]/Contents %d 0 R>>"
            % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[0] = b"<</Type/Catalog/Pages 2 0 R>>"
    objects[1] = b"<</Type/Pages/Kids[%s]/Count %d>>" % (b" ".join(kids), len(kids))
    objects.append(b"<</Title(On Tides)/Author(Ann Lee)/CreationDate(D:20240506070809Z)>>")
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(
        b"%010d 00000 n \n" % at for at in offsets
    )
    return bytes(out) + b"trailer<</Size %d/Root 1 0 R/Info %d 0 R>>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1,
        len(objects),
        start,
    )


def test_a_pdf_keeps_its_page_numbers() -> None:
    """A citation can name the page: every page is a heading."""
    page = read(make_pdf("The moon pulls the sea", "And the sun as well"), "pdf")
    assert page["text"] == "## Page 1\n\nThe moon pulls the sea\n\n## Page 2\n\nAnd the sun as well"
    assert (page["title"], page["author"], page["date"]) == ("On Tides", "Ann Lee", "2024-05-06")


def test_a_broken_pdf_is_one_failed_page() -> None:
    """Cut anywhere, or with bytes changed: text or a reason, never an exception."""
    whole = make_pdf("one", "two")
    rng = random.Random(2)
    for turn in range(60):
        data = bytearray(whole[: rng.randrange(10, len(whole))] if turn % 2 else whole)
        for _ in range(3):
            data[rng.randrange(9, len(data))] = rng.randrange(256)
        assert set(pdf.extract(bytes(data))) & {"text", "reason"}


# -- bodies and kinds ----------------------------------------------------------
@pytest.mark.parametrize(
    ("label", "start", "kind"),
    [
        ("text/html", b"<html>", "html"), ("text/html", b"\x89PNG\r\n\x1a\n", None), (None, b"<!DOCTYPE html><p>", "html"),
        (None, b"words", "text"), ("text/plain", b"words", "text"), ("text/html", b"%PDF-1.4", "pdf"), ("application/pdf", b"<html>", None),
        ("application/json", b"{}", "json"), ("application/ld+json", b"{}", "json"), ("application/octet-stream", b'{"a": 1}', "json"),
        ("text/html", b"<?xml version='1.0'?><rss>", "xml"), ("application/rss+xml", b"<rss>", "xml"), ("image/svg+xml", b"<svg>", None),
        ("application/xhtml+xml", b"<?xml version='1.0'?><!DOCTYPE html><html>", "html"), ("text/markdown", b"# x", "markdown"),
        ("application/zip", b"PK\x03\x04", None), ("video/mp4", b"words", None), ("text/css", b"a{}", None), ("TEXT/HTML; charset=x", b"<p>", "html"),
        ("text/html", b"\xff\xfe<\x00h\x00", "html"), ("text/plain", bytes(range(256)), None),
    ],
)  # fmt: skip
def test_the_kind_is_sniffed_not_believed(label: str | None, start: bytes, kind: str | None) -> None:
    """R2.3: a label counts only as far as the first bytes agree."""
    assert sniff(label, start, "http://x.example/a") == kind


def test_charset_of_a_header() -> None:
    """The label is taken out as it stands; whether it is one is decided by the table."""
    assert charset_of('text/html; Charset="UTF-8"') == "UTF-8"
    assert charset_of("text/html") is None


def test_members_of_a_gzip_file_are_one_body_and_raw_deflate_is_read() -> None:
    """What browsers read is read: RFC 1952 members, deflate with and without its wrapper."""
    import gzip
    import zlib

    def whole(encoding: str, data: bytes, step: int = 7) -> bytes:
        body = Body(encoding)
        for at in range(0, len(data), step):
            body.feed(data[at : at + step])
        return body.done()

    plain = b"text " * 50_000
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    assert whole("gzip", gzip.compress(plain) + gzip.compress(b"more")) == plain + b"more"
    assert whole("deflate", zlib.compress(plain)) == plain
    assert whole("deflate", squeeze.compress(plain) + squeeze.flush(), 4096) == plain
    assert whole("", plain, 4096) == plain
    with pytest.raises(Refused):
        whole("gzip", gzip.compress(plain)[:-9])


def test_tidy_keeps_tabs_and_paragraphs() -> None:
    """At most one blank line in a row, no trailing blanks."""
    assert text.tidy("a \r\n\r\n\r\n\r\nb\tc\x0cd\ufeff") == "a\n\nb\tc\n\nd"


def test_a_table_that_arranges_the_page_is_not_one_row() -> None:
    """Old pages put everything into a table: headings, paragraphs and the tables of figures inside are kept apart."""
    from hds_cli.extract import html

    page = (
        "<html><head><title>T</title></head><body><table><tr><td><ul><li>Menu</li></ul></td><td><h1>T</h1>"
        + "".join(f"<h2>Part {n}</h2><p>{'This is a sentence of the text. ' * 12}</p>" for n in range(4))
        + "<table><tr><th>total</th><td>93,028 sq km</td></tr><tr><th>land</th><td>89,608 sq km</td></tr></table>"
        "</td></tr></table></body></html>"
    )
    text = html.extract(page)["text"]
    assert "## Part 1\n\nThis is a sentence" in text
    assert "| total | 93,028 sq km |\n| land | 89,608 sq km |" in text
    assert max(map(len, text.split("\n\n"))) < 500


def test_the_headings_of_a_mediawiki_page_are_kept() -> None:
    """Older skins mark no article; the sections of the page are sections of the text all the same."""
    part = "<h2>{}</h2><p>The town was founded long ago and grew quickly under a king, who built a church there.</p>"
    parts = part.format("History") + part.format("Climate").replace("town", "climate")
    page = f"<html><head><title>Oslo</title></head><body><div id='p'><div class='mw-parser-output'>{parts}</div></div></body></html>"
    made = html.extract(page)
    assert [line for line in made["text"].splitlines() if line.startswith("#")] == ["## History", "## Climate"]

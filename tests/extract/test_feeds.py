"""Feeds as a reader shows them."""

from __future__ import annotations

import json

import pytest

from hds_cli.extract.page import extract


def read(text: str, kind: str = "xml") -> str:
    return str(extract(text.encode(), kind, None, "http://x.example/feed")["text"])


def rss(item: str) -> str:
    return read(f'<?xml version="1.0"?><rss version="2.0"><channel><title>N</title><item>{item}</item></channel></rss>')


def atom(entry: str) -> str:
    return read(f'<feed xmlns="http://www.w3.org/2005/Atom"><title>N</title><entry>{entry}</entry></feed>')


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<![CDATA[Fee &amp; <b>law</b>]]>", "## Fee & law"), ("A&amp;amp;B caf&amp;eacute;", "## A&B café"), ("A &amp; B", "## A & B"),
        ("caf&eacute; &mdash; bar", "## café — bar"), ("5 &lt; 7", "## 5 < 7"), ("&lt;i&gt;Lamps&lt;/i&gt;", "## Lamps"),
        ("R &#38;amp; D", "## R & D"),
    ],
)  # fmt: skip
def test_a_title_has_no_markup(written: str, shown: str) -> None:
    """Tags and letters by name are shown as they are meant, however often they were escaped."""
    assert shown in rss(f"<title>{written}</title><description>x</description>").split("\n")
    assert shown in atom(f'<title type="html">{written}</title><summary>x</summary>').split("\n")


def test_the_text_of_an_entry_keeps_its_blocks() -> None:
    """HTML as letters, in CDATA, and XHTML: lists, tables and raised signs as in a page."""
    html = "<p>It has 10<sup>6</sup> lamps.</p><ul><li>one</li><li>two</li></ul>"
    for text in (
        rss(f"<title>t</title><description><![CDATA[{html}]]></description>"),
        rss(f"<title>t</title><description>{html.replace('<', '&lt;')}</description>"),
        atom(f'<title>t</title><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">{html}</div></content>'),
    ):
        assert "It has 10^6 lamps.\n\n- one\n- two" in text


def test_the_link_of_an_entry_is_its_own_page() -> None:
    """Atom's alternate before `self` and `edit`; RSS's link, or an identity that is an address."""
    links = '<link rel="edit" href="http://x.example/edit"/><link rel="self" href="http://x.example/self"/>'
    assert atom(f'<title>t</title>{links}<link rel="alternate" href="http://x.example/a"/>').endswith(
        "http://x.example/a"
    )
    assert rss("<title>t</title><guid>http://x.example/g</guid>").endswith("http://x.example/g")
    assert "urn:1" not in rss('<title>t</title><guid isPermaLink="false">urn:1</guid>')


def test_a_json_feed_is_a_feed() -> None:
    """As RSS: a heading an entry, its date, its text without tags, its page."""
    item = {
        "id": "1",
        "title": "Fee &amp; law",
        "content_html": "<p>The fee is <b>40</b> euros.</p>",
        "date_published": "2024-03-05",
        "url": "http://x.example/1",
    }
    other = {"id": "2", "content_text": "Plain text."}
    text = read(
        json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "N", "items": [item, other]}), "json"
    )
    assert (
        text
        == "## Fee & law\n\n2024-03-05\n\nThe fee is 40 euros.\n\nhttp://x.example/1\n\n## (untitled)\n\nPlain text."
    )
    assert read('{"version": 3, "items": []}', "json") == "version: 3"

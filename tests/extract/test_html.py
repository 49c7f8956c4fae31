"""HTML as people write it: values stay apart, signs stay signs, rows stay rows, and what is no page is said to be none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hds_cli.extract import html
from hds_cli.extract.page import extract

PROSE = "".join(
    f"<p>The lighthouse number {n} was built by the keeper of the coast in 18{n:02} and still shines over the water.</p>"
    for n in range(3)
)


def read(body: str, *, head: str = "<title>Lighthouses</title>", main: str = "article") -> str:
    page = f"<html><head>{head}</head><body><{main}><h1>Lights</h1>{PROSE}{body}</{main}></body></html>"
    return str(html.extract(page)["text"])


def whole(page: str) -> dict[str, Any]:
    return extract(page.encode(), "html", None, "http://x.example/page")


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("<table><tr><th>Lamp</th></tr><tr><td><p>41</p><p>42</p></td><td>x</td></tr></table>", "| 41; 42 | x |"),
        ("<table><tr><td>Watts</td><td>90<br>91</td></tr></table>", "| Watts | 90; 91 |"),
        ("<table><tr><th>Keepers<br>in 2019</th><th>b</th></tr></table>", "| Keepers in 2019 | b |"),
        ("<table><tr><td><div>Ann</div><div>Bo</div></td><td>2</td></tr></table>", "| Ann; Bo | 2 |"),
        ("<table><tr><td>Mon</td><td><ul><li>10:00 - 20:00</li><li>21:00 - 22:00</li></ul></td></tr></table>",
         "| Mon | 10:00 - 20:00; 21:00 - 22:00 |"),
        ("<ul><li><p>First</p><p>41</p></li><li>Second</li></ul>", "- First\n  41\n- Second"),
        ("<ul><li>One<ul><li>North 3</li><li>South 5</li></ul></li><li>Two</li></ul>",
         "- One\n  - North 3\n  - South 5\n- Two"),
        ("<ol><li>Switch on<ol><li>Wait 5 s</li></ol></li></ol>", "- Switch on\n  - Wait 5 s"),
        ("<dl><dt>Height</dt><dd>31 m</dd><dt>Colours</dt><dd>red</dd><dd>white</dd></dl>",
         "- Height: 31 m\n- Colours: red\n- white"),
    ],
)  # fmt: skip
def test_parts_of_a_cell_and_of_an_item_stay_apart(body: str, line: str) -> None:
    """Two paragraphs, two lines or a list in a cell or an item are several values, each once."""
    assert line in read(body)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("10<sup>6</sup> litres", "10^6 litres"),
        ("5.97 × 10<sup>24</sup> kg", "5.97 × 10^24 kg"),
        ("10<sup>−9</sup> m", "10^−9 m"),
        ("10<sup><b>3</b></sup>", "10^3"),
        ("12 m<sup>2</sup> and 4 km<sup>3</sup>", "12 m² and 4 km³"),
        ("e<sup>x+1</sup>", "e^(x+1)"),
        ("the 19<sup>th</sup> and 1<sup>st</sup>", "the 19th and 1st"),
        ("Fresnel<sup>TM</sup> lens", "Fresnel™ lens"),
        ("H<sub>2</sub>O and CO<sub>2</sub>", "H2O and CO2"),
        ("Ca(OH)<sub>2</sub>", "Ca(OH)2"),
        ("x<sub>1</sub> + x<sub>n</sub>", "x_1 + x_n"),
        ("log<sub>2</sub>8", "log_2 8"),
        ("<sup>14</sup>C dating", "14C dating"),
        ("25 <sup>o</sup>C", "25 °C"),
        ("$19<sup>99</sup> each", "$19.99 each"),
        ("4200<sup><a href='#f3'>3</a></sup> people", "4200 people"),
        ("4200<sup>[3]</sup> people", "4200 people"),
        ("4200<a href='#fn3' class='fn'><sup>3</sup></a> people", "4200 people"),
        ("4200<a href='#cite-3'>[3]</a> people", "4200 people"),
        ("the keeper<sup>12</sup> said", "the keeper said"),
        ("it was lit.<sup>4</sup> Then", "it was lit. Then"),
        ("a tower<sup>†</sup> stands", "a tower stands"),
        ("4200<sup>3</sup> people", "4200^3 people"),
        ("漢<ruby>字<rp>(</rp><rt>じ</rt><rp>)</rp></ruby>です", "漢字です"),
    ],
)
def test_raised_and_lowered_signs_are_read_as_people_read_them(written: str, shown: str) -> None:
    """A power, an index and an ordinal are told from the mark of a note, which is no digit of the number before it."""
    assert shown in read(f"<p>Here stands {written} in a line of text.</p>")


def test_a_number_that_a_note_of_the_page_has_is_a_mark() -> None:
    """Where the page has a note 3, a raised 3 after a number leads to it, link or not."""
    assert "4200 people" in read("<p>It has 4200<sup>3</sup> people.</p><p><sup>3</sup> Census of 2021.</p>")


@pytest.mark.parametrize(
    "struck",
    ["<del>15 euros</del>", "<s>15 euros</s>", "<strike>15 euros</strike>", "<del><b>15</b> euros</del>",
     "<span style='text-decoration: line-through'>15 euros</span>", "<span class='price old-price'>15 euros</span>"],
)  # fmt: skip
def test_struck_words_are_left_out(struck: str) -> None:
    """What a page takes back is not what it says."""
    text = read(f"<p>The ticket costs {struck} <ins>12 euros</ins> from May on.</p>")
    assert "costs 12 euros from May" in text


def test_a_page_that_is_struck_throughout_is_kept() -> None:
    """An end tag that is missing, or a style for all of it, does not empty a page."""
    assert "All of it" in html.extract(f"<title>t</title><body><s><p>All of it is here.</p>{PROSE}</s></body>")["text"]


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("<pre><code class='language-python'>def f(x):\n    if x:\n        return 1\n</code></pre>",
         "```python\ndef f(x):\n    if x:\n        return 1\n```"),
        ("<div class='highlight'><pre><span></span><span class='k'>for</span> i:\n    go\n</pre></div>", "```\nfor i:\n    go\n```"),
        ("<pre>a<br>  b<br>c</pre>", "```\na\n  b\nc\n```"),
        ("<pre><div>one {</div><div>  two</div></pre>", "```\none {\n  two\n```"),
        ("<figure><pre data-lang='Rust'>let x;\nlet y;</pre><figcaption>Listing 1: two</figcaption></figure>", "```rust\nlet x;\nlet y;\n```"),
        ("<ul><li>Run it:<pre>make\n  all</pre></li></ul>", "- Run it:\n  ```\n  make\n    all\n  ```"),
    ],
)  # fmt: skip
def test_code_keeps_its_lines_indent_and_language(body: str, shown: str) -> None:
    """As it stands in the page, in a fence that names its language."""
    assert shown in read(body + "<p>That was the code of the lamp, which runs since many years without any fault.</p>")


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("<tr><th>Year</th><th>Lamp</th></tr><tr><td rowspan=2>2019</td><td>oil</td></tr><tr><td>gas</td></tr>", "| 2019 | oil |\n| 2019 | gas |"),
        ("<tr><td>a</td><td rowspan=0>all</td></tr><tr><td>b</td></tr><tr><td>c</td></tr>", "| a | all |\n| b | all |\n| c | all |"),
        ("<tr><th>Port</th><th colspan=2>2020</th></tr><tr><td>Ohrid</td><td>1</td><td>2</td></tr>", "| Port | 2020 | 2020 |\n| Ohrid | 1 | 2 |"),
        ("<tr><td colspan=2>Towers</td></tr><tr><td>a</td><td>b</td></tr>", "| Towers |\n| a | b |"),
        ("<caption>Table 3: lamps</caption><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr>", "Table 3: lamps\n| a | b |"),
    ],
)  # fmt: skip
def test_a_row_alone_holds_all_its_values(table: str, rows: str) -> None:
    """A value that spans rows or columns stands in each of them; a caption stands above."""
    assert rows in read(f"<table>{table}</table>")


def test_a_table_and_a_list_of_links_are_content_where_the_page_says_so() -> None:
    """Rows of linked names, and the list that a sentence announces; lists of other stories are not."""
    rows = "".join(
        f"<tr><td><a href='/{n}'>Port {n}</a></td><td><a href='/m{n}'>Keeper {n}</a></td></tr>" for n in range(20)
    )
    assert "| Port 5 | Keeper 5 |" in read(f"<table>{rows}</table>", main="main")
    items = "<ul><li><a href='/a'>Kotlin</a></li><li><a href='/b'>.NET</a></li></ul>"
    assert "- Kotlin\n- .NET" in read(f"<p>The guide is written in these languages:</p>{items}")
    assert "- Kotlin\n- .NET" in read(f"<h2>Languages of the guide</h2>{items}")
    assert "Kotlin" not in read(f"<nav>{items}</nav>")


@pytest.mark.parametrize(
    "question",
    ["<button class='accordion-button'>When does the lamp go on?</button>",
     "<h3><button aria-expanded='false'>When does the lamp go on?</button></h3>",
     "<div class='faq-question'>When does the lamp go on?</div>", "<summary>When does the lamp go on?</summary>",
     "<a role='button' data-toggle='collapse' href='#c'>When does the lamp go on?</a>"],
)  # fmt: skip
def test_an_answer_stands_under_its_question(question: str) -> None:
    """What opens a panel is the heading of what is in it, whatever element it is."""
    item = f"<div class='item'>{question}<div class='collapse'><p>It goes on at 18:15 on every day of the week.</p></div></div>"
    if "summary" in question:
        item = f"<details>{question}<p>It goes on at 18:15 on every day of the week.</p></details>"
    text = read(item * 3, main="main")
    assert "When does the lamp go on?\n\nIt goes on at 18:15" in text


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        ("<script type='math/tex'>E = mc^2</script>", r"\(E = mc^2\)"),
        ("<script type='math/tex; mode=display'>a &lt; b</script>", r"\[a < b\]"),
        ("<math><semantics><mi>x</mi><annotation encoding='application/x-tex'>{\\displaystyle x_0}</annotation></semantics></math>", r"\(x_0\)"),
        ("<math alttext='\\frac{a}{b}'><mfrac><mi>a</mi><mi>b</mi></mfrac></math>", r"\(\frac{a}{b}\)"),
        ("<math><msup><mi>x</mi><mn>2</mn></msup><mo>=</mo><mfrac><mn>1</mn><mi>y</mi></mfrac></math>", "x^2 = 1/y"),
        ("<span class='katex'><span class='katex-mathml'><math><semantics><mi>q</mi><annotation encoding='application/x-tex'>q^2</annotation>"
         "</semantics></math></span><span class='katex-html' aria-hidden='true'><span>q2</span></span></span>", r"is \(q^2\) here"),
        ("<img class='latex' alt='\\alpha + 1' src='a.png'>", r"\(\alpha + 1\)"),
    ],
)  # fmt: skip
def test_a_formula_is_its_tex_or_what_its_signs_say(formula: str, shown: str) -> None:
    """Once, from a script, an annotation, an alternative text or the MathML itself."""
    text = read(f"<p>The law of light is {formula} here, as all keepers of lighthouses know.</p>")
    assert shown in text
    assert text.count("here, as") == 1


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("<title>Lamp App</title><noscript>You need to enable JavaScript to run this app.</noscript><div id='root'></div><script src=a.js></script>", "needs_browser"),
        ("<title>Lamps</title><div id='app'><p>Please enable JavaScript to view this page.</p></div>", "needs_browser"),
        ("<title>Lamps</title><div id='__next'>Loading...</div><script>x</script>", "needs_browser"),
        ("<title>Lampen</title><p>Bitte aktivieren Sie JavaScript, um diese Seite zu sehen.</p>", "needs_browser"),
        ("<title>Port of Ohrid</title><body></body>", "empty"),
        ("<title>Port of Ohrid</title><body><h1>Port of Ohrid</h1></body>", "empty"),
        ("<title>News</title><div><h2>We value your privacy</h2><p>We and our 842 partners store cookies on your device.</p><button>Accept all</button></div>", "consent"),
        ("<title>Before you continue</title><p>Before you continue to the site</p><form><button>Reject all</button></form>", "consent"),
        ("<title>Sign in</title><form><input name=u><input type='password' name=p></form>", "sign_in"),
        ("<title>Story</title><p>Please log in to read this article.</p>", "sign_in"),
        ("<title>Just a moment...</title><p>Verify you are human by completing the action below.</p>", "challenge"),
        ("<title>x.example</title><p>Our systems have detected unusual traffic from your computer network.</p>", "challenge"),
    ],
)  # fmt: skip
def test_what_is_no_page_is_said_to_be_none(page: str, reason: str) -> None:
    """The shell of an app, a title alone, a wall of consent, a form to sign in, a bot check."""
    assert whole(page)["reason"] == reason
    assert "text" not in whole(page)


@pytest.mark.parametrize(
    "page",
    [
        "<title>Cookies</title><article><h1>Cookies</h1><p>We value your privacy. Bake the dough for 12 minutes at 180 degrees.</p></article>",
        "<title>How to log in</title><p>To log in to the lamp's panel, hold the red key for 5 seconds; the default name is keeper.</p>",
        "<title>JS</title><p>The lamp is written in JavaScript and runs in 40 ms.</p>",
        "<title>Note</title><p>The lamp is lit.</p><noscript>Some pictures need scripts.</noscript>",
        "<title>Ohrid</title><p>Ohrid 1200</p>",
    ],
)
def test_a_short_page_is_a_page(page: str) -> None:
    """Words that a wall would say do not make one."""
    assert whole(page).get("text"), whole(page)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ({"@type": "NewsArticle", "headline": "Stop", "articleBody": "The last boat leaves on 30 April 2024."}, "30 April 2024"),
        ({"@graph": [{"@type": ["Thing", "BlogPosting"], "articleBody": "<p>The lamp has <b>40</b> watts.</p>"}]}, "The lamp has 40 watts."),
        ({"@type": "FAQPage", "mainEntity": [{"@type": "Question", "name": "When is it lit?", "acceptedAnswer": {"text": "At 18:15."}}]},
         "### When is it lit?\n\nAt 18:15."),
    ],
)  # fmt: skip
def test_the_story_in_json_ld_is_read_where_the_page_is_a_stub(data: dict[str, Any], shown: str) -> None:
    """An article's body, or questions with their answers; a page with a text of its own is that text."""
    head = f"<title>Stop</title><script type='application/ld+json'>{json.dumps(data)}</script>"
    stub = whole(f"<html><head>{head}</head><body><div id='root'><p>Please enable JavaScript.</p></div></body></html>")
    assert shown in stub["text"]
    assert "JavaScript" not in stub["text"]
    assert "keeper of the coast" in read("<p>x</p>", head=head)

"""A tree of HTML as text: blocks parted by blank lines, `## headings`, `- items`, `| rows |`, fenced code.

One walk over the tree, without recursion: how deep a page nests is its writer's choice. Only tables call back, for what
stands in a cell, and only so many deep.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from hds_cli.extract import cells
from hds_cli.extract.text import tidy

MAX_WIDE, MAX_CELLS = 500, 2000  # cells of a row
MAX_ROWS = 2000  # rows that one cell may span
MAX_REPEATED = 400  # characters of a cell that is written again in each row it reaches
MAX_TABLES_DEEP = 8
_BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure "
    "footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol p pre section summary table "
    "tbody td tfoot th thead tr ul".split()
)
_UNSEEN = frozenset(
    "applet audio button canvas datalist embed figure head iframe input link map meta noscript object option script "
    "select source style svg template textarea title track video".split()
)
_BREAK = "\x0b"  # a line's end inside a block, while it is gathered
_KEPT = "data-hds-"
_WIDE = "hds-cell"
_ROWS = frozenset(("div", "li", "tr", "p"))  # elements that highlighters put around a line of code
_LISTS = frozenset(("ul", "ol", "dl", "menu", "dir"))
_LANGUAGE = re.compile(
    r"(?:^|\s)(?:language-|lang-|highlight-source-|highlight-|brush:\s*|sourceCode\s+)([\w+#.-]{1,20})", re.I
)
_NO_LANGUAGE = frozenset(("none", "plaintext", "text", "plain", "txt", "wrapper", "default"))


class _Frame:
    """The text gathered below a node so far: the finished blocks, and the unfinished line."""

    __slots__ = ("blocks", "kind", "line", "node", "term")

    def __init__(self, node: Any, kind: str) -> None:
        self.node = node
        self.kind = kind  # `flow`, `list` or `item`
        self.line: list[str] = []
        self.blocks: list[str] = []
        self.term = ""

    def close(self, prefix: str = "") -> None:
        """The line becomes a block."""
        if self.line:
            text = _lines("".join(self.line))
            self.line = []
            if text:
                self.blocks.append(prefix + text)


def text_of(tree: Any, deep: int = 0) -> str:
    """All visible text at and below a node."""
    return tidy("\n\n".join(blocks_of(tree, deep)))


def blocks_of(tree: Any, deep: int = 0, without: Collection[Any] = ()) -> list[str]:
    """The blocks of text at and below a node.

    Args:
        tree: an element of an HTML tree.
        deep: how many tables it stands in.
        without: elements below it that are passed over.
    """
    from lxml import etree

    stack = [_Frame(tree, "flow")]
    walk = etree.iterwalk(tree, events=("start", "end"))
    for event, node in walk:
        tag = node.tag.rpartition("}")[2].lower() if isinstance(node.tag, str) else ""
        if event == "start":
            if node in without or _start(stack, node, tag, deep):
                walk.skip_subtree()
            continue
        if stack[-1].node is node and len(stack) > 1:
            _leave(stack, tag)
        elif tag in _BLOCKS:
            level = int(tag[1]) if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit() else 0
            stack[-1].close(f"{'#' * max(2, level)} " if level and all(f.kind == "flow" for f in stack) else "")
        if node.tail and node is not tree:
            stack[-1].line.append(node.tail)
    stack[0].close()
    return [block for block in stack[0].blocks if block.strip()]


def _start(stack: list[_Frame], node: Any, tag: str, deep: int) -> bool:
    """Take a node in; True when the nodes below it are dealt with too."""
    if not tag or tag in _UNSEEN or "hidden" in node.attrib:
        return True
    frame = stack[-1]
    if tag in _BLOCKS:
        frame.close()
    if tag in ("pre", "table"):
        frame.blocks.append(code(node) if tag == "pre" else table(node, deep + 1))
        return True
    if tag in _LISTS:
        stack.append(_Frame(node, "list"))
    elif tag in ("li", "dt", "dd") and frame.kind == "list":
        stack.append(_Frame(node, "item"))
    elif tag == "br":
        frame.line.append(_BREAK)
    if node.text:
        stack[-1].line.append(node.text)
    return False


def _leave(stack: list[_Frame], tag: str) -> None:
    frame = stack.pop()
    frame.close()
    above = stack[-1]
    if frame.kind == "list":
        if frame.term:
            frame.blocks.append(f"- {frame.term}")
        if text := "\n".join(block for block in frame.blocks if block):
            above.blocks.append(text)
        return
    blocks = [block for block in frame.blocks if block]
    if tag == "dt":
        above.term = ", ".join(filter(None, (above.term, " ".join(blocks))))
    elif blocks:
        above.blocks.append(_item(blocks, above.term))
        above.term = ""


def _item(blocks: list[str], term: str = "") -> str:
    """`- first block`, the others below it and further in."""
    first, *rest = blocks
    if term:
        first, rest = (f"{term}: {first}", rest) if not first.startswith("- ") else (term, blocks)
    text = first if first.startswith("- ") else f"- {_further_in(first).lstrip()}"
    return "\n".join([text, *(_further_in(block) for block in rest)])


def _further_in(block: str) -> str:
    return "  " + block.replace("\n", "\n  ")


def _lines(text: str) -> str:
    """Blanks as one, a line for each `br`."""
    if _BREAK not in text:
        return " ".join(text.split())
    return "\n".join(line for line in (" ".join(part.split()) for part in text.split(_BREAK)) if line)


# -- code -------------------------------------------------------------------------
def code(node: Any) -> str:
    """A `pre` as it stands: lines and indent kept, its language after the fence where the page names one."""
    from lxml import etree

    parts: list[str] = []
    walk = etree.iterwalk(node, events=("start", "end"))
    for event, inner in walk:
        tag = inner.tag if isinstance(inner.tag, str) else ""
        if event == "start":
            if not tag or tag in _UNSEEN:
                walk.skip_subtree()
                continue
            if tag == "br" or (tag in _ROWS and parts and not parts[-1].endswith("\n")):
                parts.append("\n")
            if inner.text:
                parts.append(inner.text)
        else:
            if tag in _ROWS and parts and not parts[-1].endswith("\n"):
                parts.append("\n")
            if inner is not node and inner.tail:
                parts.append(inner.tail)
    text = "".join(parts).replace("\r\n", "\n").replace("\xa0", " ").strip("\n").rstrip()
    if not text.strip():
        return ""
    language = _language(node)
    if "\n" not in text and not language:
        return text.strip()
    fence = "````" if "```" in text else "```"
    return f"{fence}{language}\n{text}\n{fence}"


def _language(node: Any) -> str:
    for inner in (node, node.find("code"), node.getparent()):
        if inner is None:
            continue
        if named := inner.get("data-lang") or inner.get("data-language"):
            match = re.match(r"[\w+#.-]{1,20}$", named)
        else:
            match = _LANGUAGE.search((inner.get("class") or "")[:1000])
        name = (match[1] if match and match.re is _LANGUAGE else match[0]) if match else ""
        if name and name.lower() not in _NO_LANGUAGE:
            return name.lower()
    return ""


# -- tables -----------------------------------------------------------------------
def table(node: Any, deep: int = 1) -> str:
    """A row a line, `| a | b |`: a value that spans rows stands in each of them, one that spans columns in each.

    What is repeated is bounded: a span by `cells.MAX_SPAN` columns and `MAX_ROWS` rows, all of it by how many cells
    the table has.
    """
    rows = _rows(node)
    width = max((sum(_span(cell, "colspan") for cell in row) for row in rows), default=0)
    width = min(width, 20 + 2 * max(map(len, rows), default=0))
    lines: list[str] = []
    if (caption := next((part for part in node if part.tag == "caption"), None)) is not None:
        lines.append(" ".join(blocks_of(caption, deep)))
    held: dict[int, tuple[int, str]] = {}  # column -> the number of rows still to fill, and their value
    spare = 4_000 + 2 * sum(map(len, rows)) * 20
    for row in rows:
        values, repeated = _filled(row, held, width, deep, spare)
        spare -= repeated
        if any(values):
            alone = len(row) == 1 and len(set(values)) == 1 and len(values) > 1
            lines.append(f"| {values[0] if alone else ' | '.join(values)} |")
    return "\n".join(lines)


def _rows(node: Any) -> list[list[Any]]:
    """The cells of the table's own rows."""
    rows: list[list[Any]] = []
    for group in node.iterchildren("tr", "thead", "tbody", "tfoot"):
        for row in [group] if group.tag == "tr" else group.iterchildren("tr"):
            if "hidden" not in row.attrib:
                rows.append([cell for cell in row if cell.tag in ("td", "th", _WIDE)])
    return rows


def _filled(
    row: list[Any], held: dict[int, tuple[int, str]], width: int, deep: int, spare: int
) -> tuple[list[str], int]:
    """The values of one row, and how many characters of them are repetitions; `held` is brought up to date."""
    values: list[str] = []
    repeated = 0

    def fill() -> None:
        nonlocal repeated
        while (at := len(values)) in held:
            left, text = held[at]
            text = text if spare > repeated else ""
            values.append(text)
            repeated += len(text) + 3
            if left > 1:
                held[at] = (left - 1, text)
            else:
                del held[at]

    for cell in row:
        fill()
        text = cell_text(cell, deep)
        down, columns = _span(cell, "rowspan"), min(_span(cell, "colspan"), max(1, width - len(values)))
        again = text if len(text) <= MAX_REPEATED and spare > repeated else ""
        for number in range(columns):
            if down > 1:
                held[len(values)] = (down - 1, again)
            values.append(again if number else text)
            repeated += len(again) + 3 if number else 0
    fill()
    return values, repeated


def keep_spans(node: Any) -> None:
    """Put the spans of a table's cells where `table` alone looks: trafilatura makes cells of them by the hundred.

    So do cells of a row beyond `MAX_WIDE`, which it takes quadratic time for; those beyond `MAX_CELLS` go.
    """
    for cell in node.iter("td", "th"):
        for name in ("rowspan", "colspan"):
            if name in cell.attrib:
                cell.set(_KEPT + name, cell.attrib.pop(name))
    for row in node.iter("tr"):
        del row[MAX_CELLS:]
        for cell in row[MAX_WIDE:]:
            if cell.tag in ("td", "th"):
                cell.tag = _WIDE


def _span(cell: Any, name: str) -> int:
    value = (cell.get(_KEPT + name) or cell.get(name) or "1").strip()[:8]
    most = cells.MAX_SPAN if name == "colspan" else MAX_ROWS
    number = int(value) if value.isascii() and value.isdigit() else 1
    return min(number, most) if number else (most if name == "rowspan" else 1)  # rowspan=0: to the end


def cell_text(cell: Any, deep: int = 1) -> str:
    """The text of a cell on one line, its parts joined as a reader would join them."""
    if len(cell) == 0:
        return " ".join((cell.text or "").split())
    if deep > MAX_TABLES_DEEP:
        return " ".join(" ".join(cell.itertext()).split())
    return cells.joined(blocks_of(cell, deep), as_words=cell.tag == "th" or cell.find(".//br") is not None)

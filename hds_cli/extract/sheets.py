"""Tables as people save them: CSV with whatever stands above it, and workbooks (.xlsx, .xls, .ods).

A row becomes one statement, `column: value; …`, so that a row found alone says what its numbers are.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from hds_cli.extract.text import tidy

MAX_CHARACTERS = 20_000_000
MAX_ROWS = 1_000_000
MAX_CELLS = 8_000_000
_LOOKS = 60  # rows that are looked at for the head
_MARKS = ",;\t|"
_SEPARATOR = re.compile(r"\ufeff?\"?sep=(.)\"?\r?\n", re.I)
_NUMBER = re.compile(r"[+\-−(]?[$€£¥]?\s?\d[\d.,\s'’]*\s?[%€$)]?\Z")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}(?:[-/.]\d{1,4})?(?:[ T]\d{1,2}:\d\d.*)?\Z")
Row = list[str]


# -- CSV (RFC 4180, and what is not) ------------------------------------------------
def csv(body: bytes) -> dict[str, Any]:
    """The rows of a CSV file, and what was taken for its head.

    Raises:
        ValueError: it cannot be parted into rows.
    """
    from hds_cli.extract.charset import decode

    text = decode(body).replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    mark = ""
    if declared := _SEPARATOR.match(text):
        mark, text = declared[1], text[declared.end() :]
    mark = mark or _mark(text)
    return {"title": "", "text": statements(list(_parted(text, mark)))}


def _parted(text: str, mark: str) -> Iterable[Row]:
    import csv as reader

    reader.field_size_limit(1_000_000)
    cells = 0
    try:
        # Doubled quotes are quotes: csv.Sniffer says otherwise of files whose first lines have both.
        for number, row in enumerate(reader.reader(io.StringIO(text), delimiter=mark, skipinitialspace=True)):
            cells += len(row)
            if number >= MAX_ROWS + _LOOKS or cells > MAX_CELLS:
                break
            yield [" ".join(value.split()) for value in row]
    except reader.Error as exc:
        raise ValueError(str(exc)) from exc


def _mark(text: str) -> str:
    """The separator of the cells: the one that gives most rows of one width, with several cells, quotes heeded."""
    sample = text[:20_000]
    lines = [line for line in sample.split("\n")[: 2 * _LOOKS] if line.strip() and not line.startswith("#")]
    if len(sample) == 20_000 and len(lines) > 1:
        lines.pop()  # it may be cut
    best, most = ",", (0.0, 0)
    for mark in _MARKS:
        try:
            widths = Counter(len(row) for row in _parted("\n".join(lines), mark) if row)
        except ValueError:
            continue
        several = {width: count for width, count in widths.items() if width > 1}
        if several:
            width, count = max(several.items(), key=lambda item: (item[1], item[0]))
            score = (count / sum(widths.values()), width)
            best, most = (mark, score) if score > most else (best, most)
    return best


# -- workbooks ------------------------------------------------------------------------
def workbook(body: bytes) -> dict[str, Any]:
    """The sheets of a workbook, through python-calamine (MIT); values as the file holds them, merged cells filled.

    Raises:
        ValueError: the body is no workbook, or is locked.
    """
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(body))
    except python_calamine.CalamineError as exc:
        if "password" in str(exc).lower() or "encrypt" in str(exc).lower():
            return {"reason": "encrypted"}
        raise ValueError(str(exc)[:80]) from exc
    blocks: list[str] = []
    size = cells = 0
    for about in book.sheets_metadata:
        if str(about.typ).rpartition(".")[2] != "WorkSheet" or str(about.visible).rpartition(".")[2] != "Visible":
            continue
        sheet = book.get_sheet_by_name(about.name)
        if sheet.height * sheet.width > 4 * MAX_CELLS:
            blocks.append(f"## {about.name}\n\n(too large: {sheet.height} rows of {sheet.width} cells)")
            continue
        rows = [
            [_value(cell) for cell in row] for row in sheet.to_python(skip_empty_area=True, nrows=MAX_ROWS + _LOOKS)
        ]
        _fill(rows, sheet)
        if text := statements(rows):
            blocks.append(f"## {about.name}\n\n{text}" if len(book.sheet_names) > 1 else text)
            size += len(text)
        cells += sum(map(len, rows))
        if size > MAX_CHARACTERS or cells > 4 * MAX_CELLS:
            break
    return {"title": "", "text": tidy("\n\n".join(blocks))[:MAX_CHARACTERS]}


def _fill(rows: list[Row], sheet: Any) -> None:
    """Write the value of a merged cell into each of its rows and columns."""
    top, left = sheet.start or (0, 0)
    spare = MAX_CELLS
    for (first, low), (last, high) in sheet.merged_cell_ranges or ():
        row, column = first - top, low - left
        if not (0 <= row < len(rows) and 0 <= column < len(rows[row])):
            continue
        value = rows[row][column]
        for r in range(row, min(last - top + 1, len(rows))):
            for c in range(column, min(high - left + 1, len(rows[r]), column + 60)):
                spare -= 1
                if spare < 0:
                    return
                rows[r][c] = rows[r][c] or value


def _value(cell: object) -> str:
    """A cell as a reader would write it: 41, not 41.0; a day without its midnight."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(round(cell, 12))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ", timespec="minutes")
    if isinstance(cell, date | time | timedelta):
        return str(cell)
    return " ".join(str(cell).split())


# -- rows ---------------------------------------------------------------------------------
def statements(rows: list[Row]) -> str:
    """Rows as statements: what stands above the head as lines, the head, then `- column: value; …` a row."""
    rows = [row for row in rows if any(row)]
    notes = [row for row in rows[:_LOOKS] if row[0].startswith("#")]
    if len(notes) < len(rows):
        rows = [row for row in rows if not row[0].startswith("#") or not _is_comment(row)]
    else:
        notes = []
    head, above = _head(rows)
    out = [" ".join(cell for cell in row if cell) for row in (*(n for n in notes if _is_comment(n)), *rows[:above])]
    names = rows[above] if head else []
    if out:
        out.append("")
    if names:
        out += [", ".join(name for name in names if name), ""]
    size = 0
    for row in rows[above + (1 if head else 0) :][:MAX_ROWS]:
        out.append("- " + "; ".join(_pairs(names, row)))
        size += len(out[-1])
        if size > MAX_CHARACTERS:
            break
    return tidy("\n".join(out))


def _is_comment(row: Row) -> bool:
    """True for `# measured in May`, False for a column that is called `#` or `#id`."""
    return row[0].startswith("#") and (row[0].startswith("# ") or sum(1 for cell in row if cell) == 1)


def _pairs(names: Sequence[str], row: Row) -> Iterable[str]:
    """`column: value` of each value; one beyond the head's width has no name."""
    for number, value in enumerate(row):
        if value:
            name = names[number] if number < len(names) else ""
            yield f"{name}: {value}" if name else value


def _head(rows: list[Row]) -> tuple[bool, int]:
    """True and the number of the head's row, the first row of about the table's width; False when it is a row of data.

    Rows above the head (a title, a date, a source) are narrower. A table has no head when its first full row holds
    numbers as the others do.
    """
    sample = rows[:_LOOKS]
    filled = [sum(1 for cell in row if cell) for row in sample]
    if not filled:
        return False, 0
    common = Counter(filled).most_common()
    width = max((w for w, count in common if count > 1 and w > 1), default=max(filled))
    typical = sorted(filled)[len(filled) // 2]
    width = min(width, max(typical, 2)) if width > 2 * typical else width
    least = max(1, width - max(1, width // 4)) if width > 2 else width
    number = next((n for n, count in enumerate(filled) if count >= least), 0)
    full = next((n for n, count in enumerate(filled) if count >= width), number)
    if filled[number] < width and full - number >= 2 and not _is_data(sample[full]):
        number = full  # what stands above is nearly as wide
    if _is_data(sample[number]) and (number or len(sample) == 1 or _is_data(sample[1])):
        return False, number
    return True, number


def _is_data(row: Row) -> bool:
    """True when a row holds figures: a head may have years, not values beside words."""
    values = [cell for cell in row if cell]
    figures = sum(1 for cell in values if _NUMBER.fullmatch(cell) or _DATE.fullmatch(cell))
    years = sum(1 for cell in values if re.fullmatch(r"(?:1[5-9]|20)\d\d", cell))
    return (figures > years and figures * 3 >= len(values)) or (
        figures == len(values) and figures > 0 and years < figures
    )

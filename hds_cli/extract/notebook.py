"""Jupyter notebooks (nbformat 4, and 3's worksheets): text, code, and what the code showed."""

from __future__ import annotations

import json
import re
from typing import Any

from hds_cli.extract.fragment import shown

MAX_OUTPUT = 20_000  # characters of one output
MAX_MARKUP = 500_000
_OBJECT = re.compile(r"\s*<[\w.]+[^>]*>\s*\Z")  # `<IPython.core.display.HTML object>`
_COLOUR = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_PREFERRED = ("text/markdown", "text/html", "text/latex", "text/plain", "application/json")


def notebook(body: bytes) -> dict[str, Any]:
    """The cells in their order; code and output as they stand, no colours, of a line written over its last state."""
    book = json.loads(body)
    cells = book.get("cells") or [cell for sheet in book.get("worksheets", []) for cell in sheet["cells"]]
    meta = book.get("metadata") or {}
    language = str(
        (meta.get("kernelspec") or {}).get("language") or (meta.get("language_info") or {}).get("name") or ""
    )
    blocks: list[str] = []
    for cell in cells:
        kind = cell.get("cell_type")
        source = _lines(cell.get("source") or cell.get("input"))
        if kind == "heading":
            source = f"{'#' * int(cell.get('level', 1))} {source}"
        blocks.append(_fenced(source, language) if kind == "code" else source)
        for output in cell.get("outputs") or []:
            blocks.append(_shown(output)[:MAX_OUTPUT])
    text = "\n\n".join(block for block in blocks if block.strip())
    heading = re.search(r"(?m)^#\s+(.+)$", text)
    return {"title": str(meta.get("title") or (heading[1] if heading else "")), "text": text}


def _fenced(source: str, language: str) -> str:
    return (
        source
        if "\n" not in source.strip()
        else f"```{language if language.isalnum() else ''}\n{source.strip(chr(10))}\n```"
    )


def _shown(output: Any) -> str:
    """The text of one output: of several forms of a result, the one that reads best."""
    if output.get("output_type") in ("error", "pyerr"):
        trace = _plain("\n".join(map(str, output.get("traceback") or [])))
        last = f"{output.get('ename') or ''}: {output.get('evalue') or ''}".strip(": ")
        return trace if last and last in trace else "\n".join(filter(None, (trace, last)))
    data = output.get("data") if isinstance(output.get("data"), dict) else {}
    forms = {kind: data[kind] for kind in _PREFERRED if data.get(kind)}
    plain = _lines(forms.get("text/plain"))
    if "text/html" in forms and (text := shown(_lines(forms["text/html"])[:MAX_MARKUP])):
        # A table that was printed as well is the same table: its rows are the better reading.
        more = set(re.findall(r"\w+", plain[:MAX_OUTPUT])) - set(re.findall(r"\w+", text))
        return f"{text}\n\n{_plain(plain)}" if more and not _OBJECT.match(plain) else text
    for kind in ("text/markdown", "text/latex"):
        if kind in forms:
            return _lines(forms[kind])
    if "application/json" in forms and not plain:
        return json.dumps(forms["application/json"], ensure_ascii=False)
    return _plain(_lines(output.get("text")) or plain)


def _plain(text: str) -> str:
    lines = _COLOUR.sub("", text.replace("\r\n", "\n")).split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines).strip("\n")


def _lines(source: Any) -> str:
    return "".join(map(str, source)) if isinstance(source, list) else str(source or "")

"""`hds man`: the manual, from inside the package; `man hds` finds it only where an installer put it on its path."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from hds_cli.commands import _print
from hds_cli.errors import UsageError

_WIDTH = 78
_FONT = re.compile(r"\\f[BIRP]")
_LETTER = re.compile(r"\\\[u([0-9A-F]{4,6})\]")


def man(
    page: Annotated[str | None, typer.Argument(metavar="[PAGE]", help="A command, such as ask [hds].")] = None,
    list_: Annotated[bool, typer.Option("--list", help="Name the pages.")] = False,
) -> None:
    """The manual, also where `man hds` finds nothing (pipx, uv tool).

    hds man

    hds man ask

    hds man ask | grep -A2 strict
    """
    pages = {file.stem: file for file in sorted(_folder().glob("*.1"), key=lambda file: file.stem)}
    if list_:
        _print.show(list(pages))
        return
    name = "hds" if page in (None, "hds") else f"hds-{(page or '').removeprefix('hds-').removeprefix('hds ')}"
    if name not in pages:
        raise UsageError(f"there is no manual page {page!r}", hint=_near(name, list(pages)))
    if sys.stdout.isatty() and shutil.which("man"):
        sys.stdout.flush()
        subprocess.run(["man", str(pages[name])], stdout=sys.stdout.fileno(), check=False)
        return
    text = "\n".join(_plain(pages[name].read_text("utf-8")))
    if sys.stdout.isatty() and (pager := shutil.which("less") or shutil.which("more")):
        sys.stdout.flush()
        subprocess.run([pager], input=text, text=True, stdout=sys.stdout.fileno(), check=False)
        return
    _print.show(text)


def _near(name: str, pages: list[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, pages, 1)
    return f"hds man {near[0].removeprefix('hds-')}" if near else "hds man --list"


def _folder() -> Path:
    """`man/` in the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "man"
    return inside if inside.is_dir() else package.parent / "man"


def _plain(roff: str) -> Iterator[str]:
    """The lines of a page as text: of the macros of man(7), those that `hds_cli.manual` writes."""
    indent, tag, raw, paragraph = 7, False, False, [""]

    def flushed() -> Iterator[str]:
        text = " ".join(" ".join(paragraph).split())
        paragraph.clear()
        if text:
            yield textwrap.fill(text, _WIDTH, initial_indent=" " * indent, subsequent_indent=" " * indent,
                                break_long_words=False, break_on_hyphens=False)  # fmt: skip

    for line in roff.splitlines():
        macro, _, rest = line.partition(" ")
        if not line.startswith("."):
            if raw:
                yield " " * indent + _letters(line)
            elif tag:
                yield " " * 7 + _letters(line)
                tag, indent = False, 14
            else:
                paragraph.append(_letters(line))
            continue
        yield from flushed()
        match macro:
            case ".SH":
                indent = 7
                yield f"\n{_letters(rest)}"
            case ".SS":
                indent = 7
                yield f"\n   {_letters(rest)}"
            case ".TP":
                tag = True
                yield ""
            case ".PP":
                indent = 7
                yield ""
            case ".nf" | ".fi":
                raw = macro == ".nf"
    yield from flushed()


def _letters(text: str) -> str:
    """A line of roff as its reader sees it."""
    text = _LETTER.sub(lambda escape: chr(int(escape[1], 16)), _FONT.sub("", text))
    return text.replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")

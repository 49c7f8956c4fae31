"""Archives of office files and books: their parts by name, within limits (Open Packaging Conventions, ECMA-376-2)."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from hds_cli.extract.markup import parse_xml

MAX_UNPACKED = 200_000_000
_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?)?")


class Package:
    """A zip archive of XML parts.

    It says how large its members are before they are unpacked; one that is lying ends at the worker's memory limit.

    Raises:
        ValueError: the archive would be too large when unpacked.
        zipfile.BadZipFile: the body is no archive.
    """

    def __init__(self, body: bytes) -> None:
        self._zip = zipfile.ZipFile(io.BytesIO(body))
        if sum(member.file_size for member in self._zip.infolist()) > MAX_UNPACKED:
            raise ValueError("too large when unpacked")
        self._names = {name.lstrip("/").replace("\\", "/").lower(): name for name in self._zip.namelist()}

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._names

    @property
    def names(self) -> list[str]:
        """The names of all parts, in their order."""
        return list(self._names.values())

    def read(self, name: str) -> bytes:
        """The bytes of a part; b"" when there is no such part."""
        real = self._names.get(name.lstrip("/").lower())
        return self._zip.read(real) if real is not None else b""

    def xml(self, name: str) -> Any:
        """The root of a part, or None."""
        from hds_cli.extract.charset import decode

        data = self.read(name)
        return parse_xml(re.sub(r"^\s*<\?xml[^>]{0,200}\?>", "", decode(data, markup=True))) if data else None

    def main(self, kind: str) -> str | None:
        """The name of the part that the package is about."""
        return next((target for what, target in self._relations("") if what.lower().endswith(f"office{kind}")), None)

    def related(self, name: str, kinds: Sequence[str]) -> list[str]:
        """The names of the parts that a part refers to as one of some kinds, each once."""
        targets = [target for what, target in self._relations(name) if what.rpartition("/")[2] in kinds]
        return [target for target in dict.fromkeys(targets) if target in self]

    def relation(self, name: str, number: str) -> str:
        """The name of the part that a part calls `number` (`rId3`); "" when there is none."""
        root = self.xml(_relations_of(name))
        for node in root if root is not None else ():
            if node.get("Id") == number:
                return resolved(posixpath.dirname(name), node.get("Target") or "")
        return ""

    def _relations(self, name: str) -> list[tuple[str, str]]:
        root = self.xml(_relations_of(name))
        folder = posixpath.dirname(name)
        return [
            (node.get("Type") or "", resolved(folder, node.get("Target") or ""))
            for node in (root if root is not None else ())
            if node.get("TargetMode") != "External"
        ]

    def core(self) -> dict[str, str | None]:
        """Title, author and date as the file's properties say."""
        root = self.xml("docProps/core.xml")
        properties: dict[str, str] = {}
        for node in root if root is not None else ():
            properties.setdefault(local(node), (node.text or "").strip())
        date = _DATE.match(properties.get("modified") or properties.get("created") or "")
        return {
            "title": properties.get("title", ""),
            "author": properties.get("creator") or None,
            "date": date[0] if date else None,
        }


def resolved(folder: str, target: str) -> str:
    """The name of a part that is referred to from a folder: `../` is followed, never out of the archive."""
    target = unquote(target.partition("#")[0].partition("?")[0]).replace("\\", "/")
    path = target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target)
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def local(node: Any) -> str:
    """The name of an element without its namespace."""
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def _relations_of(name: str) -> str:
    folder, _, file = name.rpartition("/")
    return f"{folder}/_rels/{file}.rels" if folder else f"_rels/{file}.rels"

"""The models that were pulled: one folder a model, with its GGUF files and a record of where they came from.

Nothing here opens a connection; `hub.py` fills the folders.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from hds_cli import jsons, paths
from hds_cli.engine.files.known import SHORT_NAMES
from hds_cli.errors import ModelError, ModelMissing

RECORD = "model.json"
BUSY = "the same command again when that one has ended"
SOURCE = ".source"  # the folder of weights that a file is made of
_MAX_RECORD = 1 << 20  # bytes
_SPLIT = re.compile(r"-\d{5}-of-\d{5}$")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")


@dataclass(frozen=True)
class PulledFile:
    """One file of a model: its path below the model's folder, bytes, and SHA-256."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Record:
    """The origin of a pulled model.

    `asked` is what was typed; `revision` the commit of the repository, None for a plain address; `checked` whether the
    checksum was known beforehand and compared. `made`: the file was made here, as one of this type, of what was pulled
    or of a local file.
    """

    name: str
    asked: str
    files: tuple[PulledFile, ...]
    repo: str | None = None
    revision: str | None = None
    url: str | None = None
    licence: str | None = None
    checked: bool = False
    pulled_at: str = ""
    made: str | None = None

    @property
    def folder(self) -> Path:
        return paths.models_dir() / self.name

    @property
    def path(self) -> Path:
        """The file that llama.cpp is given; it finds the others of a split model itself."""
        return self.folder / self.files[0].path

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)

    @property
    def complete(self) -> bool:
        """All files are there, in the size they were pulled with."""
        return all(_size(self.folder / file.path) == file.bytes for file in self.files)

    def save(self) -> None:
        """Write the record in one piece.

        Raises:
            OSError: the folder cannot be written.
        """
        part = self.folder / f".{RECORD}.{os.getpid()}.part"
        paths.write_private(part, json.dumps(asdict(self), indent=1) + "\n")
        os.replace(part, self.folder / RECORD)


def pulled() -> list[Record]:
    """Every model that was pulled, by name; a folder without a readable record is not one."""
    try:
        folders = sorted(path for path in paths.models_dir().iterdir() if path.is_dir())
    except OSError:
        return []
    return [record for folder in folders if (record := _read(folder)) is not None]


def unfinished() -> list[Path]:
    """The folders of downloads that broke off; the same pull goes on with them."""
    try:
        folders = sorted(path for path in paths.models_dir().iterdir() if path.is_dir())
    except OSError:
        return []
    return [
        folder
        for folder in folders
        if _read(folder) is None and (any(folder.glob(".*.part")) or (folder / SOURCE).is_dir())
    ]


def find(name: str) -> Record | None:
    """The pulled model of this name, or the one that was asked for in these words (`hds`, which is `hds:Q4_K_M`)."""
    records = pulled()
    by_name = next((record for record in records if record.name == name), None)
    return by_name or next((record for record in records if _whole(record.asked) == _whole(name)), None)


def _whole(asked: str) -> str:
    """A reference with the quantization that a short name alone means."""
    known = SHORT_NAMES.get(asked)
    return f"{asked}:{known.default}" if known else asked


def holding(path: Path) -> Record | None:
    """The pulled model in whose folder a file lies."""
    try:
        folder = path.resolve().parent
        return _read(folder) if folder.parent == paths.models_dir().resolve() else None
    except OSError:
        return None


def get(name: str) -> Record:
    """The pulled model of this name.

    Raises:
        ModelMissing: no pulled model has this name.
    """
    record = find(name)
    if record is None:
        raise ModelMissing(f"no model {name!r} was pulled", hint=nearest(name, (r.name for r in pulled())))
    return record


def nearest(name: str, known: Iterable[str]) -> str:
    """The hint for a name that is not there."""
    names = sorted(set(known))
    close = difflib.get_close_matches(name, names, 1, 0.5)
    return f"did you mean {close[0]!r}?" if close else "hds model list   or   hds model suggest"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the only process that fills the folder of a model.

    Raises:
        ModelError: another one does.
    """
    from filelock import FileLock, Timeout

    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise ModelError(f"{folder.name} is being pulled already", hint=BUSY, code="busy") from None


def name_for(file: str, origin: str) -> str:
    """The name a file gets here: its stem without the number of a part; before it the owner where the name is taken.

    Args:
        origin: the repository (`owner/name`), the address or the file it comes from.
    """
    stem = _plain(_SPLIT.sub("", Path(file).name.removesuffix(".gguf")))
    taken = _read(paths.models_dir() / stem)
    if taken is None or origin in (taken.repo, taken.url, taken.asked):
        return stem
    owner = origin.split("://")[-1].partition("/")[0]
    return _plain(f"{owner}.{stem}")


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._+-]", "-", name).lstrip(".-_+")[:120] or "model"


def remove(folder: Path) -> None:
    """Delete a model's folder, its record first, so that a deletion cut short leaves nothing that looks whole.

    Raises:
        OSError: the folder cannot be changed.
    """
    (folder / RECORD).unlink(missing_ok=True)
    shutil.rmtree(folder)


def _read(folder: Path) -> Record | None:
    try:
        with (folder / RECORD).open("rb") as stream:
            data = jsons.loads(stream.read(_MAX_RECORD))
        files = tuple(
            PulledFile(str(f["path"]), int(f["bytes"]), str(f["sha256"])) for f in data.pop("files")
        )  # fmt: skip
        record = Record(files=files, **(data | {"name": folder.name}))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    inside = all(not Path(f.path).is_absolute() and ".." not in Path(f.path).parts for f in files)
    return record if files and inside and _NAME.fullmatch(folder.name) else None


def bytes_in(folder: Path) -> int:
    """The bytes that the files of a folder take on the disk."""
    return sum(max(0, _size(path)) for path in folder.rglob("*") if path.is_file())


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1

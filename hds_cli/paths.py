"""The folders of hds: XDG directories, or all of them below `HDS_HOME`. Nothing is made at import."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def _xdg(variable: str, fallback: str, kind: str) -> Path:
    if home := os.environ.get("HDS_HOME"):
        return Path(home).expanduser() / kind
    base = os.environ.get(variable)
    # The XDG specification says relative values must be ignored.
    root = Path(base) if base and Path(base).is_absolute() else Path(os.path.expanduser("~")) / fallback
    return root / "hds"


def config_file() -> Path:
    """The settings file: `HDS_CONFIG`, or `config.toml` in the configuration directory."""
    if explicit := os.environ.get("HDS_CONFIG"):
        return Path(explicit).expanduser()
    return _xdg("XDG_CONFIG_HOME", ".config", "config") / "config.toml"


def cache_dir() -> Path:
    """Pages read before; safe to delete."""
    return _xdg("XDG_CACHE_HOME", ".cache", "cache")


def verified_file() -> Path:
    """What verifiers have read before, by checksums of texts; safe to delete."""
    return cache_dir() / "verified.sqlite"


def data_dir() -> Path:
    """Collections and runs: what cannot be fetched again."""
    return _xdg("XDG_DATA_HOME", ".local/share", "data")


def collections_dir() -> Path:
    """One SQLite file a collection."""
    return data_dir() / "collections"


def runs_dir() -> Path:
    """Saved runs: one journal each, its name is the run's id (`7f3kq2.jsonl`)."""
    return data_dir() / "runs"


def models_dir() -> Path:
    """One folder a pulled model."""
    return data_dir() / "models"


def private_dir(path: Path) -> Path:
    """Make `path` and what is missing above it, whatever the umask closed to others, and return it."""
    missing = []
    folder = path
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for folder in reversed(missing):  # `parents=True` would make the folders above with the umask's mode
        folder.mkdir(mode=0o700, exist_ok=True)
    path.mkdir(exist_ok=True)  # it is a file: the error says so
    return path


def is_private(folder: Path) -> bool:
    """True for a folder, and no link to one, that is the user's own and closed to others; Windows has no such modes."""
    try:
        known = folder.lstat()
    except OSError:
        return False
    if os.name != "posix":
        return stat.S_ISDIR(known.st_mode)
    return stat.S_ISDIR(known.st_mode) and known.st_uid == os.getuid() and not known.st_mode & 0o077


def folder_of(file: Path) -> Path:
    """Make the folder of a file, private if it is among hds's own, else as the umask says."""
    folder = file.parent
    if any(home in (folder, *folder.parents) for home in (data_dir(), cache_dir())):
        return private_dir(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def opened_private(path: str | Path, flags: int) -> int:
    """An `opener` for `open`: a new file is closed to others."""
    return os.open(path, flags, 0o600)


def write_private(path: Path, text: str) -> None:
    """Write a text; a new file is closed to others."""
    with open(path, "w", encoding="utf-8", opener=opened_private) as file:
        file.write(text)


def run_dir() -> Path:
    """Sockets of processes that are at work: below `HDS_HOME`, else where the system keeps such things."""
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.environ.get("HDS_HOME") or not (Path(given).is_absolute() and Path(given).is_dir()):
        return cache_dir() / "run"
    return Path(given) / "hds"

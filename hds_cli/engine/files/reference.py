"""References to models that can be pulled, as users type them, and the files of a repository they mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from hds_cli.engine.files.known import SHORT_NAMES
from hds_cli.errors import ModelMissing, UsageError

_REPO = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+?))?(?::(?P<what>.+))?")
_FILE_URL = re.compile(r"/(?P<repo>[\w.-]+/[\w.-]+)(?:/(?:resolve|blob|tree)/(?P<revision>[^/]+)(?:/(?P<file>.+))?)?/?")
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")


@dataclass(frozen=True)
class Reference:
    """A reference taken apart: `what` is a file or a quantization of `repo`, `sha256` its checksum if that is known."""

    repo: str
    revision: str = "main"
    what: str | None = None
    sha256: str | None = None


def taken_apart(reference: str, endpoint: str) -> Reference | str:
    """The repository that is meant, or the address of a file.

    Args:
        endpoint: the hub's address; addresses of files there are read as files of a repository.

    Raises:
        UsageError: `reference` is neither.
    """
    if reference.startswith(("http://", "https://")):
        return _of_url(reference, endpoint)
    short, _, what = reference.partition(":")
    if short in SHORT_NAMES:
        known = SHORT_NAMES[short]
        if what not in ("", known.default):
            return Reference(known.repo, what=what)
        return Reference(known.repo, known.revision, known.default, known.sha256)
    match = _REPO.fullmatch(reference)
    if match is None:
        names = ", ".join(SHORT_NAMES)
        raise UsageError(
            f"{reference!r} is no model that can be pulled",
            hint=f"owner/repo, owner/repo:Q4_K_M, an address of a .gguf file, or a short name: {names}",
        )
    return Reference(match["repo"], match["revision"] or "main", match["what"])


def _of_url(url: str, endpoint: str) -> Reference | str:
    parts = urlsplit(url)
    hubs = {urlsplit(endpoint).netloc, "huggingface.co", "hf.co"}
    match = _FILE_URL.fullmatch(unquote(parts.path))
    if parts.netloc in hubs and match:
        return Reference(match["repo"], match["revision"] or "main", match["file"])
    if parts.username or not parts.hostname:
        raise UsageError("an address with a user name or without a host is not fetched")
    return url


def choose(names: Sequence[str], place: Reference) -> list[str]:
    """The files of one model: the one that was named, that of one quantization, or the only one there is.

    Args:
        names: the GGUF files of the repository; the parts of a split model count as one.

    Raises:
        ModelMissing: there is no such file, or a part of it is missing.
        UsageError: there are several.
    """
    models = [name for name in names if "mmproj" not in name.lower()]
    groups: dict[str, list[str]] = {}
    for name in sorted(models):
        groups.setdefault(_PART.sub(".gguf", name), []).append(name)
    what = place.what
    if what and what.endswith(".gguf"):
        matching = [group for whole, group in groups.items() if what in (whole, *group)]
    elif what:
        pattern = re.compile(rf"(?<![A-Za-z0-9]){re.escape(what)}(?![A-Za-z0-9_])", re.IGNORECASE)
        matching = [group for whole, group in groups.items() if pattern.search(whole)]
    else:
        matching = list(groups.values())
    if len(matching) == 1:
        return _complete(matching[0])
    some = ", ".join(list(groups)[:12]) or "none"
    if not matching:
        raise ModelMissing(f"{place.repo} has no GGUF file {what or ''}".rstrip(), hint=f"its GGUF files: {some}")
    raise UsageError(
        f"{place.repo} has {len(matching)} such files", hint=f"hds model pull {place.repo}:FILE   of {some}"
    )


def _complete(group: list[str]) -> list[str]:
    part = _PART.search(group[0])
    if part and len(group) != int(part[2]):
        raise ModelMissing(f"of {part[2]} parts of {group[0]} the repository has {len(group)}")
    return group


def harmless(name: str) -> bool:
    """A path that stays below the folder it is put in, of characters that any file system takes."""
    parts = name.split("/")
    return bool(re.fullmatch(r"[\w.+@()/ -]{1,200}", name, re.ASCII)) and not any(p[:1] in ("", ".") for p in parts)

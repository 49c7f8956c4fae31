"""Models from a Hugging Face hub or an address: what a reference means, and its files, resumed and checked.

The only file that imports huggingface_hub. Its `hf_hub_download` begins anew after every break since version 2, so the
parts are kept here: `http_get` of the same library appends to them, and the checksum is made while they are written.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from hds_cli import paths
from hds_cli.engine.files import weights
from hds_cli.engine.files.convert.making import Progress, check_room, made_bytes, room_for
from hds_cli.engine.files.convert.source import Origin
from hds_cli.engine.files.library import PulledFile, Record, alone, bytes_in, name_for
from hds_cli.engine.files.models import read_header
from hds_cli.engine.files.reference import Reference, choose, harmless, taken_apart
from hds_cli.errors import HdsError, ModelError, ModelMissing, OutputError, UsageError

_SMALL = 64 << 20  # bytes of a file whose checksum is git's


@dataclass(frozen=True)
class RemoteFile:
    """A file to download; what the server does not say is None. `blob` is git's checksum of a small file."""

    path: str
    url: str
    bytes: int | None = None
    sha256: str | None = None
    version: str = ""
    blob: str | None = None


@dataclass(frozen=True)
class Plan:
    """The files that a pull would download. `made` is the type of the GGUF file that is made of them, if one is."""

    name: str
    asked: str
    files: tuple[RemoteFile, ...]
    repo: str | None = None
    revision: str | None = None
    url: str | None = None
    licence: str | None = None
    made: str | None = None

    @property
    def origin(self) -> Origin:
        """What the metadata says on the origin of a file that is made."""
        return Origin((self.repo or self.name).rpartition("/")[2], self.repo, self.revision, self.licence)

    @property
    def weights(self) -> list[int]:
        """The bytes of each file of weights."""
        return [file.bytes or 0 for file in self.files if file.path.endswith(".safetensors")]

    @property
    def room(self) -> int:
        """The most bytes that lie on the disk meanwhile."""
        return room_for(self.weights, self.made, kept=False) if self.made else self.bytes or 0

    @property
    def result(self) -> int | None:
        """About the bytes that stay."""
        return made_bytes(sum(self.weights), self.made) if self.made else self.bytes

    @property
    def bytes(self) -> int | None:
        """The size of all files, if the server told it."""
        sizes = [file.bytes for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size)


def plan(reference: str, *, sha256: str | None = None) -> Plan:
    """Ask the server what `reference` means.

    Args:
        reference: `hds:Q4_K_M`, `owner/repo[@REVISION][:FILE|:QUANTIZATION]`, or an http(s) address of a GGUF file.
        sha256: the checksum an address must have; a repository tells its own.

    Raises:
        UsageError: `reference` has none of these forms.
        ModelMissing: there is no such repository, revision or file.
        ModelError: the server refuses, or cannot be reached.
    """
    place = taken_apart(reference, _endpoint())
    if isinstance(place, str):
        return _plan_of_address(place, reference, sha256)
    with _explained(place.repo):
        info = _api().model_info(place.repo, revision=place.revision, files_metadata=True)
    commit = str(info.sha or "")
    if not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise ModelError(f"the hub names no commit of {place.repo}", code="bad_answer")
    by_name = {s.rfilename: s for s in info.siblings or () if harmless(s.rfilename)}
    chosen, made = _chosen(list(by_name), place)
    files = _pinned(tuple(_remote(by_name[name], place.repo, commit) for name in chosen), place)
    if made:
        _check_config(next(file for file in files if file.path == "config.json"), place.repo)
    licence = getattr(info.card_data, "license", None) if info.card_data else None
    file = f"{place.repo.partition('/')[2]}-{made}.gguf" if made else chosen[0]
    said = str(licence)[:100] if licence else None
    return Plan(name_for(file, place.repo), reference, files, place.repo, commit, None, said, made)


def download(plan: Plan, progress: Progress = lambda *_: None) -> Record:
    """Download what is planned, going on where an earlier attempt ended, make a GGUF file of it, write the record.

    The progress of downloads is drawn on standard error when that is a terminal.

    Args:
        progress: told how far the making has come.

    Raises:
        OutputError: the disk is too small or cannot be written.
        ModelError: the connection broke (what is there is kept), or the checksum is wrong (it is deleted).
        ModelUnusable: the file is whole, and no GGUF file.
    """
    folder = paths.models_dir() / plan.name
    try:
        paths.private_dir(folder)
        with alone(folder):
            _check_room(plan, folder)
            files = _made(plan, folder, progress) if plan.made else [_one(file, folder, plan) for file in plan.files]
            read_header(folder / files[0].path)
            now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            checked = all(file.sha256 or file.blob for file in plan.files)
            record = Record(
                plan.name, plan.asked, tuple(files), plan.repo, plan.revision, plan.url, plan.licence, checked, now,
                made=plan.made,
            )  # fmt: skip
            record.save()
            weights.clear(folder)
    except OSError as exc:
        raise OutputError(f"cannot write to {folder}: {exc.strerror or exc}", hint="HDS_HOME=OTHER/FOLDER") from exc
    return record


def _made(plan: Plan, folder: Path, progress: Progress) -> list[PulledFile]:
    """Download weights into a folder of their own, and make a GGUF file of them."""
    source = weights.begin(folder, str(plan.revision))
    for file in plan.files:
        if not weights.used_up(source / file.path):
            _one(file, source, plan)
    return [weights.make_of(folder, plan.name, str(plan.made), plan.origin, progress)]


# --- the plan ---------------------------------------------------------------------------------------------------------


def _remote(sibling: Any, repo: str, commit: str) -> RemoteFile:
    from huggingface_hub import hf_hub_url

    sha256 = str(sibling.lfs.sha256) if sibling.lfs else None
    blob = str(sibling.blob_id) if not sha256 and (sibling.size or _SMALL) < _SMALL and sibling.blob_id else None
    url = hf_hub_url(repo, sibling.rfilename, revision=commit, endpoint=_endpoint())
    return RemoteFile(sibling.rfilename, url, sibling.size, sha256, commit, blob)


def _chosen(names: list[str], place: Reference) -> tuple[list[str], str | None]:
    """The files of a model, and the type that is made of them; None: they are GGUF files."""
    try:
        return choose([name for name in names if name.endswith(".gguf")], place), None
    except ModelMissing:
        needed = weights.needed(names, place)
        if needed is None:
            raise
        return needed


def _pinned(files: tuple[RemoteFile, ...], place: Reference) -> tuple[RemoteFile, ...]:
    """The one file of a short name with the checksum that is known of it."""
    if place.sha256 is None:
        return files
    if len(files) != 1 or files[0].sha256 not in (None, place.sha256):
        raise ModelError(f"{place.repo} has another {place.what} than the one that is known", code="checksum",
                         hint=f"to take it as it is: hds model pull {place.repo}:{place.what}")  # fmt: skip
    return (replace(files[0], sha256=place.sha256),)


def _check_config(file: RemoteFile, repo: str) -> None:
    """Look at a repository's config.json before its weights are downloaded."""
    from huggingface_hub.utils import get_session

    with (
        _explained(repo),
        get_session().stream("GET", file.url, headers=_headers(file.url), follow_redirects=True) as answer,
    ):
        if answer.status_code >= 400:
            raise ModelError(f"the server answers {answer.status_code} for {repo}", code=f"http_{answer.status_code}")
        data = bytearray()
        for piece in answer.iter_bytes(1 << 16):
            data += piece
            if len(data) > weights.MOST_CONFIG:
                break
    weights.check_config(bytes(data), repo)


def _plan_of_address(url: str, asked: str, sha256: str | None) -> Plan:
    if sha256 is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        raise UsageError("a SHA-256 has 64 hexadecimal digits")
    from huggingface_hub.utils import get_session

    with _explained(url):
        head = get_session().head(url, headers=_headers(url), follow_redirects=True)
    if head.status_code == 404:
        raise ModelMissing(f"there is no {url}", hint="is the address whole?")
    if head.status_code >= 400 and head.status_code != 405:
        raise ModelError(f"{urlsplit(url).netloc} answers {head.status_code}", code=f"http_{head.status_code}")
    length = head.headers.get("content-length", "") if head.status_code < 400 else ""
    file = unquote(urlsplit(url).path).rsplit("/", 1)[-1]
    if not file.endswith(".gguf") or not harmless(file):
        raise UsageError(f"{url} is no address of a .gguf file")
    version = head.headers.get("etag") or head.headers.get("last-modified") or ""
    remote = RemoteFile(file, url, int(length) if length.isdigit() else None, (sha256 or "").lower() or None, version)
    return Plan(name_for(file, url), asked, (remote,), url=url)


# --- the download ----------------------------------------------------------------------------------------------------


def _one(file: RemoteFile, folder: Path, plan: Plan) -> PulledFile:
    target = folder / file.path
    paths.private_dir(target.parent)
    if file.sha256 and _whole(target, file):
        return PulledFile(file.path, target.stat().st_size, file.sha256)
    part = _part(file, folder)
    with open(part, "a+b", opener=paths.opened_private) as stream:
        hashing = _Hashing(stream)
        begun = stream.tell()
        with _explained(plan.repo or file.url, part):
            _get(file, hashing, begun)
        digest, size = hashing.hexdigest(), stream.tell()
        os.fsync(stream.fileno())
    if digest != (file.sha256 or digest) or (file.blob and _git(part) != file.blob):
        part.unlink()
        raise ModelError(
            f"{file.path} has another checksum than the server says; it was deleted", code="checksum",
            hint="hds model pull again; if it stays so, the file was changed on its way",
        )  # fmt: skip
    os.replace(part, target)
    return PulledFile(file.path, size, digest)


def _git(path: Path) -> str:
    """git's checksum of a small file."""
    if path.stat().st_size > _SMALL:
        return ""
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _get(file: RemoteFile, stream: _Hashing, begun: int) -> None:
    from huggingface_hub.file_download import http_get

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    http_get(
        file.url,
        stream,
        resume_size=begun,
        headers=_headers(file.url),
        expected_size=file.bytes,
        displayed_filename=file.path,
    )


def _whole(path: Path, file: RemoteFile) -> bool:
    try:
        if path.stat().st_size != file.bytes:
            return False
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256
    except OSError:
        return False


def _part(file: RemoteFile, folder: Path) -> Path:
    """The path of the partial download of exactly this file; another version of the file has another path."""
    version = hashlib.sha256(f"{file.url}|{file.sha256}|{file.version}|{file.bytes}".encode()).hexdigest()[:16]
    return folder / f".{version}.part"


class _Hashing:
    """A file that is hashed as it is written; what it held before is read once."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._restart()

    def _restart(self) -> None:
        self._hash = hashlib.sha256()
        self._stream.seek(0)
        while chunk := self._stream.read(1 << 20):
            self._hash.update(chunk)

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        return self._stream.write(data)

    def tell(self) -> int:
        return self._stream.tell()

    def seek(self, place: int) -> int:
        return self._stream.seek(place)

    def truncate(self) -> int:
        """Start the checksum again: the server sends the file from its beginning."""
        size = self._stream.truncate()
        self._restart()
        return size

    def hexdigest(self) -> str:
        self._stream.flush()
        return self._hash.hexdigest()


def _check_room(plan: Plan, folder: Path) -> None:
    if plan.made:
        return check_room(plan.name, plan.room - bytes_in(folder), folder)
    begun = sum(path.stat().st_size for path in folder.glob(".*.part"))
    missing = sum(file.bytes or 0 for file in plan.files if not (folder / file.path).exists())
    check_room(plan.name, missing - begun, folder)


# --- the server ------------------------------------------------------------------------------------------------------


def _endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co"


def _api() -> Any:
    from huggingface_hub import HfApi

    return HfApi(endpoint=_endpoint(), library_name="hds")


def _headers(url: str) -> dict[str, str]:
    """Headers of a request; the user's token goes to the hub alone."""
    from huggingface_hub.utils import build_hf_headers

    token = None if urlsplit(url).netloc == urlsplit(_endpoint()).netloc else False
    return {**build_hf_headers(token=token, library_name="hds"), "Accept-Encoding": "identity"}


@contextlib.contextmanager
def _explained(what: str, part: Path | None = None) -> Iterator[None]:
    """Turn errors of the hub's library into errors of ours. The library is first loaded here."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # it would ask the hub for more than the model, daily
    import httpx2
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as exc:
        hint = f"accept its terms at {_endpoint()}/{what}, then HF_TOKEN=… hds model pull {what}"
        raise ModelError(f"{what} is given only to people who accepted its terms", code="gated", hint=hint) from exc
    except errors.RepositoryNotFoundError as exc:
        hint = "is the name right? a private one needs HF_TOKEN=…"
        raise ModelMissing(f"the hub has no model {what}", hint=hint) from exc
    except (errors.RevisionNotFoundError, errors.EntryNotFoundError) as exc:
        raise ModelMissing(f"{what} has no such revision or file") from exc
    except errors.HFValidationError as exc:
        raise UsageError(f"{what!r} is no name of a repository") from exc
    except errors.HfHubHTTPError as exc:
        status = getattr(exc.response, "status_code", "?")
        raise ModelError(f"the server answers {status} for {what}", code=f"http_{status}") from exc
    except httpx2.HTTPError as exc:
        raise _broken(what, part, type(exc).__name__) from exc
    except OSError as exc:
        if exc.errno is not None:
            raise
        raise _broken(what, part, "the file is shorter than the server said") from exc


def _broken(what: str, part: Path | None, why: str) -> HdsError:
    got = part.stat().st_size if part and part.exists() else 0
    kept = f"; {got / 1e6:.1f} MB are kept" if got else ""
    hint = "the same command again goes on from there" if got else "is the network up? HF_ENDPOINT names another hub"
    how = "the connection broke" if got else "the server cannot be reached, or did not answer"
    return ModelError(f"{what}: {how} ({why}){kept}", code="download_broken", hint=hint)

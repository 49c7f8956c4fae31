"""Repositories of safetensors in the folder of a model: which of their files are needed, and what is made of them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from hds_cli import paths
from hds_cli.engine.files import models
from hds_cli.engine.files.convert.making import DEFAULT, Progress, check_type, make
from hds_cli.engine.files.convert.source import HEAD, NEEDED, SMALL, Origin, read_config, weights_among
from hds_cli.engine.files.library import SOURCE, PulledFile
from hds_cli.engine.files.reference import Reference
from hds_cli.errors import ModelMissing, ModelUnusable, UsageError

MOST_CONFIG = SMALL["config.json"]
_REVISION = "revision.txt"
_BESIDE = (*NEEDED, "tokenizer_config.json", "chat_template.jinja")


def needed(names: Sequence[str], place: Reference) -> tuple[list[str], str] | None:
    """The files that a GGUF file is made of, and its type; None where there are none, or something else was asked for.

    Raises:
        ModelMissing: files are missing.
    """
    try:
        kind = check_type(place.what or DEFAULT)
        shards = weights_among(names)
    except UsageError:
        return None
    except ValueError as exc:
        raise ModelMissing(f"{place.repo} is incomplete: {exc}") from None
    if not shards:
        return None
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise ModelMissing(f"{place.repo} has weights and no {missing[0]}, which a GGUF file needs")
    return [*(name for name in _BESIDE if name in names), *shards], kind


def check_config(data: bytes, repo: str) -> None:
    """Say before anything is downloaded that a model cannot be converted.

    Raises:
        ModelUnusable: it is of another architecture, or its config.json is not usable.
    """
    try:
        read_config(data)
    except ValueError as exc:
        raise ModelUnusable(f"{repo} cannot be converted: {exc}", hint="a repository with GGUF files of it") from exc


def begin(model: Path, revision: str) -> Path:
    """The folder for weights inside the folder of a model; what is there of another revision is deleted.

    Raises:
        OSError: it cannot be made.
    """
    folder, mark = model / SOURCE, model / SOURCE / _REVISION
    if folder.exists() and not (mark.exists() and mark.read_text("utf-8") == revision):
        clear(model)
    paths.private_dir(folder)
    paths.write_private(mark, revision)
    return folder


def used_up(file: Path) -> bool:
    """True when a file of weights was made use of and deleted."""
    return not file.exists() and file.with_name(file.name + HEAD).exists()


def make_of(model: Path, name: str, kind: str, origin: Origin, progress: Progress) -> PulledFile:
    """Make the file NAME.gguf in the folder `model` of the weights in there, which go as they are used up.

    Raises:
        ModelError: they are not usable.
        OSError: as reading and writing do.
    """
    source, out = model / SOURCE, model / f"{name}.gguf"
    names = {path.name.removesuffix(HEAD) for path in source.glob("*.safetensors*") if not path.name.startswith(".")}
    shards = [source / shard for shard in weights_among(sorted(names))]
    make(source, shards, origin, kind, out, progress, used_up=True)
    return PulledFile(out.name, out.stat().st_size, models.fingerprint(out) or "")


def clear(model: Path) -> None:
    """Delete what a file was made of."""
    shutil.rmtree(model / SOURCE, ignore_errors=True)
    for part in model.glob(".*.unquantized.part"):
        part.unlink(missing_ok=True)

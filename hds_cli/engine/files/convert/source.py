"""A folder as it lies on a hub (config.json, tokenizer.json, safetensors), read and checked as one model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hds_cli import jsons
from hds_cli.engine.files.convert.architecture import Architecture, architecture_of
from hds_cli.engine.files.convert.safetensors import Stored, read_tensors
from hds_cli.engine.files.convert.tokenizer import Vocabulary, read_vocabulary
from hds_cli.errors import ModelMissing, ModelUnusable

SMALL = {
    "config.json": 1 << 20, "tokenizer_config.json": 16 << 20, "chat_template.jinja": 1 << 20, "README.md": 4 << 20,
}  # fmt: skip
"""Files beside the weights, and the most bytes that are read of each."""
NEEDED = ("config.json", "tokenizer.json")
HEAD = ".head"  # what follows the name of a file of weights that was used up: its header alone
_LEFT_OUT = re.compile(r"model\.layers\.\d+\.self_attn\.rotary_emb\.inv_freq|lm_head\.weight")
_CACHED = re.compile(r"models--([\w.-]+?)--([\w.-]+)/snapshots/([0-9a-f]{40})$")
_LICENCE = re.compile(r"^license:\s*[\"']?([\w.+-]{1,60})[\"']?\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Origin:
    """What the model is called, and where it comes from."""

    name: str
    repo: str | None = None
    revision: str | None = None
    licence: str | None = None


@dataclass(frozen=True)
class Source:
    """A model as it lies in a folder: its shape, its vocabulary, its tensors in the order of the files."""

    origin: Origin
    architecture: Architecture
    vocabulary: Vocabulary
    tensors: tuple[Stored, ...] = field(repr=False)
    template: str | None = None
    special: dict[str, int] = field(default_factory=dict)
    adds_first: bool = False

    @property
    def kind(self) -> str:
        """The type in which most of the weights are stored."""
        sizes: dict[str, int] = {}
        for tensor in self.tensors:
            sizes[tensor.dtype] = sizes.get(tensor.dtype, 0) + tensor.bytes
        return max(sizes, key=lambda dtype: sizes[dtype])


def origin_of(folder: Path) -> Origin:
    """The names of a local folder; one of the hub's cache says its repository and revision, a card its licence."""
    try:
        card = _text(folder, "README.md")
    except ValueError:
        card = ""
    front = card.partition("---")[2].partition("\n---")[0] if card.startswith("---") else ""
    licence = _LICENCE.search(front)
    cached = _CACHED.search(str(folder.resolve()))
    repo = f"{cached[1]}/{cached[2]}" if cached else None
    name = cached[2] if cached else folder.resolve().name
    return Origin(name, repo, cached[3] if cached else None, licence[1] if licence else None)


def shards_of(folder: Path) -> list[Path]:
    """The files of weights in a folder.

    Raises:
        ModelMissing: there is none, or not all of them.
    """
    files = sorted(path for path in folder.glob("*.safetensors") if path.is_file())
    try:
        names = weights_among([path.name for path in files])
    except ValueError as exc:
        raise ModelMissing(f"{folder} is incomplete: {exc}", hint="all files of the repository are needed") from None
    if not names:
        raise ModelMissing(f"{folder} holds no model.safetensors", hint="the folder of a repository with config.json")
    return [folder / name for name in names]


def weights_among(names: Sequence[str]) -> list[str]:
    """The files of weights among the names of a repository: one, or all parts of one.

    Raises:
        ValueError: parts are missing.
    """
    parts = sorted(name for name in names if re.fullmatch(r"model-\d{5}-of-\d{5}\.safetensors", name))
    if parts:
        count = int(parts[0][-17:-12])
        if [int(name[6:11]) for name in parts] != list(range(1, count + 1)):
            raise ValueError(f"of {count} files of weights {len(parts)} are there")
        return parts
    return ["model.safetensors"] if "model.safetensors" in names else []


def read_source(folder: Path, shards: Sequence[Path], origin: Origin) -> Source:
    """Read and check everything but the weights themselves.

    Args:
        shards: the files of weights; one that was used up is there as its header (`NAME.safetensors.head`).

    Raises:
        ModelMissing: a file is missing.
        ModelUnusable: a file is not usable, or the parts do not fit each other.
    """
    tensors: list[Stored] = []
    for shard in shards:
        used = shard.with_name(shard.name + HEAD)
        tensors += read_tensors(shard) if shard.exists() or not used.exists() else read_tensors(used, whole=False)
    try:
        config = _json(folder, "config.json")
        architecture = architecture_of(config)
        kept = _fitting(tensors, architecture)
        vocabulary = read_vocabulary(folder / "tokenizer.json", architecture.vocabulary)
        said = _json(folder, "tokenizer_config.json", {})
        if not isinstance(said, dict):
            raise ValueError("tokenizer_config.json holds no object")
        special = _special(vocabulary, said, config)
        first = vocabulary.first is not None and vocabulary.find(vocabulary.first) == special.get("bos")
        return Source(origin, architecture, vocabulary, kept, _template(folder, said), special, first)
    except FileNotFoundError as exc:
        raise ModelMissing(f"there is no {exc.filename}", hint="the whole folder of the repository is needed") from None
    except OSError as exc:
        raise ModelUnusable(f"cannot read {exc.filename}: {exc.strerror}") from exc
    except ValueError as exc:
        raise ModelUnusable(f"{origin.name} cannot be converted: {exc}") from exc


def read_config(data: bytes) -> Architecture:
    """The architecture that the bytes of a config.json describe.

    Raises:
        ValueError: it is too large, no JSON, or describes a model that is not converted here.
    """
    if len(data) > SMALL["config.json"]:
        raise ValueError("config.json is too large")
    return architecture_of(jsons.loads(data))


def _fitting(tensors: Sequence[Stored], architecture: Architecture) -> tuple[Stored, ...]:
    """The tensors that the architecture has; each must be there once, in its shape, and no unknown one besides."""
    wanted = architecture.tensors()
    kept = [tensor for tensor in tensors if tensor.name in wanted]
    names = {tensor.name for tensor in kept}
    strange = [t.name for t in tensors if t.name not in wanted and not _LEFT_OUT.fullmatch(t.name)]
    missing = [name for name in wanted if name not in names]
    for what, some in (("has an unknown tensor", strange), ("lacks the tensor", missing)):
        if some:
            raise ValueError(f"it {what} {some[0][:80]!r}" + (f" and {len(some) - 1} more" if len(some) > 1 else ""))
    if len(names) != len(kept):
        raise ValueError("it has a tensor twice")
    for tensor in kept:
        if tensor.shape != wanted[tensor.name]:
            raise ValueError(f"{tensor.name} has the shape {tensor.shape}, not {wanted[tensor.name]}")
    return tuple(kept)


def _special(vocabulary: Vocabulary, said: dict[str, Any], config: Any) -> dict[str, int]:
    """The ids of special tokens, from tokenizer_config.json, else from config.json."""
    ids = {}
    for name, key in (("bos", "bos"), ("eos", "eos"), ("unknown", "unk"), ("padding", "pad")):
        text = said.get(f"{key}_token")
        number = vocabulary.find(text.get("content") if isinstance(text, dict) else text)
        if number is None:
            number = config.get(f"{key}_token_id")
            number = number[0] if isinstance(number, list) and number else number
        if type(number) is int and 0 <= number < len(vocabulary.tokens):
            ids[name] = number
    return ids


def _template(folder: Path, said: dict[str, Any]) -> str | None:
    """The chat template: a file of its own, or a text or the one named `default` in tokenizer_config.json."""
    if own := _text(folder, "chat_template.jinja"):
        return own
    template = said.get("chat_template")
    if isinstance(template, list):
        named = {str(one.get("name")): one.get("template") for one in template if isinstance(one, dict)}
        template = named.get("default")
    if isinstance(template, str) and len(template) > SMALL["chat_template.jinja"]:
        raise ValueError("its chat template is too large")
    if isinstance(template, str):
        template.encode()  # half of a surrogate pair is a ValueError
    return template if isinstance(template, str) else None


def _text(folder: Path, name: str) -> str:
    """The text of a small file; empty where there is none."""
    try:
        with (folder / name).open("rb") as file:
            data = file.read(SMALL[name] + 1)
    except FileNotFoundError:
        return ""
    if len(data) > SMALL[name]:
        raise ValueError(f"{name} is larger than {SMALL[name] >> 20} MiB")
    return data.decode("utf-8", "replace")


def _json(folder: Path, name: str, default: Any = None) -> Any:
    if default is not None and not (folder / name).exists():
        return default
    with (folder / name).open("rb") as file:
        data = file.read(SMALL[name] + 1)
    if len(data) > SMALL[name]:
        raise ValueError(f"{name} is larger than {SMALL[name] >> 20} MiB")
    try:
        return jsons.loads(data)
    except ValueError as exc:
        raise ValueError(f"{name} is not usable: {exc}") from exc

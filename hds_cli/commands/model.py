"""`hds model`: GGUF files, pulled from a hub or an address, listed, chosen and removed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hds_cli import config, paths
from hds_cli.commands import _making, _options, _print
from hds_cli.commands._progress import Steps
from hds_cli.commands.config import write
from hds_cli.engine.base import ModelSpec
from hds_cli.engine.files import library, models
from hds_cli.engine.files.fitting import candidates, memory_of_machine
from hds_cli.engine.files.known import FILES, SHORT_NAMES, TEMPLATES
from hds_cli.errors import HdsError, OutputError, UsageError
from hds_cli.plugins import entry_points

app = typer.Typer(
    help="GGUF files.\n\nhds model suggest\n\nhds model pull qwen3-4b\n\nhds model use Qwen3-4B-Q4_K_M",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
LARGE = 500_000_000  # bytes from which a download is asked about
_Name = Annotated[str, typer.Argument(metavar="NAME|PATH", help="As `hds model list` shows it, or a GGUF file.")]
_Type = Annotated[str, typer.Option("--type", metavar="TYPE", help="Q4_K_M, Q5_K_M, Q6_K, Q8_0, …; F16, BF16, F32.")]
_Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write this file, instead of one among the models."),
]
_Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command()
def pull(
    reference: Annotated[
        str, typer.Argument(metavar="MODEL", help="A short name, OWNER/REPO[@REVISION][:FILE|:QUANT], or an address.")
    ],
    sha256: Annotated[
        str | None, typer.Option("--sha256", metavar="HEX", help="The checksum a file of an address must have.")
    ] = None,
    yes: _Yes = False,
    quiet: _options.Quiet = False,
) -> None:
    """Download a model: revision pinned, checksum compared; after a break the same command goes on.

    hds model pull hds

    hds model pull Qwen/Qwen3-4B-GGUF:Q8_0 --yes

    hds model pull https://example.org/tiny.gguf --sha256 9f86d081…

    HF_ENDPOINT=https://hub.example.org hds model pull owner/repo:Q4_K_M
    """
    if config.load().offline:
        raise UsageError("a model is pulled from the network, and this is offline", hint="unset HDS_OFFLINE")
    from hds_cli.engine.files import hub

    planned = hub.plan(reference, sha256=sha256)
    here = library.find(planned.name)
    if here and here.complete and (here.repo, here.revision, here.url) == (planned.repo, planned.revision, planned.url):
        _print.say(f"{here.name} is here already   (hds model use {here.name})", quiet=quiet)
        return
    for line in _described(planned, reference):
        _print.say(line, quiet=quiet)
    _confirm(planned, yes, quiet)
    with Steps(quiet=quiet) as steps:
        record = hub.download(planned, steps)
    unchecked = "" if record.checked else "; the server names no checksum, so it was compared with none"
    _print.say(f"pulled {record.name}: {_size(record.bytes)}, sha256 {record.files[0].sha256}{unchecked}", quiet=quiet)
    _print.say(f"hds ask -m {record.name} …   or, for good:   hds model use {record.name}", quiet=quiet)


@app.command()
def convert(
    source: Annotated[str, typer.Argument(metavar="FOLDER|FILE", help="config.json, tokenizer.json and safetensors.")],
    kind: _Type = "Q4_K_M",
    output: _Output = None,
    quiet: _options.Quiet = False,
) -> None:
    """Make a GGUF file of a folder of safetensors (llama, qwen2, qwen3), as Hugging Face's hub has them.

    hds model convert ~/HybridDeepSearcher

    hds model convert ./my-model --type F16 -o my-model.gguf
    """
    _making.convert(Path(source), kind, output, quiet)


@app.command()
def quantize(name: _Name, kind: _Type = "Q4_K_M", output: _Output = None, quiet: _options.Quiet = False) -> None:
    """Write a GGUF file of the type F32, F16, BF16 or Q8_0 anew, with fewer bits a weight.

    hds model quantize my-model.gguf

    hds model quantize my-model.gguf --type Q6_K -o small.gguf
    """
    _making.quantize(name, kind, output, quiet)


@app.command("list")
def list_(json_: _options.Json = False) -> None:
    """The models that are here: pulled, and those that installed packages bring. * is the one in use.

    hds model list

    hds model list --json | jq -r '.models[].name'
    """
    default = config.load().model
    rows = [_row(record, default) for record in library.pulled()]
    rows += [
        _listed(f.name, None, "unfinished: pull it again", library.bytes_in(f), None) for f in library.unfinished()
    ]
    rows += [_installed_row(name, default) for name in sorted(entry_points(models.GROUP))]
    short = [{"name": name, "repo": s.repo, "about": s.about, "verified": s.verified} for name, s in _short()]
    cells = [[_marked(row), row["quantization"] or "-", row["from"], _size(row["bytes"])] for row in rows]
    table = _print.Table(("name", "quantization", "from", "size"), cells, right=1)
    _print.result("hds.models/1", {"models": rows, "short_names": short}, table, as_json=json_)
    if sys.stdout.isatty() and not json_:
        for name, known in _short():
            _print.say(f"to pull: {name}:{known.default}   {known.about}, {known.gigabytes:g} GB")


@app.command()
def use(name: _Name) -> None:
    """Make a model the default: writes `model` into the settings file.

    hds model use HybridDeepSearcher.Q4_K_M

    hds model use ~/models/Qwen3-4B-Q4_K_M.gguf

    hds --profile small model use starter
    """
    import os

    spec = models.resolve(name)
    models.read_header(spec.path)
    is_path = name not in entry_points(models.GROUP) and library.find(name) is None
    value = str(spec.path.resolve()) if is_path else spec.name
    write("model", value, os.environ.get("HDS_PROFILE") or None)
    _print.say(f"model = {value} in {paths.config_file()}")


@app.command()
def suggest(json_: _options.Json = False) -> None:
    """Say which models fit into this machine's memory, and what to type for the best of them.

    hds model suggest
    """
    memory = memory_of_machine()
    listed = candidates(memory)
    rows = [
        {"name": c.name, "gigabytes": c.known.gigabytes, "needs": round(c.needs, 1), "fits": c.fits,
         "about": c.known.about}
        for c in listed
    ]  # fmt: skip
    best = next((candidate.name for candidate in listed if candidate.fits), None)
    table = _print.Table(
        ("model", "file", "needs", "here", "about"),
        [(c.name, f"{c.known.gigabytes:.1f} GB", f"{c.needs:.1f} GB", "fits" if c.fits else "too large", c.known.about)
         for c in listed],
    )  # fmt: skip
    _print.result(
        "hds.suggest/1", {"memory": round(memory, 1), "suggestion": best, "models": rows}, table, as_json=json_
    )
    if not json_:
        said = f"hds model pull {best}" if best else "none fits; a smaller GGUF file: hds ask -m FILE.gguf"
        _print.say(f"this machine has {memory:.0f} GB: {said}")


@app.command()
def bench(
    name: Annotated[str | None, typer.Argument(metavar="[NAME|PATH]", help="The default model if absent.")] = None,
    no_save: Annotated[bool, typer.Option("--no-save", help="Only print it.")] = False,
    json_: _options.Json = False,
    quiet: _options.Quiet = False,
) -> None:
    """Measure how fast a model reads and writes here, over threads, batches and layers on a GPU, by halving.

    The best setting is kept for this model on this machine, and used where nothing else is set. Ctrl-C keeps what is
    measured by then.

    hds model bench

    hds model bench Qwen3-8B-Q4_K_M --json | jq .best
    """
    from hds_cli.commands import _bench

    _bench.run(name, config.load(), save=not no_save, json_=json_, quiet=quiet)


@app.command()
def info(name: _Name, json_: _options.Json = False) -> None:
    """One model: file, checksum, what its header says, and where it came from.

    hds model info starter

    hds model info ~/models/some.gguf --json
    """
    values = _facts(models.resolve(name), library.find(name))
    shown = [(key.replace("_", " "), _plain(value)) for key, value in values.items() if value is not None]
    _print.result("hds.model/1", values, _print.Pairs(shown), as_json=json_)


@app.command()
def remove(name: Annotated[str, typer.Argument(metavar="NAME")], yes: _Yes = False) -> None:
    """Delete a pulled model. Files that were not pulled are never touched.

    hds model remove HybridDeepSearcher.Q4_K_M --yes
    """
    left = next((folder for folder in library.unfinished() if folder.name == name), None)
    record = None if left else library.get(name)
    folder = record.folder if record else paths.models_dir() / name
    size = library.bytes_in(folder)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"this deletes {folder}", hint=f"hds model remove {name} --yes")
        typer.confirm(f"Delete {folder.name} ({_size(size)})?", abort=True, err=True)
    try:
        library.remove(folder)
    except OSError as exc:
        raise OutputError(f"cannot delete {folder}: {exc.strerror or exc}") from exc
    _print.say(f"removed {folder.name}, {_size(size)} freed")
    if record and config.load().model in (record.name, record.asked):
        _print.say("it was the default model   (hds model use OTHER, or hds config set model --unset)")


def _described(planned: Any, reference: str) -> list[str]:
    """A description of a planned download."""
    where = f"{planned.repo} at {planned.revision[:12]}" if planned.repo else planned.url
    size = "of unknown size" if planned.bytes is None else _size(planned.bytes)
    lines = [f"{planned.name}: {size}, licence {planned.licence or 'not stated'}, from {where}"]
    if planned.made:
        lines.append(
            f"it is made here of safetensors: {_size(planned.room)} of disk are needed meanwhile, about "
            f"{_size(planned.result)} stay"
        )
    short = SHORT_NAMES.get(reference.partition(":")[0])
    if short and not short.verified:
        lines.append(
            f"note: {short.repo} is where {short.about} is published; no checksum of its files was known beforehand"
        )
    return lines


def _confirm(planned: Any, yes: bool, quiet: bool) -> None:
    """Ask before a large download; in a script `--yes` says it."""
    if yes or (planned.bytes is not None and planned.bytes < LARGE):
        return
    if quiet or not sys.stdin.isatty() or not sys.stderr.isatty():
        raise UsageError(
            f"{_size(planned.bytes)} would be downloaded, licence {planned.licence or 'not stated'}",
            hint=f"hds model pull {planned.asked} --yes",
        )
    typer.confirm("Download it?", abort=True, err=True)


def _short() -> list[tuple[str, Any]]:
    return sorted(SHORT_NAMES.items())


def _row(record: library.Record, default: str | None) -> dict[str, Any]:
    quantization = None
    try:
        quantization = models.read_header(record.path).quantization
    except HdsError as exc:
        return _listed(record.name, None, f"broken: {exc.message}", record.bytes, default)
    return _listed(record.name, quantization, record.repo or record.url or record.asked, record.bytes, default)


def _installed_row(name: str, default: str | None) -> dict[str, Any]:
    try:
        spec = models.resolve(name)
        header = models.read_header(spec.path)
    except HdsError as exc:
        return _listed(name, None, f"not usable: {exc.message}", 0, default)
    size = sum(path.stat().st_size for path in (spec.path, spec.lora) if path)
    return _listed(name, header.quantization, "an installed package", size, default)


def _listed(name: str, quantization: str | None, origin: str, size: int, default: str | None) -> dict[str, Any]:
    chosen = name == (default or "starter")
    return {"name": name, "quantization": quantization, "from": origin, "bytes": size, "default": chosen}


def _marked(row: dict[str, Any]) -> str:
    return f"* {row['name']}" if row["default"] else str(row["name"])


def _facts(spec: ModelSpec, record: library.Record | None) -> dict[str, Any]:
    header = models.read_header(spec.path)
    meta = header.metadata
    architecture = meta.get("general.architecture")
    digest = models.fingerprint(spec.path)
    dialect, why = models.dialect_of(header, spec)
    return {
        "name": spec.name, "file": str(spec.path), "bytes": _bytes(spec.path, record), "sha256": digest,
        "known": digest in FILES, "title": meta.get("general.name"), "architecture": architecture,
        "quantization": header.quantization, "context": meta.get(f"{architecture}.context_length"),
        "dialect": dialect, "dialect_reason": why,
        "adapter": str(spec.lora) if spec.lora else None, "template": models.template_digest(header),
        "template_known": models.template_digest(header) in TEMPLATES if header.chat_template else None,
        "licence": (record.licence if record else None) or meta.get("general.license"), "about": spec.about or None,
        "repo": record.repo if record else None, "revision": record.revision if record else None,
        "url": record.url if record else None, "asked": record.asked if record else None,
        "pulled_at": record.pulled_at if record else None, "checked": record.checked if record else None,
        "made": record.made if record else None,
    }  # fmt: skip


def _bytes(path: Path, record: library.Record | None) -> int:
    return record.bytes if record else path.stat().st_size


def _plain(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _size(size: int | None) -> str:
    if size is None:
        return "a file of unknown size"
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"

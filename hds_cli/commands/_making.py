"""`hds model convert` and `hds model quantize`: a GGUF file made of local files, among the models or elsewhere."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hds_cli import paths
from hds_cli.commands import _print
from hds_cli.commands._progress import Steps
from hds_cli.engine.files import library, models
from hds_cli.engine.files.library import PulledFile, Record
from hds_cli.errors import ModelMissing, OutputError, UsageError


def convert(path: Path, kind: str, output: Path | None, quiet: bool) -> None:
    """Make a GGUF file of a folder of safetensors, or of one such file and what lies beside it.

    Raises:
        ModelError: the files are not usable.
        OutputError: the disk is too small or cannot be written.
    """
    from hds_cli.engine.files.convert import making
    from hds_cli.engine.files.convert.source import origin_of, shards_of

    path, kind = path.expanduser(), making.check_type(kind)
    if path.suffix == ".gguf":
        raise UsageError(f"{path} is a GGUF file already", hint=f"hds model quantize {path}")
    if not path.exists():
        raise ModelMissing(f"there is no {path}", hint="hds model pull OWNER/REPO   downloads and converts one")
    folder, shards = (path, shards_of(path)) if path.is_dir() else (path.parent, [path])
    origin = origin_of(folder)
    about = Record(f"{origin.name}-{kind}", f"convert {path.resolve()}", (), origin.repo, origin.revision,
                   licence=origin.licence, made=kind)  # fmt: skip
    sizes = [shard.stat().st_size for shard in shards]
    with _placed(about, output, quiet) as (out, steps):
        begun = making.unquantized(out)
        lying = begun.stat().st_size if begun.exists() else 0
        making.check_room(out.name, making.room_for(sizes, kind, kept=True) - lying, out.parent)
        making.make(folder, shards, origin, kind, out, steps)
        begun.unlink(missing_ok=True)


def quantize(name: str, kind: str, output: Path | None, quiet: bool) -> None:
    """Make a GGUF file of another one, with fewer bits a weight.

    Raises:
        ModelError: the file is missing, quantized already, or not usable.
        OutputError: the disk is too small or cannot be written.
    """
    from hds_cli.engine.files.convert import making
    from hds_cli.engine.quantizing import check_quantization

    kind, spec, before = check_quantization(kind), models.resolve(name), library.find(name)
    header, size = models.read_header(spec.path), spec.path.stat().st_size
    stem = re.sub(rf"[-.]({header.quantization})$", "", spec.path.stem, flags=re.IGNORECASE)
    repo, revision = (before.repo, before.revision) if before else (None, None)
    licence = before.licence if before else header.licence
    about = Record(f"{stem}-{kind}", f"quantize {spec.path.resolve()}", (), repo, revision, licence=licence, made=kind)
    with _placed(about, output, quiet) as (out, steps):
        if out.resolve() == spec.path.resolve():
            raise UsageError(f"{out} would be read and written at once", hint="-o ANOTHER.gguf")
        making.check_room(out.name, min(size, making.made_bytes(2 * header.parameters, kind)), out.parent)
        making.quantized(spec.path, kind, out, steps)


@contextmanager
def _placed(about: Record, output: Path | None, quiet: bool) -> Iterator[tuple[Path, Steps]]:
    """The file to write and the bars of its making: `output`, or one among the models, which then gets its record."""
    name = library.name_for(f"{about.name}.gguf", about.asked)
    folder = output.expanduser().absolute().parent if output else paths.models_dir() / name
    out = folder / (output.name if output else f"{name}.gguf")
    try:
        if output:
            if not folder.is_dir():
                raise UsageError(f"there is no folder {folder}")
            with Steps(quiet=quiet) as steps:
                yield out, steps
            models.read_header(out)
            _print.say(f"made {out}: {out.stat().st_size / 1e6:,.1f} MB, {about.made}", quiet=quiet)
            return
        paths.private_dir(folder)
        with library.alone(folder), Steps(quiet=quiet) as steps:
            yield out, steps
            models.read_header(out)
            file = PulledFile(out.name, out.stat().st_size, models.fingerprint(out) or "")
            now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            Record(name, about.asked, (file,), about.repo, about.revision, None, about.licence, False, now,
                   about.made).save()  # fmt: skip
        _print.say(f"made {name}: {file.bytes / 1e6:,.1f} MB, {about.made}, sha256 {file.sha256}", quiet=quiet)
        _print.say(f"hds ask -m {name} …   or, for good:   hds model use {name}", quiet=quiet)
    except OSError as exc:
        raise OutputError(f"cannot write to {folder}: {exc.strerror or exc}", hint="-o OTHER/FILE.gguf") from exc

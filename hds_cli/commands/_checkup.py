"""The checks of `hds doctor`. Each gives findings; a check that fails does not end the others."""

from __future__ import annotations

import asyncio
import functools
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TextIO

import hds_cli
from hds_cli import config, keys, paths, plugins
from hds_cli.config import Settings
from hds_cli.errors import HdsError, ModelError
from hds_cli.render.words import count

if TYPE_CHECKING:
    from hds_cli.engine.base import ModelSpec
    from hds_cli.engine.files.gguf import GgufHeader
    from hds_cli.engine.llama.probe import Build

State = Literal["ok", "warn", "fail"]
_LITTLE = 1 << 30  # bytes on a disk
_QUICKLY = 600_000_000  # bytes of a model that is loaded to see whether it works
_SEARCH_SECONDS = 15.0
_PROBE = "Norway"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `hint` is what to do about it."""

    area: str
    state: State
    message: str
    hint: str | None = None


def examine(*, offline: bool) -> list[Finding]:
    """Look at everything; opens no socket when `offline`, by flag or by setting."""
    findings = list(_python())
    try:
        settings = config.load({"offline": offline or None})
    except HdsError as exc:
        return [*findings, Finding("settings", "fail", exc.message, exc.hint), *_terminal(sys.stdout)]
    findings.append(_settings_file())
    for check in (_llama, _model, _disk, _cache, _keys, _sources, _plugins):
        findings += _guarded(check, settings)
    return findings + list(_terminal(sys.stdout))


def _guarded(check: Callable[[Settings], Iterable[Finding]], settings: Settings) -> Iterator[Finding]:
    area = check.__name__.strip("_")
    try:
        yield from check(settings)
    except HdsError as exc:
        yield Finding(area, "fail", exc.message, exc.hint)
    except Exception as exc:  # a check that breaks is a finding, too
        yield Finding(area, "fail", f"could not be looked at: {type(exc).__name__}: {exc}", "hds --debug doctor")


def _python() -> Iterator[Finding]:
    what = f"hds {hds_cli.__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    if sys.version_info < (3, 11):  # noqa: UP036 - pip can be told to ignore it
        yield Finding("python", "fail", what, "Python 3.11 or newer")
    else:
        yield Finding("python", "ok", f"{what} ({sys.executable})")


def _settings_file() -> Finding:
    file = paths.config_file()
    profile = os.environ.get("HDS_PROFILE")
    state = f"{file} is in order" if file.exists() else f"{file} does not exist; the defaults hold"
    return Finding("settings", "ok", state + (f", profile {profile}" if profile else ""))


# --- the model -------------------------------------------------------------------------------------------------------


@functools.cache
def _build() -> Build:
    """The installed llama.cpp, found out once.

    Raises:
        ModelUnusable: it does not load.
    """
    from hds_cli.engine.llama import probe

    return probe.probed()


def _llama(settings: Settings) -> Iterator[Finding]:
    from hds_cli.engine.llama import probe

    try:
        build = _build()
    except ModelError as exc:
        needed = settings.engine == "llama_cpp"
        yield Finding("llama.cpp", "fail" if needed else "ok", exc.message, exc.hint if needed else None)
        return
    cards = ", ".join(f"{gpu.backend} on {gpu.name} ({gpu.total / 1e9:.0f} GB)" for gpu in build.gpus)
    where = cards or ("layers can go to a GPU, and none is here" if build.gpu_offload else "processor only")
    yield Finding("llama.cpp", "ok", f"llama-cpp-python {build.version}, {where}; {' '.join(build.features)}")
    if slow := probe.unused(build, probe.flags()):
        what = f"this build does not use {' and '.join(slow)}, which this processor has: it is slower for it"
        yield Finding("llama.cpp", "warn", what, probe.HERE)
    if build.gpu_offload:
        return
    if shutil.which("nvidia-smi"):
        yield Finding("llama.cpp", "warn", "there is an NVIDIA GPU, and this build cannot use it", probe.CUDA)
    elif platform.system() == "Darwin" and platform.machine() == "arm64":
        yield Finding("llama.cpp", "warn", "this build does not use Apple's GPU", probe.METAL)


def _model(settings: Settings) -> Iterator[Finding]:
    from hds_cli.engine.opening import find_model

    spec = find_model(settings)
    if settings.engine == "openai":
        from hds_cli.engine.opening import open_engine

        engine = open_engine(spec, settings)
        engine.close()
        yield Finding("model", "ok", f"{engine.info.name} at {settings.openai_url}, {engine.info.n_ctx:,} tokens")
        return
    if settings.engine != "llama_cpp":
        yield Finding("model", "ok", f"{spec.name}, run by the engine {settings.engine}")
        return
    from hds_cli.engine.files import models

    header = models.read_header(spec.path)
    size = spec.path.stat().st_size
    kind = f"{header.quantization or 'unknown quantization'}, {size / 1e9:.1f} GB"
    yield Finding("model", "ok", f"{spec.name}: {kind} ({spec.path})")
    dialect, why = models.dialect_of(header, spec)
    chosen = f"{settings.dialect}: the setting says so" if settings.dialect else f"{dialect}: {why}"
    yield Finding("model", "ok", f"it is spoken to in {chosen}")
    if size <= _QUICKLY:
        from hds_cli.engine import trial

        trial.attempt(spec.path)
        yield Finding("model", "ok", "it loads and writes, in a process of its own")
    if spec.notice:
        yield _larger()
    gpu = _gpu_memory()
    yield from _fits(header, size, settings, spec.n_ctx, gpu, _most_layers(spec) if gpu is not None else None)


def _gpu_memory() -> int | None:
    """Free bytes of the GPUs that layers can go to, found out in a process of its own; None: to none."""
    try:
        build = _build()
    except ModelError:  # a finding of its own
        return None
    return sum(gpu.free for gpu in build.gpus) or None if build.gpu_offload else None


def _most_layers(spec: ModelSpec) -> int | None:
    """The layers on a GPU that a bench of this model found to be best; None: there was none."""
    from hds_cli.engine.files import learned, models

    adapter = models.fingerprint(spec.lora) if spec.lora else None
    return learned.known(learned.key(models.fingerprint(spec.path), adapter)).n_gpu_layers


def _fits(
    header: GgufHeader,
    size: int,
    settings: Settings,
    most_ctx: int | None,
    gpu: int | None,
    most_layers: int | None = None,
) -> Iterator[Finding]:
    """The memory that a model needs, and what it would be loaded with.

    Args:
        gpu: free bytes of the GPUs that layers can go to.
        most_layers: more of them are slower, by a bench.
    """
    from hds_cli.engine.files.fit import fit, needed
    from hds_cli.engine.files.fitting import room

    memory = room(gpu)
    try:
        fitted = fit(
            header, size, memory, n_ctx=settings.n_ctx, most_ctx=most_ctx, n_gpu_layers=settings.n_gpu_layers,
            most_layers=most_layers,
        )  # fmt: skip
    except ModelError as exc:
        yield Finding("model", "fail", exc.message, exc.hint)
        return
    need, free = needed(header, size, fitted.n_ctx), memory.free or memory.total
    layers = max(0, settings.n_gpu_layers) if fitted.layers is None else fitted.layers
    if gpu is not None and layers:
        where = f"{count(layers, 'layer')} on a GPU with {gpu / 1e9:.1f} GB free"
        where += " (more are slower, by hds model bench)" if layers == most_layers else ""
        yield Finding("model", "ok", f"it needs {need / 1e9:.1f} GB, {where}")
        return
    if free is not None and (need > free or fitted.note):
        hint = "a smaller quantization, --n-ctx 4096, or close other programs"
        what = f"it needs {need / 1e9:.1f} GB, {free / 1e9:.1f} GB of memory are free"
        yield Finding("model", "warn", f"{what}; {fitted.note}" if fitted.note else what, hint)
    elif free is not None:
        yield Finding("model", "ok", f"it needs {need / 1e9:.1f} GB, {free / 1e9:.1f} GB of memory are free")


def _larger() -> Finding:
    """The searcher or model that this machine has memory for, beside one that stands in where none was chosen."""
    from hds_cli.engine.files.fitting import candidates

    best = next((candidate for candidate in candidates() if candidate.fits), None)
    if best is None:
        return Finding("model", "ok", "no model with a short name fits into this machine's memory: hds model suggest")
    return Finding(
        "model", "ok", f"this machine has memory for {best.name}: hds model pull {best.name} (hds model suggest)"
    )


# --- the disk --------------------------------------------------------------------------------------------------------


def _disk(settings: Settings) -> Iterator[Finding]:
    for area, folder in (("data", paths.data_dir()), ("pages", settings.pages_dir)):
        existing = next(p for p in (folder, *folder.parents) if p.exists())
        free = shutil.disk_usage(existing).free
        if not os.access(existing, os.W_OK | os.X_OK):
            yield Finding(
                "disk", "fail", f"{area}: {existing} cannot be written", f"chmod u+rwx {existing}, or HDS_HOME=…"
            )
        elif free < _LITTLE:
            hint = "hds cache prune, hds model remove NAME, or HDS_HOME=OTHER/FOLDER"
            yield Finding("disk", "warn", f"{area}: {free / 1e6:.0f} MB are free in {folder}", hint)
        else:
            yield Finding("disk", "ok", f"{area}: {free / 1e9:.0f} GB are free in {folder}")


def _cache(settings: Settings) -> Iterator[Finding]:
    from hds_cli.fetch.cache import PageCache

    cache = PageCache.of(settings)
    try:
        info = cache.info()
        if cache.fault:
            yield Finding("cache", "warn", cache.fault, "hds cache clear")
        elif info.bytes > 1.1 * info.limit:
            much = f"{info.bytes / 1e6:.0f} MB, more than its limit of {info.limit / 1e6:.0f} MB"
            yield Finding("cache", "warn", much, "hds cache prune")
        else:
            room = f"{info.bytes / 1e6:.1f} of {info.limit / 1e6:.0f} MB"
            yield Finding("cache", "ok", f"{count(info.pages, 'page')}, {room}")
    finally:
        cache.close()


# --- sources ---------------------------------------------------------------------------------------------------------


def _keys(settings: Settings) -> Iterator[Finding]:
    present = keys.present()
    if present:
        yield Finding("keys", "ok", ", ".join(f"{name} ({where})" for name, where in present.items()))
    else:
        yield Finding("keys", "ok", "none set; the sources in use may need none")


def _sources(settings: Settings) -> Iterator[Finding]:
    answers = asyncio.run(_asked(settings))
    works = any(problem is None for _, problem in answers)
    for name, problem in answers:
        if problem is None:
            yield Finding("sources", "ok", name)
            continue
        needed: State = "fail" if not works or name in settings.source else "warn"
        hint = problem.hint or f"to see more: hds search -s {name} test"
        yield Finding("sources", needed, f"{name}: {problem.message}", hint)
    if not answers:
        yield Finding("sources", "fail", "there is nothing to search in", "hds index add FOLDER")


async def _asked(settings: Settings) -> list[tuple[str, HdsError | None]]:
    """Each source in use, and the error when it does not work."""
    from hds_cli.fetch.client import Fetcher
    from hds_cli.search.sources import defaults

    names = list(settings.source) or defaults(settings)
    async with Fetcher(settings) as fetcher:
        context = fetcher.context
        return await asyncio.gather(*(_one(name, context) for name in names))


async def _one(name: str, context: object) -> tuple[str, HdsError | None]:
    from hds_cli.search.base import SourceContext
    from hds_cli.search.sources import open_sources

    assert isinstance(context, SourceContext)
    try:
        opened = open_sources([name], context)
        async with asyncio.timeout(_SEARCH_SECONDS):
            count = sum([len(await source.search(_PROBE, 1)) for source in opened])
    except HdsError as exc:
        return name, exc
    except TimeoutError:
        return name, HdsError(f"no answer in {_SEARCH_SECONDS:.0f} s", hint="is the network up?")
    except Exception as exc:  # a stranger's plugin
        return name, HdsError(f"{type(exc).__name__}: {exc}", hint=f"hds plugins info {name}")
    return f"{name} answers" + ("" if count else f" (it has nothing on {_PROBE!r})"), None


def _plugins(settings: Settings) -> Iterator[Finding]:
    loaded = 0
    for group, points in plugins.every().items():
        for name, point in points.items():
            if plugins.distribution(point) == plugins.FIRST_PARTY:
                continue  # ours load when they are used, and say then which extra is missing
            try:
                plugins.load(group, name)
                loaded += 1
            except HdsError as exc:
                yield Finding("plugins", "warn", exc.message, exc.hint)
    if os.environ.get("HDS_NO_PLUGINS", "") not in ("", "0"):
        yield Finding("plugins", "ok", "HDS_NO_PLUGINS is set: only what comes with hds")
    else:
        yield Finding("plugins", "ok", f"{loaded} of other distributions load")


# --- the terminal ----------------------------------------------------------------------------------------------------


def _terminal(stream: TextIO) -> Iterator[Finding]:
    encoding = (getattr(stream, "encoding", None) or "ascii").lower()
    if not encoding.startswith("utf"):
        hint = "export LC_ALL=C.UTF-8"
        yield Finding("terminal", "warn", f"its encoding is {encoding}: signs it lacks are escaped", hint)
    if not stream.isatty():
        yield Finding("terminal", "ok", f"the output is not a terminal; {encoding}")
        return
    width, term = shutil.get_terminal_size().columns, os.environ.get("TERM", "")
    colour = "no colour (NO_COLOR)" if os.environ.get("NO_COLOR") else "colour"
    if term in ("", "dumb"):
        colour = f"no colour (TERM={term})"
    if width < 40:
        yield Finding("terminal", "warn", f"{width} columns are few for the tree", "a wider window, or hds ask -f text")
    else:
        yield Finding("terminal", "ok", f"{width} columns, {colour}, {encoding}")

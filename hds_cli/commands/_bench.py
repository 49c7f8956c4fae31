"""`hds model bench`: how fast a model is on this machine, and with which settings it is fastest."""

from __future__ import annotations

from typing import Any

import typer

from hds_cli.commands import _print
from hds_cli.commands._progress import Progress
from hds_cli.config import Settings
from hds_cli.engine import bench
from hds_cli.engine.base import ModelSpec
from hds_cli.engine.files import learned, models
from hds_cli.errors import Interrupted, UsageError
from hds_cli.render import words


def run(name: str | None, settings: Settings, *, save: bool, json_: bool, quiet: bool) -> None:
    """Measure, print and keep; Ctrl-C keeps what is measured (exit code 130).

    Raises:
        ModelError: the model is missing or unusable.
    """
    if settings.engine != "llama_cpp":
        raise UsageError(
            f"a bench is of a model in this process, not of the engine {settings.engine}",
            hint="hds model bench NAME, with HDS_ENGINE unset",
        )
    spec = models.resolve(name or settings.model)
    result, stopped = bench.Result(), False
    try:
        _measure(spec, settings, result, quiet=quiet)
    except KeyboardInterrupt:
        stopped = True
    if result.unusable:
        why = next(iter(result.unusable.values())).message
        _print.say(f"{words.count(len(result.unusable), 'setting')} left out: {why}", quiet=quiet)
    free = _free(settings)
    kept = _keep(spec, result, free) if save else None
    _show(spec, result, kept, free, stopped=stopped, json_=json_, quiet=quiet)
    if stopped:
        _print.say(f"stopped; {words.count(len(result.speeds), 'setting')} measured", quiet=quiet)
        raise typer.Exit(Interrupted.exit_code)


def _measure(spec: ModelSpec, settings: Settings, result: bench.Result, *, quiet: bool) -> None:
    from hds_cli.engine.llama.devices import gpu_memory
    from hds_cli.engine.llama.model import LlamaEngine
    from hds_cli.engine.llama.thread_count import usable
    from hds_cli.engine.opening import open_llama

    # Once as a run opens it: an unknown file is tried in a process of its own, one that does not fit is refused.
    first = open_llama(
        spec, n_ctx=bench.N_CTX, n_threads=settings.n_threads, n_gpu_layers=settings.n_gpu_layers,
        best=learned.Learned(),
    )  # fmt: skip
    most = first.info.n_gpu_layers
    first.close()
    layers = (0,) if gpu_memory() is None else tuple(dict.fromkeys((most, most // 2, 0)))
    if settings.n_gpu_layers >= 0:
        layers = (most,)
    candidates = bench.settings(usable(), layers, settings.n_threads)

    def load(setting: bench.Setting) -> LlamaEngine:
        return LlamaEngine(spec, n_ctx=bench.N_CTX, sequences=2, **setting._asdict())

    with Progress("measured", None, quiet=quiet) as progress:
        bench.run(candidates, load, result, progress.to)


def _free(settings: Settings) -> frozenset[str]:
    """The parts of a setting that were tried: those that the user left open, layers only where there is a GPU."""
    from hds_cli.engine.llama.devices import gpu_memory

    free = {"n_batch"}
    if not settings.n_threads:
        free.add("n_threads")
    if settings.n_gpu_layers < 0 and gpu_memory() is not None:
        free.add("n_gpu_layers")
    return frozenset(free)


def _keep(spec: ModelSpec, result: bench.Result, free: frozenset[str]) -> str | None:
    """Write the best setting where the engine looks for it; the file, None: not all of them were measured.

    How fast the model is, is kept at any rate.

    Args:
        free: the parts that are kept.
    """
    key, best = learned.key(*models.fingerprints(spec)), result.best
    if key is None or best is None:
        return None
    speed = result.speeds[best]
    setting = {name: value for name, value in best._asdict().items() if name in free and result.is_compared}
    most = max(one.n_gpu_layers for one in (*result.speeds, *result.unusable))
    if setting.get("n_gpu_layers") == most:  # another time more of them may fit
        setting["n_gpu_layers"] = learned.EVERY_LAYER
    learned.learn(key, learned.Learned(reading=speed.reading, writing=speed.writing, **setting))
    path = learned.file_of(key)
    return str(path) if path.exists() and setting else None


def _show(
    spec: ModelSpec, result: bench.Result, kept: str | None, free: frozenset[str], *, stopped: bool, json_: bool,
    quiet: bool,
) -> None:  # fmt: skip
    rows = [_row(result, setting) for setting in result.ordered]
    head = ("threads", "batch", "layers", "read", "write", f"{bench.AT_ONCE} at once", "a turn")
    cells = [
        [str(row["n_threads"]), str(row["n_batch"]), str(row["n_gpu_layers"]),
         *(f"{row[key]:.1f} tok/s" for key in ("reading", "writing", "together")), f"{row['turn_seconds']:.1f} s"]
        for row in rows
    ]  # fmt: skip
    document: dict[str, Any] = {
        "model": spec.name, "file": str(spec.path), "machine": learned.machine(), "at_once": bench.AT_ONCE,
        "rows": rows, "best": rows[0] if rows else None, "saved": kept, "complete": not stopped,
    }  # fmt: skip
    _print.result("hds.bench/1", document, _print.Table(head, cells), as_json=json_)
    if kept and rows:
        best = rows[0]
        parts = {
            "n_threads": words.count(best["n_threads"], "thread"), "n_batch": f"batches of {best['n_batch']}",
            "n_gpu_layers": f"{words.count(best['n_gpu_layers'], 'layer')} on a GPU",
        }  # fmt: skip
        chosen = ", ".join(part for name, part in parts.items() if name in free)
        _print.say(f"from now on: {chosen}, where nothing is set ({kept})", quiet=quiet)


def _row(result: bench.Result, setting: bench.Setting) -> dict[str, Any]:
    speed = result.speeds[setting]
    return {
        **setting._asdict(), "reading": round(speed.reading, 2), "writing": round(speed.writing, 2),
        "together": round(speed.together, 2), "turn_seconds": round(speed.turn_seconds, 3),
        "rounds": result.rounds[setting],
    }  # fmt: skip

"""A Ray cluster that answers questions: its actors, who is free, and what becomes of a question whose actor dies."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import hds_cli
from hds_cli import events
from hds_cli.config import Settings
from hds_cli.engine.llama.thread_count import usable
from hds_cli.errors import HdsError, ModelError, UsageError
from hds_cli.types import ModelInfo
from hds_ray.worker import Worker, decoded

_NODES = "install the same version of hds, with its plugins, on every node"
_HINT = "ray start --head   or   --ray HOST:PORT"
_AGAIN = "the same command again goes on with what is not answered"
_CONNECT_SECONDS = 5.0
_TRIES = 3  # actors that a question is asked of
_RESTARTS = 3  # of one actor
_RESTART_SECONDS = 60.0  # that an actor may be away until it counts as dead
_PAUSE = 0.5  # seconds between two looks at it


class RayCluster:
    """An `Answerer` over a Ray cluster, from `async with` on.

    The entry point of `hds.clusters.v1`.

    Args:
        address: of the cluster as Ray has it: `auto`, `HOST:PORT`, `ray://HOST:PORT`, or `local` for one of its own.
        jobs: questions at once; each has an actor.

    Raises:
        UsageError: Ray is not installed, or there is no cluster.
    """

    def __init__(self, address: str, settings: Settings, jobs: int) -> None:
        self._address, self._settings, self._jobs = address, settings, jobs
        self._free: asyncio.Queue[Any] = asyncio.Queue()  # actors; None for ever: there are no more
        self._actors: list[Any] = []
        self.info = ModelInfo("")
        self.notices: tuple[str, ...] = ()

    async def __aenter__(self) -> RayCluster:
        self._ray = _package()
        try:
            self._connect()
            await self._start()
        except BaseException:
            self._end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._end()

    async def answer(self, question: str, emit: events.Emit) -> events.RunFinished:
        """Research one question on a node; its events come when it is answered.

        Raises:
            HdsError: what stood in the way there; or one actor after another died.
        """
        for _ in range(_TRIES):
            actor = await self._free.get()
            if actor is None:
                self._free.put_nowait(None)  # for whoever waits beside this question, or comes after it
                raise HdsError("no worker of the cluster is left", hint=_AGAIN, code="cluster")
            try:
                answer = await actor.answer.remote(question)
            except self._ray.exceptions.RayActorError:
                await self._revived(actor)
                continue
            except BaseException:
                self._free.put_nowait(actor)
                raise
            self._free.put_nowait(actor)
            return _finished(answer, emit)
        raise HdsError(f"{_TRIES} workers of the cluster died over this question", hint=_AGAIN, code="cluster")

    # --- the cluster -----------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        """Connect to the cluster.

        Raises:
            UsageError: there is none; or it is not this machine alone, and nothing elsewhere is to be reached.
        """
        _check_there(self._address)
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anybody
        more: dict[str, Any] = {}
        if self._address == "local":
            more = {"include_dashboard": False, "num_cpus": max(self._jobs, usable())}
        try:
            self._ray.init(
                address=self._address, logging_level=logging.ERROR, log_to_driver=False, configure_logging=False, **more
            )
        except (ConnectionError, ValueError, RuntimeError) as exc:
            said = " ".join(str(exc)[:200].split())
            raise UsageError(f"there is no Ray cluster at {self._address}: {said}", hint=_HINT) from None
        here = {"127.0.0.1", "::1", self._ray.util.get_node_ip_address()}
        elsewhere = sorted({str(node["NodeManagerAddress"]) for node in self._nodes()} - here)
        if elsewhere and self._settings.offline:
            raise UsageError(
                f"the cluster has nodes on other machines ({elsewhere[0]}), and --offline reaches nothing else",
                hint="without --offline, or --ray local",
            )
        if elsewhere:
            self.notices = (f"questions and pages go to the nodes of the cluster, {elsewhere[0]} among them",)

    def _nodes(self) -> list[dict[str, Any]]:
        return [node for node in self._ray.nodes() if node["Alive"]]

    async def _start(self) -> None:
        """Start the actors, and wait until all have their model.

        Raises:
            ModelError: one has none; it would fail question after question while the others are at work.
        """
        sizes = [int(node["Resources"].get("CPU", 0)) for node in self._nodes()]
        threads = threads_each(sizes, self._jobs, self._settings.n_threads)
        gpus = sum(node["Resources"].get("GPU", 0) for node in self._nodes())
        graphics = 1 if gpus >= self._jobs and self._settings.n_gpu_layers else 0
        kind = self._ray.remote(
            num_cpus=threads, num_gpus=graphics, max_restarts=_RESTARTS, scheduling_strategy="SPREAD"
        )(Worker)
        settings = replace(_with_whole_paths(self._settings), n_threads=threads, keep_warm=None)
        self._actors = [kind.remote(settings, hds_cli.__version__) for _ in range(self._jobs)]
        about = await self._about(self._actors[0])  # alone: what it finds out of a new file, others of its node know
        await asyncio.gather(*map(self._about, self._actors[1:]))
        self.info = ModelInfo(**about["info"])
        self.notices += tuple(about["said"])
        for actor in self._actors:
            self._free.put_nowait(actor)

    async def _about(self, actor: Any) -> dict[str, Any]:
        """What a new actor says of itself.

        Raises:
            ModelError: it has no model, or does not start; the message names its node where it could say which.
        """
        try:
            about: dict[str, Any] = await actor.about.remote()
        except self._ray.exceptions.RayError as exc:
            said = " ".join(str(exc)[-300:].split())
            raise ModelError(f"a worker of the cluster does not start: {said}", hint=_NODES, code="cluster") from None
        if error := about.get("error"):
            where = about.get("node") or "a node of the cluster"
            raise ModelError(f"{where}: {error['message']}", hint=error["hint"], code=error["code"])
        return about

    async def _revived(self, actor: Any) -> None:
        """Put an actor that died back once Ray has started it again; one that stays dead or has no model is left out.

        Raises:
            HdsError: it was the last one.
        """
        if await self._is_back(actor):
            self._free.put_nowait(actor)
            return
        self._actors.remove(actor)
        self._ray.kill(actor)
        if not self._actors:
            self._free.put_nowait(None)
            raise HdsError("no worker of the cluster is left", hint=_AGAIN, code="cluster")

    async def _is_back(self, actor: Any) -> bool:
        """True when an actor that died has its model again; a call to one that Ray still starts fails at once."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _RESTART_SECONDS
        while loop.time() < deadline:
            try:
                return "error" not in await actor.about.remote()
            except self._ray.exceptions.ActorUnavailableError:
                await asyncio.sleep(_PAUSE)
            except self._ray.exceptions.RayError:
                return False
        return False

    def _end(self) -> None:
        for actor in self._actors:
            self._ray.kill(actor)
        self._ray.shutdown()


def _check_there(address: str) -> None:
    """See whether anybody listens at `HOST:PORT`; Ray itself would try for minutes.

    Raises:
        UsageError: nobody does.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), _CONNECT_SECONDS).close()
    except (OSError, OverflowError) as exc:
        said = getattr(exc, "strerror", None) or "it does not answer"
        raise UsageError(f"there is no Ray cluster at {address}: {said}", hint=_HINT) from None


def threads_each(sizes: Sequence[int], jobs: int, wanted: int | None) -> int:
    """The threads of each of `jobs` actors on nodes with so many processors: as many as let all of them run at once.

    Raises:
        UsageError: they do not fit.
    """
    for threads in [wanted] if wanted else range(max(sizes, default=0), 0, -1):
        if sum(size // threads for size in sizes) >= jobs:
            return threads
    fit = sum(size // (wanted or 1) for size in sizes)
    raise UsageError(f"the cluster has room for {fit} questions at once, not {jobs}", hint=f"--jobs {max(fit, 1)}")


def _with_whole_paths(settings: Settings) -> Settings:
    """The settings with the paths of files as another process, in another folder, can use them."""
    given = {name: str(getattr(settings, name) or "") for name in ("model", "reader_model", "prompt_file", "verifier")}
    paths = {name: Path(value).expanduser() for name, value in given.items() if value}
    return replace(settings, **{name: str(path.absolute()) for name, path in paths.items() if path.exists()})


def _finished(answer: dict[str, Any], emit: events.Emit) -> events.RunFinished:
    """Hand the events of a node on; the last one.

    Raises:
        HdsError: what stood in the way there.
    """
    seen = decoded(answer)
    for event in seen:
        emit(event)
    if error := answer.get("error"):
        raise HdsError(error["message"], hint=error["hint"], code=error["code"])
    last = seen[-1]
    assert isinstance(last, events.RunFinished)
    return last


def _package() -> Any:
    try:
        import ray
    except ImportError as exc:
        raise UsageError("a cluster of Ray needs the package ray", hint='pip install "hds-cli[ray]"') from exc
    return ray

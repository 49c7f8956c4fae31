"""The server of xllamacpp, started in this process, and the way to it."""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hds_cli.engine.remote.wire import CONNECT_SECONDS, Aborted, Call, Refused, Wire
from hds_cli.errors import ModelUnusable
from hds_cli.keys import Secret

_HERE = "llama.cpp's server in this process"
_QUIET = -1  # no line of llama.cpp's log
_MARGIN = 256  # cells beyond what the sessions may hold: llama.cpp keeps one free, and rounds up
SLOTS = 4
_KEPT_MIB = 256  # states of slots that gave way to others
_LONGEST = 103  # bytes of a socket's path: 104 with its end on macOS, 108 on Linux


def installed() -> bool:
    """True when the package is there; it is not imported."""
    from importlib.util import find_spec

    return find_spec("xllamacpp") is not None


def package() -> Any:
    """The module.

    Raises:
        ModelUnusable: it does not load.
    """
    try:
        import xllamacpp
    except (ImportError, OSError) as exc:
        raise ModelUnusable(f"xllamacpp does not load: {exc}", hint='pip install "hds-cli[xllamacpp]"') from exc
    return xllamacpp


def build() -> str:
    """The version of xllamacpp, without importing it."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("xllamacpp")
    except PackageNotFoundError:
        return "unknown"


def gpu_memory() -> int | None:
    """Free bytes of the GPUs that layers can go to; None: to none.

    Raises:
        ModelUnusable: the package does not load.
    """
    kind = package().ggml_backend_dev_type
    graphics = (kind.GGML_BACKEND_DEVICE_TYPE_GPU, kind.GGML_BACKEND_DEVICE_TYPE_IGPU)
    return sum(int(d["memory_free"]) for d in package().get_device_info() if d["type"] in graphics) or None


class Server:
    """A model that llama.cpp's server has loaded, in threads of this process.

    `kv` is the type of its keys and values.

    Args:
        n_ctx: tokens that its slots hold together.
        kv: the type that is wanted, `f16` or `q8_0`; where the model's heads do not allow it, they are in 16 bits.

    Raises:
        ModelUnusable: the package or the model does not load.
    """

    def __init__(
        self, model: Path, *, lora: Path | None = None, n_ctx: int, n_threads: int, n_gpu_layers: int = -1,
        kv: str = "f16",
    ) -> None:  # fmt: skip
        module = package()
        self._folders = contextlib.ExitStack()
        self._folder = self._new_folder()
        self.key = secrets.token_urlsafe(32)
        self.kv, self._server = kv, None

        def start(kv: str) -> Any:
            return module.Server(self._params(module, model, lora, n_ctx, n_threads, n_gpu_layers, kv))

        try:
            if kv != "f16":
                with contextlib.suppress(RuntimeError):  # its heads are not whole blocks, or nothing computes on them
                    self._server = start(kv)
            if self._server is None:
                self.kv, self._server = "f16", start("f16")
        except (RuntimeError, ValueError, OSError) as exc:
            self._folders.close()
            said = " ".join(str(exc)[:300].split()) or "no reason given"
            raise ModelUnusable(
                f"xllamacpp cannot load {model}: {said}", hint="pip install --upgrade xllamacpp   or another GGUF file"
            ) from exc
        self.address: str = self._server.listening_address
        self._wait()

    def _wait(self) -> None:
        """Wait until it works on tasks: llama.cpp's server never ends when it is ended between loading and that.

        Raises:
            ModelUnusable: it does not answer.
        """
        wire = self.wire(0)
        try:
            wire.ask("/slots")  # which is a task, as `/props` is not
        finally:
            wire.close()

    def _params(
        self, module: Any, model: Path, lora: Path | None, n_ctx: int, n_threads: int, n_gpu_layers: int, kv: str
    ) -> Any:
        params = module.CommonParams()
        params.model.path = str(model)
        params.n_ctx, params.n_parallel, params.kv_unified = n_ctx + _MARGIN, SLOTS, True
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = n_threads
        params.n_gpu_layers = n_gpu_layers
        params.swa_full = True  # so that a sequence can be cut back to any token
        params.cache_ram_mib = _KEPT_MIB
        params.api_keys = [self.key]
        params.ui = params.warmup = False
        params.offline = True
        params.slot_save_path = str(self._folder) + os.sep
        params.verbosity = _QUIET
        if lora is not None:
            params.lora_adapters = [module.CommonAdapterLoraInfo(str(lora), 1.0)]
        if kv == "q8_0":
            params.cache_type_k = params.cache_type_v = module.ggml_type.GGML_TYPE_Q8_0
        if os.name == "posix":
            params.hostnames = [str(self._socket(f"{kv}.sock"))]  # one that fails to start leaves it behind
        return params

    def _new_folder(self, place: str | None = None) -> Path:
        """A folder for the user alone (0700), until the server ends."""
        return Path(self._folders.enter_context(tempfile.TemporaryDirectory(prefix="hds-", dir=place)))

    def _socket(self, name: str) -> Path:
        """A socket beside its files, or in a short folder where the path would be too long for the system."""
        beside = self._folder / name
        return beside if len(os.fsencode(beside)) <= _LONGEST else self._new_folder("/tmp") / name

    def wire(self, cells: int) -> ServerWire:
        """The way to it; `cells`: tokens that are written and read at once."""
        return ServerWire(self.address, self.key, cells)

    def slot_state(self, wire: Wire, slot: int) -> bytes:
        """What a slot has evaluated, as llama.cpp writes it.

        Raises:
            ModelUnusable: it does not answer.
            OSError: there is no room for the file.
        """
        with self._file() as file:
            wire.ask(f"/slots/{slot}?action=save", {"filename": file.name})
            return file.read_bytes()

    def restore(self, wire: Wire, slot: int, held: bytes) -> bool:
        """Put it into a slot; False: there is no room for it, and the tokens are evaluated anew."""
        with self._file() as file, contextlib.suppress(Refused, OSError):
            file.write_bytes(held)
            wire.ask(f"/slots/{slot}?action=restore", {"filename": file.name})
            return True
        return False

    @contextlib.contextmanager
    def _file(self) -> Iterator[Path]:
        file = self._folder / secrets.token_hex(8)
        try:
            yield file
        finally:
            file.unlink(missing_ok=True)

    def close(self) -> None:
        """End it, and give back what it holds."""
        self._server = None
        self._folders.close()


class ServerWire(Wire):
    """The way to a server in this process. No host is contacted, so none is counted.

    Args:
        address: of the server, as it names it.
        cells: requests wait for others when all of them together might need more tokens.
    """

    def __init__(self, address: str, key: str, cells: int) -> None:
        self._path = address.removeprefix("unix://") if address.startswith("unix://") else None
        super().__init__("http://127.0.0.1" if self._path else address, Secret(key))
        if self._path:
            self.host = _HERE
        self._room = _Room(cells)

    def events(self, path: str, body: Mapping[str, Any], call: Call, *, seconds: float, most: int) -> Iterator[Any]:
        with self._room.taken(len(body["prompt"]) + body["n_predict"], call):
            yield from super().events(path, body, call, seconds=seconds, most=most)

    def _connection(self) -> http.client.HTTPConnection:
        if self._path is None:
            return super()._connection()
        with self._lock:
            return self._idle.pop() if self._idle else _UnixConnection(self._path)

    def _unusable(self, what: str) -> ModelUnusable:
        return ModelUnusable(f"{_HERE} {what}", hint="hds ask -e llama_cpp …", code="model_server")

    def _note(self, *, requests: int = 0, size: int = 0) -> None: ...


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=CONNECT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(CONNECT_SECONDS)
        self.sock.connect(self._path)


class _Room:
    """Cells that requests share; who finds too few waits, first come first."""

    def __init__(self, cells: int) -> None:
        self._free = self._cells = cells
        self._turn = threading.Condition()
        self._waiting: list[object] = []

    @contextlib.contextmanager
    def taken(self, wanted: int, call: Call) -> Iterator[None]:
        """A context with so many cells.

        Raises:
            Aborted: the call was ended while it waited.
        """
        wanted, ticket = min(wanted, self._cells), object()
        with self._turn:
            self._waiting.append(ticket)
            try:
                while self._waiting[0] is not ticket or self._free < wanted:
                    if call.stopped.is_set():
                        raise Aborted
                    self._turn.wait(0.05)
                self._free -= wanted
            finally:
                self._waiting.remove(ticket)
                self._turn.notify_all()
        try:
            yield
        finally:
            with self._turn:
                self._free += wanted
                self._turn.notify_all()

"""`hds serve`: a model that stays loaded for the commands that come."""

from __future__ import annotations

from typing import Annotated

import typer

from hds_cli import config, paths
from hds_cli.commands import _print
from hds_cli.commands._flags import Flags, with_flags
from hds_cli.desk.speaking import sequences_of
from hds_cli.engine.opening import find_model
from hds_cli.errors import UsageError
from hds_cli.interrupts import Interrupts, before_leaving
from hds_cli.render import words
from hds_cli.settings_facts import seconds


@with_flags("model", "engine", "reader", "n_ctx", "n_threads", "n_gpu_layers", "dialect")
def serve(
    *,
    flags: Flags,
    stop: Annotated[bool, typer.Option("--stop", help="End the models kept warm, once they are idle.")] = False,
) -> None:
    """Keep a model loaded: hds ask and hds chat find it, with the same answers and no loading.

    It listens at a socket that is the user's alone, ends when nobody has asked for as long as the setting keep_warm
    says (10m), and serves one command at a time: one that comes meanwhile loads the model itself. A command that asks
    for another model, other files, another context length or another version of hds does not use it.

    With keep_warm in the settings nothing has to be started: the first question leaves the model loaded.

    hds serve -m qwen3-4b

    hds config set keep_warm 10m && hds ask "…"

    hds serve --stop
    """
    from hds_cli.engine.warm import place
    from hds_cli.engine.warm.retiring import retire
    from hds_cli.engine.warm.server import DEFAULT, Server

    if not place.possible():
        raise UsageError("hds serve needs Unix sockets, which this system does not have", hint="hds ask …")
    if stop:
        asked = retire(paths.run_dir())
        _print.say(f"{words.count(asked, 'model')} asked to end" if asked else "no model is kept warm")
        return
    settings = config.load(flags)
    if settings.engine != "llama_cpp":
        raise UsageError(f"the engine {settings.engine} keeps no model warm", hint="hds serve -e llama_cpp")
    keep = settings.keep_warm or DEFAULT
    if not seconds(keep):
        raise UsageError(f"keep_warm is {keep}: no command would use the model", hint="hds config set keep_warm 10m")
    spec = find_model(settings)
    with Interrupts():
        try:
            sequences = sequences_of(spec, settings)
            server = Server(spec, settings, sequences=sequences, keep=seconds(keep))
        except OSError as exc:
            raise UsageError(
                f"{spec.name} cannot be kept warm: {exc}", hint="HDS_HOME=ANOTHER/FOLDER hds serve"
            ) from exc
        if not server.first:
            raise UsageError(f"{spec.name} is kept warm already", hint="hds serve --stop")
        before_leaving(server.clear)
        server.retire_others()
        _print.say(f"{spec.name} is loaded, and ends when nobody has asked for {keep} (Ctrl-C: now)")
        server.run()


__all__ = ["serve"]

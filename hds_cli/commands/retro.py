"""`hds retro`: saved runs made shorter, as rows for `hds train`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Annotated, TextIO

import typer

from hds_cli import config, events
from hds_cli.commands import _earlier, _options, _output, _print, _saved
from hds_cli.commands._flags import Flags, with_flags
from hds_cli.desk.desk import desk
from hds_cli.desk.retro import Shorter, shortened
from hds_cli.engine.opening import find_model
from hds_cli.errors import HdsError, Interrupted, UsageError
from hds_cli.render import words


@with_flags("model", "engine")
def retro(
    runs: Annotated[list[str], typer.Argument(metavar="RUN…", help="Ids, or 'last'.")],
    *,
    flags: Flags,
    output: _options.Output = None,
    quiet: _options.Quiet = False,
) -> None:
    """Leave out of saved runs the turns that their answers do not need, and write what is left as rows to train with.

    Nothing is searched or fetched: what a run read is put back without one turn at a time, and its model answers again.
    A turn is gone when the answer is the same and has a ground. A line of JSON for each run that became shorter,
    there when it is made: an error of one run is raised when the others are done.

    Exit code: 0 a run became shorter, 3 none did, 130 stopped.

    hds retro last -o shorter.jsonl && hds train shorter.jsonl --base model.gguf --out lora
    """
    with _output.target(output) as out:
        count, error = _write(runs, flags, out, quiet=quiet)
        if error is not None and not count:
            raise error  # here, so that a file stays as it was
    if error is not None:
        raise error
    if not count:
        raise typer.Exit(3)


def _write(runs: Sequence[str], flags: Flags, out: TextIO, *, quiet: bool) -> tuple[int, HdsError | None]:
    """Write the row of each run when it is made; the number of rows, and the first error if there was one."""
    count, error = 0, None
    for done, name in enumerate(runs):
        try:
            made = asyncio.run(_shorter(_saved.events_of(name), flags))
        except KeyboardInterrupt:
            return count, Interrupted(f"stopped, {done} of {words.count(len(runs), 'run')} done")
        except HdsError as exc:
            if len(runs) == 1:
                return count, exc
            _print.say(f"{name}: {exc.message}", quiet=quiet)
            if error is None and not isinstance(exc, UsageError):  # that says of one run why it cannot be shorter
                error = exc
            continue
        if made is None:
            _print.say(f"{name}: every turn is needed", quiet=quiet)
            continue
        out.write(f"{json.dumps(made.to_dict(), ensure_ascii=True)}\n")
        out.flush()
        count += 1
        gone = words.count(made.turns_before - made.turns, "turn")
        _print.say(f"{name}: {gone} of {made.turns_before} left out, {made.tokens_saved:,} tokens", quiet=quiet)
    return count, error


async def _shorter(run: Sequence[events.Event], flags: Flags) -> Shorter | None:
    kept = {name: value for name, value in _earlier.settings_of(run).items() if value is not None}
    settings = config.load(kept | dict(flags) | {"offline": True, "refine": False})
    async with desk(find_model(settings), settings, []) as place:
        return await shortened(place, run)

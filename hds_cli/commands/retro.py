"""`hds retro`: saved runs made shorter, as rows for `hds train`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Annotated

import typer

from hds_cli import config, events
from hds_cli.commands import _earlier, _options, _output, _print, _saved
from hds_cli.commands._flags import Flags, with_flags
from hds_cli.desk.desk import desk
from hds_cli.desk.retro import Shorter, shortened
from hds_cli.engine.opening import find_model
from hds_cli.errors import UsageError
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
    A turn is gone when the answer is the same and has a ground. A line of JSON for each run that became shorter.

    Exit code: 0 a run became shorter, 3 none did.

    hds retro last -o shorter.jsonl && hds train shorter.jsonl --base model.gguf --out lora
    """
    shorter = []
    for name in runs:
        try:
            made = asyncio.run(_shorter(_saved.events_of(name), flags))
        except UsageError as exc:
            if len(runs) == 1:
                raise
            _print.say(exc.message, quiet=quiet)
            continue
        if made is None:
            _print.say(f"{name}: every turn is needed", quiet=quiet)
        else:
            gone = words.count(made.turns_before - made.turns, "turn")
            _print.say(f"{name}: {gone} of {made.turns_before} left out, {made.tokens_saved:,} tokens", quiet=quiet)
            shorter.append(made)
    with _output.target(output) as out:
        for made in shorter:
            out.write(f"{json.dumps(made.to_dict(), ensure_ascii=True)}\n")
    if not shorter:
        raise typer.Exit(3)


async def _shorter(run: Sequence[events.Event], flags: Flags) -> Shorter | None:
    kept = {name: value for name, value in _earlier.settings_of(run).items() if value is not None}
    settings = config.load(kept | dict(flags) | {"offline": True, "refine": False})
    async with desk(find_model(settings), settings, []) as place:
        return await shortened(place, run)

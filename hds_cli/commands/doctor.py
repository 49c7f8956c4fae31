"""`hds doctor`: what works on this machine, and what to do about the rest."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace

import typer

from hds_cli.commands import _options
from hds_cli.commands._checkup import Finding, examine
from hds_cli.keys import redact


def doctor(offline: _options.Offline = None, json_: _options.Json = False) -> None:
    """Look at everything hds needs: what works, what does not, and what to do about it. Exit 1 if something is broken.

    hds doctor

    hds doctor --offline

    hds doctor --json | jq -r '.findings[] | select(.state != "ok") | .hint'
    """
    found = [replace(f, message=redact(f.message)) for f in examine(offline=bool(offline))]
    broken = any(finding.state == "fail" for finding in found)
    if json_:
        document = {"schema": "hds.doctor/1", "ok": not broken, "findings": [asdict(f) for f in found]}
        sys.stdout.write(json.dumps(document) + "\n")
    else:
        _show(found)
    raise typer.Exit(1 if broken else 0)


def _show(found: Sequence[Finding]) -> None:
    from hds_cli.render import tables
    from hds_cli.render.consoles import console_for

    if not sys.stdout.isatty():
        rows = [[f.state, f.area, f.message, f.hint or ""] for f in found]
        sys.stdout.write(tables.rows_text(rows) + "\n")
        return
    from rich.text import Text

    from hds_cli.render.text import one_line

    console = console_for(sys.stdout)
    styles = {"ok": "green", "warn": "yellow", "fail": "red bold"}
    for finding in found:
        line = Text(f"{finding.state:5}", styles[finding.state])
        line.append(f"{finding.area:10}", "dim").append(one_line(finding.message), "")
        console.print(line)
        if finding.hint:
            console.print(Text(f"{'':15}hint: {one_line(finding.hint)}", "bold"))

"""`hds doctor`: what works on this machine, and what to do about the rest."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, replace

import typer

from hds_cli.commands import _options, _print
from hds_cli.commands._checkup import Finding, examine
from hds_cli.commands._flags import Flags, with_flags
from hds_cli.keys import redact


@with_flags("offline")
def doctor(*, flags: Flags, json_: _options.Json = False) -> None:
    """Look at everything hds needs: what works, what does not, and what to do about it. Exit 1 if something is broken.

    hds doctor

    hds doctor --offline

    hds doctor --json | jq -r '.findings[] | select(.state != "ok") | .hint'
    """
    findings = [replace(f, message=redact(f.message)) for f in examine(offline=bool(flags.get("offline")))]
    broken = any(finding.state == "fail" for finding in findings)
    if sys.stdout.isatty() and not json_:
        _show(findings)
    else:
        rows = [[f.state, f.area, f.message, f.hint or ""] for f in findings]
        document = {"ok": not broken, "findings": [asdict(f) for f in findings]}
        _print.result("hds.doctor/1", document, _print.Table((), rows), as_json=json_)
    raise typer.Exit(1 if broken else 0)


def _show(findings: Sequence[Finding]) -> None:
    """On a terminal: each hint below what it is about, not in a column of its own."""
    from rich.text import Text

    from hds_cli.render.consoles import console_for
    from hds_cli.render.text import one_line

    console = console_for(sys.stdout)
    styles = {"ok": "green", "warn": "yellow", "fail": "red bold"}
    for finding in findings:
        line = Text(f"{finding.state:5}", styles[finding.state])
        line.append(f"{finding.area:10}", "dim").append(one_line(finding.message), "")
        console.print(line)
        if finding.hint:
            console.print(Text(f"{'':15}hint: {one_line(finding.hint)}", "bold"))

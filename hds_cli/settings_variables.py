"""Variables of the environment that hds reads beside the settings, and misspelt ones that only look like them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from hds_cli.config import SOURCE_VARIABLES, SourceSettings, fields
from hds_cli.settings_facts import env_of, facts

VARIABLES = {
    "HDS_HOME": "a folder that holds everything: config, data and cache",
    "HDS_CONFIG": "the settings file, instead of config.toml in the configuration directory",
    "HDS_PROFILE": "a table [profile.NAME] of the settings file that goes first",
    "HDS_NO_PLUGINS": "1: only the plugins that come with hds",
    "HDS_OPENAI_API_KEY": "the key of the server of -e openai",
    "HDS_NAME_API_KEY": "the key of the source NAME, such as HDS_BRAVE_API_KEY",
}
"""The variables with a meaning of their own, for the manual."""

_FOR_TESTS = frozenset({"HDS_SHARED", "HDS_LONG"})
_SOURCE = re.compile(rf"HDS_([A-Z0-9_]+?)_(API_KEY|{'|'.join(sorted(SOURCE_VARIABLES))})")
_ADDRESSES = {f.name.upper() for f in dataclasses.fields(SourceSettings) if facts(f).address}
_NEAR = 0.75  # of difflib: HDS_TOPK, HDS_MODLE and HDS_THREADS are near a setting, HDS_ROOT and HDS_USER are not


def misspelt(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The variables that hds does not read and that are spelt nearly like one it does, each with that one.

    A variable unlike all of them is another program's business, and is not mentioned.
    """
    settings = {env_of(f) for f in fields()}
    known = settings | _FOR_TESTS | VARIABLES.keys()
    for name in sorted(names):
        if name.startswith("HDS_") and name not in known and not _of_source(name) and (near := _nearest(name, known)):
            yield name, near


def strays(environ: Mapping[str, str], sources: Callable[[], Collection[str]]) -> Iterator[tuple[str, str | None]]:
    """The variables that look like a source's where there is no such source, each with the one probably meant.

    One that resembles none is another program's business, and is only mentioned where its value cannot be a source's.

    Args:
        sources: the names of all sources; only asked for where there is such a variable.
    """
    import difflib

    own = {env_of(f) for f in fields()} | VARIABLES.keys()
    matches = [(name, match) for name in sorted(environ) if name not in own and (match := _SOURCE.fullmatch(name))]
    known = {source.lower() for source in sources()} if matches else set()
    for name, match in matches:
        source, option = match[1].lower(), match[2]
        if source in known:
            continue
        near = difflib.get_close_matches(source, known, 1, _NEAR)
        value = environ[name]
        wrong = bool(value) and option in _ADDRESSES and not value.startswith(("http://", "https://"))
        if near or wrong:
            yield name, f"HDS_{near[0].upper()}_{option}" if near else None


def _of_source(name: str) -> bool:
    """True for `HDS_<NAME>_<OPTION>` and `HDS_<NAME>_API_KEY`."""
    return _SOURCE.fullmatch(name) is not None


def _nearest(name: str, known: Iterable[str]) -> str | None:
    """The known variable, or variable of a source, that was probably meant."""
    import difflib

    bare = {variable.removeprefix("HDS_"): variable for variable in known if variable != "HDS_NAME_API_KEY"}
    if near := difflib.get_close_matches(name.removeprefix("HDS_").upper(), bare, 1, _NEAR):
        return bare[near[0]]
    for option in ("API_KEY", *sorted(SOURCE_VARIABLES)):
        for words in range(1, option.count("_") + 2):
            source, *end = name.rsplit("_", words)
            if source.startswith("HDS_") and difflib.get_close_matches("_".join(end), [option], 1, _NEAR):
                return f"{source}_{option}"
    return None

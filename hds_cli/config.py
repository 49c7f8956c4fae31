"""Settings: default < file < environment < flag, each value with its origin.

A setting is one field of `Settings`, and all that is known of it stands in that field's metadata (`settings_facts`).
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from hds_cli import paths, settings_facts, settings_file
from hds_cli.errors import ConfigError
from hds_cli.settings_facts import SOURCE_VARIABLES as SOURCE_VARIABLES
from hds_cli.settings_facts import Field, Flag, complaint, convert, env_of, facts, flag_of, key_of, nearest, setting
from hds_cli.settings_facts import SourceSettings as SourceSettings


@dataclass(frozen=True)
class Settings:
    """Everything a user can set. Nothing outside this module reads the environment or the file for a setting."""

    model: str | None = setting(
        None, "name or path of the GGUF model", shapes=True, world=True,
        flag=Flag("A GGUF file, or 'starter'.", "NAME|PATH", short="-m"),
    )  # fmt: skip
    engine: str = setting(
        "llama_cpp", "what runs the model: llama_cpp, xllamacpp, openai (a server), scripted", shapes=True, world=True,
        flag=Flag("llama_cpp, xllamacpp, openai (a server) or scripted", "NAME", short="-e"),
    )  # fmt: skip
    openai_url: str = setting("http://127.0.0.1:8080", "address of the server of the engine openai", key="openai.url",
                              address=True, shapes=True, world=True)  # fmt: skip
    source: tuple[str, ...] = setting(
        (), "where to search; empty: everything that needs no key", shapes=True, world=True,
        flag=Flag("Where to search (repeatable): a collection, local, cache or a plugin.", "NAME", short="-s"),
    )  # fmt: skip
    offline: bool = setting(
        False, "open no socket and look up no name", shapes=True, world=True, indifferent=True,
        flag=Flag("Open no socket and look up no name."),
    )  # fmt: skip
    max_turns: int = setting(
        10, "turns of searching before the answer is forced", least=1, shapes=True, flag=Flag("Turns of searching", "N")
    )
    max_queries: int = setting(
        8, "queries of one turn that are searched", least=1, shapes=True, flag=Flag("Queries of a turn", "N")
    )
    top_k: int = setting(
        5, "results of a query that are read", least=1, shapes=True, flag=Flag("Results of a query that are read", "N")
    )
    select: str | None = setting(
        None, "what chooses the passages: bm25, cover, set or a plugin; unset: what suits the model", shapes=True,
        flag=Flag("What chooses the passages: bm25, cover, set or a plugin.", "NAME"),
    )  # fmt: skip
    refine: bool = setting(
        False, "search a query that brings nothing new once more, in other words", shapes=True,
        flag=Flag("Reword a query that brings nothing new."))  # fmt: skip
    prf: bool = setting(
        False, "search collections once more with the terms of the best passages", shapes=True,
        flag=Flag("Search collections again with terms of the best passages.", name="--prf/--no-prf"))  # fmt: skip
    reader: str | None = setting(
        None, "what the dialect hds reads of pages: extract (passages) or model (a further call's prose); unset: model "
        "where a GPU holds the searcher", choices=("extract", "model"), shapes=True,
        flag=Flag("What is read of pages: passages, or prose of a further call."),
    )  # fmt: skip
    reader_model: str | None = setting(
        None, "another model as the reader, by name or path of its GGUF file", shapes=True,
        flag=Flag("Another model as the reader.", "NAME|PATH"),
    )  # fmt: skip
    today: str | None = setting(
        None, "the day that the model is told it is, YYYY-MM-DD; unset: today", shapes=True, indifferent=True
    )
    language: str | None = setting(
        None, "language of the answer and of what is searched for, as a code such as de; unset: the question's",
        shapes=True, flag=Flag("Language of the answer and of what is searched for.", "CODE"),
    )  # fmt: skip
    recent: str | None = setting(
        None, "how old pages may be: day, week, month or year", choices=("day", "week", "month", "year"), shapes=True,
        flag=Flag("No pages that are older."),
    )  # fmt: skip
    site: tuple[str, ...] = setting(
        (), "hosts whose pages are read, with all below them; empty: any", shapes=True, world=True,
        flag=Flag("Only pages of this host (repeatable).", "HOST"),
    )  # fmt: skip
    not_site: tuple[str, ...] = setting(
        (), "hosts whose pages are not read, with all below them", shapes=True, world=True,
        flag=Flag("No pages of this host (repeatable).", "HOST"),
    )  # fmt: skip
    evidence_tokens: int | None = setting(
        None, "tokens of pages that the model reads in a turn; unset: a share of its context", least=64, unit="tokens",
        shapes=True, flag=Flag("Tokens of pages read in a turn.", "N"),
    )  # fmt: skip
    evidence_passages: int | None = setting(
        None, "passages read for a query; unset: 12, or what suits the model", least=1, shapes=True,
        flag=Flag("Passages read for a query.", "N"),
    )  # fmt: skip
    passage_words: int | None = setting(
        None, "words of a passage; unset: 250, or what suits the model", least=20, unit="words", shapes=True,
        flag=Flag("Words of a passage.", "N"),
    )  # fmt: skip
    temperature: float | None = setting(
        None, "sampling temperature; unset: what the dialect was made for", least=0, most=2, shapes=True,
        flag=Flag("0 takes the likeliest word.", "F"),
    )  # fmt: skip
    seed: int = setting(0, "seed of the sampler", shapes=True, flag=Flag("Seed of the sampler", "N"))
    thinking: str = setting(
        "brief", "how much a thinking model thinks: off, brief or full", shapes=True,
        choices=("off", "brief", "full"), flag=Flag("How much a thinking model thinks"))  # fmt: skip
    timeout: float | None = setting(
        None, "what the whole run may take, such as 90 (seconds), 15m or 1h", above=0, unit="seconds", time=True,
        flag=Flag("For the whole run.", "SECONDS|15m|1h"))  # fmt: skip
    budget: str | None = setting(
        None, "what a run may take, such as 60s, 5m, 1h or 20k tokens", form=r"(?=.*[1-9])\d{1,5}(\.\d{1,2})?[smhk]",
        shapes=True, flag=Flag("Plan the run to fit: fewer pages, an earlier answer.", "60s|5m|20k"),
    )  # fmt: skip
    turn_timeout: float = setting(
        20.0, "seconds that search and fetch of one turn may take", least=0.01, time=True, shapes=True)  # fmt: skip
    max_tokens: int = setting(4096, "tokens the model may write in one turn", least=1, shapes=True)
    n_ctx: int | None = setting(
        None, "context length in tokens; unset: what the model and memory allow", least=512, unit="tokens", shapes=True,
        flag=Flag("Context length in tokens.", "N"),
    )  # fmt: skip
    n_threads: int | None = setting(
        None, "threads for the model; unset: one per core, fewer beside other work", least=0, indifferent=True,
        flag=Flag("Threads for the model [one per core, fewer beside other work].", "N", name="--threads"),
    )  # fmt: skip
    keep_warm: str | None = setting(
        None, "how long the model stays loaded for the next command: 90s, 10m, 1h; unset or 0: not at all (see "
        "hds serve)", form=settings_facts.DURATION, indifferent=True,
    )  # fmt: skip
    n_gpu_layers: int = setting(-1, "layers on the GPU; -1: all that fit", flag=Flag("-1: all that fit", "N"))
    dialect: str | None = setting(
        None, "how the model is spoken to: chat, guided, hds, tools or a plugin's; unset: by the model's file",
        key="dialect.name", env="HDS_DIALECT", shapes=True, world=True,
        flag=Flag("How the model is spoken to: chat, guided, hds, tools or a plugin's.", "NAME"),
    )  # fmt: skip
    verdict: str | None = setting(
        None, "what becomes of an answer: mark (weak parts too), refuse or a plugin's; unset: the model's", shapes=True
    )  # fmt: skip
    verify: bool | None = setting(
        None, "have a verifier read what strings cannot prove; unset: where one is installed", shapes=True,
        flag=Flag("Have a verifier read what strings cannot prove.", name="--verify/--no-verify"),
    )  # fmt: skip
    verifier: str | None = setting(
        None, "what verifies: small, a plugin, or a GGUF model that is asked by grammar; unset: small", shapes=True,
        flag=Flag("small, a plugin or a GGUF file.", "NAME|PATH"),
    )  # fmt: skip
    verify_timeout: float | None = setting(
        None, "seconds for the verifier of an answer; unset: 5, or 60 for a model", above=0, time=True)  # fmt: skip
    ledger: str = setting(
        "off", "the conditions of the question, kept while it is researched: off, show or gate (an answer that leaves "
        "some open is given back, twice at most)", choices=("off", "show", "gate"), shapes=True,
        flag=Flag("Hold the answer to the question's conditions.", name="--ledger/--no-ledger", switch=("gate", "off")),
    )  # fmt: skip
    prompt_file: str | None = setting(
        None, "prompt text for the hds dialect instead of the built-in one", key="dialect.hds.prompt_file",
        shapes=True, world=True,
    )  # fmt: skip
    cache_dir: str | None = setting(None, "where pages are kept", key="cache.dir", indifferent=True)
    searxng_url: str | None = setting(None, "address of a SearXNG instance", key="searxng.url")
    fetch_allow: tuple[str, ...] = setting((), "non-public host[:port] or CIDR[:port] to fetch from", key="fetch.allow")
    fetch_timeout: float = setting(
        10.0, "seconds one page may take, from the look-up of its name on", key="fetch.timeout", least=0.01, time=True
    )
    fetch_parallel: int = setting(
        64, "pages requested at once, over all hosts", key="fetch.parallel", least=1, indifferent=True)  # fmt: skip
    fetch_delay: float = setting(0.5, "seconds between two requests to one public site", key="fetch.delay", least=0)
    fetch_max_bytes: int = setting(
        5 << 20, "bytes of one page, decoded (four times that for PDF)", key="fetch.max_bytes", least=1024
    )
    fetch_ports: tuple[str, ...] = setting((), "ports beside 80, 443, 8080 and 8443 on public hosts", key="fetch.ports")
    fetch_proxy: str | None = setting(None, "proxy for pages; it then decides what is reached", key="fetch.proxy")
    fetch_ignore_robots: bool = setting(
        False, "fetch what robots.txt disallows", key="fetch.ignore_robots",
        flag=Flag("Fetch what robots.txt disallows after a redirect, too.", name="--ignore-robots", asking=False),
    )  # fmt: skip
    fetch_ca_file: str | None = setting(
        None, "further certificates to trust, in a PEM file", key="fetch.ca_file", indifferent=True
    )
    fetch_cookies: str | None = setting(
        None, "cookies of yours for pages, in a file of Netscape's format", key="fetch.cookies"
    )
    fetch_browser: str | None = setting(
        None, "what reads pages that need a browser: chromium, or a plugin's", key="fetch.browser"
    )
    cache_ttl: float = setting(7.0, "days after which a page is asked for again", key="cache.ttl", least=0)
    cache_size: float = setting(1024.0, "MiB on disk for pages", key="cache.size", least=1, indifferent=True)
    state_size: float = setting(
        1024.0, "MiB on disk for evaluated prompts; 0: none is kept", key="cache.states", least=0,
        indifferent=True,
    )  # fmt: skip
    fetch_contact: str | None = setting(None, "address shown in the user agent", key="fetch.contact", indifferent=True)
    sources: Mapping[str, SourceSettings] = field(default_factory=dict, metadata={"internal": True})
    origins: Mapping[str, str] = field(default_factory=dict, compare=False, metadata={"internal": True})
    faults: Mapping[str, tuple[str, str | None]] = field(
        default_factory=dict, compare=False, metadata={"internal": True}
    )

    @property
    def pages_dir(self) -> Path:
        return Path(self.cache_dir).expanduser() if self.cache_dir else paths.cache_dir() / "pages"

    def source_settings(self, name: str) -> SourceSettings:
        """The settings of the source `name`.

        Raises:
            ConfigError: a variable of it has a wrong value; as long as nobody asks, it may be another program's.
        """
        if name in self.faults:
            message, hint = self.faults[name]
            raise ConfigError(message, hint=hint)
        return self.sources.get(name, SourceSettings())


def fields() -> list[Field]:
    """The settings in order, without what is internal."""
    return [f for f in dataclasses.fields(Settings) if not f.metadata.get("internal")]


def hint_of(f: Field) -> Any:
    """The type of a setting; `TIME` of a number of seconds that may be written as a time."""
    return settings_facts.TIME if facts(f).time else get_type_hints(Settings)[f.name]


def load(flags: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in force.

    Args:
        flags: field name -> value; `None` values count as not given.
        environ: the environment; the process's own when not given. `HDS_PROFILE` names a table `[profile.NAME]` of the
            file that goes before the rest of it.

    Raises:
        ConfigError: the file is not TOML, has an unknown key, or a value of the wrong type; there is no such profile.
    """
    environ = os.environ if environ is None else environ
    gathered = _of_table(settings_file.read(paths.config_file()), environ.get("HDS_PROFILE") or None)
    for f in fields():
        if (raw := environ.get(env_of(f))) not in (None, ""):
            gathered.values[f.name], gathered.origins[f.name] = convert(raw, hint_of(f), env_of(f)), env_of(f)
    for name, value in (flags or {}).items():
        if value is not None:
            gathered.values[name], gathered.origins[name] = value, "flag"
    faults = _sources_of_environment(gathered.own, environ, gathered.origins)
    sources = {name: SourceSettings(**table) for name, table in gathered.own.items()}
    settings = Settings(**gathered.values, sources=sources, origins=gathered.origins, faults=faults)
    _check(settings)
    return settings


def check(table: dict[str, Any]) -> None:
    """Check the content of a settings file, each profile included.

    Raises:
        ConfigError: an unknown key, a value of the wrong type or out of range.
    """
    for profile in (None, *table.get("profile", {})):
        gathered = _of_table(dict(table), profile)
        _check(Settings(**gathered.values, origins=gathered.origins))


def given(settings: Settings) -> dict[str, Any]:
    """The flags that `settings` was loaded with; other settings can be loaded with the same flags."""
    return {name: getattr(settings, name) for name, origin in settings.origins.items() if origin == "flag"}


@dataclass
class _Gathered:
    """Settings gathered so far: field name -> value, field name -> origin, source -> its own settings."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    own: dict[str, dict[str, Any]] = field(default_factory=dict)


def _of_table(table: dict[str, Any], profile: str | None) -> _Gathered:
    """The settings of the file; those of the profile over the rest. Every table is checked, whichever is chosen."""
    path = paths.config_file()
    known = table.pop("profile", {})
    if not isinstance(known, dict) or not all(isinstance(entry, dict) for entry in known.values()):
        where = settings_file.place(path, "profile")
        raise ConfigError(f"profiles in {where} are tables", hint="[profile.NAME], chosen by --profile or HDS_PROFILE")
    if profile is not None and profile not in known:
        hint = nearest(profile, known) if known else f"a table [profile.{profile}] in {path}"
        raise ConfigError(f"there is no profile {profile!r}", hint=hint)
    gathered = _Gathered()
    _take(gathered, table, path, "")
    for name, entry in known.items():
        _take(gathered if name == profile else _Gathered(), entry, path, f"profile.{name}.")
    return gathered


def _take(gathered: _Gathered, table: Mapping[str, Any], path: Path, above: str) -> None:
    """Take in one table of the file that may hold any setting; `above` is its own dotted name."""
    by_key = {key_of(f): f for f in fields()}
    origin = f"{path} [{above[:-1]}]" if above else str(path)
    for written, raw in settings_file.flat(table).items():
        try:
            if written.startswith("sources.") and written != "sources.searxng.url":
                _of_source(gathered.own, written, raw, origin, gathered.origins, strict=True)
                continue
            key = written.removeprefix("sources.")
            if key not in by_key:
                raise ConfigError(f"unknown setting {key!r} in {origin}", hint=nearest(key, by_key))
            f = by_key[key]
            gathered.values[f.name] = convert(raw, hint_of(f), f"{key} in {origin}", strict=True)
            gathered.origins[f.name] = origin
        except ConfigError as exc:  # looking for the line is slow, so it is done only for an error
            place = settings_file.place(path, above + written)
            raise ConfigError(exc.message.replace(origin, place), hint=exc.hint) from None


def _of_source(
    own: dict[str, dict[str, Any]], key: str, raw: Any, where: str, origins: dict[str, str], *, strict: bool = False
) -> None:
    """Take in one setting of `[sources.NAME]`."""
    name, _, option = key.removeprefix("sources.").rpartition(".")
    hints = get_type_hints(SourceSettings)
    if not name or option not in hints:
        known = dict.fromkeys(f"sources.{name or option}.{known}" for known in hints)
        raise ConfigError(f"unknown setting {key!r} in {where}", hint=nearest(key, known))
    value = convert(raw, hints[option], f"{key} in {where}", strict=strict)
    wrong = complaint(next(f for f in dataclasses.fields(SourceSettings) if f.name == option), value)
    if wrong:
        raise ConfigError(f"{key} {wrong[0]}", hint=wrong[1])
    own.setdefault(name, {})[option] = value
    origins[key] = where


def _sources_of_environment(
    own: dict[str, dict[str, Any]], environ: Mapping[str, str], origins: dict[str, str]
) -> dict[str, tuple[str, str | None]]:
    """Take in the variables of sources; what is wrong with those of each that has a wrong one."""
    faults: dict[str, tuple[str, str | None]] = {}
    taken = {env_of(f) for f in fields()}
    for variable, raw in environ.items():
        prefix, _, option = variable.rpartition("_")
        if raw and prefix.startswith("HDS_") and option in SOURCE_VARIABLES and variable not in taken:
            name = prefix.removeprefix("HDS_").lower()
            try:
                _of_source(own, f"sources.{name}.{option.lower()}", raw, variable, origins)
            except ConfigError as exc:
                faults[name] = exc.message, exc.hint
    return faults


def converted(key: str, raw: str) -> tuple[str, Any]:
    """A setting typed on the command line: the key as the file has it, and the value in its type.

    Raises:
        ConfigError: there is no such setting, or the value is of another kind.
    """
    key = key.removeprefix("sources.") if key == "sources.searxng.url" else key
    by_key = {key_of(f): f for f in fields()} | {f.name: f for f in fields()}
    if key.startswith("sources."):
        own: dict[str, dict[str, Any]] = {}
        _of_source(own, key, raw, "the command line", {})
        return key, next(iter(next(iter(own.values())).values()))
    if key not in by_key:
        raise ConfigError(f"there is no setting {key!r}", hint=nearest(key, {key_of(f): f for f in fields()}))
    f = by_key[key]
    return key_of(f), convert(raw, hint_of(f), key_of(f))


def _check(s: Settings) -> None:
    for f in fields():
        if wrong := complaint(f, getattr(s, f.name)):
            raise ConfigError(f"{_named(s, f)} {wrong[0]}", hint=wrong[1])


def _named(s: Settings, f: Field) -> str:
    """A setting as its user wrote it: the flag, the variable, or the key with its line in the file."""
    origin = s.origins.get(f.name, "flag")
    if origin == "flag":
        return flag_of(f)
    if origin.startswith("HDS_"):
        return origin
    table = origin[origin.rindex("[") + 1 : -1] + "." if origin.endswith("]") else ""
    return f"{key_of(f)} in {settings_file.place(paths.config_file(), table + key_of(f))}"


SHAPING = tuple(f.name for f in fields() if facts(f).shapes)
"""The settings that decide what a run does, and so are kept with it."""

SAME_WORLD = tuple(f.name for f in fields() if facts(f).world)
"""The settings that a further question takes from the run before it."""

INDIFFERENT = frozenset(f.name for f in fields() if facts(f).indifferent)
"""The settings that change where and how fast, not what is answered."""


def shaping(settings: Settings) -> dict[str, Any]:
    """The settings that are saved with a run; paths of files are absolute."""
    kept = {name: getattr(settings, name) for name in SHAPING}
    for name in ("model", "reader_model", "prompt_file", "verifier"):
        if kept[name] and (path := Path(kept[name]).expanduser()).exists():
            kept[name] = str(path.absolute())
    return kept

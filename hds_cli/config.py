"""Settings: default < file < environment < flag, each value with its origin.

A setting is one field of `Settings`; its key in the file is `metadata["key"]` (or the field's name), its environment
variable is `HDS_` + the key in capitals with `_` for `.`.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from hds_cli import paths, settings_file
from hds_cli.errors import ConfigError


def _setting(default: Any, doc: str, key: str | None = None, env: str | None = None) -> Any:
    return field(default=default, metadata={"doc": doc, "key": key, "env": env})


@dataclass(frozen=True)
class SourceSettings:
    """What can be set for one source: the table `[sources.NAME]`, or `HDS_<NAME>_<OPTION>` for all but `every`."""

    url: str | None = _setting(None, "address of its API instead of the public one; its host may be a private one")
    language: str | None = _setting(None, "language code, where the source has several")
    every: float | None = _setting(None, "seconds between two requests; unset: what the service asks for")
    path: str | None = _setting(None, "file or folder that it searches, where it searches files")
    reader: str | None = _setting(None, "address of a service that reads pages (Jina); unset: they are fetched")


@dataclass(frozen=True)
class Settings:
    """Everything a user can set. Nothing outside this module reads the environment or the file for a setting."""

    model: str | None = _setting(None, "name or path of the GGUF model")
    engine: str = _setting("llama_cpp", "what runs the model: llama_cpp or scripted")
    source: tuple[str, ...] = _setting((), "where to search; empty: everything that needs no key")
    offline: bool = _setting(False, "open no socket and look up no name")
    max_turns: int = _setting(10, "turns of searching before the answer is forced")
    max_queries: int = _setting(8, "queries of one turn that are searched")
    top_k: int = _setting(5, "results of a query that are read")
    temperature: float | None = _setting(None, "sampling temperature; unset: what the dialect was made for")
    seed: int = _setting(0, "seed of the sampler")
    timeout: float | None = _setting(None, "seconds for the whole run")
    turn_timeout: float = _setting(20.0, "seconds that searching and fetching of one turn may take")
    select: str = _setting("bm25", "what chooses the passages the model reads: bm25 or a plugin")
    max_tokens: int = _setting(4096, "tokens the model may write in one turn")
    n_ctx: int | None = _setting(None, "context length in tokens; unset: what the model and memory allow")
    n_threads: int | None = _setting(None, "threads for the model; unset: one per core")
    n_gpu_layers: int = _setting(-1, "layers on the GPU; -1: all that fit")
    dialect: str | None = _setting(None, "hds or guided; unset: by the model's metadata", "dialect.name", "HDS_DIALECT")
    prompt_file: str | None = _setting(
        None, "prompt text for the hds dialect instead of the built-in one", "dialect.hds.prompt_file"
    )
    cache_dir: str | None = _setting(None, "where pages are kept", "cache.dir", "HDS_CACHE_DIR")
    searxng_url: str | None = _setting(None, "address of a SearXNG instance", "searxng.url")
    fetch_allow: tuple[str, ...] = _setting((), "non-public host[:port] or CIDR[:port] to fetch from", "fetch.allow")
    fetch_timeout: float = _setting(10.0, "seconds one page may take, from the look-up of its name on", "fetch.timeout")
    fetch_parallel: int = _setting(64, "pages requested at once, over all hosts", "fetch.parallel")
    fetch_delay: float = _setting(0.5, "seconds between two requests to one public site", "fetch.delay")
    fetch_max_bytes: int = _setting(5 << 20, "bytes of one page, decoded (four times that for PDF)", "fetch.max_bytes")
    fetch_ports: tuple[str, ...] = _setting((), "ports beside 80, 443, 8080 and 8443 on public hosts", "fetch.ports")
    fetch_proxy: str | None = _setting(None, "proxy for pages; it then decides what is reached", "fetch.proxy")
    fetch_ignore_robots: bool = _setting(False, "fetch what robots.txt disallows", "fetch.ignore_robots")
    cache_ttl: float = _setting(7.0, "days after which a page is asked for again", "cache.ttl")
    cache_size: float = _setting(1024.0, "MiB on disk for pages", "cache.size")
    fetch_contact: str | None = _setting(None, "address shown in the user agent", "fetch.contact")
    sources: Mapping[str, SourceSettings] = field(default_factory=dict, metadata={"internal": True})
    origins: Mapping[str, str] = field(default_factory=dict, compare=False, metadata={"internal": True})

    @property
    def pages_dir(self) -> Path:
        return Path(self.cache_dir).expanduser() if self.cache_dir else paths.cache_dir() / "pages"

    def source_settings(self, name: str) -> SourceSettings:
        """What is set for the source `name`."""
        return self.sources.get(name, SourceSettings())


def fields() -> list[dataclasses.Field[Any]]:
    """The settings in order, without what is internal."""
    return [f for f in dataclasses.fields(Settings) if not f.metadata.get("internal")]


def key_of(f: dataclasses.Field[Any]) -> str:
    return f.metadata["key"] or f.name


def env_of(f: dataclasses.Field[Any]) -> str:
    return f.metadata["env"] or "HDS_" + key_of(f).upper().replace(".", "_")


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
    found = _of_table(settings_file.read(paths.config_file()), environ.get("HDS_PROFILE") or None)
    hints = get_type_hints(Settings)
    for f in fields():
        if (raw := environ.get(env_of(f))) not in (None, ""):
            found.values[f.name], found.origins[f.name] = _convert(raw, hints[f.name], env_of(f)), env_of(f)
    for name, value in (flags or {}).items():
        if value is not None:
            found.values[name], found.origins[name] = value, "flag"
    _sources_of_environment(found.own, environ, found.origins)
    sources = {name: SourceSettings(**table) for name, table in found.own.items()}
    settings = Settings(**found.values, sources=sources, origins=found.origins)
    _check(settings)
    return settings


def check(table: dict[str, Any]) -> None:
    """Whether the content of a settings file is right, each profile included.

    Raises:
        ConfigError: an unknown key, a value of the wrong type or out of range.
    """
    for profile in (None, *table.get("profile", {})):
        found = _of_table(dict(table), profile)
        _check(Settings(**found.values, origins=found.origins))


def profiles() -> list[str]:
    """The names of the tables `[profile.NAME]` of the settings file."""
    tables = settings_file.read(paths.config_file()).get("profile", {})
    return sorted(tables) if isinstance(tables, dict) else []


@dataclass
class _Found:
    """What was found so far: field name -> value, name -> where from, source -> its settings."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    own: dict[str, dict[str, Any]] = field(default_factory=dict)


def _of_table(table: dict[str, Any], profile: str | None) -> _Found:
    """The settings of the file; those of the profile over the rest. Every table is checked, whichever is chosen."""
    path = paths.config_file()
    known = table.pop("profile", {})
    if not isinstance(known, dict) or not all(isinstance(entry, dict) for entry in known.values()):
        where = settings_file.place(path, "profile")
        raise ConfigError(f"profiles in {where} are tables", hint="[profile.NAME], chosen by --profile or HDS_PROFILE")
    if profile is not None and profile not in known:
        hint = _nearest(profile, known) if known else f"a table [profile.{profile}] in {path}"
        raise ConfigError(f"there is no profile {profile!r}", hint=hint)
    found = _Found()
    _take(found, table, path, "")
    for name, entry in known.items():
        _take(found if name == profile else _Found(), entry, path, f"profile.{name}.")
    return found


def _take(found: _Found, table: Mapping[str, Any], path: Path, above: str) -> None:
    """Take in one table of the file that may hold any setting; `above` is its own dotted name."""
    by_key = {key_of(f): f for f in fields()}
    hints = get_type_hints(Settings)
    origin = f"{path} [{above[:-1]}]" if above else str(path)
    for written, raw in _flatten(table).items():
        try:
            if written.startswith("sources.") and written != "sources.searxng.url":
                _of_source(found.own, written, raw, origin, found.origins, strict=True)
                continue
            key = written.removeprefix("sources.")
            if key not in by_key:
                raise ConfigError(f"unknown setting {key!r} in {origin}", hint=_nearest(key, by_key))
            f = by_key[key]
            found.values[f.name] = _convert(raw, hints[f.name], f"{key} in {origin}", strict=True)
            found.origins[f.name] = origin
        except ConfigError as exc:  # only now is it worth the while to look for the line
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
        raise ConfigError(f"unknown setting {key!r} in {where}", hint=_nearest(key, known))
    value = _convert(raw, hints[option], f"{key} in {where}", strict=strict)
    if option in ("url", "reader") and not value.startswith(("http://", "https://")):
        raise ConfigError(f"{key} must begin with http:// or https://")
    if option == "every" and not value >= 0:
        raise ConfigError(f"{key} must be at least 0, not {value:g}")
    own.setdefault(name, {})[option] = value
    origins[key] = where


def _sources_of_environment(
    own: dict[str, dict[str, Any]], environ: Mapping[str, str], origins: dict[str, str]
) -> None:
    taken = {env_of(f) for f in fields()}
    for variable, raw in environ.items():
        prefix, _, option = variable.rpartition("_")
        if (
            raw
            and prefix.startswith("HDS_")
            and option in ("URL", "LANGUAGE", "PATH", "READER")
            and variable not in taken
        ):
            name = prefix.removeprefix("HDS_").lower()
            _of_source(own, f"sources.{name}.{option.lower()}", raw, variable, origins)


def _flatten(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _nearest(key: str, known: Mapping[str, Any]) -> str | None:
    import difflib

    close = difflib.get_close_matches(key, known, 1)
    return f"did you mean {close[0]!r}?" if close else "known settings: " + ", ".join(known)


_TRUTH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
_KINDS = (("tuple", "a list of texts"), ("bool", "true or false"), ("int", "a whole number"), ("float", "a number"))


def _convert(raw: Any, hint: Any, where: str, *, strict: bool = False) -> Any:
    """A value as its field wants it.

    Args:
        hint: the field's type.
        strict: `raw` has a type of its own (TOML): a number in quotes is text.

    Raises:
        ConfigError: it is of another kind.
    """
    kind = next((name for name, _ in _KINDS if name in str(hint)), "str")
    try:
        if strict and kind != "str" and isinstance(raw, str) and kind != "tuple":
            raise ValueError
        return _CONVERTERS[kind](raw)
    except (ValueError, KeyError):
        wanted = dict(_KINDS).get(kind, "text")
        raise ConfigError(f"{where} must be {wanted}, not {raw!r}") from None


def _texts(raw: Any) -> tuple[str, ...]:
    items = raw if isinstance(raw, list | tuple) else str(raw).split(",")
    return tuple(str(item).strip() for item in items if str(item).strip())


def _truth(raw: Any) -> bool:
    return raw if isinstance(raw, bool) else _TRUTH[str(raw).strip().lower()]


def _whole(raw: Any) -> int:
    if isinstance(raw, bool | list) or (isinstance(raw, float) and not raw.is_integer()):
        raise ValueError
    return int(raw)


def _number(raw: Any) -> float:
    if isinstance(raw, bool | list):
        raise ValueError
    return float(raw)


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise ValueError
    return raw


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "tuple": _texts, "bool": _truth, "int": _whole, "float": _number, "str": _text
}  # fmt: skip


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
        raise ConfigError(f"there is no setting {key!r}", hint=_nearest(key, {key_of(f): f for f in fields()}))
    f = by_key[key]
    return key_of(f), _convert(raw, get_type_hints(Settings)[f.name], key_of(f))


_LEAST = {
    "max_turns": 1, "max_queries": 1, "top_k": 1, "max_tokens": 1, "turn_timeout": 0.01, "fetch_timeout": 0.01,
    "fetch_parallel": 1, "fetch_delay": 0, "fetch_max_bytes": 1024, "cache_ttl": 0, "cache_size": 1,
}  # fmt: skip


def _check(s: Settings) -> None:
    for name, low in _LEAST.items():
        if not getattr(s, name) >= low:
            raise ConfigError(f"{_named(s, name)} must be at least {low}, not {getattr(s, name)}")
    if s.timeout is not None and not s.timeout > 0:
        raise ConfigError(f"{_named(s, 'timeout')} must be more than 0 seconds, not {s.timeout:g}")
    if s.n_ctx is not None and s.n_ctx < 512:
        raise ConfigError(f"{_named(s, 'n_ctx')} must be at least 512 tokens, not {s.n_ctx}")
    if s.temperature is not None and not 0 <= s.temperature <= 2:
        raise ConfigError(f"{_named(s, 'temperature')} must be between 0 and 2, not {s.temperature:g}")


def _named(s: Settings, name: str) -> str:
    """A setting as its user wrote it: the flag, the variable, or the key with its line in the file."""
    origin = s.origins.get(name, "flag")
    if origin == "flag":
        return f"--{name.replace('_', '-')}"
    if origin.startswith("HDS_"):
        return origin
    key = next(key_of(f) for f in fields() if f.name == name)
    table = origin[origin.rindex("[") + 1 : -1] + "." if origin.endswith("]") else ""
    return f"{key} in {settings_file.place(paths.config_file(), table + key)}"


SHAPING = (
    "model", "engine", "source", "offline", "max_turns", "max_queries", "top_k", "select", "temperature", "seed",
    "turn_timeout", "max_tokens", "n_ctx", "dialect", "prompt_file",
)  # fmt: skip
"""The settings that decide what a run does, and so are kept with it."""


def shaping(settings: Settings) -> dict[str, Any]:
    """What is kept of the settings with a run; a path holds from any folder."""
    kept = {name: getattr(settings, name) for name in SHAPING}
    for name in ("model", "prompt_file"):
        if kept[name] and (path := Path(kept[name]).expanduser()).exists():
            kept[name] = str(path.absolute())
    return kept

"""`hds config` and the settings file: origins, profiles, comments that stay, mistakes with their line."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from hds_cli import config, settings_file
from hds_cli.errors import ConfigError
from hds_cli.settings_facts import complaint, facts, flag_of, setting
from tests.conftest import Hds

FILE = """# my settings
top_k = 7  # seven

[fetch]
allow = [
  "10.0.0.0/8",
  "host:81",  # the printer
]

# for quick looks
[profile.fast]
max_turns = 2
[profile.fast.fetch]
timeout = 3
"""


@pytest.fixture
def file(home: Path) -> Path:
    path = home / "config" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(FILE)
    return path


def test_every_setting_is_shown_with_its_value_and_origin(hds: Hds, file: Path) -> None:
    """Default, file, profile and environment, each named; a line a setting in a pipe."""
    done = hds("--profile", "fast", "config", "show", env={"HDS_SEED": "4"})
    rows = dict(line.split("\t", 1) for line in done.stdout.splitlines())
    assert rows["top_k"] == f"7\t{file}"
    assert rows["max_turns"] == f"2\t{file} [profile.fast]"
    assert rows["fetch.timeout"] == f"3\t{file} [profile.fast]"
    assert rows["seed"] == "4\tHDS_SEED"
    assert rows["engine"] == "llama_cpp\tdefault"
    assert len(rows) == len(config.fields())
    document = json.loads(hds("config", "show", "--json").stdout)
    assert (document["schema"], document["profile"], document["profiles"]) == ("hds.config/1", None, ["fast"])
    assert {row["key"] for row in document["settings"]} == set(rows)


def test_a_profile_comes_from_the_environment_too_and_must_exist(hds: Hds, file: Path) -> None:
    """The nearest one is named when it does not."""
    assert hds("config", "get", "max_turns", env={"HDS_PROFILE": "fast"}).stdout == "2\n"
    assert hds("config", "get", "max_turns").stdout == "10\n"
    wrong = hds("--profile", "fst", "config", "show")
    assert (wrong.returncode, "did you mean 'fast'?" in wrong.stderr) == (2, True)


def test_set_keeps_every_comment_and_the_order(hds: Hds, file: Path) -> None:
    """Only the one value differs; a list, a new table and a profile are written as TOML has them."""
    hds("config", "set", "top_k", "9")
    assert file.read_text() == FILE.replace("top_k = 7", "top_k = 9")
    hds("config", "set", "source", "wikipedia", "notes")
    hds("--profile", "fast", "config", "set", "cache.ttl", "0.5")
    hds("config", "set", "sources.wikipedia.language", "de")
    text = file.read_text()
    for comment in ("# my settings", "# seven", "# the printer", "# for quick looks"):
        assert comment in text
    assert hds("config", "get", "source").stdout == "wikipedia,notes\n"
    assert hds("--profile", "fast", "config", "get", "cache.ttl").stdout == "0.5\n"
    assert hds("config", "get", "sources.wikipedia.language").stdout == "de\n"
    hds("config", "set", "top_k", "--unset")
    assert hds("config", "get", "top_k").stdout == "5\n"


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("top_k", "many", "top_k must be a whole number, not 'many'"),
        ("top_k", "2.5", "whole number"),
        ("top_k", "0", "at least 1"),
        ("offline", "perhaps", "true or false"),
        ("temperature", "9", "between 0 and 2"),
        ("tok_p", "1", "did you mean 'top_k'?"),
        ("sources.wikipedia.languge", "de", "did you mean 'sources.wikipedia.language'?"),
        ("sources.brave.api_key", "topsecretkey", "keys are not set on the command line"),
    ],
)
def test_set_refuses_what_would_be_wrong_and_writes_nothing(
    hds: Hds, file: Path, key: str, value: str, words: str
) -> None:
    """Exit 2, the reason, the file as it was; a key is not repeated."""
    done = hds("config", "set", key, value)
    assert done.returncode == 2
    assert words in done.stderr
    assert "topsecretkey" not in done.stderr
    assert file.read_text() == FILE


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("seed = 1\n\n\nnonsense = 1\n", 4, "unknown setting 'nonsense'"),
        ("# a\n[fetch]\n# b\ndealy = 1\n", 4, "unknown setting 'fetch.dealy'"),
        ('seed = 1\ntop_k = "3"\n', 2, "top_k in"),
        ("top_k = 2.5\n", 1, "a whole number"),
        ("offline = 3\n", 1, "true or false"),
        ("[searxng]\nurl = [\n 'a',\n]\n", 2, "must be text"),
        ("seed = 1\nmax_turns = 0\n", 2, "at least 1"),
        ("[profile.x]\n\ntop_k = 'a'\n", 3, "a whole number"),
        ("[sources.wikipedia]\nevery = -1\n", 2, "at least 0"),
        ('note = """\nmax_turns = 3\n"""\n', 1, "unknown setting 'note'"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_line(hds: Hds, file: Path, text: str, line: int, words: str) -> None:
    """Unknown keys, wrong types and values out of range, profiles included."""
    file.write_text(text)
    done = hds("config", "show")
    assert done.returncode == 2
    assert words in done.stderr
    if "[sources" not in text:
        assert f"{file}, line {line}" in done.stderr


def test_a_key_is_never_shown_only_whence_it_comes(hds: Hds, file: Path) -> None:
    """By `show`, as text and as JSON."""
    secrets = file.parent / "keys.toml"
    secrets.write_text('brave = "brave-0123456789"\n')
    secrets.chmod(0o600)
    env = {"HDS_TAVILY_API_KEY": "tavily-0123456789"}
    for flags in ([], ["--json"]):
        done = hds("config", "show", *flags, env=env)
        assert "0123456789" not in done.stdout + done.stderr
        assert str(secrets) in done.stdout
        assert "HDS_TAVILY_API_KEY" in done.stdout


def test_the_path_is_told_before_the_file_exists(hds: Hds, home: Path) -> None:
    """And nothing is made by asking."""
    assert hds("config", "path").stdout == f"{home / 'config' / 'config.toml'}\n"
    assert not home.exists()
    hds("config", "set", "top_k", "4")
    assert (home / "config" / "config.toml").read_text() == "top_k = 4\n"


def test_a_value_that_the_environment_hides_is_said(hds: Hds, file: Path) -> None:
    """Setting it would seem to have no effect otherwise."""
    done = hds("config", "set", "top_k", "4", env={"HDS_TOP_K": "6"})
    assert "HDS_TOP_K in the environment goes before the file" in done.stderr


def test_the_file_keeps_its_mode_and_stays_where_a_link_points(tmp_path: Path) -> None:
    """As people who keep their settings elsewhere need it."""
    real = tmp_path / "dotfiles.toml"
    real.write_text(FILE)
    real.chmod(0o640)
    link = tmp_path / "config.toml"
    link.symlink_to(real)
    settings_file.change(link, ["top_k"], 3, lambda _: None)
    assert link.is_symlink()
    assert "top_k = 3  # seven" in real.read_text()
    assert os.stat(real).st_mode & 0o777 == 0o640


def test_a_table_where_a_value_stands_is_refused(tmp_path: Path) -> None:
    """`seed.x` over `seed = 1`."""
    file = tmp_path / "config.toml"
    file.write_text("seed = 1\n")
    with pytest.raises(ConfigError):
        settings_file.change(file, ["seed", "x"], 3, lambda _: None)
    assert file.read_text() == "seed = 1\n"


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("HDS_TOPK", "HDS_TOP_K"),
        ("HDS_OFLINE", "HDS_OFFLINE"),
        ("HDS_SOURCES", "HDS_SOURCE"),
        ("HDS_FETCH_TIMOUT", "HDS_FETCH_TIMEOUT"),
        ("HDS_HOEM", "HDS_HOME"),
        ("HDS_WIKIPEDIA_LANGAUGE", "HDS_WIKIPEDIA_LANGUAGE"),
        ("HDS_BRAVE_APIKEY", "HDS_BRAVE_API_KEY"),
    ],
)
def test_a_misspelt_variable_is_named_with_the_nearest(hds: Hds, variable: str, meant: str) -> None:
    """As a misspelt key of the file is; the command runs, for the variable may be another program's."""
    done = hds("config", "get", "top_k", env={variable: "1"})
    assert done.returncode == 0
    assert done.stderr == f"hds: warning: {variable} is not a variable of hds; did you mean {meant}?\n"


@pytest.mark.parametrize(
    "variable",
    [
        "HDS_SHARED",
        "HDS_LONG",
        "HDS_ROOT",
        "HDS_USER",
        "HDS_BRAVE_API_KEY",
        "HDS_MY_WIKI_URL",
        "HDS_NO_PLUGINS",
        "HDSX",
    ],
)
def test_a_variable_that_is_known_or_resembles_none_is_not_mentioned(hds: Hds, variable: str) -> None:
    """Other programs have variables that begin so, too."""
    assert hds("config", "get", "seed", env={variable: "https://example.org"}).stderr == ""


def test_the_options_of_settings_are_made_from_their_facts(hds: Hds) -> None:
    """Name, help and default are the same in `ask`, `eval` and `tune`."""
    for command in (["ask"], ["eval", "run"], ["tune"]):
        text = " ".join(hds(*command, "--help", env={"COLUMNS": "300"}).stdout.split())
        for field in config.fields():
            flag = facts(field).flag
            if flag and flag.asking:
                assert f"{flag_of(field).split('/')[0]} " in text
                assert flag.help.rstrip(".") in text
    wrong = hds("ask", "--dialect", "latin", "who?")
    assert (wrong.returncode, "dialects: chat, guided, hds, starter" in wrong.stderr) == (2, True)


def test_a_setting_with_choices_names_them_when_the_value_is_another() -> None:
    """As the end of a sentence about the setting, and a hint."""

    @dataclass
    class Own:
        policy: str = setting("mark", "what is done about a sentence without a source", choices=("refuse", "mark"))

    (field,) = dataclasses.fields(Own)
    assert complaint(field, "ask") == ("knows no 'ask'", "one of: refuse, mark")
    assert complaint(field, "refuse") is None


def test_every_bound_is_checked_wherever_the_value_comes_from() -> None:
    """By the name it was given under: flag, variable."""
    with pytest.raises(ConfigError, match=r"^--n-ctx must be at least 512 tokens, not 5"):
        config.load({"n_ctx": 5}, {})
    with pytest.raises(ConfigError, match=r"^HDS_TEMPERATURE must be between 0 and 2, not 9"):
        config.load({}, {"HDS_TEMPERATURE": "9"})
    with pytest.raises(ConfigError, match=r"^--timeout must be more than 0 seconds, not nan"):
        config.load({"timeout": float("nan")}, {})


@pytest.mark.parametrize(("written", "seconds"), [("90", 90), ("90s", 90), ("15m", 900), ("1.5h", 5400), ("2 m", 120)])
def test_a_time_is_written_the_same_way_everywhere(hds: Hds, home: Path, written: str, seconds: int) -> None:
    """As seconds or with a unit: by the flag, the variable, `config set` and the file."""
    assert hds("verify", "--timeout", written, "--against", "none", "-", stdin="x").stderr.count("--timeout") == 0
    assert f"timeout\t{seconds}\tHDS_TIMEOUT" in hds("config", "show", env={"HDS_TIMEOUT": written}).stdout
    assert hds("config", "set", "timeout", written).returncode == 0
    assert hds("config", "get", "timeout").stdout.strip() in (str(seconds), f"{seconds}.0")
    (home / "config" / "config.toml").write_text(f'timeout = "{written}"\n')
    assert f"\ntimeout\t{seconds}\t" in hds("config", "show").stdout


def test_what_is_no_time_is_an_error_that_says_how_one_is_written(hds: Hds) -> None:
    """Whatever setting it is."""
    done = hds("ask", "--timeout", "2x", "q")
    assert done.returncode == 2
    assert "--timeout must be a number of seconds, or a time such as 90s, 15m or 1h, not '2x'" in done.stderr


def test_an_empty_text_is_set_nowhere(hds: Hds, home: Path) -> None:
    """It would be a model of no name at the next question; what takes a setting out is said."""
    done = hds("config", "set", "model", "")
    assert (done.returncode, "hds config set model --unset" in done.stderr) == (2, True)
    assert not (home / "config" / "config.toml").exists()
    assert (
        hds("config", "set", "model", "starter").returncode == hds("config", "set", "model", "--unset").returncode == 0
    )

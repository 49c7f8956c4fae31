"""The errors that a user can do something about.

HdsError                      exit 1
├── UsageError                exit 2   wrong arguments
│   ├── ConfigError                    a settings file or environment value is wrong
│   ├── SourceUnknown                  no source of that name
│   └── EngineUnknown                  no engine of that name
├── ModelError                exit 4
│   ├── ModelMissing                   no such file or name
│   └── ModelUnusable                  there, but llama.cpp cannot use it
├── SourceError               exit 5   a search did not work
│   └── NoSources                      nothing to search in at all
├── NotUnderstood             exit 3   what a further question asks cannot be told
├── ScriptEnded               exit 4   the scripted engine has no line left
├── OutputError               exit 74  the answer could not be written
└── Interrupted               exit 130 stopped by the user
"""

from __future__ import annotations

from typing import ClassVar


class HdsError(Exception):
    """An expected failure: one line for the user, a stable code, and the next thing to type."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.error_code = code or self.code

    def to_dict(self) -> dict[str, object]:
        """The `hds.error/1` document."""
        return {
            "schema": "hds.error/1",
            "error": {
                "code": self.error_code,
                "message": self.message,
                "hint": self.hint,
                "exit_code": self.exit_code,
            },
        }


class UsageError(HdsError):
    code = "usage"
    exit_code = 2


class ConfigError(UsageError):
    code = "config"


class SourceUnknown(UsageError):
    code = "source_unknown"


class EngineUnknown(UsageError):
    code = "engine_unknown"


class ModelError(HdsError):
    code = "model"
    exit_code = 4


class ModelMissing(ModelError):
    code = "model_missing"


class ModelUnusable(ModelError):
    code = "model_unusable"


class NoGrammar(ModelUnusable):
    """What runs the model cannot hold it to a grammar."""


class ScriptEnded(ModelError):
    code = "script_ended"


class SourceError(HdsError):
    """A search that did not work; `code` says how (`timeout`, `http_429`, `bad_answer`, ...).

    Args:
        retry_after: seconds for which the source wants not to be asked, if it said so (RFC 9110 10.2.3).
    """

    code = "source"
    exit_code = 5

    def __init__(
        self, message: str, *, hint: str | None = None, code: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.retry_after = retry_after


class NoSources(SourceError):
    code = "no_sources"


class NotUnderstood(HdsError):
    code = "not_understood"
    exit_code = 3


class OutputError(HdsError):
    code = "output"
    exit_code = 74


class Interrupted(HdsError):
    code = "interrupted"
    exit_code = 130

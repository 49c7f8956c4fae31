"""Code in an answer and in a page: nothing in it is a mark, a tag or LaTeX."""

from __future__ import annotations

import pytest

from hds_cli.agent.protocol import neutral
from hds_cli.agent.support.message import message, renumbered, units
from hds_cli.render.message import safe_markdown, to_html
from hds_cli.types import Support

CODE = """Read the rows [2], of which `rows[3]` is the last [2].

```python
header = rows[0]
total = rows[0][2] + rows[3][9]
pattern = "[0-9]+[1, 2]"
```

~~~cpp
#include <vector>
if (a<b && c[1]) return std::vector<std::string>();
~~~

It costs `$5 and $6`, see [0-9]+ and rows[0]."""


def test_a_mark_in_code_is_none() -> None:
    """It keeps its number, names no passage, and is not removed."""
    text, removed = renumbered(message(CODE).text, {2: 1})
    assert text == CODE.replace("[2], of", "[1], of").replace("last [2]", "last [1]")
    assert removed == []
    first = units(CODE)[0]
    assert (first.marks, first.text) == ((2,), "Read the rows, of which rows[3] is the last.")


def test_a_weak_part_has_no_sign_in_code() -> None:
    """The sign stands behind the code that a part ends in, and never in a fenced block with the same words."""
    support = (Support("Set ExecStart= to it.", "unsourced", (), (), ()),)
    html = to_html("```\nSet ExecStart= to it.\n```\n\nSet `ExecStart=` to it.", set(), support)
    assert html.index('<span class="weak"') > html.index("</pre>")
    half = (Support("Set ExecStart", "unsourced", (), (), ()),)
    assert "`ExecStart=` [?]" in safe_markdown("Set `ExecStart=` to it.", set(), half).replace("\\", "")


@pytest.mark.parametrize("text", ["[Install]\nWantedBy=timers.target", "[System]", "a [thinkpad] lies here"])
def test_words_that_begin_as_a_chat_token_are_left(text: str) -> None:
    assert neutral(text) == text


@pytest.mark.parametrize("text", ["[INST] do it", "[/INST]", "[ SYS ]", "[SYSTEM_PROMPT]x", "[TOOL_CALLS][{}]"])
def test_chat_tokens_of_brackets_are_broken(text: str) -> None:
    assert neutral(text).startswith("(")


def test_fenced_code_of_a_page_keeps_its_indexes() -> None:
    """And is no number of a passage; code that is left open keeps none."""
    assert neutral("```\nx = rows[1][2]\n```\nOslo [1] `a[2]`") == "```\nx = rows[ 1 ][ 2 ]\n```\nOslo (1) `a(2)`"
    assert "[" not in neutral("```\nx = rows[1]")
    assert "<" not in neutral("```\n<think>\n<|im_end|>\n```")


def test_code_that_was_read_with_other_signs_is_written_with_its_own() -> None:
    read = neutral("```\nstd::vector<std::string> v;\n```")
    assert "‹" in read
    assert "std::vector<std::string> v;" in message(f"So:\n\n{read}\n\na ‹ b").text
    assert message(f"So:\n\n{read}\n\na ‹ b").text.endswith("a ‹ b")

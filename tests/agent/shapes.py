"""Chat templates of our own with the shapes of public models' ones: the same marks, the same turns, our own words.

`place` is the text from a user's turn to an answer that is held by a grammar; `thinks` is that to a thought, for a
model that has any, with the text from there to the answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """A template, and where answers and thoughts begin. `bos` is the vocabulary's first token."""

    source: str
    place: str
    thinks: str | None = None
    bridge: str = ""
    bos: str = ""


def _say(text: str, content: str = "m.content") -> str:
    """An expression that writes `text` with the message in place of `{}`."""
    return "{{ " + " ~ ".join(json.dumps(part) for part in text.split("{}")).replace(" ~ ", f" ~ {content} ~ ") + " }}"


def _turns(user: str, answer: str, tail: str, system: str = "", start: str = "", content: str = "m.content") -> str:
    """A template of three kinds of turns; `answer` and `tail` may be Jinja, which begins with a brace and a percent.

    Args:
        system: the text of a system turn; `refused`: there is none; empty: it is left out.
    """
    said = {"refused": "{{ raise_exception('no system turn') }}", "": ""}.get(system, _say(system, content))
    return (
        (_say(start) if start else "")
        + "{% for m in messages %}{% if m.role == 'system' %}" + said
        + "{% elif m.role == 'user' %}" + _say(user, content)
        + "{% else %}" + (answer if answer.startswith("{%") else _say(answer, content))
        + "{% endif %}{% endfor %}{% if add_generation_prompt %}"
        + (tail if tail.startswith("{%") else _say(tail)) + "{% endif %}"
    )  # fmt: skip


IM_SYSTEM, IM_USER = "<|im_start|>system\n{}<|im_end|>\n", "<|im_start|>user\n{}<|im_end|>\n"
IM_ANSWER, IM_TAIL = "<|im_start|>assistant\n{}<|im_end|>\n", "<|im_start|>assistant\n"
IM = "<|im_end|>\n<|im_start|>assistant\n"


def _im(answer: str = IM_ANSWER, tail: str = IM_TAIL, **more: str) -> str:
    return _turns(IM_USER, answer, tail, **{"system": IM_SYSTEM, **more})


def _if(condition: str, yes: str, no: str) -> str:
    return f"{{% if {condition} %}}{_say(yes)}{{% else %}}{_say(no)}{{% endif %}}"


def _remembering(opening: str, closing: str, head: str = IM_TAIL, end: str = "<|im_end|>\n", bare: str = "") -> str:
    """An answer whose thought is shown when it is the last turn: `head`, thought, answer, `end`."""
    shown = _say(head + opening) + "{{ m.reasoning_content }}" + _say(closing)
    return (
        "{% if loop.last and m.reasoning_content is defined %}" + shown + "{% else %}" + _say(head + bare) + "{% endif %}"
        "{{ m.content }}" + _say(end)
    )  # fmt: skip


def _last_thought(opening: str, closing: str, **more: str) -> str:
    return "{% if true %}" + _remembering(opening, closing, **more) + "{% endif %}"


QWEN = _last_thought("<think>\n", "\n</think>\n\n")
EMPTY = "<think>\n\n</think>\n\n"
# Messages whose content may be a text or a list of parts, as multimodal templates have it.
PARTS = "(m.content if m.content is string else m.content | map(attribute='text') | join)"
ONLY_PARTS = "(m.content | map(attribute='text') | join)"

L3_USER = "<|start_header_id|>user<|end_header_id|>\n\n{}<|eot_id|>"
L3_ANSWER = "<|start_header_id|>assistant<|end_header_id|>\n\n{}<|eot_id|>"
L3_TAIL = "<|start_header_id|>assistant<|end_header_id|>\n\n"
L3 = "<|eot_id|>" + L3_TAIL
L3_SYSTEM = "<|start_header_id|>system<|end_header_id|>\n\n{}<|eot_id|>"
L31_SYSTEM = L3_SYSTEM.replace("{}", "Cutoff: December 2023\nToday: @DAY\n\n{}")


def _dated(source: str, form: str = "%d %b %Y") -> str:
    """The template with the day of the run's clock, where there is such a clock."""
    day = '" ~ (strftime_now("' + form + '") if strftime_now is defined else "26 Jul 2024") ~ "'
    return source.replace("@DAY", day)


MISTRAL = _turns("[INST] {}[/INST]", " {}</s>", "", system="refused", start="<s>")
ALTERNATING = (
    "{{ bos_token }}{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles take turns') }}{% endif %}{% if m.role == 'user' %}{{ '[INST] ' ~ m.content ~ ' [/INST]' }}"
    "{% elif m.role == 'assistant' %}{{ ' ' ~ m.content ~ eos_token }}{% endif %}{% endfor %}"
)
LLAMA2 = (
    "{% if messages[0].role == 'system' %}{% set told = '<<SYS>>\\n' ~ messages[0].content ~ '\\n<</SYS>>\\n\\n' %}"
    "{% set rest = messages[1:] %}{% else %}{% set told = '' %}{% set rest = messages %}{% endif %}"
    "{% for m in rest %}{% if m.role == 'user' %}"
    "{{ bos_token ~ '[INST] ' ~ (told if loop.first else '') ~ m.content | trim ~ ' [/INST]' }}"
    "{% else %}{{ ' ' ~ m.content | trim ~ ' ' ~ eos_token }}{% endif %}{% endfor %}"
)
NEMO = (  # the instructions stand in the last turn
    "{% set told = messages[0].content if messages[0].role == 'system' else '' %}{{ bos_token }}{% for m in messages %}"
    "{% if m.role == 'user' %}{{ '[INST]' ~ (told ~ '\\n\\n' if told and loop.last else '') ~ m.content ~ '[/INST]' }}"
    "{% elif m.role == 'assistant' %}{{ m.content ~ eos_token }}{% endif %}{% endfor %}"
)
GEMMA = "<end_of_turn>\n<start_of_turn>model\n"
GEMMA_2 = _turns(
    "<start_of_turn>user\n{}<end_of_turn>\n", "<start_of_turn>model\n{}<end_of_turn>\n", "<start_of_turn>model\n",
    system="refused", start="<bos>", content="m.content | trim",
)  # fmt: skip
GEMMA_3 = (
    "{{ bos_token }}{% set told = '' %}{% if messages[0].role == 'system' %}"
    "{% set told = (messages[0].content if messages[0].content is string else messages[0].content[0].text) ~ '\\n\\n' %}"
    "{% set messages = messages[1:] %}{% endif %}{% for m in messages %}"
    "{{ '<start_of_turn>' ~ ('model' if m.role == 'assistant' else m.role) ~ '\\n' ~ (told if loop.first else '') }}"
    "{% if m.content is string %}{{ m.content | trim }}{% else %}{% for part in m.content %}{{ part.text | trim }}"
    "{% endfor %}{% endif %}{{ '<end_of_turn>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"
)
GEMMA_4_TAIL = "{% if true %}{{ '<|turn>model\\n' }}{% if not enable_thinking %}{{ '<|channel>thought\\n<channel|>' }}{% endif %}{% endif %}"
HARMONY = (
    "{{ '<|start|>system<|message|>Day: ' ~ strftime_now('%Y-%m-%d') ~ '\\nReasoning: ' ~ (reasoning_effort or 'medium') ~ '<|end|>' }}"
    "{% for m in messages %}{% if m.role == 'system' %}{{ '<|start|>developer<|message|># Instructions\\n\\n' ~ m.content ~ '<|end|>' }}"
    "{% elif m.role == 'user' %}{{ '<|start|>user<|message|>' ~ m.content ~ '<|end|>' }}{% else %}"
    "{% if '<|channel|>' in m.content %}{{ raise_exception('channels in a message') }}{% endif %}"
    "{% if loop.last and not add_generation_prompt and m.thinking %}"
    "{{ '<|start|>assistant<|channel|>analysis<|message|>' ~ m.thinking ~ '<|end|>' }}{% endif %}"
    "{{ '<|start|>assistant<|channel|>final<|message|>' ~ m.content ~ ('<|return|>' if loop.last else '<|end|>') }}"
    "{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|start|>assistant' }}{% endif %}"
)
COHERE = ("<|START_OF_TURN_TOKEN|><|{}_TOKEN|>", "<|END_OF_TURN_TOKEN|>")
BOT = COHERE[0].replace("{}", "CHATBOT")


def _cohere(answer: str, tail: str) -> str:
    user, system = (COHERE[0].replace("{}", role) + "{}" + COHERE[1] for role in ("USER", "SYSTEM"))
    return _turns(user, BOT + answer + COHERE[1], BOT + tail if not tail.startswith("{%") else tail, system=system)


DS_USER, DS_ANSWER, DS = "<｜User｜>{}", "<｜Assistant｜>{}<｜end▁of▁sentence｜>", "<｜Assistant｜>"
R1_ANSWER = (
    "{% if true %}{{ '<｜Assistant｜>' ~ m.content.split('</think>')[-1] ~ '<｜end▁of▁sentence｜>' }}{% endif %}"
)
GLM_USER = "<|user|>\n{}"
ROLE = ("<|start_of_role|>{}<|end_of_role|>", "<|end_of_text|>\n")
GRANITE = ROLE[1] + ROLE[0].replace("{}", "assistant")


def _granite(tail: str = "") -> str:
    user, answer, system = (ROLE[0].replace("{}", r) + "{}" + ROLE[1] for r in ("user", "assistant", "system"))
    return _turns(user, answer, tail or ROLE[0].replace("{}", "assistant"), system=system)


SMOLLM3 = (
    "{% set mode = '/think' if enable_thinking is not defined or enable_thinking else '/no_think' %}"
    "{{ '<|im_start|>system\\nDay: ' ~ strftime_now('%d %B %Y') ~ '\\nReasoning: ' ~ mode ~ '\\n' }}"
    "{% if messages[0].role == 'system' %}{{ messages[0].content }}{% endif %}{{ '<|im_end|>\\n' }}"
    "{% for m in messages %}{% if m.role == 'user' %}{{ '<|im_start|>user\\n' ~ m.content ~ '<|im_end|>\\n' }}"
    "{% elif m.role == 'assistant' %}{% generation %}"
    "{{ '<|im_start|>assistant\\n' ~ ('<think>\\n\\n</think>\\n' if mode == '/no_think' else '') ~ m.content ~ '<|im_end|>\\n' }}"
    "{% endgeneration %}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' ~ ('<think>\\n\\n</think>\\n' if mode == '/no_think' else '') }}{% endif %}"
)
PHI_REASONING = _turns(
    "<|im_start|>user<|im_sep|>{}<|im_end|>",
    "{% generation %}{{ '<|im_start|>assistant<|im_sep|>' ~ m.content ~ '<|im_end|>' }}{% endgeneration %}",
    "<|im_start|>assistant<|im_sep|>",
    system="<|im_start|>system<|im_sep|>Think aloud first.{}<|im_end|>",
)
LAGUNA = (
    "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}"
    "{{ '<assistant>\\n' ~ '</think>\\n' ~ m.content ~ '\\n</assistant>\\n' }}{% endgeneration %}"
    "{% else %}{{ '<' ~ m.role ~ '>\\n' ~ m.content ~ '\\n</' ~ m.role ~ '>\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<assistant>\\n' ~ ('<think>' if enable_thinking else '</think>') }}{% endif %}"
)
CHECKED = (  # a template that checks the conversation, and a switch
    "{% if reasoning_effort is defined and reasoning_effort not in ('none', 'high') %}"
    "{{ raise_exception('no such effort') }}{% endif %}"
)
SYSTEM_FIRST = (
    "{% for m in messages %}{% if m.role == 'system' and not loop.first %}{{ raise_exception('system comes first') }}"
    "{% endif %}{% endfor %}{% if messages | selectattr('role', 'equalto', 'user') | list | length == 0 %}"
    "{{ raise_exception('no question') }}{% endif %}"
)
FIRST_ONLY = (  # fails from the second answer on
    "{% set count = 0 %}{% for m in messages %}{% if m.role == 'assistant' %}{% set count.of = 1 %}{% endif %}"
    "{{ '<|im_start|>' ~ m.role ~ '\\n' ~ m.content ~ '<|im_end|>\\n' }}{% endfor %}{{ '<|im_start|>assistant\\n<think>\\n' }}"
)
FUNCTIONARY = _turns(L3_USER, L3_TAIL + ">>>all\n{}<|eot_id|>", L3_TAIL + ">>>", system=L3_SYSTEM)
GLIMMER = _turns(
    "<|start|>user<|message|>{}<|eot|>",
    _last_thought("to=self<|message|>", "<|eom|><|start|>assistant to=user<|message|>", head="<|start|>assistant ", end="<|eot|>", bare="to=user<|message|>"),
    "<|start|>assistant", system="<|start|>system<|message|>{}<|eot|>",
)  # fmt: skip
SOLAR = (
    "{% for m in messages %}{{ '<|begin|>' ~ m.role ~ '<|content|>' ~ m.content ~ '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{% if reasoning_effort == 'low' %}{{ '<|begin|>assistant<|think|><|end|>' }}{% endif %}"
    "{{ '<|begin|>assistant' }}{% endif %}"
)
APRIEL = _turns(
    "<|begin_user|>\n{}\n",
    "{% if true %}{{ '<|begin_assistant|>\\n' }}{% if loop.last and m.thinking %}{{ m.thinking ~ '\\n[BEGIN FINAL RESPONSE]\\n' }}"
    "{% endif %}{{ m.content ~ '\\n<|end_assistant|>\\n' }}{% endif %}",
    "<|begin_assistant|>\nMy steps are these:\n", system="<|begin_system|>\n{}\n",
)  # fmt: skip
SEED = _turns(
    "<seed:bos>user\n{}<seed:eos>",
    _last_thought("<seed:think>", "</seed:think>", head="<seed:bos>assistant\n", end="<seed:eos>"),
    "{% if true %}{{ '<seed:bos>assistant\\n' }}{% if thinking_budget is defined and thinking_budget == 0 %}"
    "{{ '<seed:think>\\n<seed:cot_budget_reflect>None is left: I answer.</seed:cot_budget_reflect>\\n</seed:think>' }}{% endif %}{% endif %}",
    system="<seed:bos>system\n{}<seed:eos>",
)  # fmt: skip
GLM_46 = (
    "{{ '[gMASK]<sop>' }}{% for m in messages %}{% if m.role == 'assistant' %}{{ '<|assistant|>\\n<think>' }}"
    "{% if loop.last and m.reasoning_content %}{{ m.reasoning_content }}{% endif %}{{ '</think>\\n' ~ m.content }}"
    "{% else %}{{ '<|' ~ m.role ~ '|>\\n' ~ m.content }}"
    "{% if m.role == 'user' and not enable_thinking %}{{ '/nothink' }}{% endif %}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' ~ ('' if enable_thinking else '\\n<think></think>') }}{% endif %}"
)
TOOLS_IN_LOOP = "{% for tool in tools or [] %}{{ tool | tojson(indent=2) }}{% endfor %}"
NOT_NONE = "{% if tools is not none %}{{ tools | tojson }}{% endif %}{% if documents is not none %}{{ documents | tojson }}{% endif %}"

SHAPES = {
    "Qwen2.5": Shape("{% if messages[0].role != 'system' %}" + _say("<|im_start|>system\nBe helpful.<|im_end|>\n") + "{% endif %}" + _im(), IM),
    "Qwen3": Shape(_im(QWEN, _if("enable_thinking is defined and not enable_thinking", IM_TAIL + EMPTY, IM_TAIL).join(("{% if true %}", "{% endif %}"))), IM + EMPTY, IM + "<think>\n", "\n</think>\n\n"),
    "Qwen3-Instruct-2507": Shape(_im(), IM),
    "Qwen3-Thinking-2507": Shape(_im(QWEN, IM_TAIL + "<think>\n"), IM + EMPTY, IM + "<think>\n", "\n</think>\n\n"),
    "Qwen3-Coder": Shape(TOOLS_IN_LOOP + _im(), IM),
    "Qwen3.5": Shape(SYSTEM_FIRST + _im(QWEN, "{% if true %}" + _if("enable_thinking", IM_TAIL + "<think>\n", IM_TAIL + EMPTY) + "{% endif %}"), IM + EMPTY, IM + "<think>\n", "\n</think>\n\n"),
    "Qwen3.8": Shape("{% if reasoning_effort is defined and reasoning_effort not in ('medium', 'high') %}{{ raise_exception('effort') }}{% endif %}" + _im(QWEN, "{% if true %}" + _if("enable_thinking", IM_TAIL + "<think>\n", IM_TAIL + EMPTY) + "{% endif %}"), IM + EMPTY, IM + "<think>\n", "\n</think>\n\n"),
    "QwQ": Shape(_im("{% if true %}{{ '<|im_start|>assistant\\n' ~ m.content.split('</think>')[-1].lstrip('\\n') ~ '<|im_end|>\\n' }}{% endif %}", IM_TAIL + "<think>\n"), IM + EMPTY, IM + "<think>\n", "\n</think>\n\n"),
    "Qwen2-VL": Shape(_im(content=ONLY_PARTS), IM),
    "R1-Distill-Llama": Shape(_turns(DS_USER, R1_ANSWER, DS + "<think>\n", system="{}", start="<s>"), DS + EMPTY, DS + "<think>\n", "\n</think>\n\n"),
    "R1-Distill-Qwen, the first": Shape(_turns(DS_USER, R1_ANSWER, DS, system="{}", start="<s>"), DS),
    "DeepSeek-V3": Shape(_turns(DS_USER, DS_ANSWER, DS, system="{}", start="<s>"), DS),
    "DeepSeek-V3.1": Shape(_turns(DS_USER, DS + "</think>{}<｜end▁of▁sentence｜>", "{% if not thinking is defined %}{% set thinking = false %}{% endif %}" + _if("thinking", DS + "<think>", DS + "</think>"), system="{}"), DS + "</think>", DS + "<think>", "</think>"),
    "DeepSeek-V3.2": Shape(_turns(DS_USER, DS + "</think>{}<｜end▁of▁sentence｜>", "{% if true %}" + _if("thinking", DS + "<think>", DS + "<think></think>") + "{% endif %}", system="{}"), DS + "<think></think>", DS + "<think>", "</think>"),
    "Llama-2": Shape(LLAMA2, " [/INST] ", bos="<s>"),
    "Llama-3": Shape(_turns(L3_USER, L3_ANSWER, L3_TAIL, system=L3_SYSTEM, start="<|begin_of_text|>"), L3),
    "Llama-3.1": Shape("{% if not tools is defined %}{% set tools = none %}{% endif %}" + _dated(_turns(L3_USER, L3_ANSWER, L3_TAIL, system=L31_SYSTEM)), L3),
    "Llama-3.2": Shape("{% if not date_string is defined %}{% set date_string = strftime_now('%d %b %Y') if strftime_now is defined else '26 Jul 2024' %}{% endif %}{{ bos_token ~ date_string }}" + _turns(L3_USER, L3_ANSWER, L3_TAIL, system=L3_SYSTEM, content="m.content | trim"), L3),
    "Llama-3.3, tools not none": Shape(NOT_NONE + _turns(L3_USER, L3_ANSWER, L3_TAIL, system=L3_SYSTEM), L3),
    "Mistral-7B v0.1": Shape(ALTERNATING, " [/INST] ", bos="<s>"),
    "Mistral-7B v0.3": Shape(MISTRAL, "[/INST] "),
    "Mistral-Nemo": Shape(NEMO, "[/INST]", bos="<s>"),
    "Mistral-Small-3": Shape(_dated(_turns("[INST]{}[/INST]", "{}</s>", "{% if false %}{% endif %}", system="[SYSTEM_PROMPT]Day: @DAY. {}[/SYSTEM_PROMPT]", start="<s>"), "%Y-%m-%d"), "[/INST]"),
    "Magistral": Shape(_turns("[INST]{}[/INST]", _last_thought("[THINK]", "[/THINK]", head="", end="</s>"), "", system="[SYSTEM_PROMPT]{}[/SYSTEM_PROMPT]", content=PARTS), "[/INST]"),
    "Mistral-Small-4": Shape(CHECKED + "{{ '[MODEL_SETTINGS]' ~ reasoning_effort | default('none') ~ '[/MODEL_SETTINGS]' }}" + _turns("[INST]{}[/INST]", "{}</s>", "", system="[SYSTEM_PROMPT]{}[/SYSTEM_PROMPT]"), "[/INST]"),
    "Pixtral": Shape(_turns("[INST]{}[/INST]", "{}</s>", "", system="{}", start="<s>", content=PARTS), "[/INST]"),
    "Gemma-2": Shape(GEMMA_2, GEMMA),
    "Gemma-3": Shape(GEMMA_3, GEMMA, bos="<bos>"),
    "Gemma-4 small": Shape(_turns("<|turn>user\n{}<turn|>\n", "<|turn>model\n{}<turn|>\n", "<|turn>model\n", system="<|turn>system\n{}<turn|>\n"), "<turn|>\n<|turn>model\n"),
    "Gemma-4 big": Shape(_turns("<|turn>user\n{}<turn|>\n", "<|turn>model\n{}<turn|>\n", GEMMA_4_TAIL, system="{% if enable_thinking %}<|think|>{% endif %}{}"), "<turn|>\n<|turn>model\n<|channel>thought\n<channel|>", "<turn|>\n<|turn>model\n<|channel>thought\n", "<channel|>"),
    "Phi-3": Shape(_turns("<|user|>\n{}<|end|>\n", "<|assistant|>\n{}<|end|>\n", "<|assistant|>\n", start="<s>"), "<|end|>\n<|assistant|>\n"),
    "Phi-3.5": Shape(_turns("<|user|>\n{}<|end|>\n", "<|assistant|>\n{}<|end|>\n", "{% if true %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}", system="<|system|>\n{}<|end|>\n"), "<|end|>\n<|assistant|>\n"),
    "Phi-4": Shape(_turns("<|im_start|>user<|im_sep|>{}<|im_end|>", "<|im_start|>assistant<|im_sep|>{}<|im_end|>", "<|im_start|>assistant<|im_sep|>", system="<|im_start|>system<|im_sep|>{}<|im_end|>"), "<|im_end|><|im_start|>assistant<|im_sep|>"),
    "Phi-4-mini": Shape("{% for m in messages %}{{ '<|' ~ m.role ~ '|>' ~ m.content ~ '<|end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% else %}{{ eos_token }}{% endif %}", "<|end|><|assistant|>"),
    "Phi-4-reasoning": Shape(PHI_REASONING, "<|im_end|><|im_start|>assistant<|im_sep|>"),
    "SmolLM2": Shape(_im(), IM),
    "SmolLM3": Shape(SMOLLM3, IM + "<think>\n\n</think>\n", IM + "<think>\n", "\n</think>\n"),
    "gpt-oss": Shape(HARMONY, "<|end|><|start|>assistant<|channel|>final<|message|>", "<|end|><|start|>assistant<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    "Glimmer": Shape(GLIMMER, "<|eot|><|start|>assistant to=user<|message|>", "<|eot|><|start|>assistant to=self<|message|>", "<|eom|><|start|>assistant to=user<|message|>"),
    "GLM-4": Shape(_turns(GLM_USER, "<|assistant|>\n{}", "<|assistant|>\n", system="<|system|>\n{}", start="[gMASK]<sop>"), "<|assistant|>\n"),
    "GLM-4.6": Shape(GLM_46, "/nothink<|assistant|>\n<think></think>\n", "<|assistant|>\n<think>", "</think>\n"),
    "GLM-4.7": Shape(_turns("<|user|>{}", _last_thought("<think>", "</think>", head="<|assistant|>", end="", bare="</think>"), "{% if true %}" + _if("enable_thinking", "<|assistant|><think>", "<|assistant|></think>") + "{% endif %}", system="<|system|>{}"), "<|assistant|></think>", "<|assistant|><think>", "</think>"),
    "Granite-3.3": Shape("{% if thinking %}" + _say("<|start_of_role|>system<|end_of_role|>Think first.<|end_of_text|>\n") + "{% endif %}" + _granite(), GRANITE),
    "Granite-4": Shape(_granite("{% if controls %}{{ controls | tojson }}{% endif %}" + _say("<|start_of_role|>assistant<|end_of_role|>")), GRANITE),
    "Command-R": Shape(_cohere("{}", ""), COHERE[1] + BOT),
    "Command-R7B": Shape(_cohere("<|START_RESPONSE|>{}<|END_RESPONSE|>", "<|START_THINKING|><|END_THINKING|>"), COHERE[1] + BOT + "<|START_THINKING|><|END_THINKING|><|START_RESPONSE|>"),
    "Cohere with a thought opened": Shape(_cohere("<|START_TEXT|>{}<|END_TEXT|>", "<|START_THINKING|>"), COHERE[1] + BOT + "<|START_THINKING|><|END_THINKING|><|START_TEXT|>", COHERE[1] + BOT + "<|START_THINKING|>", "<|END_THINKING|><|START_TEXT|>"),
    "LFM2": Shape(_im(start="<|startoftext|>"), IM),
    "LFM2.5": Shape(_im("{% set said = m.content %}{% if '</think>' in said %}{% set said = said.split('</think>')[-1] %}{% endif %}{{ '<|im_start|>assistant\\n' ~ said ~ '<|im_end|>\\n' }}"), IM),
    "Nemotron-Nano-v2": Shape(_turns("<SPECIAL_11>User\n{}\n", "<SPECIAL_11>Assistant\n{}\n<SPECIAL_12>\n", "{% if true %}{{ '<SPECIAL_11>Assistant\\n' ~ ('<think>\\n' if enable_thinking else '<think></think>') }}{% endif %}", system="<SPECIAL_10>System\n{}\n"), "\n<SPECIAL_11>Assistant\n<think></think>", "\n<SPECIAL_11>Assistant\n<think>\n", "\n</think>\n\n"),
    "Nemotron-3": Shape(_im(_last_thought("<think>\n", "\n</think>\n", bare="<think></think>"), "{% if true %}" + _if("enable_thinking", IM_TAIL + "<think>\n", IM_TAIL + "<think></think>") + "{% endif %}"), IM + "<think></think>", IM + "<think>\n", "\n</think>\n"),
    "Nemotron-Super": Shape("{{ 'detailed thinking ' ~ ('on' if enable_thinking else 'off') ~ '\\n' }}" + _turns(L3_USER, L3_ANSWER, L3_TAIL, system=L3_SYSTEM), L3),
    "Seed-OSS": Shape(SEED, "<seed:eos><seed:bos>assistant\n<seed:think>\n<seed:cot_budget_reflect>None is left: I answer.</seed:cot_budget_reflect>\n</seed:think>", "<seed:eos><seed:bos>assistant\n<seed:think>", "</seed:think>"),
    "Kimi-K2": Shape(_turns("<|im_user|>user<|im_middle|>{}<|im_end|>", "<|im_assistant|>assistant<|im_middle|>{}<|im_end|>", "<|im_assistant|>assistant<|im_middle|>", system="<|im_system|>system<|im_middle|>{}<|im_end|>"), "<|im_end|><|im_assistant|>assistant<|im_middle|>"),
    "Kimi-K2-Thinking": Shape(_turns("<|im_user|>user<|im_middle|>{}<|im_end|>", "<|im_assistant|>assistant<|im_middle|><think></think>{}<|im_end|>", "<|im_assistant|>assistant<|im_middle|>", system="<|im_system|>system<|im_middle|>{}<|im_end|>"), "<|im_end|><|im_assistant|>assistant<|im_middle|><think></think>", "<|im_end|><|im_assistant|>assistant<|im_middle|><think>", "</think>"),
    "MiniMax-M2": Shape(_turns("]~b]user\n{}[e~[\n", _last_thought("<think>\n", "\n</think>\n\n", head="]~b]ai\n", end="[e~[\n"), "]~b]ai\n<think>\n", system="]~!b[]~b]system\n{}[e~[\n"), "[e~[\n]~b]ai\n" + EMPTY, "[e~[\n]~b]ai\n<think>\n", "\n</think>\n\n"),
    "Step-3.5": Shape(_im(_last_thought("<think>\n", "\n</think>\n"), IM_TAIL + "<think>\n"), IM + "<think>\n\n</think>\n", IM + "<think>\n", "\n</think>\n"),
    "Apertus": Shape(_turns("<|user_start|>{}<|user_end|>", "<|assistant_start|>{}<|assistant_end|>", "<|assistant_start|>", system="<|system_start|>{}<|system_end|>"), "<|user_end|><|assistant_start|>"),
    "a thought between prefix and suffix": Shape(_turns("<|user_start|>{}<|user_end|>", "<|assistant_start|>{}<|assistant_end|>", "<|assistant_start|><|inner_prefix|>", system="{}"), "<|user_end|><|assistant_start|><|inner_prefix|><|inner_suffix|>", "<|user_end|><|assistant_start|><|inner_prefix|>", "<|inner_suffix|>"),
    "Apriel-1.6": Shape(APRIEL, "\n<|begin_assistant|>\n", "\n<|begin_assistant|>\nMy steps are these:\n", "\n[BEGIN FINAL RESPONSE]\n"),
    "functionary": Shape(FUNCTIONARY, L3 + ">>>all\n"),
    "Laguna": Shape(LAGUNA, "\n</user>\n<assistant>\n</think>\n", "\n</user>\n<assistant>\n<think>", "</think>\n"),
    "Solar-Open": Shape(SOLAR, "<|end|><|begin|>assistant<|think|><|end|><|begin|>assistant<|content|>"),
    "Hunyuan": Shape(_turns("<｜hy_User｜>{}", "<｜hy_Assistant｜><think></think>{}<｜hy_eos｜>", "<｜hy_Assistant｜><think>", system="{}"), "<｜hy_Assistant｜><think></think>", "<｜hy_Assistant｜><think>", "</think>"),
    "OLMo-2": Shape(_turns("<|user|>\n{}\n", "{% if true %}{{ '<|assistant|>\\n' ~ m.content ~ (eos_token if loop.last else eos_token ~ '\\n') }}{% endif %}", "<|assistant|>\n", system="<|system|>\n{}\n", start="<|endoftext|>"), "\n<|assistant|>\n"),
    "InternLM": Shape(_im(start="<s>"), IM),
    "EXAONE-4": Shape(_turns("[|user|]\n{}[|endofturn|]\n", "[|assistant|]\n<think>\n\n</think>\n\n{}[|endofturn|]\n", "{% if true %}{{ '[|assistant|]\\n' ~ ('<think>\\n' if enable_thinking else '<think>\\n\\n</think>\\n\\n') }}{% endif %}", system="[|system|]\n{}[|endofturn|]\n"), "[|endofturn|]\n[|assistant|]\n" + EMPTY, "[|endofturn|]\n[|assistant|]\n<think>\n", "\n</think>\n\n"),
    "MiroThinker": Shape(FIRST_ONLY, IM + EMPTY, IM + "<think>\n", "\n</think>\n\n"),
    "Zephyr": Shape(_turns("<|user|>\n{}</s>\n", "<|assistant|>\n{}</s>\n", "<|assistant|>\n", system="<|system|>\n{}</s>\n"), "</s>\n<|assistant|>\n"),
    "without a generation prompt": Shape(_turns("<|user|>\n{}</s>\n", "<|assistant|>\n{}</s>\n", "", system="<|system|>\n{}</s>\n"), "</s>\n<|assistant|>\n"),
    "Vicuna": Shape(_turns("USER: {} ", "ASSISTANT: {}</s>", "ASSISTANT:", system="{} "), " ASSISTANT: "),
    "RWKV": Shape(_turns("User: {}\n\n", "Assistant: {}\n\n", "{% if true %}{{ 'Assistant:' ~ (' <think>' if enable_thinking else ' <think>\\n</think>') }}{% endif %}", system="System: {}\n\n"), "\n\nAssistant: <think>\n</think>", "\n\nAssistant: <think>", "</think>"),
    "tools without a check": Shape("{% for tool in tools %}{{ tool.name }}{% endfor %}" + _im(), IM),
    "a loop that breaks": Shape("{% for m in messages %}{% if loop.index > 90 %}{% break %}{% endif %}{% endfor %}" + _im(), IM),
}  # fmt: skip

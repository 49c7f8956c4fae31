"""Which kinds of content hds reads, by the endings of names and by media types."""

from __future__ import annotations

_CODE = (
    "bash bat bib c cc cfg clj cmake cpp cs css cu cxx dart diff el elm erl ex exs f90 fish fs go gradle groovy h hcl hpp hs hxx "
    "ini ipp java jl js jsx kt kts less lisp lua m4 mk ml mli nim nix patch php pl pm proto ps1 py pyi pyx r rb rkt rs s sass "
    "scala scm scss sh sql svelte swift tcl tf toml ts tsx v vb vhd vue yaml yml zig zsh"
)
_TEXT = "adoc asc asciidoc log org pod rst srt tex text textile txt vtt wiki mediawiki"

# The ending of a name, with its dot, in lower case -> the kind.
ENDINGS: dict[str, str] = {
    ".md": "markdown", ".markdown": "markdown", ".mdx": "markdown", ".qmd": "markdown", ".rmd": "markdown",
    ".json": "json", ".geojson": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "csv", ".tab": "csv",
    ".ipynb": "ipynb", ".html": "html", ".htm": "html", ".xhtml": "html", ".xml": "xml", ".rss": "xml", ".atom": "xml",
    ".pdf": "pdf", ".docx": "docx", ".docm": "docx", ".dotx": "docx", ".pptx": "pptx", ".pptm": "pptx", ".ppsx": "pptx",
    ".xlsx": "xlsx", ".xlsm": "xlsx", ".xlsb": "xlsx", ".xls": "xlsx", ".ods": "xlsx", ".odt": "odt", ".odp": "odt",
    ".ott": "odt", ".fodt": "odt", ".epub": "epub", ".rtf": "rtf", ".eml": "eml", ".mbox": "mbox",
    **{f".{name}": "text" for name in _TEXT.split()},
    **{f".{name}": "code" for name in _CODE.split()},
}  # fmt: skip

# Names without an ending that are read, in lower case.
NAMES: dict[str, str] = {
    **dict.fromkeys(
        "readme license licence copying changelog changes news authors contributors notice todo install".split(), "text"
    ),
    **dict.fromkeys("makefile dockerfile gemfile rakefile justfile procfile".split(), "code"),
}

_OFFICE = "application/vnd.openxmlformats-officedocument."
MEDIA: dict[str, str] = {
    _OFFICE + "wordprocessingml.document": "docx", _OFFICE + "wordprocessingml.template": "docx",
    "application/vnd.ms-word.document.macroenabled.12": "docx",
    _OFFICE + "presentationml.presentation": "pptx", _OFFICE + "presentationml.slideshow": "pptx",
    _OFFICE + "spreadsheetml.sheet": "xlsx", "application/vnd.ms-excel": "xlsx",
    "application/vnd.ms-excel.sheet.macroenabled.12": "xlsx", "application/vnd.ms-excel.sheet.binary.macroenabled.12": "xlsx",
    "application/vnd.oasis.opendocument.spreadsheet": "xlsx", "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.presentation": "odt", "application/epub+zip": "epub", "application/x-epub+zip": "epub",
    "application/rtf": "rtf", "text/rtf": "rtf", "application/x-rtf": "rtf",
    "text/csv": "csv", "application/csv": "csv", "application/x-csv": "csv", "text/x-csv": "csv", "text/comma-separated-values": "csv",
    "text/tab-separated-values": "csv", "application/x-ipynb+json": "ipynb", "message/rfc822": "eml", "application/mbox": "mbox",
    "application/x-ndjson": "jsonl", "application/jsonl": "jsonl", "application/x-jsonlines": "jsonl", "application/jsonlines": "jsonl",
    "application/json-seq": "jsonl",
}  # fmt: skip

PACKED = frozenset(("docx", "pptx", "xlsx", "odt", "epub"))  # in a zip archive
LARGE = PACKED | {"pdf"}  # larger than pages


def of_name(name: str) -> str | None:
    """The kind of a file by its name; None: hds does not read it."""
    stem, dot, ending = name.lower().rpartition(".")
    return ENDINGS.get(f".{ending}") if dot and stem else NAMES.get(name.lower())

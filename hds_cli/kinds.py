"""The kinds of content that hds reads, by the endings of names and by media types."""

from __future__ import annotations

_BY_ENDING = {
    "markdown": "md markdown mdx qmd rmd",
    "json": "json geojson",
    "jsonl": "jsonl ndjson",
    "csv": "csv tsv tab",
    "ipynb": "ipynb",
    "html": "html htm xhtml",
    "xml": "xml rss atom",
    "pdf": "pdf",
    "docx": "docx docm dotx",
    "pptx": "pptx pptm ppsx",
    "xlsx": "xlsx xlsm xlsb xls ods",
    "odt": "odt ott odp fodt",
    "epub": "epub",
    "rtf": "rtf",
    "eml": "eml",
    "mbox": "mbox",
    "text": "adoc asc asciidoc log mediawiki org pod rst srt tex text textile txt vtt wiki",
    "code": "bash bat bib c cc cfg clj cmake cpp cs css cu cxx dart diff el elm erl ex exs f90 fish fs go gradle "
    "groovy h hcl hpp hs hxx ini ipp java jl js jsx kt kts less lisp lua m4 mk ml mli nim nix patch php pl pm proto "
    "ps1 py pyi pyx r rb rkt rs s sass scala scm scss sh sql svelte swift tcl tf toml ts tsx v vb vhd vue yaml "
    "yml zig zsh",
}
_BY_NAME = {
    "text": "readme license licence copying changelog changes news authors contributors notice todo install",
    "code": "makefile dockerfile gemfile rakefile justfile procfile",
}
_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."
_BY_MEDIA = {
    "docx": f"{_OFFICE}wordprocessingml.document {_OFFICE}wordprocessingml.template "
    "application/vnd.ms-word.document.macroenabled.12",
    "pptx": f"{_OFFICE}presentationml.presentation {_OFFICE}presentationml.slideshow",
    "xlsx": f"{_OFFICE}spreadsheetml.sheet {_OPEN}spreadsheet application/vnd.ms-excel "
    "application/vnd.ms-excel.sheet.macroenabled.12 application/vnd.ms-excel.sheet.binary.macroenabled.12",
    "odt": f"{_OPEN}text {_OPEN}presentation",
    "epub": "application/epub+zip application/x-epub+zip",
    "rtf": "application/rtf text/rtf application/x-rtf",
    "csv": "text/csv application/csv application/x-csv text/x-csv text/comma-separated-values "
    "text/tab-separated-values",
    "ipynb": "application/x-ipynb+json",
    "eml": "message/rfc822",
    "mbox": "application/mbox",
    "jsonl": "application/x-ndjson application/jsonl application/x-jsonlines application/jsonlines "
    "application/json-seq",
}


def _turned(table: dict[str, str], before: str = "") -> dict[str, str]:
    return {before + name: kind for kind, names in table.items() for name in names.split()}


ENDINGS = _turned(_BY_ENDING, ".")  # the ending of a name, in lower case -> the kind
NAMES = _turned(_BY_NAME)  # names without an ending, in lower case
MEDIA = _turned(_BY_MEDIA)
PACKED = frozenset(("docx", "pptx", "xlsx", "odt", "epub"))  # in a zip archive
LARGE = PACKED | {"pdf"}  # larger than pages


def of_name(name: str) -> str | None:
    """The kind of a file by its name; None: hds does not read it."""
    stem, dot, ending = name.lower().rpartition(".")
    return ENDINGS.get(f".{ending}") if dot and stem else NAMES.get(name.lower())

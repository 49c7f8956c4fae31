"""Pieces of HTML that stand in something else: an entry of a feed, a chapter, a letter, the output of a cell."""

from __future__ import annotations


def shown(markup: str) -> str:
    """The text of a piece of HTML, its blocks, lists and tables as those of a page; nothing of it is left out."""
    from hds_cli.extract import flow
    from hds_cli.extract.inline import settled
    from hds_cli.extract.markup import bounded, parse_fragment, strip_tags

    markup = settled(bounded(markup))
    tree = parse_fragment(markup)
    text = flow.text_of(tree) if tree is not None else ""
    return text or strip_tags(markup)

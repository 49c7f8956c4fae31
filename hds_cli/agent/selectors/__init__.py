"""Selectors choose the passages that the model reads in a turn: the door `hds.selectors.v2`, and hds's own selector.

A selector is given all queries of a turn at once, each with its pages, so that it can weigh them against each other.
hds's own (`bm25`) goes through the same door as anyone's.
"""

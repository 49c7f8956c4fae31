"""Saved runs: one append-only journal each, and an index that can be made from them again at any time."""

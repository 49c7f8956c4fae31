"""Engines: the programs that run a model."""

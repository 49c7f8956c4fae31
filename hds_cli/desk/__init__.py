"""Answers one question after another with a model, sources and pages that are opened once."""

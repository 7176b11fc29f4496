"""Scenes with known truth, edits of them, and what results are measured by."""

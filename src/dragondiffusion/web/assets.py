"""The page's files: scripts, style sheet and markup."""

from pathlib import Path

STATIC = Path(__file__).parent / "static"

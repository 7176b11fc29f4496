"""Lines of jobs for tests of batches, and the images that came of them."""

import json


def job(**fields):
    edit = {"edit": "move", "mask": "cup-mask.png", "offset": [3, 0]}
    return {"image": "cup.png", "edits": [edit], **fields}


def write(folder, *lines, name="jobs.jsonl"):
    """Writes lines of jobs, each a dict or the text itself."""
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    (folder / name).write_text("\n".join(texts) + "\n")
    return folder / name


def pictures(folder, out="out"):
    return {path.name: path.read_bytes() for path in sorted((folder / out).rglob("*.png"))}

"""SECURITY.md: every promise names tests that exist; what the source must not do."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_every_promise_names_tests_that_exist():
    rows = [line for line in PAGE.partition("## Promises")[2].splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        assert named, row
        for path, test in named:
            assert re.search(rf"^def {test}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), (path, test)


def test_no_code_from_elsewhere_is_loaded():
    forbidden = {
        r"trust_remote_code": "models with code of their own",
        r"pickle\.loads?\((?!pickle\.dumps)|torch\.load\((?!.*weights_only=True)": "files that run code",
        r"\beval\(|\bexec\(": "texts that are run",
        r"shell=True|os\.system\(": "texts that a shell runs",
        r"hub\.load\(|hub\.list\(": "code from a hub",
    }
    for path in sorted((ROOT / "src").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for pattern, what in forbidden.items():
            found = [line for line in text.splitlines() if re.search(pattern, line) and "eval()" not in line]
            assert found == [], f"{path.name} loads {what}: {found}"


def test_no_requirement_is_a_place():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert not re.search(r'"[\w.-]+(\[[\w,]+\])? *@ ', text), "requirements come from the registry alone"

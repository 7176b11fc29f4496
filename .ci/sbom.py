"""Writes `sbom.cdx.json`: what the wheel holds and needs, as CycloneDX, which the wheel carries (PEP 770).

    python .ci/sbom.py

Components are the requirements of `pyproject.toml`, those of extras as optional ones, with the releases of
`constraints.txt`, and the embedded model.
"""

import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def name_of(requirement: str) -> str:
    """The normalised name of a requirement or pin. Source: PEP 503."""
    match = re.match(r"[A-Za-z0-9_.-]+", requirement)
    assert match is not None, requirement
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def bill() -> dict[str, object]:
    """The bill of materials."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
    pins = {name_of(name): version for name, version in pins.items()}
    source = (ROOT / "src" / "dragondiffusion" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'__version__ = "(.+)"', source)
    assert found is not None
    root = f"pkg:pypi/{project['name']}@{found[1]}"
    extras = [
        r for name, extra in project["optional-dependencies"].items() if name not in ("dev", "docs") for r in extra
    ]
    required = {name_of(requirement) for requirement in project["dependencies"]}
    optional = {name_of(requirement) for requirement in extras} - required
    components = [
        {
            "type": "library",
            "bom-ref": f"pkg:pypi/{name}@{pins[name]}",
            "name": name,
            "version": pins[name],
            "scope": "required" if name in required else "optional",
            "purl": f"pkg:pypi/{name}@{pins[name]}",
        }
        for name in sorted(required | optional)
    ]
    model = {
        "type": "machine-learning-model",
        "bom-ref": "demo-model",
        "name": "dragondiffusion demo model",
        "version": found[1],
        "scope": "required",
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "bom-ref": root,
                "name": project["name"],
                "version": found[1],
                "licenses": [{"license": {"id": project["license"]}}],
                "purl": root,
            }
        },
        "components": [*components, model],
        "dependencies": [{"ref": root, "dependsOn": [*(one["bom-ref"] for one in components), model["bom-ref"]]}],
    }


if __name__ == "__main__":
    (ROOT / "sbom.cdx.json").write_text(json.dumps(bill(), indent=1) + "\n", encoding="utf-8")

"""The JSON schema of the lines of a batch, made from that of recipes."""

from typing import Any

from ..core.strict_json import Json
from ..recipes import recipe_schema

PLACEHOLDER: dict[str, Json] = {"type": "string", "pattern": r"\{[^{}]+\}"}
"""A text with `{column}` in it, for a value of any kind."""


def line_schema() -> Json:
    """JSON schema (draft 2020-12) of one line: a recipe, further fields, and `{column}` in place of any value."""
    schema = recipe_schema()
    fields: dict[str, Json] = {name: _or_placeholder(field) for name, field in schema["properties"].items()}
    fields["recipe"] = schema["properties"]["recipe"]
    seeds: dict[str, Json] = {"type": "array", "items": schema["properties"]["seed"], "minItems": 1}
    own: dict[str, Json] = {
        "name": {
            "description": "of the result, in the output folder; {line}, {row}, {seed} and {column} are filled in",
            "type": "string",
            "minLength": 1,
        },
        "seeds": {"description": "one result for each, in place of seed", **_or_placeholder(seeds)},
        "for_each": {
            "description": "a table, .csv or .jsonl; one result for each row, whose cells stand for {column}",
            "type": "string",
            "pattern": r"\.([cC][sS][vV]|[jJ][sS][oO][nN][lL])$",
        },
    }
    definitions = {name: _inside(one) for name, one in schema["$defs"].items()}
    return {
        **schema,
        "title": "Line of a batch of dragondiffusion",
        "properties": {**own, **fields},
        "required": [name for name in schema["required"] if name != "recipe"],
        "$defs": definitions,
    }


def _or_placeholder(schema: dict[str, Any]) -> dict[str, Any]:
    """A value, or a placeholder for it or for what is in it."""
    kept = {name: schema[name] for name in ("description", "default") if name in schema}
    return {**kept, "anyOf": [_inside({k: v for k, v in schema.items() if k not in kept}), PLACEHOLDER]}


def _inside(schema: dict[str, Any]) -> dict[str, Any]:
    """A value with placeholders for what is in it."""
    found = dict(schema)
    if "properties" in found:
        found["properties"] = {
            name: one if "const" in one else _or_placeholder(one) for name, one in found["properties"].items()
        }
    if isinstance(found.get("items"), dict):
        found["items"] = _or_placeholder(found["items"])
    if "prefixItems" in found:
        found["prefixItems"] = [_or_placeholder(one) for one in found["prefixItems"]]
    for name in ("anyOf", "oneOf"):
        if name in found:
            found[name] = [_inside(one) for one in found[name]]
    return found

"""The JSON schema of recipes."""

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from ..core.strict_json import Json
from ..edits.registry import EDITS
from .model import model_of
from .recipe import VERSION, Recipe


class _Untitled(GenerateJsonSchema):
    """Without titles of fields, which repeat their names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def recipe_schema() -> Json:
    """JSON schema (draft 2020-12) of recipes, made from the types and docstrings of their classes."""
    made = model_of(Recipe).model_json_schema(schema_generator=_Untitled)
    definitions = made.pop("$defs")
    schema = _inline(made, definitions)
    version = {"description": "version of the format", "const": VERSION}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Recipe of dragondiffusion",
        "properties": {"recipe": version, **schema["properties"]},
        "required": ["recipe", *schema["required"]],
        "$defs": {name: _inline(definitions[name], definitions) for name in EDITS},
    }


def _inline(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """A schema in which only edits are referred to; all else stands where it is used."""
    if isinstance(schema, list):
        return [_inline(one, definitions) for one in schema]
    if not isinstance(schema, dict):
        return schema
    name = str(schema.get("$ref", "")).removeprefix("#/$defs/")
    if name in definitions and name not in EDITS:
        about = {key: value for key, value in schema.items() if key != "$ref"}
        return {**_inline(definitions[name], definitions), **about}
    left_out = ("title", "discriminator") if "properties" in schema or "oneOf" in schema else ()
    found = {key: _inline(value, definitions) for key, value in schema.items() if key not in left_out}
    if isinstance(found.get("anyOf"), list):
        found["anyOf"].sort(key=_is_null)
    return found


def _is_null(form: Any) -> bool:
    return form == {"type": "null"}

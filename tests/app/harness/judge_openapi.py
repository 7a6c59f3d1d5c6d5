"""Reads a description of an API and says what is wrong with it by the letter of OpenAPI 3.1, and which examples do not fit."""

import json
import sys

from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

document = json.load(sys.stdin)
checker = OAS31Validator.FORMAT_CHECKER


def judge(where, schema, example):
    whole = {**schema, "components": document["components"]}
    for error in OAS31Validator(whole, format_checker=checker).iter_errors(example):
        print(f"{where}: {error.message}")


def judge_examples(where, node):
    """Each `example` and each of the `examples` beside or within a schema."""
    if isinstance(node, list):
        for place, item in enumerate(node):
            judge_examples(f"{where}/{place}", item)
    if not isinstance(node, dict):
        return
    schema = node.get("schema")
    if isinstance(schema, dict) and "example" in node:
        judge(where, schema, node["example"])
    if "type" in node and isinstance(node["type"], (str, list)) and "scheme" not in node:
        for example in node.get("examples", []) + ([node["example"]] if "example" in node else []):
            judge(where, {name: value for name, value in node.items() if name not in ("example", "examples")}, example)
    for name, value in node.items():
        if name not in ("example", "examples", "default", "enum"):
            judge_examples(f"{where}/{name}", value)


for error in OpenAPIV31SpecValidator(document).iter_errors():
    print(f"{'/'.join(map(str, error.absolute_path))}: {error.message}")
judge_examples("", document)

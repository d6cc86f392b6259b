"""Writes the typed Python client from the platform's OpenAPI document.

    python manage.py spectacular --format openapi-json | python clients/python/generate.py > FILE

``make client`` does that for the committed file; a test fails where the two differ.
"""

from __future__ import annotations

import json
import keyword
import re
import sys
import textwrap
from typing import Any

Schema = dict[str, Any]
WIDTH = 110
HEADER = '''"""A client of the NeuroBotanica GenomePath API. Written by ``generate.py``; don't edit it.

It needs Python 3.11 and nothing else. Every answer carries attributions: show them wherever you show the prediction.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

from neurobotanica_client.transport import ApiProblem, Transport

'''


def render(document: Schema) -> str:
    """The text of the client's module."""
    components = document["components"]["schemas"]
    parts = [HEADER.rstrip()]
    for name in sorted(components):
        parts.append(_component(name, components[name]))
    parts.append(_client(document))
    names = sorted([*components, "ApiProblem", "Client"])
    parts.append("__all__ = [\n" + "".join(f'    "{name}",\n' for name in names) + "]")
    return "\n\n\n".join(parts) + "\n"


def _component(name: str, schema: Schema) -> str:
    if schema.get("type") != "object":
        return (
            f'{name}: TypeAlias = "{_type(schema)}"' if "enum" not in schema else f"{name}: TypeAlias = {_type(schema)}"
        )
    required = set(schema.get("required", ()))
    members = {
        member: _type(value) if member in required else f"NotRequired[{_type(value)}]"
        for member, value in schema.get("properties", {}).items()
    }
    if any(keyword.iskeyword(member) for member in members):
        lines = "".join(f'        "{member}": {kind!r},\n' for member, kind in members.items())
        return f'{name} = TypedDict(\n    "{name}",\n    {{\n{lines}    }},\n)'
    lines = [f"class {name}(TypedDict):"]
    if schema.get("description"):
        lines += [_docstring(schema["description"], 4), ""]
    lines += [f"    {member}: {kind}" for member, kind in members.items()]
    return "\n".join(lines)


def _type(schema: Schema) -> str:
    """The annotation of a value. Annotations are read late, so that a name may stand further down."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[1])
    for join in ("oneOf", "anyOf", "allOf"):
        if join in schema:
            return _union([_type(entry) for entry in schema[join]])
    if "enum" in schema:
        return f"Literal[{', '.join(json.dumps(value) for value in schema['enum'])}]"
    kind = schema.get("type", "object")
    if isinstance(kind, list):
        return _union([_type({**schema, "type": entry}) for entry in kind])
    if kind == "array":
        return f"list[{_type(schema['items'])}]"
    return {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}.get(
        kind, "dict[str, Any]"
    )


def _union(kinds: list[str]) -> str:
    return " | ".join(dict.fromkeys(kinds))


def _client(document: Schema) -> str:
    lines = [
        "class Client(Transport):",
        _docstring(
            "Asks the platform with one API key. Raises ``ApiProblem`` for every answer that is an error, and ``OSError`` "
            "where no answer comes.",
            4,
        ),
    ]
    for path, methods in sorted(document["paths"].items()):
        for method, operation in methods.items():
            lines += ["", _method(path, method, operation)]
    return "\n".join(lines)


def _method(path: str, method: str, operation: Schema) -> str:
    parameters = [entry for entry in operation.get("parameters", []) if entry["name"] != "If-None-Match"]
    in_path = {entry["name"] for entry in parameters if entry["in"] == "path"}
    order = [name for name in re.findall(r"{(\w+)}", path) if name in in_path]
    query = [entry for entry in parameters if entry["in"] == "query"]
    headers = [entry for entry in parameters if entry["in"] == "header"]
    signature = [f"{name}: str" for name in order]
    body = _json(operation.get("requestBody"))
    if body is not None:
        signature.append(f"body: {_type(body)}")
    if query or headers:
        signature.append("*")
    signature += [f"{_name(entry['name'])}: {_optional(entry['schema'])} = None" for entry in (*query, *headers)]
    answer = _type(_json(operation["responses"]["200"]) or {})
    address = re.sub(r"{(\w+)}", r"{self.quoted(\1)}", path)
    call = [f'"{method.upper()}"', f'f"{address}"' if order else f'"{path}"']
    if query:
        call.append("query={" + ", ".join(f'"{entry["name"]}": {_name(entry["name"])}' for entry in query) + "}")
    if headers:
        call.append("headers={" + ", ".join(f'"{entry["name"]}": {_name(entry["name"])}' for entry in headers) + "}")
    if body is not None:
        call.append("body=body")
    lines = [f"    def {operation['operationId']}(", "        self,", *(f"        {entry}," for entry in signature)]
    lines += [f"    ) -> {answer}:", _docstring(f"{operation['summary']}. {operation.get('description', '')}", 8)]
    return "\n".join(
        [
            *lines,
            f"        answer: {answer} = self.ask(",
            *(f"            {entry}," for entry in call),
            "        )",
            "        return answer",
        ]
    )


def _json(content: Schema | None) -> Schema | None:
    found: Schema | None = (content or {}).get("content", {}).get("application/json", {}).get("schema")
    return found


def _optional(schema: Schema) -> str:
    return _union([_type(schema), "None"])


def _name(name: str) -> str:
    """A parameter as Python can write it."""
    name = name.lower().replace("-", "_")
    return f"{name}_" if keyword.iskeyword(name) else name


def _docstring(text: str, indent: int) -> str:
    lines = textwrap.wrap(" ".join(text.replace("\\", "").split()), WIDTH - indent)
    return textwrap.indent('"""' + "\n".join(lines) + ('\n"""' if len(lines) > 1 else '"""'), " " * indent)


if __name__ == "__main__":
    sys.stdout.write(render(json.load(sys.stdin)))

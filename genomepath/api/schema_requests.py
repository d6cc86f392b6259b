"""What a serializer can't say of a request body: that it must be there, and which members it has or excludes."""

from __future__ import annotations

from typing import Any

from genomepath.api.questions import MOST_TEXTS

_BODIES = ("PracticeQuestion", "TargetQuestion", "TextQuestion", "DescribedQuestion", "BatchRequest")


def close_requests(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: the document with its request bodies as strict as they are read."""
    for operations in result["paths"].values():
        for operation in operations.values():
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
    schemas = result["components"]["schemas"]
    for name in _BODIES:
        schemas[name]["additionalProperties"] = False
    schemas["DescribedQuestion"]["oneOf"] = [{"required": ["name"]}, {"required": ["findings"]}]
    schemas["BatchRequest"]["properties"]["questions"] |= {
        "contains": {"type": "object", "required": ["text"]},
        "minContains": 0,
        "maxContains": MOST_TEXTS,
    }
    return result

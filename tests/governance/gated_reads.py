"""Finds, in source text, reads of governed models that do not pass the policy.

A read is gated when its own chain of calls holds one of ``GATES``. Nothing is believed about variables: a queryset kept
ungated in one line and filtered in the next is reported, so that the gate stands where the read stands.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

GATES = frozenset({"permitted_for", "visible_items", "curated_items", "attribution_for", "visible_to", "none"})
MANAGERS = frozenset({"objects", "_default_manager", "_base_manager"})
# They return what the caller handed in.
WRITES = frozenset({"create", "bulk_create", "acreate", "abulk_create", "add", "set", "create_user", "create_key"})
_READS = frozenset(
    {
        "all", "filter", "exclude", "get", "first", "last", "values", "values_list", "in_bulk", "iterator", "count",
        "exists", "order_by", "select_related", "prefetch_related", "annotate", "aggregate", "get_or_create",
        "update_or_create", "distinct", "earliest", "latest", "only", "defer", "raw", "extra", "select_for_update",
        "using", "reverse", "dates", "union",
    }
)  # fmt: skip
_LOOKUP_CALLS = frozenset(
    {"values", "values_list", "annotate", "F", "Prefetch", "prefetch_related", "select_related", "StringAgg"}
)
_SHORTCUTS = frozenset({"get_object_or_404", "get_list_or_404", "aget_object_or_404", "aget_list_or_404"})
_SQL_CALLS = frozenset({"execute", "executemany", "raw", "extra", "RawSQL", "copy"})
_MODEL_CLASSES = ("Serializer", "Resource", "FilterSet", "View", "ViewSet", "Table", "Feed", "Sitemap")


@dataclass(frozen=True)
class Governed:
    """What the checker must know of the models: names, crossing relations, tables.

    ``crossings`` are names of relations that lead from a record which no item governs to governed ones.
    """

    models: frozenset[str]
    crossings: frozenset[str]
    tables: frozenset[str]


@dataclass(frozen=True)
class UngatedRead:
    """One place in the source; ``where`` is 'path::function' and stays the same when lines move."""

    where: str
    line: int
    what: str


@dataclass
class SourceFile:
    """A parsed file with the parent of every node and the real names behind ``import ... as``."""

    path: str
    tree: ast.Module
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, path: str, text: str) -> SourceFile:
        """Parse one file.

        Raises:
            SyntaxError: the text is not Python.
        """
        source = cls(path, ast.parse(text))
        for node in ast.walk(source.tree):
            for child in ast.iter_child_nodes(node):
                source.parents[child] = node
            if isinstance(node, ast.ImportFrom | ast.Import):
                for name in node.names:
                    source.aliases[name.asname or name.name] = name.name
        return source

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around a node, from the inside."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def where(self, node: ast.AST) -> str:
        """'path::Class.function' of the place."""
        scopes = [scope.name for scope in self.ancestors(node) if isinstance(scope, ast.FunctionDef | ast.ClassDef)]
        return f"{self.path}::{'.'.join(reversed(scopes)) or '<module>'}"

    def model_name(self, node: ast.AST) -> str:
        """The name of the class that an expression names; '' for anything that is found out at run time only."""
        if isinstance(node, ast.Name):
            if node.id == "cls":
                return next((scope.name for scope in self.ancestors(node) if isinstance(scope, ast.ClassDef)), "")
            name = self.aliases.get(node.id, node.id)
            return name if name[:1].isupper() else ""
        return node.attr if isinstance(node, ast.Attribute) and node.attr[:1].isupper() else ""


def ungated_reads(source: SourceFile, governed: Governed) -> list[UngatedRead]:
    """Every read of a governed model in one file that no gate stands in."""
    found = [
        UngatedRead(source.where(node), getattr(node, "lineno", 0), what)
        for node in ast.walk(source.tree)
        for what in _reads(source, governed, node)
    ]
    return sorted(set(found), key=lambda read: (read.where, read.line, read.what))


def _reads(source: SourceFile, governed: Governed, node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute):
        yield from _of_managers(source, governed, node)
    elif isinstance(node, ast.Call):
        yield from _of_calls(source, governed, node)
    elif isinstance(node, ast.ClassDef):
        yield from _of_classes(source, governed, node)


def _of_managers(source: SourceFile, governed: Governed, node: ast.Attribute) -> Iterator[str]:
    methods = _methods(source, node)
    if node.attr in MANAGERS and not _is_called(source, node):
        model = source.model_name(node.value)
        if model and model not in governed.models:
            return
        if not methods & (GATES | WRITES) and not _filtered_by_gate(source, node):
            yield f"{model or 'a model found at run time'}.{node.attr}"
    elif (
        node.attr in governed.crossings
        and methods & _READS
        and not methods & GATES
        and not _filtered_by_gate(source, node)
    ):
        yield f"relation {node.attr}"


def _of_calls(source: SourceFile, governed: Governed, node: ast.Call) -> Iterator[str]:
    name = _called(node)
    models = {source.model_name(argument) for argument in node.args} & governed.models
    if name in _SHORTCUTS and models:
        yield f"{name} of {', '.join(sorted(models))}"
    for keyword in node.keywords:
        if keyword.arg in {"model", "queryset"} and source.model_name(keyword.value) in governed.models:
            yield f"{keyword.arg}={source.model_name(keyword.value)}"
    texts = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
    strings = [text for text in texts if isinstance(text, str)]
    if name in _SQL_CALLS and any(re.search(rf"\b{table}\b", text) for text in strings for table in governed.tables):
        yield f"SQL in {name}"
    if name in _LOOKUP_CALLS and not _filtered_by_gate(source, node):
        yield from (f"lookup {text}" for text in strings if governed.crossings & set(text.lstrip("-").split("__")))


def _of_classes(source: SourceFile, governed: Governed, node: ast.ClassDef) -> Iterator[str]:
    bases = [base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "") for base in node.bases]
    if not any(base.endswith(_MODEL_CLASSES) for base in bases):
        return
    bodies = [node, *(inner for inner in node.body if isinstance(inner, ast.ClassDef) and inner.name == "Meta")]
    for body in bodies:
        for name, value in assigned(body).items():
            model = source.model_name(value)
            if name in {"model", "queryset"} and model in governed.models:
                yield f"{bases[0]} over {model}"


def assigned(node: ast.ClassDef) -> dict[str, ast.expr]:
    """The names that a class body assigns, with their values."""
    found: dict[str, ast.expr] = {}
    for statement in node.body:
        if isinstance(statement, ast.Assign):
            found.update({target.id: statement.value for target in statement.targets if isinstance(target, ast.Name)})
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
            found[statement.target.id] = statement.value
    return found


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _is_called(source: SourceFile, node: ast.AST) -> bool:
    parent = source.parents.get(node)
    return isinstance(parent, ast.Call) and parent.func is node


def _chain(source: SourceFile, node: ast.AST) -> Iterator[ast.AST]:
    """The attributes and calls that hang on a node, from the inside: in ``A.objects.filter(x)`` those after ``A``."""
    for outer in source.ancestors(node):
        goes_on = (isinstance(outer, ast.Attribute) and outer.value is node) or (
            isinstance(outer, ast.Call) and outer.func is node
        )
        if not goes_on:
            return
        yield outer
        node = outer


def _methods(source: SourceFile, node: ast.AST) -> set[str]:
    return {outer.attr for outer in _chain(source, node) if isinstance(outer, ast.Attribute)}


def _filtered_by_gate(source: SourceFile, node: ast.AST) -> bool:
    """Whether a call around or within the chain narrows it to what a gate gives: ``filter(item__in=curated_items())``."""
    chain = [node, *_chain(source, node)]
    inner: ast.AST | None = node
    while isinstance(inner, ast.Call | ast.Attribute):
        chain.append(inner)
        inner = inner.func if isinstance(inner, ast.Call) else inner.value
    calls = [call for call in chain if isinstance(call, ast.Call)]
    parts = [part for call in calls for part in (*call.args, *call.keywords)]
    named = {_called(call) for part in parts for call in ast.walk(part) if isinstance(call, ast.Call)}
    # ``exclude`` of what is permitted would keep the rest.
    excluding = any(_called(call) == "exclude" for call in calls)
    return bool(({_called(call) for call in calls} & GATES) or (named & GATES and not excluding))

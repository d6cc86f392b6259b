"""A prediction answer as text for a terminal: table, attribution, sources, note."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Content = dict[str, Any]
_IN_SET = {True: "yes", False: "no", None: ""}


def readable_answer(content: Content) -> str:
    """The whole answer in lines. Nothing that the API would say is left out of attribution and note."""
    by_target = "target" in content
    head = _target_head if by_target else _practice_head if "practice" in content else _text_head
    lines = [*head(content), "", *_table(content["predictions"], not by_target), *_set(content), ""]
    for pair in content.get("synergies", []):
        lines.append(f"Documented interaction of {' and '.join(pair['targets'])}: {pair['interaction']}")
    lines += _attributions(content)
    lines += _frame(content)
    return "\n".join(lines)


def _attributions(content: Content) -> list[str]:
    if content.get("abstained"):
        return []
    if "learned_from" in content:
        lines = ["The model learned from documented knowledge of:"]
        return lines + [f"  {entry['name']}: {entry['statement']}" for entry in content["learned_from"]]
    practices = (
        [content["practice"]] if "practice" in content else [entry["practice"] for entry in content["predictions"]]
    )
    return [line for practice in practices for line in _attribution(practice)]


def _text_head(content: Content) -> list[str]:
    dose = content["dose"]
    if content["abstained"]:
        return [content["statement"]]
    return [f"Targets predicted for your text. Dose: {dose['level']} [{dose['chosen_by']}]", content["calibration"]]


def _practice_head(content: Content) -> list[str]:
    practice, dose = content["practice"], content["dose"]
    lines = [f"Targets predicted for: {practice['title']} ({practice['tradition']})"]
    lines.append(f"Documented uses: {_joined(use['name'] for use in practice['documented_uses'])}")
    amount = f", {dose['amount_range']}" if dose["amount_range"] else ""
    note = f" ({dose['note']})" if dose["note"] else ""
    lines.append(f"Dose: {dose['level']} [{dose['chosen_by']}], {dose['basis']}{amount}{note}")
    lines.append(f"Contraindications: {_joined(practice['contraindications'])}")
    return lines


def _target_head(content: Content) -> list[str]:
    target = content["target"]
    return [f"Practices predicted for: {target['symbol']} ({target['name']})"]


def _table(predictions: list[Content], forward: bool) -> list[str]:
    if not predictions:
        return ["No predictions that may be shown."]
    rows = [("rank", "target" if forward else "practice", "confidence", "in set", "evidence", "name")]
    for entry in predictions:
        named = entry["target"] if forward else entry["practice"]
        rows.append(
            (
                str(entry["rank"]),
                named["symbol"] if forward else named["slug"],
                f"{entry['confidence']:.3f}",
                _IN_SET[entry.get("in_set")],
                entry["evidence"]["status"].replace("_", " ") if "evidence" in entry else "predicted only",
                named["name"] if forward else named["title"],
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row[:5], widths, strict=True)), row[5]]).rstrip()
        for row in rows
    ]


def _set(content: Content) -> list[str]:
    found = content.get("set")
    if not found:
        return []
    return [
        f"The {100 * found['level']:.0f}% set of this question holds {found['size']}, those beyond the list included."
    ]


def _attribution(practice: Content) -> list[str]:
    attribution = practice["attribution"]
    basis = attribution["basis"]
    rests_on = basis["source"] or f"consent {basis['consent_reference']}"
    lines = [f"Attribution, {practice['title']}: {attribution['statement']} [{attribution['community']['name']}]"]
    lines.append(f"  Basis of use: {basis['kind'].replace('_', ' ')}: {rests_on}")
    lines += [f"  Label {label['code']}: {label['meaning']}" for label in attribution["labels"]]
    lines += [f"  Source: {source['reference']}" for source in practice["sources"]]
    return lines


def _frame(content: Content) -> list[str]:
    model = content["model"]
    lines = ["", f"Model {model['sha256'][:12]} ({model['preset']}), policy revision {content['policy']['revision']}."]
    if model["statement"]:
        lines.append(model["statement"])
    return [*lines, content["note"]]


def _joined(names: Iterable[str]) -> str:
    return ", ".join(names) or "none recorded"

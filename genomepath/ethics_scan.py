"""Looks for withheld knowledge in files and bytes: the check behind the gate's 'ethics scan' and behind the canary tests.

What is looked for: the protected names of items, and every text of items and practices that the policy does not allow for
training, with the mechanisms of their correlations and the notes of their dosages. A text that an allowed record holds as
well, alone or within a longer one, is not a leak and is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from correlations.models import Correlation, DosageProfile, Practice
from ethics.models import Attribution, GovernedItem
from ethics.policy import Audience, Purpose
from genomepath.text_search import ANCHOR_BYTES, TextSearch

SHORTEST_TEXT = ANCHOR_BYTES
# A protected name may be a single short word; it is looked for as a whole word. Anything shorter would be met by chance in
# the bytes of weights.
SHORTEST_NAME = 5


@dataclass(frozen=True)
class Finding:
    """A file that holds a withheld text. The text itself is never repeated."""

    path: str
    item_public_id: str


def withheld_texts() -> dict[str, str]:
    """The texts that no artefact may hold, with the public id of their item."""
    allowed = GovernedItem.objects.permitted_for(Purpose.TRAINING, Audience.PLATFORM, timezone.now())
    withheld = GovernedItem.objects.exclude(pk__in=allowed)
    texts = {text: item for item, text in _texts_of_items(withheld) if len(text) >= SHORTEST_TEXT}
    names = {name: str(item.public_id) for item in withheld for name in item.protected_names}
    shared = "\n".join(text for _, text in _texts_of_items(allowed))
    found = {text: item for text, item in texts.items() if text not in shared}
    for name, item in names.items():
        if len(name) >= SHORTEST_TEXT or (len(name) >= SHORTEST_NAME and name.lower() not in shared.lower()):
            found[name] = item
    return found


def scan_folders(folders: Iterable[Path], texts: Mapping[str, str] | None = None) -> list[Finding]:
    """Look into every file below the folders and at its name, into zip and gzip archives too.

    Raises:
        FileNotFoundError: a folder does not exist: an absent folder must not pass as clean.
    """
    wanted = withheld_texts() if texts is None else texts
    search = TextSearch(wanted)
    findings = []
    for folder in folders:
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder} is not a folder that could be scanned")
        for path in sorted(entry for entry in folder.rglob("*") if entry.is_file()):
            name = path.relative_to(folder).as_posix()
            found = search.found_in(name.encode()) | search.found_in(path.read_bytes())
            findings += [Finding(name, item) for item in sorted({wanted[text] for text in found})]
    return findings


def _texts_of_items(items: models.QuerySet[GovernedItem]) -> Iterator[tuple[str, str]]:
    """(public id, text) of every free text that hangs on the items. The own names of communities are public."""
    owned: list[tuple[models.QuerySet[Any], str]] = [
        (items, ""),
        (Attribution.objects.filter(item__in=items).select_related("item"), "item"),
        (Practice.objects.filter(item__in=items).select_related("item"), "item"),
        (Correlation.objects.filter(practice__item__in=items).select_related("practice__item"), "practice.item"),
        (DosageProfile.objects.filter(practice__item__in=items).select_related("practice__item"), "practice.item"),
    ]
    for records, path in owned:
        for record in records:
            item = record
            for step in filter(None, path.split(".")):
                item = getattr(item, step)
            for text in _free_texts(record):
                yield str(item.public_id), text


def _free_texts(record: models.Model) -> Iterator[str]:
    """The texts of a record that people wrote: not its choices, and not its protected names, which are kept apart."""
    for field in record._meta.concrete_fields:
        value = getattr(record, field.attname)
        if isinstance(field, ArrayField) and field.name != "protected_names":
            yield from (str(entry) for entry in value)
        elif isinstance(field, models.CharField | models.TextField) and not field.choices and str(value).strip():
            yield str(value)

"""Looks for withheld knowledge in files: the check behind the gate's 'ethics scan' and behind the canary tests.

What is looked for: the protected names of items and the texts of practices that the policy does not allow for training.
A text that an allowed record holds as well is not a leak and is left out.
"""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.utils import timezone

from correlations.models import Practice
from ethics.models import GovernedItem
from ethics.policy import Audience, Purpose

SHORTEST_TEXT = 8


@dataclass(frozen=True)
class Finding:
    """A file that holds a withheld text. The text itself is never repeated."""

    path: str
    item_public_id: str


def withheld_texts() -> dict[str, str]:
    """The texts that no artefact may hold, with the public id of their item."""
    now = timezone.now()
    allowed = GovernedItem.objects.permitted_for(Purpose.TRAINING, Audience.PLATFORM, now)
    texts: dict[str, str] = {}
    for item in GovernedItem.objects.exclude(pk__in=allowed):
        texts |= {name: str(item.public_id) for name in (*item.protected_names, item.display_label)}
    for practice in Practice.objects.exclude(item__in=allowed).select_related("item"):
        texts |= {text: str(practice.item.public_id) for text in _texts_of(practice)}
    common = {text for practice in Practice.objects.filter(item__in=allowed) for text in _texts_of(practice)}
    return {text: item for text, item in texts.items() if len(text) >= SHORTEST_TEXT and text not in common}


def scan_folders(folders: Iterable[Path], texts: dict[str, str] | None = None) -> list[Finding]:
    """Look into every file below the folders, into zip and gzip archives too.

    Raises:
        FileNotFoundError: a folder does not exist: an absent folder must not pass as clean.
    """
    texts = withheld_texts() if texts is None else texts
    needles = [(form, item) for text, item in texts.items() for form in _encodings(text)]
    findings = []
    for folder in folders:
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder} is not a folder that could be scanned")
        for path in sorted(entry for entry in folder.rglob("*") if entry.is_file()):
            found = {item for content in _contents(path) for needle, item in needles if needle in content}
            findings += [Finding(path.relative_to(folder).as_posix(), item) for item in sorted(found)]
    return findings


def _texts_of(practice: Practice) -> list[str]:
    return [
        text
        for text in (practice.slug, practice.title, practice.preparation, practice.cultural_context)
        if text.strip()
    ]


def _encodings(text: str) -> set[bytes]:
    """The forms in which a text may lie in a file: UTF-8, UTF-16, and JSON with escapes."""
    escaped = text.encode("unicode_escape")
    return {text.encode(), text.encode("utf-16-le"), escaped, text.lower().encode()}


def _contents(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    yield content
    if content[:2] == b"\x1f\x8b":
        yield gzip.decompress(content)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield archive.read(name)

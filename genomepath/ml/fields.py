"""How a record is read as tokens: one text a field or item, each with the slot that says which field it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from genomepath.ml.snapshot import PracticeRecord, Snapshot, TargetRecord

NAME_SLOT, PREPARATION_SLOT, CONTEXT_SLOT, DOSE_SLOT, FIRST_INDICATION_SLOT = range(5)
MAX_ORDERED_INDICATIONS = 16
"""Indications after the 16th share its slot; none is left out."""
PRACTICE_SLOTS = FIRST_INDICATION_SLOT + MAX_ORDERED_INDICATIONS

IDENTITY_SLOT, PATHWAY_SLOT, TISSUE_SLOT, DISEASE_SLOT = range(4)
TARGET_SLOTS = 4

MASKED_TEXT = "traditional use"
"""Stands for a title of which nothing is left once its condition names are taken out."""

DOSE_PHRASES: Mapping[str, tuple[str, ...]] = {
    "low": ("low dose", "small amount", "low dosage"),
    "medium": ("medium dose", "moderate amount", "medium dosage"),
    "high": ("high dose", "large amount", "high dosage"),
}
"""Wordings of each dose; the first is the one used outside augmentation."""

INDICATION_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "anorexia": ("loss of appetite",),
    "anxiety": ("nervousness",),
    "appetite loss": ("loss of appetite",),
    "arthritis": ("joint inflammation",),
    "asthenia": ("weakness",),
    "bronchitis": ("inflammation of the bronchi",),
    "chronic pain": ("persistent pain", "long-lasting pain"),
    "constipation": ("infrequent bowel movements",),
    "cough": ("coughing",),
    "depression": ("low mood", "depressive symptoms"),
    "diarrhea": ("loose stools", "diarrhoea"),
    "dysmenorrhea": ("menstrual pain", "period pain"),
    "dyspepsia": ("indigestion",),
    "dyspnea": ("shortness of breath",),
    "earache": ("ear pain", "otalgia"),
    "epilepsy": ("seizure disorder",),
    "fatigue": ("tiredness",),
    "fever": ("pyrexia", "raised body temperature"),
    "headache": ("head pain", "cephalalgia"),
    "hypertension": ("high blood pressure",),
    "inflammation": ("inflammatory reaction",),
    "insomnia": ("sleeplessness", "difficulty sleeping"),
    "migraine": ("migraine headache",),
    "muscle spasm": ("muscle cramp",),
    "nausea": ("feeling sick",),
    "neuralgia": ("nerve pain",),
    "neuropathic pain": ("nerve pain",),
    "pain": ("ache",),
    "pruritus": ("itching",),
    "rheumatism": ("rheumatic pain",),
    "seizures": ("convulsions", "fits"),
    "sleep disorders": ("sleep disturbance",),
    "spasm": ("cramp",),
    "stomach pain": ("stomach ache",),
    "toothache": ("dental pain",),
    "vomiting": ("emesis",),
}
"""Plain English wordings of the same symptom, by hand; used on the training side only and never shown as knowledge."""

_IDENTIFIER = re.compile(r"\s*\((?:MeSH|MONDO|HP|Reactome)[^)]*\)", re.IGNORECASE)
_COMMON_WORDS = frozenset(
    {
        "acute",
        "chronic",
        "condition",
        "disease",
        "diseases",
        "disorder",
        "disorders",
        "from",
        "mental",
        "syndrome",
        "with",
    }
)
_SHORTEST_WORD = 4


@dataclass(frozen=True)
class Token:
    """One text of a record and the slot that it fills."""

    text: str
    slot: int


def readable(text: str) -> str:
    """The text as a sentence encoder reads it best: underscores as spaces, no identifiers in brackets."""
    return " ".join(_IDENTIFIER.sub("", text).replace("_", " ").split())


def practice_tokens(record: PracticeRecord) -> list[Token]:
    """Name, preparation, cultural context and each indication; the dose token is added where a dose is known."""
    fields = [
        (record.title, NAME_SLOT),
        (record.preparation, PREPARATION_SLOT),
        (record.cultural_context, CONTEXT_SLOT),
    ]
    fields += [
        (text, FIRST_INDICATION_SLOT + min(order, MAX_ORDERED_INDICATIONS - 1))
        for order, text in enumerate(record.indications)
    ]
    tokens = [Token(readable(text), slot) for text, slot in fields if readable(text)]
    return tokens or [Token(MASKED_TEXT, NAME_SLOT)]


def target_tokens(record: TargetRecord) -> list[Token]:
    """Identity (symbol and name), each pathway, each tissue, each disease association."""
    fields = [(_identity(record), IDENTITY_SLOT)]
    fields += [(text, PATHWAY_SLOT) for text in record.pathways]
    fields += [(text, TISSUE_SLOT) for text in record.tissues]
    fields += [(disease.name, DISEASE_SLOT) for disease in record.diseases]
    return [Token(readable(text), slot) for text, slot in fields if readable(text)]


def practice_text(record: PracticeRecord) -> str:
    """All fields of a practice as one text."""
    return ". ".join(token.text for token in practice_tokens(record))


def target_text(record: TargetRecord) -> str:
    """All fields of a target as one text."""
    return ". ".join(token.text for token in target_tokens(record))


def practice_variants(tokens: Sequence[Token]) -> list[tuple[int, str]]:
    """(token index, other wording) for every indication that has one."""
    return [
        (index, synonym)
        for index, token in enumerate(tokens)
        if token.slot >= FIRST_INDICATION_SLOT
        for synonym in INDICATION_SYNONYMS.get(token.text.lower(), ())
    ]


def target_variants(record: TargetRecord) -> list[tuple[int, str]]:
    """(token index, other wording) of a target's identity: its symbol alone and its name alone."""
    return [(0, text) for text in (record.symbol, readable(record.name)) if text and text != _identity(record)]


def snapshot_conditions(snapshot: Snapshot) -> tuple[str, ...]:
    """Every condition that the snapshot names, longest first so that masking takes the whole name."""
    names = {readable(text).lower() for record in snapshot.practices for text in record.indications}
    names |= {readable(disease.name).lower() for record in snapshot.targets for disease in record.diseases}
    return tuple(sorted(names - {""}, key=lambda name: (-len(name), name)))


def mask_conditions(text: str, conditions: Sequence[str], own_indications: Sequence[str]) -> str:
    """Take condition names out of a text, and the telling words of the practice's own indications."""
    words = {
        word
        for indication in own_indications
        for word in re.findall(r"\w+", readable(indication).lower())
        if len(word) >= _SHORTEST_WORD and word not in _COMMON_WORDS
    }
    masked = readable(text)
    for name in (*conditions, *sorted(words, key=lambda word: (-len(word), word))):
        masked = re.sub(rf"\b{re.escape(name)}(?:s|es)?\b", " ", masked, flags=re.IGNORECASE)
    return " ".join(masked.split())


def _identity(record: TargetRecord) -> str:
    return (
        f"{record.symbol}: {readable(record.name)}" if record.name and record.name != record.symbol else record.symbol
    )

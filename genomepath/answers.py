"""Builds the content of a prediction answer from published predictions, as the policy allows at this moment.

Words are chosen with care: 'documented use', 'associated with', 'predicted'. No answer says that anything works.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from correlations.models import Correlation, DosageProfile, Evidence, GenomicTarget, Practice, SynergyPair
from correlations.vocabulary import Direction, Dose, DoseBasis, ReviewStatus
from ethics.attribution import AttributionStatement, attribution_for
from ethics.policy import Audience, Purpose
from genomepath.answer_sets import set_content, with_set_size
from genomepath.models import ModelVersion, Prediction

NOT_MEDICAL_ADVICE = (
    "Predicted associations for research and review. Not medical advice, and no statement that any practice works or is "
    "safe. Documented uses are reported as their sources record them."
)
PROVISIONAL = (
    "Provisional model: on held-out data a baseline method ranks better than this model, so treat its ranking as a first "
    "orientation only."
)
AnswerContent = dict[str, Any]


@dataclass(frozen=True)
class AnswerFrame:
    """What holds for the whole answer: model version, policy revision, for whom, and when."""

    version: ModelVersion
    policy_revision: int
    audience: Audience
    now: datetime

    def attribution(self, practice: Practice) -> AttributionStatement | None:
        """The attribution of a practice for this audience, or None where the policy refuses."""
        return attribution_for(practice.item, Purpose.PREDICTION, self.audience, self.now)


@dataclass(frozen=True)
class BuiltAnswer:
    """The content, and whose knowledge stands in it."""

    content: AnswerContent
    item_ids: list[str]
    communities: list[str]
    count: int


def targets_for_practice(
    frame: AnswerFrame, *, slug: str, dose: Dose, dose_chosen_by: str, k: int
) -> BuiltAnswer | None:
    """The k first targets predicted for a practice at a dose; None when it is absent or withheld."""
    practice = (
        Practice.objects.permitted_for(Purpose.PREDICTION, frame.audience, frame.now)
        .filter(slug=slug)
        .with_policy_facts()
        .prefetch_related("sources", "dosage_profiles__evidence", "practice_indications__condition")
        .first()
    )
    attribution = frame.attribution(practice) if practice is not None else None
    if practice is None or attribution is None:
        return None
    predicted = Prediction.objects.permitted_for(Purpose.PREDICTION, frame.audience, frame.now).filter(
        model_version=frame.version, direction=Direction.TK_TO_GENOMIC.value, practice=practice, dose=dose.value
    )
    rows = list(with_set_size(predicted).select_related("target").order_by("rank", "id")[:k])
    evidence = _approved_correlations([practice.pk], [row.target_id for row in rows])
    profiles = {profile.level: profile for profile in practice.dosage_profiles.all()}
    content = _content(
        frame,
        {
            "direction": Direction.TK_TO_GENOMIC.value,
            "practice": _practice_content(practice, attribution),
            "k": k,
            "set": set_content(rows),
        },
        [
            {
                "rank": rank,
                "target": target_content(row.target),
                "confidence": round(row.confidence, 4),
                "in_set": row.in_set,
                "evidence": _evidence_content(evidence[practice.pk, row.target_id], dose),
            }
            for rank, row in enumerate(rows, start=1)
        ],
    )
    content["dose"] = {"chosen_by": dose_chosen_by, **_dosage_content(dose.value, profiles.get(dose.value))}
    content["synergies"] = synergies_among([row.target_id for row in rows])
    return BuiltAnswer(content, [str(practice.item.public_id)], [practice.item.community.slug], len(rows))


def practices_for_target(frame: AnswerFrame, *, symbol: str, k: int) -> BuiltAnswer | None:
    """The k first permitted practices predicted for a target; None when the target is absent.

    Ranks are counted over what is shown, so that no gap tells of a withheld practice.
    """
    target = GenomicTarget.objects.filter(symbol__iexact=symbol).first()
    if target is None:
        return None
    rows = _rows_for_target(frame, target, k)
    attributed = [(row, frame.attribution(row.practice)) for row in rows]
    shown = [(row, attribution) for row, attribution in attributed if attribution is not None]
    evidence = _approved_correlations([row.practice_id for row, _ in shown], [target.pk])
    content = _content(
        frame,
        {
            "direction": Direction.GENOMIC_TO_TK.value,
            "target": target_content(target),
            "k": k,
            "set": set_content(rows),
        },
        [
            {
                "rank": rank,
                "practice": _practice_content(row.practice, attribution),
                "confidence": round(row.confidence, 4),
                "in_set": row.in_set,
                "evidence": _evidence_content(evidence[row.practice_id, target.pk], None),
                "dosage": [_dosage_content(profile.level, profile) for profile in row.practice.dosage_profiles.all()],
            }
            for rank, (row, attribution) in enumerate(shown, start=1)
        ],
    )
    items = [row.practice.item for row, _ in shown]
    return BuiltAnswer(
        content, [str(item.public_id) for item in items], sorted({item.community.slug for item in items}), len(shown)
    )


def practices_for_description(
    frame: AnswerFrame, ranked: Iterable[tuple[str, float]], k: int
) -> tuple[list[AnswerContent], list[Practice]]:
    """The k first permitted practices of a ranking of slugs, each with its attribution; ranks count what is shown."""
    permitted = (
        Practice.objects.permitted_for(Purpose.PREDICTION, frame.audience, frame.now)
        .with_policy_facts()
        .prefetch_related("sources", "dosage_profiles__evidence", "practice_indications__condition")
        .in_bulk(field_name="slug")
    )
    shown: list[AnswerContent] = []
    practices: list[Practice] = []
    for slug, confidence in ranked:
        if len(shown) == k:
            break
        practice = permitted.get(slug)
        attribution = frame.attribution(practice) if practice is not None else None
        if practice is None or attribution is None:
            continue
        practices.append(practice)
        shown.append(
            {
                "rank": len(practices),
                "practice": _practice_content(practice, attribution),
                "confidence": round(confidence, 4),
                "dosage": [_dosage_content(profile.level, profile) for profile in practice.dosage_profiles.all()],
            }
        )
    return shown, practices


def _rows_for_target(frame: AnswerFrame, target: GenomicTarget, k: int) -> list[Prediction]:
    rows = (
        Prediction.objects.permitted_for(Purpose.PREDICTION, frame.audience, frame.now)
        .filter(model_version=frame.version, direction=Direction.GENOMIC_TO_TK.value, target=target)
        .select_related("practice__item__community", "practice__item__attribution")
        .prefetch_related(
            "practice__item__item_labels__label",
            "practice__item__consents",
            "practice__item__community__consents",
            "practice__sources",
            "practice__dosage_profiles__evidence",
            "practice__practice_indications__condition",
        )
    )
    return list(with_set_size(rows).order_by("rank", "id")[:k])


def _content(frame: AnswerFrame, head: AnswerContent, predictions: list[AnswerContent]) -> AnswerContent:
    return {**head, "predictions": predictions, **answer_frame(frame)}


def answer_frame(frame: AnswerFrame) -> AnswerContent:
    """What every answer says of model, policy and purpose."""
    version = frame.version
    return {
        "model": {
            "sha256": version.sha256,
            "preset": version.preset,
            "data_sha256": version.data_sha256,
            "provisional": version.provisional,
            "statement": PROVISIONAL if version.provisional else "",
        },
        "policy": {
            "revision": frame.policy_revision,
            "purpose": Purpose.PREDICTION.value,
            "audience": frame.audience.value,
        },
        "note": NOT_MEDICAL_ADVICE,
    }


def _practice_content(practice: Practice, attribution: AttributionStatement) -> AnswerContent:
    return {
        "slug": practice.slug,
        "title": practice.title,
        "tradition": practice.tradition,
        "documented_uses": [
            {"name": entry.condition.name, "mesh_id": entry.condition.mesh_id, "mondo_id": entry.condition.mondo_id}
            for entry in practice.practice_indications.all()
        ],
        "contraindications": practice.contraindications,
        "evidence_level": practice.evidence_level,
        "sources": [source_content(source) for source in practice.sources.all()],
        "attribution": attribution,
    }


def target_content(target: GenomicTarget) -> AnswerContent:
    """A target as answers show it."""
    return {"symbol": target.symbol, "hgnc_id": target.hgnc_id, "name": target.name}


def source_content(source: Evidence) -> AnswerContent:
    """One cited source as answers show it."""
    return {
        "reference": source.reference,
        "pmid": source.pmid,
        "doi": source.doi,
        "url": source.source_url,
        "level": source.level,
        "year": source.year,
        "verified": source.verified,
    }


def _dosage_content(level: str, profile: DosageProfile | None) -> AnswerContent:
    """Guidance on a dose level. Without a profile nothing is documented and the level is the model's own."""
    source = profile.evidence if profile else None
    return {
        "level": level,
        "basis": profile.basis if profile else "modelled",
        "amount_range": profile.amount_range if profile else "",
        "note": profile.note if profile else "No dosage is documented for this level.",
        "source": source_content(source) if source else None,
    }


def _approved_correlations(
    practices: Collection[int], targets: Collection[int]
) -> dict[tuple[int, int], list[Correlation]]:
    """Approved correlations by (practice, target). The caller has passed the practices through the policy."""
    found: dict[tuple[int, int], list[Correlation]] = defaultdict(list)
    for correlation in (
        Correlation.objects.filter(practice__in=practices, target__in=targets, status=ReviewStatus.APPROVED.value)
        .prefetch_related("evidence")
        .order_by("id")
    ):
        found[correlation.practice_id, correlation.target_id].append(correlation)
    return found


def _evidence_content(correlations: Iterable[Correlation], dose: Dose | None) -> AnswerContent:
    """``validated`` when an approved correlation exists for the pair, and at the asked dose where one was asked.

    ``sourced_doses`` are the levels that a source resolves: a modelled level repeats the pair and adds no evidence.
    """
    correlations = list(correlations)
    counted = [entry for entry in correlations if dose is None or entry.dose == dose.value]
    sourced = {entry.dose for entry in correlations if entry.dose_basis == DoseBasis.SOURCED.value}
    sources = {source.pk: source for entry in counted for source in entry.evidence.all()}
    return {
        "status": "validated" if counted else "predicted_only",
        "sourced_doses": [level.value for level in Dose if level.value in sourced],
        "sources": [source_content(sources[key]) for key in sorted(sources)],
    }


def synergies_among(targets: list[int]) -> list[AnswerContent]:
    """Documented interactions of two targets that both stand in the list of primary keys."""
    pairs = SynergyPair.objects.filter(target_a__in=targets, target_b__in=targets)
    return [
        {
            "targets": [pair.target_a.symbol, pair.target_b.symbol],
            "interaction": pair.interaction,
            "kind": pair.kind,
            "source": source_content(pair.evidence),
        }
        for pair in pairs.select_related("target_a", "target_b", "evidence").order_by("id")
    ]

"""Derives correlations from the bundled data by visible evidence paths. Pure: data in, rows out, the same every time.

Found from the practice (``tk_to_genomic``)::

    practice -> indication -> same or broader condition -> evidence rows -> target

Found from the gene (``genomic_to_tk``)::

    target -> disease association -> same or broader condition -> indication -> practice

Rules. Contrary rows (harm, no effect) support nothing. Verified supporting rows make an approved correlation; where
there are only unverified or inconclusive ones, or where a contrary row speaks of the same target and condition, it is a
draft. Of several ways between a practice and a target the best approved one is kept, else the best draft. Every
correlation appears once a dose with equal confidence, because no source resolves dose.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from correlations.bundled.rows import (
    BundledData,
    ConditionLink,
    ConditionTerm,
    DiseaseAssociation,
    EvidenceRow,
    PracticeRow,
    TargetRow,
)
from correlations.condition_map import ConditionMap, ConditionMatch
from correlations.scoring import LEVEL_STRENGTH, Confidence, confidence
from correlations.vocabulary import Direction, ReviewStatus

TK_TO_GENOMIC = Direction.TK_TO_GENOMIC.value
GENOMIC_TO_TK = Direction.GENOMIC_TO_TK.value
APPROVED = ReviewStatus.APPROVED.value
DRAFT = ReviewStatus.DRAFT.value

_LINK_WORDS = {
    "same_as": "is the same as",
    "broader": "is a kind of",
    "symptom_of": "is a symptom of",
    "susceptibility_to": "concerns",
}


@dataclass(frozen=True)
class PathStep:
    """One visible step: its ``kind`` (practice, indication, condition_link, disease_association, evidence, target), the
    identifier of the thing, a label to read, and where the step is known from."""

    kind: str
    id: str
    label: str
    source: str


@dataclass(frozen=True)
class DerivedCorrelation:
    """A practice and a target that an evidence path connects, found in one direction, at one dose."""

    practice: str
    target: str
    direction: str
    dose: str
    dose_basis: str
    mechanism: str
    confidence: Confidence
    quality: str
    status: str
    evidence: tuple[str, ...]
    path: tuple[PathStep, ...]


@dataclass(frozen=True)
class _Support:
    """What a publication or database says of a target and a condition."""

    id: str
    level: str
    study: str
    mechanism: str
    verified: bool
    conclusive: bool
    step: PathStep


@dataclass(frozen=True)
class _Finding:
    """One way between a practice and a target, before it is spread over the doses."""

    practice: PracticeRow
    target: TargetRow
    direction: str
    mechanism: str
    confidence: Confidence
    status: str
    evidence: tuple[str, ...]
    path: tuple[PathStep, ...]


def derive_correlations(data: BundledData) -> list[DerivedCorrelation]:
    """All correlations of the data, ordered by direction, practice, target and dose (low, medium, high)."""
    conditions = ConditionMap(data.condition_links)
    names = {row.id: row.name for row in data.conditions}
    findings: dict[tuple[str, str, str], _Finding] = {}
    for finding in (*_from_practices(data, conditions, names), *_from_targets(data, conditions, names)):
        key = (finding.direction, finding.practice.slug, finding.target.symbol)
        known = findings.get(key)
        if known is None or _rank(finding) > _rank(known):
            findings[key] = finding
    doses: dict[str, list[tuple[str, str]]] = {}
    for profile in data.dosage_profiles:
        doses.setdefault(profile.practice, []).append((profile.dose, profile.basis))
    order = sorted(findings, key=lambda key: (key[0] != TK_TO_GENOMIC, key[1], key[2]))
    return [_at_dose(findings[key], dose, basis) for key in order for dose, basis in doses[findings[key].practice.slug]]


def _rank(finding: _Finding) -> tuple[bool, float]:
    return finding.status == APPROVED, finding.confidence.value


def _at_dose(finding: _Finding, dose: str, basis: str) -> DerivedCorrelation:
    return DerivedCorrelation(
        practice=finding.practice.slug,
        target=finding.target.symbol,
        direction=finding.direction,
        dose=dose,
        dose_basis=basis,
        mechanism=finding.mechanism,
        confidence=finding.confidence,
        quality=finding.confidence.quality,
        status=finding.status,
        evidence=finding.evidence,
        path=finding.path,
    )


def _from_practices(data: BundledData, conditions: ConditionMap, names: dict[str, str]) -> Iterator[_Finding]:
    targets = {row.symbol: row for row in data.targets}
    groups = _evidence_by_target_and_condition(data.evidence)
    for practice in data.practices:
        for indication in practice.indications:
            for (symbol, condition), rows in groups.items():
                match = conditions.match(indication.id, condition)
                chosen = None if match is None else _choose(_supports(rows), contested=_is_contested(rows))
                if match is None or chosen is None:
                    continue
                supports, status = chosen
                steps = (
                    _practice_step(practice),
                    _indication_step(practice, indication),
                    *_link_steps(match.links, names),
                    *(support.step for support in supports),
                    _target_step(targets[symbol]),
                )
                yield _finding(
                    practice=practice,
                    target=targets[symbol],
                    direction=TK_TO_GENOMIC,
                    match=match,
                    supports=supports,
                    status=status,
                    steps=steps,
                )


def _from_targets(data: BundledData, conditions: ConditionMap, names: dict[str, str]) -> Iterator[_Finding]:
    evidence = {row.id: row for row in data.evidence}
    groups = _evidence_by_target_and_condition(data.evidence)
    for target in data.targets:
        for association in target.disease_associations:
            rows = [evidence[name] for name in association.evidence]
            contested = _is_contested(groups.get((target.symbol, association.id), ()))
            chosen = _choose(_supports(rows), contested=contested)
            if chosen is None:
                continue
            supports, status = chosen
            for practice in data.practices:
                for indication in practice.indications:
                    match = conditions.match(indication.id, association.id)
                    if match is None:
                        continue
                    steps = (
                        _target_step(target),
                        _association_step(association),
                        *(support.step for support in supports),
                        *reversed(_link_steps(match.links, names)),
                        _indication_step(practice, indication),
                        _practice_step(practice),
                    )
                    yield _finding(
                        practice=practice,
                        target=target,
                        direction=GENOMIC_TO_TK,
                        match=match,
                        supports=supports,
                        status=status,
                        steps=steps,
                    )


def _evidence_by_target_and_condition(rows: Iterable[EvidenceRow]) -> dict[tuple[str, str], list[EvidenceRow]]:
    groups: dict[tuple[str, str], list[EvidenceRow]] = {}
    for row in rows:
        for term in row.conditions:
            groups.setdefault((row.target, term.id), []).append(row)
    return groups


def _is_contested(rows: Iterable[EvidenceRow]) -> bool:
    return any(row.finding == "contrary" for row in rows)


def _supports(rows: Iterable[EvidenceRow]) -> list[_Support]:
    return [
        _Support(
            id=row.id,
            level=row.level,
            study=row.study,
            mechanism=f"{row.compound}: {row.mechanism}" if row.compound else row.mechanism,
            verified=row.verified,
            conclusive=row.finding == "supporting",
            step=PathStep("evidence", row.id, f"{row.mechanism} ({row.level.replace('_', ' ')})", row.reference),
        )
        for row in rows
        if row.finding != "contrary"
    ]


def _choose(supports: Sequence[_Support], *, contested: bool) -> tuple[list[_Support], str] | None:
    """The strongest class of support, strongest row first, and the status that it gives; None without support."""
    verified = [support for support in supports if support.conclusive and support.verified]
    unverified = [support for support in supports if support.conclusive and not support.verified]
    inconclusive = [support for support in supports if not support.conclusive]
    chosen = verified or unverified or inconclusive
    if not chosen:
        return None
    chosen.sort(key=lambda support: (-LEVEL_STRENGTH[support.level], support.id))
    return chosen, APPROVED if verified and not contested else DRAFT


def _finding(
    *,
    practice: PracticeRow,
    target: TargetRow,
    direction: str,
    match: ConditionMatch,
    supports: Sequence[_Support],
    status: str,
    steps: tuple[PathStep, ...],
) -> _Finding:
    strongest = supports[0]
    score = confidence(
        level=strongest.level,
        sources=len({support.study for support in supports}),
        distance=match.distance,
        conclusive=strongest.conclusive,
    )
    evidence = tuple(support.id for support in supports)
    return _Finding(practice, target, direction, strongest.mechanism, score, status, evidence, steps)


def _practice_step(practice: PracticeRow) -> PathStep:
    return PathStep("practice", practice.slug, practice.title, practice.sources[0].reference)


def _indication_step(practice: PracticeRow, indication: ConditionTerm) -> PathStep:
    return PathStep("indication", indication.id, indication.name, practice.sources[0].reference)


def _link_steps(links: Iterable[ConditionLink], names: dict[str, str]) -> tuple[PathStep, ...]:
    return tuple(
        PathStep(
            "condition_link",
            f"{link.narrower} {link.kind} {link.broader}",
            f"{names[link.narrower]} {_LINK_WORDS[link.kind]} {names[link.broader]}",
            link.source,
        )
        for link in links
    )


def _association_step(association: DiseaseAssociation) -> PathStep:
    return PathStep("disease_association", association.id, association.name, association.source)


def _target_step(target: TargetRow) -> PathStep:
    return PathStep("target", target.symbol, f"{target.symbol}, {target.name}", target.hgnc_id)

"""From evidence to confidence, and from confidence to quality. Pure; every part of the result is kept for display.

The formula, ours and chosen for being easy to read back::

    strength   = LEVEL_STRENGTH[level]                    of the strongest publication
    agreement  = 1 - (1 - strength) * DOUBT_LEFT ** (n - 1)    n independent publications, at most MAX_SOURCES
    confidence = agreement * DISTANCE_FACTOR[distance] * (1 if conclusive else INCONCLUSIVE_FACTOR)

It orders derived correlations by what stands behind them. It is no probability and says nothing of efficacy.
The dose takes no part: no bundled source resolves dose.
"""

from __future__ import annotations

from dataclasses import dataclass

from correlations.vocabulary import EvidenceLevel, Quality

# In the order of EvidenceLevel: methods that stand closer to people, and pool more of them, come first. The last three
# grade records of practices; they carry little about a gene.
LEVEL_STRENGTH: dict[str, float] = {
    EvidenceLevel.META_ANALYSIS.value: 0.90,
    EvidenceLevel.SYSTEMATIC_REVIEW.value: 0.90,
    EvidenceLevel.CLINICAL_TRIAL.value: 0.80,
    EvidenceLevel.HUMAN_OBSERVATIONAL.value: 0.70,
    EvidenceLevel.GENETIC_ASSOCIATION.value: 0.65,
    EvidenceLevel.REVIEW.value: 0.60,
    EvidenceLevel.PRECLINICAL.value: 0.50,
    EvidenceLevel.REFERENCE_TEXT.value: 0.40,
    EvidenceLevel.ETHNOGRAPHIC.value: 0.30,
    EvidenceLevel.HISTORICAL.value: 0.25,
    EvidenceLevel.UNGRADED.value: 0.20,
}

# Each further independent publication leaves this share of the doubt.
DOUBT_LEFT = 0.8
# Beyond this count more publications say little about one link.
MAX_SOURCES = 4
# Steps in the condition map between the indication and the condition of the evidence: none, one, two.
DISTANCE_FACTOR: tuple[float, ...] = (1.0, 0.85, 0.70)
MAX_DISTANCE = len(DISTANCE_FACTOR) - 1
# Where the publications found no clear answer.
INCONCLUSIVE_FACTOR = 0.75

GOOD_FROM = 0.75
MODERATE_FROM = 0.50


@dataclass(frozen=True)
class Confidence:
    """A confidence in 0..1, rounded to four places, with the parts it was made of."""

    value: float
    level: str
    level_strength: float
    independent_sources: int
    agreement: float
    distance: int
    distance_factor: float
    conclusive: bool

    @property
    def quality(self) -> str:
        """``good``, ``moderate`` or ``poor``."""
        return quality_of(self.value)

    def parts(self) -> dict[str, str | int | float | bool]:
        """The parts by name, for storage and display."""
        return {
            "level": self.level,
            "level_strength": self.level_strength,
            "independent_sources": self.independent_sources,
            "agreement": self.agreement,
            "distance": self.distance,
            "distance_factor": self.distance_factor,
            "conclusive": self.conclusive,
        }


def confidence(*, level: str, sources: int, distance: int, conclusive: bool = True) -> Confidence:
    """The confidence of a link between a practice and a target.

    ``level`` is the strongest evidence level, ``sources`` the number of independent publications (>= 1), ``distance``
    the steps in the condition map (0: same condition). Raises ValueError for an unknown level, no source, or a distance
    that the scale does not hold.
    """
    if level not in LEVEL_STRENGTH:
        raise ValueError(f"unknown evidence level {level!r}; known: {', '.join(LEVEL_STRENGTH)}")
    if sources < 1:
        raise ValueError(f"a confidence needs at least one source, found {sources}")
    if not 0 <= distance <= MAX_DISTANCE:
        raise ValueError(f"distance {distance} lies outside 0 to {MAX_DISTANCE}")
    strength = LEVEL_STRENGTH[level]
    agreement = 1 - (1 - strength) * DOUBT_LEFT ** (min(sources, MAX_SOURCES) - 1)
    factor = DISTANCE_FACTOR[distance]
    value = agreement * factor * (1.0 if conclusive else INCONCLUSIVE_FACTOR)
    return Confidence(
        value=round(value, 4),
        level=level,
        level_strength=strength,
        independent_sources=sources,
        agreement=round(agreement, 4),
        distance=distance,
        distance_factor=factor,
        conclusive=conclusive,
    )


def quality_of(confidence: float) -> str:
    """``good`` from 0.75, ``moderate`` from 0.50, ``poor`` below. Raises ValueError outside 0..1 and for NaN."""
    if not 0.0 <= confidence <= 1.0:
        raise ValueError(f"confidence {confidence} lies outside 0 to 1")
    if confidence >= GOOD_FROM:
        return Quality.GOOD.value
    return Quality.MODERATE.value if confidence >= MODERATE_FROM else Quality.POOR.value

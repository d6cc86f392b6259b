"""The rows of the bundled data, one frozen dataclass a kind. Vocabularies are the constants beside them."""

from __future__ import annotations

from dataclasses import dataclass

from correlations.vocabulary import Dose, DoseBasis, EvidenceLevel

DOSES = tuple(dose.value for dose in Dose)
DOSE_BASES = tuple(basis.value for basis in DoseBasis)
EVIDENCE_LEVELS = tuple(level.value for level in EvidenceLevel)

# What an evidence row says of the link between target and condition. Contrary rows (harm, no effect) support nothing.
FINDINGS = ("supporting", "inconclusive", "contrary")

# What was read when the fact was checked.
SEEN = ("excerpt", "table row", "citation", "nothing")

LINK_KINDS = ("same_as", "broader", "symptom_of", "susceptibility_to")
LABEL_KINDS = ("label", "notice")
LABEL_RULES = ("none", "attribution", "non_commercial", "community_only", "secret")
ASSOCIATION_BASES = ("hpo", "literature")


@dataclass(frozen=True)
class Citation:
    """Where a practice is documented. ``reference`` is never empty; identifiers are empty where none was seen."""

    reference: str
    pmid: str
    doi: str
    urls: tuple[str, ...]


class _Identified:
    """A condition identifier, ``MeSH:D...`` or ``MONDO:...``, in the two forms that registers keep."""

    id: str

    @property
    def mesh_id(self) -> str:
        """The MeSH descriptor without its prefix, such as ``D010146``; empty for a Mondo condition."""
        return self.id.removeprefix("MeSH:") if self.id.startswith("MeSH:") else ""

    @property
    def mondo_id(self) -> str:
        """The Mondo identifier, such as ``MONDO:0005027``; empty for a MeSH condition."""
        return self.id if self.id.startswith("MONDO:") else ""


@dataclass(frozen=True)
class ConditionTerm(_Identified):
    """A condition by name and MeSH or Mondo identifier."""

    name: str
    id: str


@dataclass(frozen=True)
class CommunityRow:
    """A community or tradition, with the attribution statement shown wherever its knowledge is used."""

    slug: str
    name: str
    region: str
    attribution: str
    source: str


@dataclass(frozen=True)
class PracticeRow:
    """A documented traditional use. ``indications`` keep the order of the record."""

    slug: str
    title: str
    tradition: str
    community: str
    region: str
    period: str
    plant_part: str
    preparation: str
    route: tuple[str, ...]
    indications: tuple[ConditionTerm, ...]
    contraindications: tuple[str, ...]
    cultural_context: str
    evidence_level: str
    basis: str
    labels: tuple[str, ...]
    sources: tuple[Citation, ...]
    note: str


@dataclass(frozen=True)
class SacredPlaceholder:
    """A sacred record without any detail: it exists, it belongs to a community, and it is never used."""

    id: str
    community: str
    sacred_status: str
    protected_names: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Pathway:
    """A Reactome pathway."""

    name: str
    reactome_id: str


@dataclass(frozen=True)
class DiseaseAssociation:
    """A disease of a target. ``study_count`` is None where the source gives none; ``evidence`` names evidence rows."""

    name: str
    id: str
    study_count: int | None
    basis: str
    evidence: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class TargetRow:
    """A human gene of the catalogue, by its current HGNC symbol."""

    symbol: str
    hgnc_id: str
    name: str
    aliases: tuple[str, ...]
    entrez_id: str
    ensembl_gene_id: str
    uniprot: str
    target_type: str
    pathways: tuple[Pathway, ...]
    tissues: tuple[str, ...]
    disease_associations: tuple[DiseaseAssociation, ...]
    source: str


@dataclass(frozen=True)
class EvidenceRow:
    """One statement of one publication about a target. Rows with the same ``study`` are not independent of each other.

    ``verified`` says that the publication was found in a stored source, ``seen`` what of it was read, and
    ``identifiers_checked`` that PMID and DOI came from PubMed or the publisher and not from a third party's list.
    """

    id: str
    target: str
    compound: str
    conditions: tuple[ConditionTerm, ...]
    mechanism: str
    effect_direction: str
    finding: str
    level: str
    reference: str
    study: str
    year: int | None
    pmid: str
    doi: str
    source: str
    url: str
    verified: bool
    seen: str
    identifiers_checked: bool
    note: str


@dataclass(frozen=True)
class SynergyRow:
    """An unordered pair of targets, written with ``target_a`` < ``target_b``."""

    target_a: str
    target_b: str
    interaction: str
    kind: str
    reference: str
    pmid: str
    doi: str
    source: str
    url: str
    verified: bool
    note: str


@dataclass(frozen=True)
class LabelRow:
    """A Local Contexts label or notice, and the rule that the policy follows where it is applied."""

    code: str
    name: str
    kind: str
    rule: str
    meaning: str
    source: str


@dataclass(frozen=True)
class ConditionRow(_Identified):
    """A condition that some row of the data names."""

    id: str
    name: str
    source: str


@dataclass(frozen=True)
class ConditionLink:
    """A curated step from a condition to a broader one (``same_as``: between two vocabularies)."""

    narrower: str
    broader: str
    kind: str
    reason: str
    source: str


@dataclass(frozen=True)
class DosageProfileRow:
    """A dose of a practice. ``range_text`` is empty where no source states amounts."""

    practice: str
    dose: str
    range_text: str
    basis: str
    note: str
    source: str


@dataclass(frozen=True)
class BundledData:
    """Everything that ``load_bundled`` loads, in the order of the files."""

    communities: tuple[CommunityRow, ...]
    practices: tuple[PracticeRow, ...]
    sacred_placeholders: tuple[SacredPlaceholder, ...]
    targets: tuple[TargetRow, ...]
    evidence: tuple[EvidenceRow, ...]
    synergy_pairs: tuple[SynergyRow, ...]
    labels: tuple[LabelRow, ...]
    conditions: tuple[ConditionRow, ...]
    condition_links: tuple[ConditionLink, ...]
    dosage_profiles: tuple[DosageProfileRow, ...]

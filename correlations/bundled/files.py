"""The files of the bundled data and the rule of every field in them."""

from __future__ import annotations

from correlations.bundled import rows
from correlations.bundled.schema import Reader, boolean, count_or_null, list_of, matching, one_of, record, text

SLUG = matching(r"[a-z0-9]+(-[a-z0-9]+)*")
SYMBOL = matching(r"[A-Z][A-Z0-9-]*")
CONDITION_ID = matching(r"MeSH:D\d{6}|MONDO:\d{7}")
EVIDENCE_ID = matching(r"EV\d{3}")
URL = r"https?://\S+"
PMID = matching(r"\d{1,8}", empty=True)
DOI = matching(r"10\.\d{4,9}/\S+", empty=True)

_terms = record(rows.ConditionTerm, name=text(), id=CONDITION_ID)

_citation = record(rows.Citation, reference=text(), pmid=PMID, doi=DOI, urls=list_of(matching(URL), unique=True))

_association = record(
    rows.DiseaseAssociation,
    name=text(),
    id=CONDITION_ID,
    study_count=count_or_null(1, 1_000_000),
    basis=one_of(*rows.ASSOCIATION_BASES),
    evidence=list_of(EVIDENCE_ID, at_least=1, unique=True),
    source=text(),
)

COMMUNITY = record(
    rows.CommunityRow, slug=SLUG, name=text(), region=text(empty=True), attribution=text(), source=text()
)

PRACTICE = record(
    rows.PracticeRow,
    slug=SLUG,
    title=text(),
    tradition=text(),
    community=SLUG,
    region=text(),
    period=text(),
    plant_part=text(empty=True),
    preparation=text(empty=True),
    route=list_of(
        one_of("oral", "topical", "inhaled", "otic", "ophthalmic", "nasal", "rectal", "vaginal"), unique=True
    ),
    indications=list_of(_terms, at_least=1, unique=True),
    contraindications=list_of(text()),
    cultural_context=text(),
    evidence_level=one_of(*rows.EVIDENCE_LEVELS),
    basis=one_of("documented"),
    labels=list_of(text(), unique=True),
    sources=list_of(_citation, at_least=1),
    note=text(empty=True),
)

# A sacred record may say nothing, so each of its fields has room for the neutral words alone.
SACRED_PLACEHOLDER = record(
    rows.SacredPlaceholder,
    id=matching(r"sacred-record-\d+"),
    community=SLUG,
    sacred_status=one_of("sacred"),
    protected_names=list_of(matching(r"Sacred record \d+"), at_least=1),
    source=one_of("Reference held by the curators, outside the repository"),
)

TARGET = record(
    rows.TargetRow,
    symbol=SYMBOL,
    hgnc_id=matching(r"HGNC:\d+"),
    name=text(),
    aliases=list_of(text(), unique=True),
    entrez_id=matching(r"\d+"),
    ensembl_gene_id=matching(r"ENSG\d{11}"),
    uniprot=matching(r"[OPQ]\d[A-Z0-9]{3}\d|[A-NR-Z]\d([A-Z][A-Z0-9]{2}\d){1,2}"),
    target_type=text(),
    pathways=list_of(record(rows.Pathway, name=text(), reactome_id=matching(r"R-HSA-\d+")), unique=True),
    tissues=list_of(text(), at_least=1, unique=True),
    disease_associations=list_of(_association, unique=True),
    source=text(),
)

EVIDENCE = record(
    rows.EvidenceRow,
    id=EVIDENCE_ID,
    target=SYMBOL,
    compound=text(empty=True),
    conditions=list_of(_terms, unique=True),
    mechanism=text(),
    effect_direction=text(),
    finding=one_of(*rows.FINDINGS),
    level=one_of(*rows.EVIDENCE_LEVELS),
    reference=text(),
    study=SLUG,
    year=count_or_null(1500, 2100),
    pmid=PMID,
    doi=DOI,
    source=text(),
    url=matching(URL, empty=True),
    verified=boolean,
    seen=one_of(*rows.SEEN),
    identifiers_checked=boolean,
    note=text(empty=True),
)

SYNERGY = record(
    rows.SynergyRow,
    target_a=SYMBOL,
    target_b=SYMBOL,
    interaction=text(),
    kind=text(),
    reference=text(),
    pmid=PMID,
    doi=DOI,
    source=text(),
    url=matching(URL, empty=True),
    verified=boolean,
    note=text(empty=True),
)

LABEL = record(
    rows.LabelRow,
    code=matching(r"(TK|BC) [A-Z]{1,3}|[a-z-]+"),
    name=text(),
    kind=one_of(*rows.LABEL_KINDS),
    rule=one_of(*rows.LABEL_RULES),
    meaning=text(),
    source=matching(URL),
)

CONDITION = record(rows.ConditionRow, id=CONDITION_ID, name=text(), source=text())

CONDITION_LINK = record(
    rows.ConditionLink,
    narrower=CONDITION_ID,
    broader=CONDITION_ID,
    kind=one_of(*rows.LINK_KINDS),
    reason=text(),
    source=text(),
)

# File, field of ``BundledData``, rule of a row, and the attributes that name a row.
FILES: tuple[tuple[str, str, Reader, tuple[str, ...]], ...] = (
    ("communities.json", "communities", COMMUNITY, ("slug",)),
    ("practices.json", "practices", PRACTICE, ("slug",)),
    ("sacred_placeholders.json", "sacred_placeholders", SACRED_PLACEHOLDER, ("id",)),
    ("targets.json", "targets", TARGET, ("symbol",)),
    ("evidence.json", "evidence", EVIDENCE, ("id",)),
    ("synergy_pairs.json", "synergy_pairs", SYNERGY, ("target_a", "target_b")),
    ("labels.json", "labels", LABEL, ("code",)),
    ("conditions.json", "conditions", CONDITION, ("id",)),
    ("condition_links.json", "condition_links", CONDITION_LINK, ("narrower", "broader")),
)

"""A client of the NeuroBotanica GenomePath API. Written by ``generate.py``; don't edit it.

It needs Python 3.11 and nothing else. Every answer carries attributions: show them wherever you show the prediction.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

from neurobotanica_client.transport import ApiProblem, Transport


class AnsweredDose(TypedDict):
    """The dose that the answer is for, and whether it was asked for or is the default."""

    level: DoseLevel
    basis: BasisEnum
    amount_range: str
    note: str
    source: Source | None
    chosen_by: ChosenByEnum


class Attribution(TypedDict):
    """Must be shown wherever the prediction is shown."""

    community: CommunityCredit
    statement: str
    credited_name: str
    labels: list[LabelNotice]
    basis: BasisOfUse


AudienceEnum: TypeAlias = Literal["research", "commercial", "community", "platform"]


BasisEnum: TypeAlias = Literal["sourced", "modelled"]


class BasisOfUse(TypedDict):
    """On what the use rests: a documented source or a consent."""

    kind: BasisOfUseKindEnum
    source: str
    consent_reference: str


BasisOfUseKindEnum: TypeAlias = Literal["documented_and_published", "consent"]


BatchAnswer: TypeAlias = "PracticePredictions | TargetPredictions | TextPredictions"


BatchQuestion: TypeAlias = "PracticeQuestion | TargetQuestion | TextQuestion"


class BatchRequest(TypedDict):
    questions: list[BatchQuestion]


class BatchResponse(TypedDict):
    results: list[BatchedResult]
    failed: int
    note: str


class BatchedResult(TypedDict):
    """``answer`` is what the single endpoint sends (status 200); otherwise ``problem`` says why there is none."""

    index: int
    status: BatchedResultStatusEnum
    problem: NotRequired[Problem]
    answer: NotRequired[BatchAnswer]


BatchedResultStatusEnum: TypeAlias = Literal[200, 400, 403, 404, 503]


class CardModel(TypedDict):
    """The model version that predicted. ``provisional``: a baseline ranks better; ``statement`` says so."""

    sha256: str
    preset: str
    data_sha256: str
    provisional: bool
    statement: str
    code_version: str
    promoted_at: str | None


ChosenByEnum: TypeAlias = Literal["request", "default"]


class ChosenDose(TypedDict):
    level: DoseLevel
    chosen_by: ChosenByEnum


class Community(TypedDict):
    slug: str
    name: str
    region: str


class CommunityAttribution(TypedDict):
    """The community's own statement, and the labels on what of it may be shown."""

    community: Community
    statement: str
    labels: list[LabelNotice]
    note: str


class CommunityCredit(TypedDict):
    slug: str
    name: str


class CorrelationPage(TypedDict):
    """A page of a list; there is no total."""

    next: str | None
    previous: str | None
    results: list[ListedCorrelation]


class CreditedPractice(TypedDict):
    slug: str
    title: str
    attribution: Attribution


class DescribedPractice(TypedDict):
    rank: int
    practice: Practice
    confidence: float
    dosage: list[Dosage]


class DescribedPredictions(TypedDict):
    """``abstained``: nothing is predicted; the same answer for every reason, of which none is told."""

    direction: DescribedPredictionsDirectionEnum
    k: int
    abstained: bool
    statement: str
    predictions: list[DescribedPractice]
    calibration: str
    model: Model
    policy: Policy
    note: str


DescribedPredictionsDirectionEnum: TypeAlias = Literal["described_to_tk"]


class DescribedQuestion(TypedDict):
    """Either ``name`` (a gene in your own words) or ``findings`` (a text), with what is known of it."""

    name: NotRequired[str]
    findings: NotRequired[str]
    pathways: NotRequired[list[str]]
    tissues: NotRequired[list[str]]
    diseases: NotRequired[list[str]]
    k: NotRequired[int]


Direction: TypeAlias = Literal["tk_to_genomic", "genomic_to_tk"]


class DocumentedUse(TypedDict):
    name: str
    mesh_id: str
    mondo_id: str


class Dosage(TypedDict):
    """What is recorded of a dose level. ``modelled``: no source resolves it, the level is the model's own."""

    level: DoseLevel
    basis: BasisEnum
    amount_range: str
    note: str
    source: Source | None


class DosageProfilePage(TypedDict):
    """A page of a list; there is no total."""

    next: str | None
    previous: str | None
    results: list[ListedDosage]


class DoseAndBasis(TypedDict):
    level: DoseLevel
    basis: BasisEnum


DoseLevel: TypeAlias = Literal["low", "medium", "high"]


EvidenceLevel: TypeAlias = Literal["meta_analysis", "systematic_review", "clinical_trial", "human_observational", "genetic_association", "review", "preclinical", "reference_text", "ethnographic", "historical", "ungraded"]


class EvidencePage(TypedDict):
    """A page of a list; there is no total."""

    next: str | None
    previous: str | None
    results: list[ListedEvidence]


class EvidencePath(TypedDict):
    """A way between practice and target that a curator approved, with the doses for which it stands."""

    direction: Direction
    doses: list[DoseAndBasis]
    confidence: float
    quality: QualityEnum
    mechanism: str
    steps: list[PathStep]
    sources: list[Source]


class EvidenceStatus(TypedDict):
    """``validated``: an approved, sourced correlation exists for the pair (in the direction from a practice: at
    the answered dose). ``predicted_only``: the model alone says so. ``sourced_doses``: the dose levels of an
    approved correlation that a source resolves; modelled levels are not among them.
    """

    status: EvidenceStatusStatusEnum
    sourced_doses: list[DoseLevel]
    sources: list[Source]


EvidenceStatusStatusEnum: TypeAlias = Literal["validated", "predicted_only"]


class Explanation(TypedDict):
    """``paths`` where a curator approved the association; otherwise ``neighbours``, which are no evidence for
    it. ``score`` is null for a model that was trained before its parts were kept.
    """

    practice: CreditedPractice
    target: Target
    direction: Direction
    dose: ChosenDose | None
    rank: int
    confidence: float
    in_set: bool | None
    score: Score | None
    kind: ExplanationKindEnum
    statement: str
    paths: list[EvidencePath]
    neighbours: list[Neighbour]
    model: Model
    policy: Policy
    note: str


ExplanationKindEnum: TypeAlias = Literal["curated_evidence_path", "nearest_training_evidence"]


FieldEnum: TypeAlias = Literal["dose", "title", "preparation", "cultural_context", "indication", "identity", "pathway", "tissue", "disease_association"]


class FieldShare(TypedDict):
    """What one field adds, in log odds; ``name`` where it is an indication, a pathway, a tissue or a disease."""

    field: FieldEnum
    name: str
    text_match: float
    towers: float
    share: float


class LabelNotice(TypedDict):
    """A TK or BC label, with the community's own text where it gave one."""

    code: str
    name: str
    meaning: str
    source: str
    version: str


class LearnedFrom(TypedDict):
    """A community whose knowledge the model learned from; show it with the predictions."""

    slug: str
    name: str
    statement: str


class ListedCorrelation(TypedDict):
    """An approved association. ``confidence`` grades its evidence; it is no probability of an effect."""

    practice: NamedPractice
    target: Target
    direction: Direction
    dose: DoseAndBasis
    confidence: float
    quality: QualityEnum
    sources: list[Source]
    attribution: Attribution


class ListedDosage(TypedDict):
    """What is recorded of a dose level. ``modelled``: no source resolves it, the level is the model's own."""

    level: DoseLevel
    basis: BasisEnum
    amount_range: str
    note: str
    source: Source | None
    practice: NamedPractice
    attribution: Attribution


class ListedEvidence(TypedDict):
    """A cited source with what it is about."""

    reference: str
    pmid: str
    doi: str
    url: str
    level: EvidenceLevel
    year: int | None
    verified: bool
    target: str | None
    compound: str
    conditions: list[DocumentedUse]


class ListedPractice(TypedDict):
    slug: str
    title: str
    tradition: str
    attribution: Attribution


class Metric(TypedDict):
    """A fraction with its 95% interval; null where there was nothing to measure."""

    direction: Direction
    metric: str
    value: float | None
    low: float | None
    high: float | None


class Model(TypedDict):
    """The model version that predicted. ``provisional``: a baseline ranks better; ``statement`` says so."""

    sha256: str
    preset: str
    data_sha256: str
    provisional: bool
    statement: str


class ModelCard(TypedDict):
    model: CardModel
    intended_use: str
    limits: list[str]
    protocols: list[Protocol]
    policy_revision: int
    note: str


class NamedPractice(TypedDict):
    slug: str
    title: str


class Neighbour(TypedDict):
    """Another practice from which the model learned that the target matters."""

    practice: CreditedPractice
    shared_uses: list[str]
    paths: list[EvidencePath]


class PathStep(TypedDict):
    """One step from the practice to the target, and where it is known from."""

    kind: str
    id: str
    label: str
    source: str


class Policy(TypedDict):
    """The policy revision under which the answer was given."""

    revision: int
    purpose: PurposeEnum
    audience: AudienceEnum


class Practice(TypedDict):
    """A documented practice with its attribution."""

    slug: str
    title: str
    tradition: str
    documented_uses: list[DocumentedUse]
    contraindications: list[str]
    evidence_level: EvidenceLevel
    sources: list[Source]
    attribution: Attribution


class PracticePage(TypedDict):
    """A page of a list; there is no total."""

    next: str | None
    previous: str | None
    results: list[ListedPractice]


class PracticePredictions(TypedDict):
    direction: PracticePredictionsDirectionEnum
    practice: Practice
    dose: AnsweredDose
    k: int
    set: Set | None
    predictions: list[PredictedTarget]
    synergies: list[Synergy]
    model: Model
    policy: Policy
    note: str


PracticePredictionsDirectionEnum: TypeAlias = Literal["tk_to_genomic"]


class PracticeQuestion(TypedDict):
    practice: str
    dose: NotRequired[DoseLevel]
    k: NotRequired[int]


class PredictedPractice(TypedDict):
    rank: int
    practice: Practice
    confidence: float
    in_set: bool | None
    evidence: EvidenceStatus
    dosage: list[Dosage]


class PredictedTarget(TypedDict):
    rank: int
    target: Target
    confidence: float
    in_set: bool | None
    evidence: EvidenceStatus


class Problem(TypedDict):
    """RFC 9457 problem document. ``errors`` names the parameters that were not accepted."""

    type: str
    title: str
    status: int
    detail: str
    errors: NotRequired[list[ProblemError]]


class ProblemError(TypedDict):
    parameter: str
    detail: str


class Protocol(TypedDict):
    """P0 measures memory; P1 holds whole (practice, target) pairs out."""

    protocol: str
    scorers: list[Scorer]


PurposeEnum: TypeAlias = Literal["prediction", "explanation"]


QualityEnum: TypeAlias = Literal["poor", "moderate", "good"]


class Score(TypedDict):
    """A score by its parts. ``log_odds`` is the sum of every ``text_match``, ``whole_text``, ``known_links``,
    ``towers_together`` and ``base``.
    """

    log_odds: float
    by_field: list[FieldShare]
    whole_text: ScorePart
    known_links: ScorePart
    towers_together: float
    base: float
    note: str


class ScorePart(TypedDict):
    log_odds: float
    share: float


class Scorer(TypedDict):
    """The model or a baseline. ``is_oracle``: the rule by which the labels were derived, outside every
    comparison.
    """

    name: str
    is_baseline: bool
    is_oracle: bool
    metrics: list[Metric]


class Set(TypedDict):
    """The candidates among which a documented association that the model has not seen lies with a probability of
    ``level``, on average over questions. ``size`` counts all of them that may be shown, beyond ``k`` as well.
    Calibrated on held-out pairs of catalogued practices and targets.
    """

    level: float
    size: int


class Source(TypedDict):
    """A cited source. ``verified`` says whether a curator has checked the citation."""

    reference: str
    pmid: str
    doi: str
    url: str
    level: EvidenceLevel
    year: int | None
    verified: bool


class Synergy(TypedDict):
    """Two of the answered targets with a documented interaction."""

    targets: list[str]
    interaction: str
    kind: str
    source: Source


class SynergyPage(TypedDict):
    """A page of a list; there is no total."""

    next: str | None
    previous: str | None
    results: list[Synergy]


class Target(TypedDict):
    symbol: str
    hgnc_id: str
    name: str


class TargetPage(TypedDict):
    """A page of a list; there is no total."""

    next: str | None
    previous: str | None
    results: list[Target]


class TargetPredictions(TypedDict):
    direction: TargetPredictionsDirectionEnum
    target: Target
    k: int
    set: Set | None
    predictions: list[PredictedPractice]
    model: Model
    policy: Policy
    note: str


TargetPredictionsDirectionEnum: TypeAlias = Literal["genomic_to_tk"]


class TargetQuestion(TypedDict):
    target: str
    k: NotRequired[int]


class TextPredictions(TypedDict):
    """``abstained``: nothing is predicted; the same answer for every reason, of which none is told."""

    direction: TextPredictionsDirectionEnum
    dose: ChosenDose
    k: int
    abstained: bool
    statement: str
    predictions: list[TextTarget]
    synergies: list[Synergy]
    learned_from: list[LearnedFrom]
    calibration: str
    model: Model
    policy: Policy
    note: str


TextPredictionsDirectionEnum: TypeAlias = Literal["text_to_genomic"]


class TextQuestion(TypedDict):
    text: str
    dose: NotRequired[DoseLevel]
    k: NotRequired[int]


class TextTarget(TypedDict):
    rank: int
    target: Target
    confidence: float


Usage = TypedDict(
    "Usage",
    {
        "organisation": 'str',
        "audience": 'AudienceEnum',
        "from": 'str',
        "to": 'str',
        "rows": 'list[UsageRow]',
        "total": 'int',
    },
)


class UsageRow(TypedDict):
    day: str
    event_type: str
    times: int


class Client(Transport):
    """Asks the platform with one API key. Raises ``ApiProblem`` for every answer that is an error, and
    ``OSError`` where no answer comes.
    """

    def read_attribution(
        self,
        slug: str,
    ) -> CommunityAttribution:
        """How a community wishes to be credited. 404 where nothing of the community may be shown to your
        audience. Needs the scope `attribution`.
        """
        answer: CommunityAttribution = self.ask(
            "GET",
            f"/api/v1/communities/{self.quoted(slug)}/attribution/",
        )
        return answer

    def list_correlations(
        self,
        *,
        cursor: str | None = None,
        direction: Literal["tk_to_genomic", "genomic_to_tk"] | None = None,
        dose: Literal["low", "medium", "high"] | None = None,
        practice: str | None = None,
        quality: Literal["poor", "moderate", "good"] | None = None,
        target: str | None = None,
    ) -> CorrelationPage:
        """Approved correlations between practices and targets. Shows what your audience may see, each row with
        the attribution that must be shown with it. There is no total, so that nothing tells of what is
        withheld. Needs the scope `catalogue`.
        """
        answer: CorrelationPage = self.ask(
            "GET",
            "/api/v1/correlations/",
            query={"cursor": cursor, "direction": direction, "dose": dose, "practice": practice, "quality": quality, "target": target},
        )
        return answer

    def list_dosage_profiles(
        self,
        *,
        basis: Literal["sourced", "modelled"] | None = None,
        cursor: str | None = None,
        level: Literal["low", "medium", "high"] | None = None,
        practice: str | None = None,
    ) -> DosageProfilePage:
        """Dosage profiles of practices. Shows what your audience may see, each row with the attribution that
        must be shown with it. There is no total, so that nothing tells of what is withheld. Needs the scope
        `catalogue`. `modelled`: no source resolves the dose.
        """
        answer: DosageProfilePage = self.ask(
            "GET",
            "/api/v1/dosage-profiles/",
            query={"basis": basis, "cursor": cursor, "level": level, "practice": practice},
        )
        return answer

    def list_evidence(
        self,
        *,
        cursor: str | None = None,
        level: Literal["meta_analysis", "systematic_review", "clinical_trial", "human_observational", "genetic_association", "review", "preclinical", "reference_text", "ethnographic", "historical", "ungraded"] | None = None,
        search: str | None = None,
        target: str | None = None,
        verified: Literal["true", "false"] | None = None,
    ) -> EvidencePage:
        """Cited sources. Sources that stand with practices are shown where your audience may see one of the
        practices. Needs the scope `catalogue`.
        """
        answer: EvidencePage = self.ask(
            "GET",
            "/api/v1/evidence/",
            query={"cursor": cursor, "level": level, "search": search, "target": target, "verified": verified},
        )
        return answer

    def read_model_card(
        self,
    ) -> ModelCard:
        """The model in service and its measured quality. Metrics are fractions with 95% intervals, the model
        beside every baseline. Needs the scope `model`.
        """
        answer: ModelCard = self.ask(
            "GET",
            "/api/v1/model/",
        )
        return answer

    def list_practices(
        self,
        *,
        condition: str | None = None,
        cursor: str | None = None,
        search: str | None = None,
        tradition: str | None = None,
    ) -> PracticePage:
        """Practices that your audience may see. Shows what your audience may see, each row with the attribution
        that must be shown with it. There is no total, so that nothing tells of what is withheld. Needs the
        scope `catalogue`.
        """
        answer: PracticePage = self.ask(
            "GET",
            "/api/v1/practices/",
            query={"condition": condition, "cursor": cursor, "search": search, "tradition": tradition},
        )
        return answer

    def predict_batch(
        self,
        body: BatchRequest,
        *,
        idempotency_key: str | None = None,
    ) -> BatchResponse:
        """Up to 100 questions at once. Questions about practices, targets and texts (at most 10), mixed. Each is
        answered or refused, and recorded, by itself. A batch counts as many requests as it holds questions
        against the limits of the minute and the day, and as one against the burst; one with more questions
        than these limits allow is never answered. Needs the scope `predictions`.
        """
        answer: BatchResponse = self.ask(
            "POST",
            "/api/v1/predictions/batch/",
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    def predict_practices_for_description(
        self,
        body: DescribedQuestion,
    ) -> DescribedPredictions:
        """Practices predicted for a gene or findings in your own words. Ranks documented practices, each with
        its attribution. The text is stored nowhere. Where it names or comes close to what is withheld, or is
        about nothing known, nothing is predicted (`abstained`), and the reason is not told. Needs the scope
        `text`.
        """
        answer: DescribedPredictions = self.ask(
            "POST",
            "/api/v1/predictions/descriptions/practices/",
            body=body,
        )
        return answer

    def predict_targets_for_practice(
        self,
        slug: str,
        *,
        dose: Literal["low", "medium", "high"] | None = None,
        k: int | None = None,
    ) -> PracticePredictions:
        """Targets predicted for a practice. Ranks genomic targets that the model associates with a documented
        practice at a dose level. Every answer carries the attribution, which must be shown with it.
        Governance changes count at once; an edit of the catalogue may take a minute to show. Needs the scope
        `predictions`.
        """
        answer: PracticePredictions = self.ask(
            "GET",
            f"/api/v1/predictions/practices/{self.quoted(slug)}/targets/",
            query={"dose": dose, "k": k},
        )
        return answer

    def explain_prediction(
        self,
        slug: str,
        symbol: str,
        *,
        dose: Literal["low", "medium", "high"] | None = None,
    ) -> Explanation:
        """Why a target is predicted for a practice. The evidence path that a curator approved, step by step.
        Where there is none, the nearest approved associations of the target that the model learned from, each
        with the attribution of its practice. `score` says what each field of the practice adds. Needs the
        scope `predictions`.
        """
        answer: Explanation = self.ask(
            "GET",
            f"/api/v1/predictions/practices/{self.quoted(slug)}/targets/{self.quoted(symbol)}/explanation/",
            query={"dose": dose},
        )
        return answer

    def predict_practices_for_target(
        self,
        symbol: str,
        *,
        k: int | None = None,
    ) -> TargetPredictions:
        """Practices predicted for a target. Ranks documented practices that the model associates with a genomic
        target, each with its own attribution. Practices that your audience may not see are left out, and
        nothing tells of them. Needs the scope `predictions`.
        """
        answer: TargetPredictions = self.ask(
            "GET",
            f"/api/v1/predictions/targets/{self.quoted(symbol)}/practices/",
            query={"k": k},
        )
        return answer

    def explain_prediction_of_practice(
        self,
        symbol: str,
        slug: str,
    ) -> Explanation:
        """Why a practice is predicted for a target. The evidence path that a curator approved, step by step.
        Where there is none, the nearest approved associations of the target that the model learned from, each
        with the attribution of its practice. `score` says what each field of the target adds. Needs the scope
        `predictions`.
        """
        answer: Explanation = self.ask(
            "GET",
            f"/api/v1/predictions/targets/{self.quoted(symbol)}/practices/{self.quoted(slug)}/explanation/",
        )
        return answer

    def predict_targets_for_text(
        self,
        body: TextQuestion,
    ) -> TextPredictions:
        """Targets predicted for a practice in your own words. Ranks the targets of the catalogue. The text is
        stored nowhere. Where it names or comes close to what is withheld, or is about nothing known, nothing
        is predicted (`abstained`), and the reason is not told. Needs the scope `text`.
        """
        answer: TextPredictions = self.ask(
            "POST",
            "/api/v1/predictions/texts/targets/",
            body=body,
        )
        return answer

    def list_synergies(
        self,
        *,
        cursor: str | None = None,
        target: str | None = None,
    ) -> SynergyPage:
        """Documented interactions of two targets. Public reference data, the same for every audience. Needs the
        scope `catalogue`.
        """
        answer: SynergyPage = self.ask(
            "GET",
            "/api/v1/synergies/",
            query={"cursor": cursor, "target": target},
        )
        return answer

    def list_targets(
        self,
        *,
        cursor: str | None = None,
        search: str | None = None,
    ) -> TargetPage:
        """Genomic targets of the catalogue. Public reference data, the same for every audience. Needs the scope
        `catalogue`.
        """
        answer: TargetPage = self.ask(
            "GET",
            "/api/v1/targets/",
            query={"cursor": cursor, "search": search},
        )
        return answer

    def read_own_usage(
        self,
        *,
        from_: str | None = None,
        to: str | None = None,
    ) -> Usage:
        """What your organisation asked for. Counted from the audit log, by day (UTC) and kind, at most 92 days.
        Needs the scope `usage`.
        """
        answer: Usage = self.ask(
            "GET",
            "/api/v1/usage/",
            query={"from": from_, "to": to},
        )
        return answer


__all__ = [
    "AnsweredDose",
    "ApiProblem",
    "Attribution",
    "AudienceEnum",
    "BasisEnum",
    "BasisOfUse",
    "BasisOfUseKindEnum",
    "BatchAnswer",
    "BatchQuestion",
    "BatchRequest",
    "BatchResponse",
    "BatchedResult",
    "BatchedResultStatusEnum",
    "CardModel",
    "ChosenByEnum",
    "ChosenDose",
    "Client",
    "Community",
    "CommunityAttribution",
    "CommunityCredit",
    "CorrelationPage",
    "CreditedPractice",
    "DescribedPractice",
    "DescribedPredictions",
    "DescribedPredictionsDirectionEnum",
    "DescribedQuestion",
    "Direction",
    "DocumentedUse",
    "Dosage",
    "DosageProfilePage",
    "DoseAndBasis",
    "DoseLevel",
    "EvidenceLevel",
    "EvidencePage",
    "EvidencePath",
    "EvidenceStatus",
    "EvidenceStatusStatusEnum",
    "Explanation",
    "ExplanationKindEnum",
    "FieldEnum",
    "FieldShare",
    "LabelNotice",
    "LearnedFrom",
    "ListedCorrelation",
    "ListedDosage",
    "ListedEvidence",
    "ListedPractice",
    "Metric",
    "Model",
    "ModelCard",
    "NamedPractice",
    "Neighbour",
    "PathStep",
    "Policy",
    "Practice",
    "PracticePage",
    "PracticePredictions",
    "PracticePredictionsDirectionEnum",
    "PracticeQuestion",
    "PredictedPractice",
    "PredictedTarget",
    "Problem",
    "ProblemError",
    "Protocol",
    "PurposeEnum",
    "QualityEnum",
    "Score",
    "ScorePart",
    "Scorer",
    "Set",
    "Source",
    "Synergy",
    "SynergyPage",
    "Target",
    "TargetPage",
    "TargetPredictions",
    "TargetPredictionsDirectionEnum",
    "TargetQuestion",
    "TextPredictions",
    "TextPredictionsDirectionEnum",
    "TextQuestion",
    "TextTarget",
    "Usage",
    "UsageRow",
]

"""The shapes of explanations, the model card, attributions, usage and batches, for the OpenAPI document."""

from __future__ import annotations

from rest_framework import serializers

from ethics.policy import Audience
from genomepath.api.questions import LONGEST_NAME, NAME_FORM
from genomepath.api.serializers import (
    DOSES,
    AttributionSerializer,
    LabelNoticeSerializer,
    ModelSerializer,
    PolicySerializer,
    ProblemSerializer,
    SourceSerializer,
    TargetSerializer,
    in_set_field,
)
from genomepath.api.serializers_catalogue import (
    DIRECTIONS,
    QUALITIES,
    DoseAndBasisSerializer,
    NamedPracticeSerializer,
)
from genomepath.explanations import CURATED, NEAREST
from genomepath.ml.published_field_shares import DOSE, INDICATION, PRACTICE_KINDS, TARGET_KINDS


class PathStepSerializer(serializers.Serializer):
    """One step from the practice to the target, and where it is known from."""

    kind = serializers.CharField()
    id = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field's name
    source = serializers.CharField()  # type: ignore[assignment]


class EvidencePathSerializer(serializers.Serializer):
    """A way between practice and target that a curator approved, with the doses for which it stands."""

    direction = serializers.ChoiceField(DIRECTIONS)
    doses = DoseAndBasisSerializer(many=True)
    confidence = serializers.FloatField(min_value=0, max_value=1)
    quality = serializers.ChoiceField(QUALITIES)
    mechanism = serializers.CharField()
    steps = PathStepSerializer(many=True)
    sources = SourceSerializer(many=True)


class CreditedPracticeSerializer(NamedPracticeSerializer):
    attribution = AttributionSerializer()


class NeighbourSerializer(serializers.Serializer):
    """Another practice from which the model learned that the target matters."""

    practice = CreditedPracticeSerializer()
    shared_uses = serializers.ListField(child=serializers.CharField())
    paths = EvidencePathSerializer(many=True)


class ChosenDoseSerializer(serializers.Serializer):
    level = serializers.ChoiceField(DOSES)
    chosen_by = serializers.ChoiceField(["request", "default"])


class FieldShareSerializer(serializers.Serializer):
    """What one field adds, in log odds; ``name`` where it is an indication, a pathway, a tissue or a disease."""

    field = serializers.ChoiceField([DOSE, *PRACTICE_KINDS.values(), INDICATION, *TARGET_KINDS.values()])
    name = serializers.CharField()
    text_match = serializers.FloatField()
    towers = serializers.FloatField()
    share = serializers.FloatField(min_value=0, max_value=1)


class ScorePartSerializer(serializers.Serializer):
    log_odds = serializers.FloatField()
    share = serializers.FloatField(min_value=0, max_value=1)


class ScoreSerializer(serializers.Serializer):
    """A score by its parts. ``log_odds`` is the sum of every ``text_match``, ``whole_text``, ``known_links``,
    ``towers_together`` and ``base``."""

    log_odds = serializers.FloatField()
    by_field = FieldShareSerializer(many=True)
    whole_text = ScorePartSerializer()
    known_links = ScorePartSerializer()
    towers_together = serializers.FloatField()
    base = serializers.FloatField()
    note = serializers.CharField()


class ExplanationSerializer(serializers.Serializer):
    """``paths`` where a curator approved the association; otherwise ``neighbours``, which are no evidence for it.

    ``score`` is null for a model that was trained before its parts were kept.
    """

    practice = CreditedPracticeSerializer()
    target = TargetSerializer()
    direction = serializers.ChoiceField(DIRECTIONS)
    dose = ChosenDoseSerializer(allow_null=True)
    rank = serializers.IntegerField()
    confidence = serializers.FloatField(min_value=0, max_value=1)
    in_set = in_set_field()
    score = ScoreSerializer(allow_null=True)
    kind = serializers.ChoiceField([CURATED, NEAREST])
    statement = serializers.CharField()
    paths = EvidencePathSerializer(many=True)
    neighbours = NeighbourSerializer(many=True)
    model = ModelSerializer()
    policy = PolicySerializer()
    note = serializers.CharField()


class MetricSerializer(serializers.Serializer):
    """A fraction with its 95% interval; null where there was nothing to measure."""

    direction = serializers.ChoiceField(DIRECTIONS)
    metric = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class ScorerSerializer(serializers.Serializer):
    """The model or a baseline. ``is_oracle``: the rule by which the labels were derived, outside every comparison."""

    name = serializers.CharField()
    is_baseline = serializers.BooleanField()
    is_oracle = serializers.BooleanField()
    metrics = MetricSerializer(many=True)


class ProtocolSerializer(serializers.Serializer):
    """P0 measures memory; P1 holds whole (practice, target) pairs out."""

    protocol = serializers.CharField()
    scorers = ScorerSerializer(many=True)


class CardModelSerializer(ModelSerializer):
    code_version = serializers.CharField()
    promoted_at = serializers.DateTimeField(allow_null=True)


class ModelCardSerializer(serializers.Serializer):
    model = CardModelSerializer()
    intended_use = serializers.CharField()
    limits = serializers.ListField(child=serializers.CharField())
    protocols = ProtocolSerializer(many=True)
    policy_revision = serializers.IntegerField()
    note = serializers.CharField()


class CommunitySerializer(serializers.Serializer):
    slug = serializers.CharField()
    name = serializers.CharField()
    region = serializers.CharField()


class CommunityAttributionSerializer(serializers.Serializer):
    """The community's own statement, and the labels on what of it may be shown."""

    community = CommunitySerializer()
    statement = serializers.CharField()
    labels = LabelNoticeSerializer(many=True)
    note = serializers.CharField()


class UsageRowSerializer(serializers.Serializer):
    day = serializers.DateField()
    event_type = serializers.CharField()
    times = serializers.IntegerField()


UsageSerializer = type(
    "UsageSerializer",
    (serializers.Serializer,),
    {
        "__doc__": "What was recorded of your own organisation's requests, by day (UTC) and kind.",
        "organisation": serializers.CharField(),
        "audience": serializers.ChoiceField([audience.value for audience in Audience]),
        "from": serializers.DateField(),
        "to": serializers.DateField(),
        "rows": UsageRowSerializer(many=True),
        "total": serializers.IntegerField(),
    },
)


class PracticeQuestionSerializer(serializers.Serializer):
    practice = serializers.RegexField(NAME_FORM, max_length=LONGEST_NAME, help_text="Slug.")
    dose = serializers.ChoiceField(DOSES, required=False)
    k = serializers.IntegerField(min_value=1, max_value=100, required=False)


class TargetQuestionSerializer(serializers.Serializer):
    target = serializers.RegexField(NAME_FORM, max_length=LONGEST_NAME, help_text="HGNC symbol, in any case.")
    k = serializers.IntegerField(min_value=1, max_value=100, required=False)


class BatchResultSerializer(serializers.Serializer):
    """``answer`` is what the single endpoint sends (status 200); otherwise ``problem`` says why there is none."""

    index = serializers.IntegerField(help_text="Place of the question, from 0.")
    status = serializers.ChoiceField([200, 400, 403, 404, 503])
    problem = ProblemSerializer(required=False)

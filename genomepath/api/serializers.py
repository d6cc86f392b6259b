"""The shapes of the answers, for the OpenAPI document.

Answers are rendered as plain dictionaries (nested serializers cost more than the queries); a test validates real answers
against the schema that these give.
"""

from __future__ import annotations

from rest_framework import serializers

from correlations.vocabulary import Dose, DoseBasis, EvidenceLevel
from ethics.policy import Audience

DOSES = [(dose.value, dose.value) for dose in Dose]
EVIDENCE_LEVELS = [(level.value, level.value) for level in EvidenceLevel]


class ProblemErrorSerializer(serializers.Serializer):
    parameter = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer):
    """RFC 9457 problem document. ``errors`` names the parameters that were not accepted."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = ProblemErrorSerializer(many=True, required=False)  # type: ignore[assignment]  # a field's name


class SourceSerializer(serializers.Serializer):
    """A cited source. ``verified`` says whether a curator has checked the citation."""

    reference = serializers.CharField()
    pmid = serializers.CharField()
    doi = serializers.CharField()
    url = serializers.CharField()
    level = serializers.ChoiceField(EVIDENCE_LEVELS)
    year = serializers.IntegerField(allow_null=True)
    verified = serializers.BooleanField()


class CommunityCreditSerializer(serializers.Serializer):
    slug = serializers.CharField()
    name = serializers.CharField()


class LabelNoticeSerializer(serializers.Serializer):
    """A TK or BC label, with the community's own text where it gave one."""

    code = serializers.CharField()
    name = serializers.CharField()
    meaning = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # a field's name
    version = serializers.UUIDField(help_text="Names this text in the label's history; a changed text has another.")


class BasisOfUseSerializer(serializers.Serializer):
    """On what the use rests: a documented source or a consent."""

    kind = serializers.ChoiceField(["documented_and_published", "consent"])
    source = serializers.CharField()  # type: ignore[assignment]  # a field's name
    consent_reference = serializers.CharField()


class AttributionSerializer(serializers.Serializer):
    """Must be shown wherever the prediction is shown."""

    community = CommunityCreditSerializer()
    statement = serializers.CharField()
    credited_name = serializers.CharField()
    labels = LabelNoticeSerializer(many=True)
    basis = BasisOfUseSerializer()


class DocumentedUseSerializer(serializers.Serializer):
    name = serializers.CharField()
    mesh_id = serializers.CharField()
    mondo_id = serializers.CharField()


class PracticeSerializer(serializers.Serializer):
    """A documented practice with its attribution."""

    slug = serializers.CharField()
    title = serializers.CharField()
    tradition = serializers.CharField()
    documented_uses = DocumentedUseSerializer(many=True)
    contraindications = serializers.ListField(child=serializers.CharField())
    evidence_level = serializers.ChoiceField(EVIDENCE_LEVELS)
    sources = SourceSerializer(many=True)
    attribution = AttributionSerializer()


class TargetSerializer(serializers.Serializer):
    symbol = serializers.CharField(help_text="HGNC symbol.")
    hgnc_id = serializers.CharField()
    name = serializers.CharField()


class DosageSerializer(serializers.Serializer):
    """What is recorded of a dose level. ``modelled``: no source resolves it, the level is the model's own."""

    level = serializers.ChoiceField(DOSES)
    basis = serializers.ChoiceField([basis.value for basis in DoseBasis])
    amount_range = serializers.CharField()
    note = serializers.CharField()
    source = SourceSerializer(allow_null=True)  # type: ignore[assignment]  # a field's name


class AnsweredDoseSerializer(DosageSerializer):
    """The dose that the answer is for, and whether it was asked for or is the default."""

    chosen_by = serializers.ChoiceField(["request", "default"])


class EvidenceStatusSerializer(serializers.Serializer):
    """``validated``: an approved, sourced correlation exists for the pair (in the direction from a practice: at the
    answered dose). ``predicted_only``: the model alone says so. ``sourced_doses``: the dose levels of an approved
    correlation that a source resolves; modelled levels are not among them."""

    status = serializers.ChoiceField(["validated", "predicted_only"])
    sourced_doses = serializers.ListField(child=serializers.ChoiceField(DOSES))
    sources = SourceSerializer(many=True)


def in_set_field() -> serializers.BooleanField:
    """Whether a prediction is in the set of its question."""
    return serializers.BooleanField(
        allow_null=True,
        help_text="Whether it is in the 90% set of the question; null for a model without sets.",
    )


class SetSerializer(serializers.Serializer):
    """The candidates among which a documented association that the model has not seen lies with a probability of ``level``,
    on average over questions. ``size`` counts all of them that may be shown, beyond ``k`` as well. Calibrated on held-out
    pairs of catalogued practices and targets."""

    level = serializers.FloatField(min_value=0, max_value=1)
    size = serializers.IntegerField(min_value=0)


class PredictedTargetSerializer(serializers.Serializer):
    rank = serializers.IntegerField()
    target = TargetSerializer()
    confidence = serializers.FloatField(
        min_value=0, max_value=1, help_text="Calibrated probability that the pair is a documented association."
    )
    in_set = in_set_field()
    evidence = EvidenceStatusSerializer()


class PredictedPracticeSerializer(serializers.Serializer):
    rank = serializers.IntegerField()
    practice = PracticeSerializer()
    confidence = serializers.FloatField(
        min_value=0, max_value=1, help_text="Calibrated probability that the pair is a documented association."
    )
    in_set = in_set_field()
    evidence = EvidenceStatusSerializer()
    dosage = DosageSerializer(many=True)


class SynergySerializer(serializers.Serializer):
    """Two of the answered targets with a documented interaction."""

    targets = serializers.ListField(child=serializers.CharField(), min_length=2, max_length=2)
    interaction = serializers.CharField()
    kind = serializers.CharField()
    source = SourceSerializer()  # type: ignore[assignment]  # a field's name


class ModelSerializer(serializers.Serializer):
    """The model version that predicted. ``provisional``: a baseline ranks better; ``statement`` says so."""

    sha256 = serializers.CharField()
    preset = serializers.CharField()
    data_sha256 = serializers.CharField()
    provisional = serializers.BooleanField()
    statement = serializers.CharField()


class PolicySerializer(serializers.Serializer):
    """The policy revision under which the answer was given."""

    revision = serializers.IntegerField()
    purpose = serializers.ChoiceField(["prediction", "explanation"])
    audience = serializers.ChoiceField([audience.value for audience in Audience])


class PracticePredictionsSerializer(serializers.Serializer):
    direction = serializers.ChoiceField(["tk_to_genomic"])
    practice = PracticeSerializer()
    dose = AnsweredDoseSerializer()
    k = serializers.IntegerField()
    set = SetSerializer(allow_null=True, help_text="Null for a model without sets.")
    predictions = PredictedTargetSerializer(many=True)
    synergies = SynergySerializer(many=True)
    model = ModelSerializer()
    policy = PolicySerializer()
    note = serializers.CharField(help_text="Not medical advice; show it with the predictions.")


class TargetPredictionsSerializer(serializers.Serializer):
    direction = serializers.ChoiceField(["genomic_to_tk"])
    target = TargetSerializer()
    k = serializers.IntegerField()
    set = SetSerializer(allow_null=True, help_text="Null for a model without sets.")
    predictions = PredictedPracticeSerializer(many=True)
    model = ModelSerializer()
    policy = PolicySerializer()
    note = serializers.CharField(help_text="Not medical advice; show it with the predictions.")

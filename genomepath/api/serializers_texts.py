"""The shapes of questions and answers about texts, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from genomepath import described_prediction, text_prediction
from genomepath.api.questions import LONGEST_TERM, LONGEST_TEXT, MOST_TERMS, TEXT_FORM
from genomepath.api.serializers import (
    DOSES,
    CommunityCreditSerializer,
    DosageSerializer,
    ModelSerializer,
    PolicySerializer,
    PracticeSerializer,
    SynergySerializer,
    TargetSerializer,
)
from genomepath.api.serializers_records import ChosenDoseSerializer

_CONFIDENCE = "An orientation only; `calibration` says why."


def _text(longest: int = LONGEST_TEXT, **options: Any) -> serializers.RegexField:
    return serializers.RegexField(TEXT_FORM, min_length=1, max_length=longest, **options)


def _terms() -> serializers.ListField:
    return serializers.ListField(child=_text(LONGEST_TERM), max_length=MOST_TERMS, required=False)


class TextQuestionSerializer(serializers.Serializer):
    text = _text(help_text="It is stored nowhere.")
    dose = serializers.ChoiceField(DOSES, required=False)
    k = serializers.IntegerField(min_value=1, max_value=100, required=False)


class DescribedQuestionSerializer(serializers.Serializer):
    """Either ``name`` (a gene in your own words) or ``findings`` (a text), with what is known of it."""

    name = _text(required=False)
    findings = _text(required=False)
    pathways = _terms()
    tissues = _terms()
    diseases = _terms()
    k = serializers.IntegerField(min_value=1, max_value=100, required=False)


class TextTargetSerializer(serializers.Serializer):
    rank = serializers.IntegerField()
    target = TargetSerializer()
    confidence = serializers.FloatField(min_value=0, max_value=1, help_text=_CONFIDENCE)


class LearnedFromSerializer(CommunityCreditSerializer):
    """A community whose knowledge the model learned from; show it with the predictions."""

    statement = serializers.CharField()


class TextPredictionsSerializer(serializers.Serializer):
    """``abstained``: nothing is predicted; the same answer for every reason, of which none is told."""

    direction = serializers.ChoiceField([text_prediction.DIRECTION])
    dose = ChosenDoseSerializer()
    k = serializers.IntegerField()
    abstained = serializers.BooleanField()
    statement = serializers.CharField()
    predictions = TextTargetSerializer(many=True)
    synergies = SynergySerializer(many=True)
    learned_from = LearnedFromSerializer(many=True)
    calibration = serializers.CharField()
    model = ModelSerializer()
    policy = PolicySerializer()
    note = serializers.CharField()


class DescribedPracticeSerializer(serializers.Serializer):
    rank = serializers.IntegerField()
    practice = PracticeSerializer()
    confidence = serializers.FloatField(min_value=0, max_value=1, help_text=_CONFIDENCE)
    dosage = DosageSerializer(many=True)


class DescribedPredictionsSerializer(serializers.Serializer):
    """``abstained``: nothing is predicted; the same answer for every reason, of which none is told."""

    direction = serializers.ChoiceField([described_prediction.DIRECTION])
    k = serializers.IntegerField()
    abstained = serializers.BooleanField()
    statement = serializers.CharField()
    predictions = DescribedPracticeSerializer(many=True)
    calibration = serializers.CharField()
    model = ModelSerializer()
    policy = PolicySerializer()
    note = serializers.CharField()

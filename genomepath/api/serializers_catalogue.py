"""The shapes of catalogue lists, for the OpenAPI document."""

from __future__ import annotations

from rest_framework import serializers

from correlations.vocabulary import Direction, DoseBasis, Quality
from genomepath.api.serializers import (
    DOSES,
    AttributionSerializer,
    DocumentedUseSerializer,
    DosageSerializer,
    SourceSerializer,
    SynergySerializer,
    TargetSerializer,
)

DIRECTIONS = [(direction.value, direction.value) for direction in Direction]
QUALITIES = [(quality.value, quality.value) for quality in Quality]
BASES = [(basis.value, basis.value) for basis in DoseBasis]


class PageSerializer(serializers.Serializer):
    """A page of a list; there is no total."""

    next = serializers.CharField(allow_null=True, help_text="Address of the next page.")
    previous = serializers.CharField(allow_null=True, help_text="Address of the page before.")


class NamedPracticeSerializer(serializers.Serializer):
    slug = serializers.CharField()
    title = serializers.CharField()


class ListedPracticeSerializer(NamedPracticeSerializer):
    tradition = serializers.CharField()
    attribution = AttributionSerializer()


class PracticePageSerializer(PageSerializer):
    results = ListedPracticeSerializer(many=True)


class TargetPageSerializer(PageSerializer):
    results = TargetSerializer(many=True)


class DoseAndBasisSerializer(serializers.Serializer):
    level = serializers.ChoiceField(DOSES)
    basis = serializers.ChoiceField(BASES)


class ListedCorrelationSerializer(serializers.Serializer):
    """An approved association. ``confidence`` grades its evidence; it is no probability of an effect."""

    practice = NamedPracticeSerializer()
    target = TargetSerializer()
    direction = serializers.ChoiceField(DIRECTIONS)
    dose = DoseAndBasisSerializer()
    confidence = serializers.FloatField(min_value=0, max_value=1)
    quality = serializers.ChoiceField(QUALITIES)
    sources = SourceSerializer(many=True)
    attribution = AttributionSerializer()


class CorrelationPageSerializer(PageSerializer):
    results = ListedCorrelationSerializer(many=True)


class ListedDosageSerializer(DosageSerializer):
    practice = NamedPracticeSerializer()
    attribution = AttributionSerializer()


class DosageProfilePageSerializer(PageSerializer):
    results = ListedDosageSerializer(many=True)


class ListedEvidenceSerializer(SourceSerializer):
    """A cited source with what it is about."""

    target = serializers.CharField(allow_null=True, help_text="HGNC symbol.")
    compound = serializers.CharField()
    conditions = DocumentedUseSerializer(many=True)


class EvidencePageSerializer(PageSerializer):
    results = ListedEvidenceSerializer(many=True)


class SynergyPageSerializer(PageSerializer):
    results = SynergySerializer(many=True)

"""Routes under ``/api/v1/``."""

from django.urls import path

from genomepath.api import catalogue, records
from genomepath.api.batch import BatchView
from genomepath.api.texts import DescribedPredictionsView, TextPredictionsView
from genomepath.api.views import PracticePredictionsView, TargetPredictionsView

app_name = "api"

urlpatterns = [
    path("predictions/practices/<slug:slug>/targets/", PracticePredictionsView.as_view(), name="practice-targets"),
    path(
        "predictions/practices/<slug:slug>/targets/<slug:symbol>/explanation/",
        records.TargetExplanationView.as_view(),
        name="target-explanation",
    ),
    path(
        "predictions/targets/<slug:symbol>/practices/<slug:slug>/explanation/",
        records.PracticeExplanationView.as_view(),
        name="practice-explanation",
    ),
    path("predictions/targets/<slug:symbol>/practices/", TargetPredictionsView.as_view(), name="target-practices"),
    path("predictions/texts/targets/", TextPredictionsView.as_view(), name="text-targets"),
    path("predictions/descriptions/practices/", DescribedPredictionsView.as_view(), name="description-practices"),
    path("predictions/batch/", BatchView.as_view(), name="batch"),
    path("practices/", catalogue.PracticeListView.as_view(), name="practices"),
    path("targets/", catalogue.TargetListView.as_view(), name="targets"),
    path("correlations/", catalogue.CorrelationListView.as_view(), name="correlations"),
    path("evidence/", catalogue.EvidenceListView.as_view(), name="evidence"),
    path("synergies/", catalogue.SynergyListView.as_view(), name="synergies"),
    path("dosage-profiles/", catalogue.DosageProfileListView.as_view(), name="dosage-profiles"),
    path("model/", records.ModelCardView.as_view(), name="model"),
    path("communities/<slug:slug>/attribution/", records.AttributionView.as_view(), name="attribution"),
    path("usage/", records.UsageView.as_view(), name="usage"),
]

"""Routes under ``/api/v1/``."""

from django.urls import path

from genomepath.api.catalogue import PracticeListView, TargetListView
from genomepath.api.views import PracticePredictionsView, TargetPredictionsView

app_name = "api"

urlpatterns = [
    path("predictions/practices/<slug:slug>/targets/", PracticePredictionsView.as_view(), name="practice-targets"),
    path("predictions/targets/<slug:symbol>/practices/", TargetPredictionsView.as_view(), name="target-practices"),
    path("practices/", PracticeListView.as_view(), name="practices"),
    path("targets/", TargetListView.as_view(), name="targets"),
]

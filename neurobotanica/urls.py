"""The routes of the site."""

from typing import Any

from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView

from neurobotanica import health

# Their templates can't render DRF's answer to OPTIONS.
READ_ONLY: dict[str, Any] = {"http_method_names": ["get", "head"]}

urlpatterns = [
    path("", TemplateView.as_view(template_name="landing.html"), name="landing"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("genomepath.api.urls")),
    path("compliance/", include("genomepath.statement_urls")),
    path("compliance/", include("ethics.desk.urls")),
    path("api/schema/", SpectacularAPIView.as_view(**READ_ONLY), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema", **READ_ONLY), name="api-docs"),
    path(
        "api/redoc/",
        SpectacularRedocView.as_view(url_name="schema", template_name="api/redoc.html", **READ_ONLY),
        name="api-redoc",
    ),
    path("healthz", health.liveness, name="liveness"),
    path("readyz", health.readiness, name="readiness"),
    path("", include("django_prometheus.urls")),
]

handler400 = "neurobotanica.problems.bad_request"
handler403 = "neurobotanica.problems.permission_denied"
handler404 = "neurobotanica.problems.page_not_found"
handler500 = "neurobotanica.problems.server_error"

"""The views that the API is compared with. They return bytes that the bench took from the API."""

from __future__ import annotations

import os
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.views import APIView

from ethics.scopes import Scope
from neurobotanica.serving_bench.server import BYTES_VARIABLE

_body = Path(os.environ[BYTES_VARIABLE]).read_bytes()
# Django's CommonMiddleware gives the length; these views run without it.
_headers = {"Content-Length": str(len(_body))}


def plain(request: HttpRequest) -> HttpResponse:
    """A plain Django view: no key, no limit, no policy, no audit event."""
    return HttpResponse(_body, content_type="application/json", headers=_headers)


class KeyedView(APIView):
    """A DRF view with key and counter throttle, without policy and audit event."""

    required_scope = Scope.PREDICTIONS

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(_body, content_type="application/json", headers=_headers)


urlpatterns = [path("plain/", plain), path("api/v1/keyed/", KeyedView.as_view())]

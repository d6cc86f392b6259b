"""Compressed answers of the API for callers that ask for them; pages with forms stay as they are."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

from neurobotanica.problems import API_PREFIX


class ApiGZipMiddleware(GZipMiddleware):
    """Django's own, under ``/api/`` alone; it weakens the ETag and pads answers against guessing by length."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not request.path_info.startswith(API_PREFIX):
            return response
        compressed: HttpResponseBase = super().process_response(request, response)
        return compressed

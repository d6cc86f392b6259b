"""Measures the prediction endpoint on a real server, beside views that do less."""

from neurobotanica.serving_bench.load import Series, closed_loop
from neurobotanica.serving_bench.server import ServerFailed, granian_server

__all__ = ["Series", "ServerFailed", "closed_loop", "granian_server"]

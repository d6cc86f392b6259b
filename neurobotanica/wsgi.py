"""The WSGI entry point of the web process. It must never import torch."""

import os

from neurobotanica.bootstrap import answer_requests, prepare_environment
from neurobotanica.process_memory import freed_memory_give_back

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "neurobotanica.settings")
answer_requests()
freed_memory_give_back()
prepare_environment()

from django.core.wsgi import get_wsgi_application  # noqa: E402

application = get_wsgi_application()

from genomepath.text_warming import text_engine_warm_at_first_request  # noqa: E402

text_engine_warm_at_first_request()

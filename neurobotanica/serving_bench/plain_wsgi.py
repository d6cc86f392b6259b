"""Serves the views of ``plain_urls`` with no middleware: the floor of this machine."""

import os

from neurobotanica.bootstrap import prepare_environment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "neurobotanica.settings")
prepare_environment()

from django.conf import settings  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402

settings.ROOT_URLCONF = "neurobotanica.serving_bench.plain_urls"
settings.MIDDLEWARE = []
application = get_wsgi_application()

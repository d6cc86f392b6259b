"""Serves the views of ``plain_urls`` behind the middleware of the site: the API less gate and audit event."""

import os

from neurobotanica.bootstrap import prepare_environment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "neurobotanica.settings")
prepare_environment()

from django.conf import settings  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402

settings.ROOT_URLCONF = "neurobotanica.serving_bench.plain_urls"
application = get_wsgi_application()

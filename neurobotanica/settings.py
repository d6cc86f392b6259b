"""One settings module, driven by the environment (12-factor).

``NEUROBOTANICA_ENV`` is ``development`` (the default: everything local, on loopback) or ``production``, which refuses to
start when anything that must be set is missing or unsafe.
"""

from __future__ import annotations

import logging
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any

import environ
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

from neurobotanica.bootstrap import PROJECT_ROOT, acts_as_owner, answers_requests, home_folder, is_production
from neurobotanica.web_limits import WebLimits

env = environ.Env()
BASE_DIR = PROJECT_ROOT
NEUROBOTANICA_HOME = home_folder()
PRODUCTION = is_production()
DEBUG = env.bool("DEBUG", default=False)

if os.environ.get("NEUROBOTANICA_ENV", "development") not in {"development", "production"}:
    raise ImproperlyConfigured("NEUROBOTANICA_ENV must be 'development' or 'production'.")


def _user_of(variable: str) -> str:
    return str(env.db_url(variable)["USER"])


def _check_production() -> None:
    missing = [name for name in ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS") if not env.str(name, "")]
    if missing:
        raise ImproperlyConfigured(f"Production needs these environment variables: {', '.join(missing)}.")
    if DEBUG:
        raise ImproperlyConfigured("Production refuses to start with DEBUG on.")
    if len(env.str("SECRET_KEY")) < 32:
        raise ImproperlyConfigured("SECRET_KEY must have at least 32 characters in production.")
    if not env.str("DATABASE_URL").startswith(("postgres://", "postgresql://")):
        raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database: the log rests on its triggers.")
    if env.str("DATABASE_OWNER_URL", ""):
        if _user_of("DATABASE_OWNER_URL") == _user_of("DATABASE_URL"):
            raise ImproperlyConfigured(
                "DATABASE_URL must name the application's role, not the owner's of DATABASE_OWNER_URL: the owner could "
                "change the log."
            )
    elif acts_as_owner():
        raise ImproperlyConfigured(
            "This command changes the shape of the database and needs DATABASE_OWNER_URL, the owner's role. Give it to "
            "this command alone, not to the site or its workers."
        )
    if "*" in env.list("ALLOWED_HOSTS"):
        raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts in production; '*' is refused.")


def _development_secret_key() -> str:
    """A random key kept in the home, so that sessions outlive a restart and no key stands in the source."""
    path = NEUROBOTANICA_HOME / "secret_key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as handle:
            handle.write(secrets.token_urlsafe(48))
        try:
            os.link(handle.name, path)
        except FileExistsError:
            logging.getLogger(__name__).debug("another process wrote the key first")
        finally:
            Path(handle.name).unlink()
    return path.read_text(encoding="utf-8").strip()


if PRODUCTION:
    _check_production()

SECRET_KEY = env.str("SECRET_KEY", default="") or _development_secret_key()
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]", "testserver"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "pgtrigger",
    "pghistory",
    "rest_framework",
    "rest_framework_api_key",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_prometheus",
    "neurobotanica",
    "genomepath",
    "correlations",
    "ethics",
]

MIDDLEWARE = [
    "ethics.audit.middleware.RequestIdMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "neurobotanica.compression.ApiGZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "ethics.audit.middleware.AuditContextMiddleware",
    "ethics.acting.ActingPersonMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "neurobotanica.urls"
WSGI_APPLICATION = "neurobotanica.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# The owner's role migrates; everything else acts as the application's, which can't change the log.
_HAS_TWO_ROLES = bool(env.str("DATABASE_URL", "") and env.str("DATABASE_OWNER_URL", ""))
DATABASE_APP_ROLE = _user_of("DATABASE_URL") if _HAS_TWO_ROLES else ""
_DATABASE_VARIABLE = "DATABASE_OWNER_URL" if _HAS_TWO_ROLES and acts_as_owner() else "DATABASE_URL"
# The placeholder lets tools that only import the settings (mypy, import-linter) run without a server.
DATABASES: dict[str, Any] = {
    "default": env.db_url(_DATABASE_VARIABLE, default="postgresql://unconfigured@/unconfigured")
}
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("OPTIONS", {})["application_name"] = "neurobotanica"
# Only statements that leave their values to the server are prepared: see ethics/prepared.py.
DATABASES["default"]["OPTIONS"]["prepare_threshold"] = 3
# How long a request waits for the database. Workers, commands and the sealer wait as long as their work needs.
WEB_LIMITS = WebLimits(
    connect_seconds=env.int("DATABASE_CONNECT_TIMEOUT_SECONDS", default=5),
    statement_seconds=env.float("DATABASE_STATEMENT_TIMEOUT_SECONDS", default=20.0),
    lock_seconds=env.float("DATABASE_LOCK_TIMEOUT_SECONDS", default=5.0),
)
if answers_requests():
    DATABASES["default"]["OPTIONS"] = WEB_LIMITS.options(DATABASES["default"]["OPTIONS"])
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="redis://unconfigured")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "neurobotanica",
        "TIMEOUT": 3600,
    }
}

CELERY_BROKER_URL = REDIS_URL
# Kombu looks for the work of dead workers about every 100 s unless told otherwise; these values lost 0 of 200 tasks.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    "global_keyprefix": env.str("CELERY_KEY_PREFIX", default="neurobotanica:celery:"),
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"genomepath.tasks.*": {"queue": "ml"}, "genomepath.housekeeping.*": {"queue": "default"}}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TRACK_STARTED = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_IMPORTS = ("ethics.tasks", "genomepath.housekeeping")
CELERY_BEAT_SCHEDULE = {
    "training-runs-reap": {"task": "genomepath.housekeeping.reap_lost_runs", "schedule": 30.0},
    "tuning-points-requeue": {"task": "genomepath.housekeeping.requeue_lost_points", "schedule": 30.0},
    "withheld-models-mark": {"task": "genomepath.housekeeping.mark_withheld_models", "schedule": 30.0},
    "predictions-restore": {"task": "genomepath.housekeeping.restore_predictions", "schedule": 30.0},
    "withdrawals-process": {"task": "genomepath.housekeeping.process_withdrawals", "schedule": 15.0},
    "audit-verify-new": {"task": "ethics.tasks.verify_audit", "schedule": 3600.0},
    "audit-verify-whole": {
        "task": "ethics.tasks.verify_audit",
        "schedule": crontab(hour="3", minute="30"),
        "kwargs": {"whole": True},
    },
}
CELERY_TIMEZONE = "UTC"
# An event that is older and has no leaf in the tree of the log, or a head that is not in the heads file, counts as a fault.
AUDIT_ALLOWED_LAG_SECONDS = env.float("AUDIT_ALLOWED_LAG_SECONDS", default=60.0)
# A run whose worker has not reported for so long is given to another.
RUN_HEARTBEAT_LIMIT_SECONDS = env.float("RUN_HEARTBEAT_LIMIT_SECONDS", default=30.0)
# After so long a model that was trained on withdrawn knowledge leaves service, whether another can take over or not.
WITHDRAWAL_DEADLINE_HOURS = env.float("WITHDRAWAL_DEADLINE_HOURS", default=24.0)

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = NEUROBOTANICA_HOME / "static"
if not PRODUCTION:
    # Development serves from the apps; WhiteNoise still wants the folder that collectstatic would fill.
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = False

# Snapshots, model folders and TensorBoard files live here; nothing under it is served over HTTP.
ARTEFACT_ROOT = Path(env.str("ARTEFACT_ROOT", default="") or NEUROBOTANICA_HOME / "artefacts")

# The keys that sign the log, and the copy of its signed heads outside the database. Keep copies of it elsewhere.
AUDIT_FOLDER = Path(env.str("AUDIT_FOLDER", default="") or NEUROBOTANICA_HOME / "audit")

# The text encoder as two files, about 90 MB, written here at its first use. It holds no knowledge of the platform.
TEXT_ENCODER_FOLDER = Path(env.str("TEXT_ENCODER_FOLDER", default="") or NEUROBOTANICA_HOME / "encoders")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["ethics.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["ethics.api.permissions.KeyAllows"],
    "DEFAULT_RENDERER_CLASSES": ["neurobotanica.rendering.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["genomepath.api.strict_json.StrictJSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["neurobotanica.throttling.KeyRateThrottle"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "neurobotanica.problems.problem_exception_handler",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", default=600)
API_REQUESTS_PER_DAY = env.int("API_REQUESTS_PER_DAY", default=100_000)
# Callers without a good key, by address.
ANONYMOUS_REQUESTS_PER_MINUTE = env.int("ANONYMOUS_REQUESTS_PER_MINUTE", default=60)
# Networks of reverse proxies whose X-Forwarded-For is believed; the address of a caller decides where a key may be used.
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])

SPECTACULAR_SETTINGS = {
    "TITLE": "NeuroBotanica GenomePath API",
    "DESCRIPTION": (
        "Predicted associations between documented traditional practices and genomic targets, always with the "
        "attribution of the community that holds the knowledge. Not medical advice."
    ),
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "genomepath.api.schema_requests.close_requests",
        "genomepath.api.schema_links.add_links",
    ],
    "ENUM_NAME_OVERRIDES": {
        "DoseLevel": "genomepath.api.serializers.DOSES",
        "EvidenceLevel": "genomepath.api.serializers.EVIDENCE_LEVELS",
        "Direction": "genomepath.api.serializers_catalogue.DIRECTIONS",
    },
}

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = False
if PRODUCTION:
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_TLS_PROXY", False) else None

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "ethics.redaction.RedactingFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
}

# The admin's is the only login of the site.
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

UNFOLD = {
    "SITE_TITLE": "NeuroBotanica GenomePath",
    "SITE_HEADER": "NeuroBotanica GenomePath",
    "SITE_SUBHEADER": "Not medical advice",
    "SITE_SYMBOL": "spa",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("neurobotanica/favicon.svg")}
    ],
    "STYLES": [lambda request: static("neurobotanica/admin.css")],
    "SIDEBAR": {"show_search": True, "show_all_applications": False},
    "COLORS": {
        "primary": {
            "50": "oklch(97.9% .021 166.113)",
            "100": "oklch(95% .052 163.051)",
            "200": "oklch(90.5% .093 164.15)",
            "300": "oklch(84.5% .143 164.978)",
            "400": "oklch(76.5% .177 163.223)",
            "500": "oklch(59.6% .145 163.225)",
            "600": "oklch(50.8% .118 165.612)",
            "700": "oklch(43.2% .095 166.913)",
            "800": "oklch(37.8% .077 168.94)",
            "900": "oklch(33% .065 168.94)",
            "950": "oklch(26.2% .051 172.552)",
        }
    },
}

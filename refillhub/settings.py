"""Every setting of Refill Hub, read from the environment: NAME, or NAME_FILE for a file that holds the value.

Differences between places are environment variables, never further settings files; `.env.example` lists them all.
Outside DEBUG a missing secret stops the start. Nothing here reads the clock, the database or the network.
"""

import base64
import binascii
from pathlib import Path
from urllib.parse import unquote

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from refillhub import logs

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.FileAwareEnv()
if env.bool("READ_DOTENV", default=True):
    environ.Env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DEBUG", default=False)
# http on loopback without certificates (demo, tests): cookies travel in plain. `check --deploy` refuses it.
PLAIN_HTTP = env.bool("PLAIN_HTTP", default=DEBUG)


def _secret(name: str, *, debug_value: str) -> str:
    """The secret `name`; a fixed value while DEBUG, otherwise its absence stops the start."""
    value = str(env.str(name, default="")).strip()
    if value:
        return value
    if DEBUG:
        return debug_value
    raise ImproperlyConfigured(f"{name} (or {name}_FILE) must be set outside DEBUG; see .env.example")


def _sealing_keys(text: str) -> tuple[tuple[str, bytes], ...]:
    """Read `id:base64,id:base64` into ((id, 32 bytes), ...), newest first. Raises ImproperlyConfigured."""
    ring: list[tuple[str, bytes]] = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        key_id, _, encoded = part.partition(":")
        try:
            key = base64.b64decode(encoded, altchars=b"-_", validate=True)
        except binascii.Error as error:
            raise ImproperlyConfigured(f"SEALING_KEYS: key {key_id!r} is not base64") from error
        if not key_id or len(key) != 32:
            raise ImproperlyConfigured("SEALING_KEYS: every entry is id:base64 of exactly 32 bytes")
        ring.append((key_id, key))
    if len({key_id for key_id, _ in ring}) != len(ring):
        raise ImproperlyConfigured("SEALING_KEYS: two keys share an id")
    return tuple(ring)


# --- secrets -----------------------------------------------------------------------------------------------------
SECRET_KEY = _secret("SECRET_KEY", debug_value="debug-only-not-a-secret-0123456789-abcdefghijklmnopqrstuvwxyz")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
SEALING_KEYS = _sealing_keys(
    _secret("SEALING_KEYS", debug_value="debug:" + base64.b64encode(b"debug-only-sealing-key-32-bytes!").decode())
)
# Base64 of the 32 raw bytes of an Ed25519 private key; signs audit exports.
EXPORT_SIGNING_KEY = _secret(
    "EXPORT_SIGNING_KEY", debug_value=base64.b64encode(b"debug-only-export-key-32-bytes!!").decode()
)
# Signing controlled prescriptions in this program: refused at start and again at each signing unless every vendor
# address is a stand-in, because only certified software may sign for real (21 CFR 1311.100(c)).
EPCS_NATIVE_SIGNING = env.bool("EPCS_NATIVE_SIGNING", default=False)
# Base64 of 32 bytes: the private number of the key (ECDSA P-256) that signs them.
EPCS_SIGNING_KEY = (
    _secret("EPCS_SIGNING_KEY", debug_value=base64.b64encode(b"debug-only-prescription-key-32b!").decode())
    if EPCS_NATIVE_SIGNING
    else ""
)
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # bearer token of /metrics; empty: the page answers 404

# --- who may reach us --------------------------------------------------------------------------------------------
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")

# --- applications ------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "axes",
    "csp",
    "django_htmx",
    "refillhub.practices",
    "audit",
    "rules",
    "integrations",
    "review",
    "refillhub.apps.WiringConfig",
]
AUTH_USER_MODEL = "practices.User"

MIDDLEWARE = [
    "refillhub.logs.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "refillhub.practices.middleware.PracticeMiddleware",
    "refillhub.practices.middleware.SecondFactorMiddleware",
    "refillhub.practices.middleware.IdleLockMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "refillhub.urls"
WSGI_APPLICATION = "refillhub.wsgi.application"
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
            ],
        },
    }
]

# --- PostgreSQL --------------------------------------------------------------------------------------------------
# A socket folder is written percent-encoded: postgres://user@%2Fvar%2Frun%2Fpostgresql/name
_database = env.db_url("DATABASE_URL", default="") if env.str("DATABASE_URL", default="") else {}
if _database.get("ENGINE") != "django.db.backends.postgresql":
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database; `make demo` starts one by itself")
_database["HOST"] = unquote(_database.get("HOST") or "")
_database |= {
    "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60),
    "CONN_HEALTH_CHECKS": True,
    "ATOMIC_REQUESTS": False,  # law 1: a verb opens its own durable transaction
    "OPTIONS": {
        **_database.get("OPTIONS", {}),
        "connect_timeout": 5,
        "application_name": env.str("PROCESS_NAME", default="refillhub"),
        # A forgotten lock must not stop a practice's day; a failed wait is retried, a blocked queue is not seen.
        "options": "-c lock_timeout=15s -c idle_in_transaction_session_timeout=60s",
    },
}
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis and Celery: they wake workers and share limits; the queue of record is PostgreSQL ---------------------
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")  # or unix:///run/redis.sock?db=0
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": env.str("CACHE_PREFIX", default="refillhub"),
    }
}
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_CREATE_MISSING_QUEUES = False  # an unknown queue is an error at once, not a message nobody reads
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 20_000
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 600, "socket_timeout": 10, "socket_connect_timeout": 5}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = env.str("BEAT_SCHEDULE_FILE", default=str(BASE_DIR / ".run" / "celerybeat-schedule"))

# --- time --------------------------------------------------------------------------------------------------------
USE_TZ = True
TIME_ZONE = "UTC"
# Demo and tests only: added by refillhub.practices.clock to the real time, honoured only while every vendor
# address (the three below and every connection's own) is loopback; `check --deploy` refuses it.
CLOCK_OFFSET_SECONDS = env.int("CLOCK_OFFSET_SECONDS", default=0)

# --- language ----------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-us"
LANGUAGES = [("en-us", "English")]
USE_I18N = True
LOCALE_PATHS = [BASE_DIR / "locale"]

# --- vendors -----------------------------------------------------------------------------------------------------
DRCHRONO_BASE_URL = env.str("DRCHRONO_BASE_URL", default="https://app.drchrono.com").rstrip("/")
KLARA_BASE_URL = env.str("KLARA_BASE_URL", default="https://klara-sandbox.invalid/v1").rstrip("/")
SURESCRIPTS_BASE_URL = env.str("SURESCRIPTS_BASE_URL", default="https://surescripts.invalid").rstrip("/")
# dev, staging or production: which stage's secrets this installation may use. Production refuses loopback vendors.
STAGE = env.str("STAGE", default="dev")
VENDOR_CONNECT_TIMEOUT = env.float("VENDOR_CONNECT_TIMEOUT", default=5.0)  # seconds
VENDOR_READ_TIMEOUT = env.float("VENDOR_READ_TIMEOUT", default=20.0)  # seconds
DRCHRONO_RATE_PER_HOUR = env.int("DRCHRONO_RATE_PER_HOUR", default=500)  # per practice and clock hour
DRCHRONO_RATE_PER_SECOND = env.int("DRCHRONO_RATE_PER_SECOND", default=3)
DRCHRONO_BURST = env.int("DRCHRONO_BURST", default=6)
KLARA_RATE_PER_SECOND = env.int("KLARA_RATE_PER_SECOND", default=10)
KLARA_BURST = env.int("KLARA_BURST", default=10)
SURESCRIPTS_ROUTINE_PER_MINUTE = env.int("SURESCRIPTS_ROUTINE_PER_MINUTE", default=600)
SURESCRIPTS_CONTROLLED_PER_MINUTE = env.int("SURESCRIPTS_CONTROLLED_PER_MINUTE", default=60)
SECRET_CACHE_SECONDS = 300  # an unsealed secret lives at most five minutes in a process

# --- pace --------------------------------------------------------------------------------------------------------
POLL_NETWORK_SECONDS = env.float("POLL_NETWORK_SECONDS", default=10.0)
# An unknown prescription is looked for so long before its one byte-identical repeat (surescripts 7.4).
RECONCILE_AFTER_SECONDS = env.int("RECONCILE_AFTER_SECONDS", default=1800)
# Pages to the on-call and morning reports leave by mail.
EMAIL_BACKEND = env.str("EMAIL_BACKEND", default="django.core.mail.backends.smtp.EmailBackend")
EMAIL_HOST = env.str("EMAIL_HOST", default="localhost")
EMAIL_PORT = env.int("EMAIL_PORT", default=25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=False)
EMAIL_TIMEOUT = 10  # seconds; a mail server that hangs must not hold a worker
EMAIL_FILE_PATH = env.str("EMAIL_FILE_PATH", default="")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="refill-hub@localhost")
# A practice's quiet and undo windows are its own fields; these two are what the demo writes there, and prints.
DEMO = env.bool("DEMO", default=False)
DEMO_QUIET_SECONDS = env.int("DEMO_QUIET_SECONDS", default=3)
DEMO_UNDO_SECONDS = env.int("DEMO_UNDO_SECONDS", default=3)

# --- sign-in -----------------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
MESSAGE_TAGS = {25: "pass", 30: "warn", 40: "stop"}  # levels of django.contrib.messages in the style sheet's words
LOGIN_URL = "practices:sign_in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = LOGIN_URL
OTP_TOTP_ISSUER = "Refill Hub"
OTP_TOTP_THROTTLE_FACTOR = 1
AXES_HANDLER = "axes.handlers.database.AxesDatabaseHandler"
AXES_FAILURE_LIMIT = env.int("SIGN_IN_FAILURE_LIMIT", default=5)
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # per account and address
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_HTTP_RESPONSE_CODE = 429
AXES_VERBOSE = False
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_NAME = "refillhub_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"  # Strict would drop the session on the way back from a vendor's consent page
SESSION_COOKIE_SECURE = not PLAIN_HTTP
CSRF_COOKIE_NAME = "refillhub_csrf"
CSRF_COOKIE_SECURE = not PLAIN_HTTP
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"

# --- the browser's side of security ------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = not PLAIN_HTTP
SECURE_HSTS_SECONDS = 0 if PLAIN_HTTP else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = not PLAIN_HTTP
SECURE_HSTS_PRELOAD = not PLAIN_HTTP
if env.bool("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],  # data: carries the enrolment picture and nothing else
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "manifest-src": [SELF],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576  # bytes; a webhook's own limit is lower
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 5
WEBHOOK_MAX_BYTES = env.int("WEBHOOK_MAX_BYTES", default=262_144)

# --- static files ------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))
STATICFILES_DIRS = [BASE_DIR / "static"] if (BASE_DIR / "static").is_dir() else []
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG

# --- the API for machines ----------------------------------------------------------------------------------------
# Each operation names its own way in (review/api); what would not, is refused.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["review.api.tokens.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Refill Hub",
    "DESCRIPTION": "Read what waits, decide, and export the audit trail, in the name of the token's person. It never "
    "signs.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "SORT_OPERATIONS": False,
    "COMPONENT_SPLIT_REQUEST": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["review.api.describing.close_bodies"],
}

# --- logs --------------------------------------------------------------------------------------------------------
LOGGING_CONFIG = None
logs.configure(level=env.str("LOG_LEVEL", default="INFO"), plain=env.bool("LOG_PLAIN", default=DEBUG))

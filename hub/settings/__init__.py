"""Django's settings, composed from the environment table; no policy lives here."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from csp.constants import NONE, SELF

from hub.settings import environment as env

BASE_DIR = Path(__file__).resolve().parent.parent.parent
DEBUG = env.flag("SCHOOLGATE_DEBUG")
SECRET_KEY = env.read("SCHOOLGATE_SECRET_KEY")
KEY_RING = env.names("SCHOOLGATE_KEYS")
PUBLIC_URL = env.read("SCHOOLGATE_URL").rstrip("/")
_public = urlsplit(PUBLIC_URL)
ALLOWED_HOSTS = [_public.hostname or "localhost", "127.0.0.1", "localhost", *env.names("SCHOOLGATE_ALLOWED_HOSTS")]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
OPERATOR_EMAIL = env.read("SCHOOLGATE_OPERATOR_EMAIL")
SUPPORT_EMAIL = env.read("SCHOOLGATE_SUPPORT_EMAIL") or OPERATOR_EMAIL
SUPPORT_CHAT_URL = env.address("SCHOOLGATE_SUPPORT_CHAT_URL")
LOCAL_INBOX = env.flag("SCHOOLGATE_LOCAL_INBOX")
UPLOAD_LIMIT = env.number("SCHOOLGATE_UPLOAD_LIMIT_MIB") * 2**20
UNPACKED_LIMIT = env.number("SCHOOLGATE_UNPACKED_LIMIT_MIB") * 2**20
PAYLOAD_NIGHTS = env.number("SCHOOLGATE_PAYLOAD_NIGHTS")
MIS_PLATFORM = env.platforms()
"""What the operator set of each MIS, by slug and name: see `ConnectorInfo.platform_fields`."""
MIS_LOOPBACK = env.flag("SCHOOLGATE_MIS_LOOPBACK")
MIS_PROXY = env.read("SCHOOLGATE_MIS_PROXY")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "hub.core",
    "hub.accounts",
    "hub.people",
    "hub.messaging",
    "verification",
    "imports",
    "hub.overview",
    "hub.portal",
    "mis_connectors.sims",
    "mis_connectors.integris",
    "mis_connectors.scholarpack",
    "mis_connectors.progresso",
    "mis_connectors.spreadsheet",
    *env.names("SCHOOLGATE_APPS"),
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "hub.core.bodies.BodyMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "hub.accounts.middleware.ViewerMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "hub.urls"
WSGI_APPLICATION = "hub.wsgi.application"
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
                "hub.overview.context.shell",
                "hub.portal.context.frame",
            ],
        },
    }
]

_database = urlsplit(env.read("DATABASE_URL"))
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.path.lstrip("/"),
        "USER": unquote(_database.username or ""),
        "PASSWORD": unquote(_database.password or ""),
        "HOST": _database.hostname or "",
        "PORT": str(_database.port or ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }
}
DATABASE_APP_ROLE = "" if os.environ.get("SCHOOLGATE_AS_OWNER") else "schoolgate_app"
"""The role every connection takes on; empty only while the schema is being changed."""
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.Account"
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "overview:home"
LOGOUT_REDIRECT_URL = "accounts:sign_in"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in {
        "MinimumLengthValidator": {"min_length": 12},
        "CommonPasswordValidator": {},
        "UserAttributeSimilarityValidator": {"user_attributes": ("email", "mobile", "name")},
    }.items()
]
SESSION_ENGINE = "hub.accounts.sessions"
SESSION_COOKIE_AGE = 12 * 3600
"""Of a session nobody is signed in with; those of staff and parents live as `hub.accounts.signing_in` says."""
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_I18N = True
LOCALE_PATHS = [BASE_DIR / "hub" / "locale"]
_TONGUES = {"en-gb": "English", "cy": "Cymraeg"}
LANGUAGES = [
    (code, name)
    for code, name in _TONGUES.items()
    if code == LANGUAGE_CODE or (LOCALE_PATHS[0] / code / "LC_MESSAGES" / "django.mo").exists()
]
"""English, and the languages whose catalogue is complete: `bin/manage catalogue compile` leaves out the others."""
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "hub" / "static"]
WHITENOISE_USE_FINDERS = True
"""Static files are served from where they lie: nothing is collected."""

if _public.scheme == "https":
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^health(/live)?$"]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    LANGUAGE_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"
if env.flag("SCHOOLGATE_TRUST_PROXY"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

DEFAULT_FROM_EMAIL = env.read("SCHOOLGATE_FROM_EMAIL")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
_smtp = urlsplit(env.read("SCHOOLGATE_SMTP_URL"))
if LOCAL_INBOX:
    EMAIL_BACKEND = "hub.messaging.backends.LocalInboxBackend"
elif _smtp.hostname:
    EMAIL_BACKEND = "hub.messaging.backends.MailServerBackend"
    EMAIL_HOST = _smtp.hostname
    EMAIL_PORT = _smtp.port or (465 if _smtp.scheme == "smtps" else 587)
    EMAIL_HOST_USER = unquote(_smtp.username or "")
    EMAIL_HOST_PASSWORD = unquote(_smtp.password or "")
    EMAIL_USE_SSL = _smtp.scheme == "smtps"
    EMAIL_USE_TLS = _smtp.scheme == "smtp" and bool(_smtp.username)
    EMAIL_TIMEOUT = 20
else:
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

NOTICE_CARRIERS = {"email": "hub.messaging.email.Email", "text": "hub.messaging.texting.Texting"}
TEXT_URL = env.address("SCHOOLGATE_TEXT_URL")
TEXT_KEY = env.read("SCHOOLGATE_TEXT_KEY")
TEXT_SENDER = env.read("SCHOOLGATE_TEXT_SENDER")

REDIS_URL = env.read("REDIS_URL")
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "hub.core.logs.WithoutTokens",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.read("SCHOOLGATE_LOG_LEVEL")},
}

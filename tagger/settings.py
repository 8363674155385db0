"""All settings, read from the environment. A wrong value stops the start and is named."""

import ipaddress
import os
import re
import secrets
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from kombu import Exchange, Queue

from .local import addresses

BASE_DIR = Path(__file__).resolve().parent.parent
TAGGER_HOME = Path(os.environ.get("TAGGER_HOME", BASE_DIR / "var")).absolute()

# A second terminal finds the servers of the `make run` that is running for this home.
_running = addresses.find(TAGGER_HOME)


def text(name: str, default: str = "") -> str:
    return os.environ.get(name) or _running.get(name) or default


def flag(name: str, default: bool) -> bool:
    value = text(name, "1" if default else "0").lower()
    if value not in {"1", "true", "yes", "on", "0", "false", "no", "off"}:
        raise ImproperlyConfigured(f"{name} is {value!r}: write 1 or 0.")
    return value in {"1", "true", "yes", "on"}


def number(name: str, default: int, least: int, most: int) -> int:
    value = text(name, str(default))
    if not value.isdecimal() or not least <= int(value) <= most:
        raise ImproperlyConfigured(f"{name} is {value!r}: write a whole number from {least} to {most}.")
    return int(value)


def decimal(name: str, default: str, most: int) -> str:
    """As it is written, so that fractions of it are exact."""
    value = text(name, default)
    if not re.fullmatch(r"\d{1,3}(\.\d{1,3})?", value) or not 0 < float(value) <= most:
        raise ImproperlyConfigured(f"{name} is {value!r}: write a number above 0, up to {most}, such as 1.5.")
    return value


def share(name: str, default: float) -> float:
    value = text(name, str(default))
    if not re.fullmatch(r"0|1|[01]?\.\d+", value) or float(value) > 1:
        raise ImproperlyConfigured(f"{name} is {value!r}: write a share from 0 to 1, such as 0.05.")
    return float(value)


def comma_separated(name: str, default: str = "") -> list[str]:
    return [item.strip() for item in text(name, default).split(",") if item.strip()]


def contact_uri(address: str) -> str:
    """An e-mail, web or telephone address as security.txt wants it; empty for anything else."""
    if re.fullmatch(r"(https://|mailto:|tel:)\S+", address):
        return address
    return f"mailto:{address}" if re.fullmatch(r"[^\s@:/<>]+@[^\s@:/<>]+", address) else ""


def networks(name: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    found = []
    for each in comma_separated(name):
        try:
            found.append(ipaddress.ip_network(each))
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{name} has {each!r} ({error}): write networks such as 127.0.0.1,10.1.0.0/16,fd00::/8."
            ) from None
        if found[-1].prefixlen == 0:
            raise ImproperlyConfigured(f"{name} has {each!r}: then everyone could pretend to be anyone.")
    return found


def webhook_hosts(name: str) -> list[str]:
    """The hosts that owners' webhooks may be on: none for "off", "*" for "any"."""
    listed = [item.lower() for item in comma_separated(name, "off")]
    if listed in (["off"], ["any"]):
        return ["*"] if listed == ["any"] else []
    for each in listed:
        if not re.fullmatch(r"\.?[a-z0-9]([a-z0-9.-]*[a-z0-9])?", each) or each in {"off", "any"}:
            raise ImproperlyConfigured(
                f"{name} has {each!r}: write off, any, or hosts such as hooks.example.org,.example.net."
            )
    return listed


def broker(url: str) -> str:
    """The Redis address as Celery writes it: for sockets it differs from redis-py's."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return f"redis+socket://{parts.path}?virtual_host={parts.query.removeprefix('db=') or 0}"
    if parts.scheme in {"redis", "rediss"}:
        return url
    raise ImproperlyConfigured("REDIS_URL must begin with redis://, rediss:// or unix://.")


def database(url: str) -> dict:
    try:
        found = dj_database_url.parse(url, conn_max_age=600, conn_health_checks=True)
    except (ValueError, dj_database_url.ParseError) as error:
        raise ImproperlyConfigured(f"DATABASE_URL cannot be read: {type(error).__name__}.") from None
    if found["ENGINE"] != "django.db.backends.postgresql":
        raise ImproperlyConfigured(
            "DATABASE_URL must begin with postgresql://: only PostgreSQL is supported."
        )
    return dict(found)


DEBUG = flag("DEBUG", False)
SECRET_KEY = text("SECRET_KEY")
if not SECRET_KEY:
    if text("DATABASE_URL"):
        raise ImproperlyConfigured(
            "SECRET_KEY is not set: without it no session and no token can be trusted."
        )
    SECRET_KEY = secrets.token_hex(32)  # no site and no database: nothing signed outlives this process
# Off only without TLS in front, as with `make run`.
HTTPS = flag("HTTPS", not DEBUG)
ALLOWED_HOSTS = comma_separated("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = comma_separated("CSRF_TRUSTED_ORIGINS")

# How people and researchers find this site and its operators; it is part of every release.
SITE_URL = text("SITE_URL", f"http://localhost:{number('PORT', 8000, 1, 65535)}").rstrip("/")
NO_CONTACT = f"The people who run {SITE_URL}"
CONTACT = text("CONTACT", NO_CONTACT)
# A column of a release whose values tell apart fewer contributors than this is left unsaid, or the release
# is refused.
RELEASE_LEAST_GROUP = {
    "researchers": number("RELEASE_LEAST_GROUP", 3, 1, 1_000),
    "public": number("RELEASE_LEAST_GROUP_PUBLIC", 10, 1, 1_000),
}
# Differential privacy of published counts of people: epsilon of one release, and of all in a quarter.
COUNTS_EPSILON = decimal("COUNTS_EPSILON", "1", most=4)
COUNTS_BUDGET = decimal("COUNTS_BUDGET", "4", most=100)
# Whom to tell of a weakness, in /.well-known/security.txt; CONTACT may be any words.
SECURITY_CONTACT = contact_uri(text("SECURITY_CONTACT") or CONTACT)
if text("SECURITY_CONTACT") and not SECURITY_CONTACT:
    raise ImproperlyConfigured(
        "SECURITY_CONTACT must be an e-mail address, or begin with https://, mailto: or tel:."
    )

DATABASES = {"default": database(text("DATABASE_URL", "postgresql://tagger@/tagger?host=/nothing-runs"))}
REDIS_URL = text("REDIS_URL", "unix:///nothing-runs/valkey.sock?db=0")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

INSTALLED_APPS = [
    "tagger",
    "datasets",
    "accounts",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "csp",
]

MIDDLEWARE = [
    "tagger.headers.SiteHeaders",
    "accounts.client_addresses.only_trusted_protocol",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "tagger.languages.ReadersLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.factors.guard.Authentication",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    # Inside allauth's, whose own way would store what was sent, and from where, in plain text.
    "accounts.reauthentication.Middleware",
    "accounts.too_many.Middleware",
    "tagger.wrong_method.AsPage",
    "accounts.factors.guard.FactorGuard",
    # Last, so that a refusal is a page with its menu. Bodies are first read after it, by the CSRF check.
    "tagger.bodies.RefuseUnreadable",
]

ROOT_URLCONF = "tagger.urls"
WSGI_APPLICATION = "tagger.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

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
                "accounts.context.sends_mail",
                "accounts.context.operator",
                "accounts.typed.typed_by",
                "tagger.theme.chosen",
            ],
            "builtins": ["accounts.isolated"],
        },
    }
]

# --- people -------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.ByPseudonym"]
# No rule about kinds of characters, and no longest password.
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "accounts.passwords.NotThePseudonym"},
    {"NAME": "accounts.passwords.HardToGuess"},
]
LOGIN_REDIRECT_URL = "campaigns"
LOGIN_URL = "account_login"
ACCOUNT_ADAPTER = "tagger.welcome.landing.Adapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
# Many names in Chinese and Korean have two characters.
ACCOUNT_USERNAME_MIN_LENGTH = 2
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_SESSION_REMEMBER = None
# Who logged in longer ago is asked for the password again before what cannot be taken back.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600  # seconds
ACCOUNT_FORMS = {
    "signup": "accounts.forms.SignupForm",
    "reset_password": "accounts.forms.ResetForm",
    "change_password": "accounts.forms.ChangePasswordForm",
}
# These are counted by accounts.limits.
ACCOUNT_RATE_LIMITS = dict.fromkeys(
    ("login", "signup", "change_password", "reauthenticate", "reset_password", "reset_password_from_key")
) | {"login_failed": "10/15m/key"}  # wrong codes of a second factor, by the person's number

# The second factor, which reviewers, researchers and admins need. A passkey may also take the place of the
# password. Codes of an app count half a minute longer, as people type slowly; each counts once.
MFA_ADAPTER = "accounts.factors.adapter.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "activate_totp": "accounts.factors.forms.ActivateForm",
    "authenticate": "accounts.factors.forms.AuthenticateForm",
    "reauthenticate": "accounts.factors.forms.ReauthenticateForm",
}

# A site without a mail server sends no mail, and so asks for no address.
EMAIL_HOST = text("EMAIL_HOST")
EMAIL_PORT = number("EMAIL_PORT", 587, 1, 65535)
EMAIL_HOST_USER = text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = flag("EMAIL_USE_TLS", True)
EMAIL_TIMEOUT = 30  # seconds until a silent mail server counts as gone
DEFAULT_FROM_EMAIL = text("DEFAULT_FROM_EMAIL", "tagger@localhost")
if not EMAIL_HOST:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = TAGGER_HOME / "mail"
SENDS_MAIL = bool(EMAIL_HOST) or DEBUG
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"] + (["email"] if SENDS_MAIL else [])

# Browsers take cookies with this prefix only over HTTPS and from this host: no neighbouring host can set one.
COOKIE_PREFIX = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"  # also in static/js/desk/sync/api.js
MESSAGE_STORAGE = "tagger.cookies.Messages"
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "accounts.typed.csrf_failure"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# The web servers in front of this site. Only they are believed when they say who sent a request
# (X-Forwarded-For) and whether over HTTPS (X-Forwarded-Proto). Over a unix socket they are trusted anyway.
TRUSTED_PROXIES = networks("TRUSTED_PROXIES")
# The older name, for HTTPS alone; without TRUSTED_PROXIES, everyone who connects is believed.
BEHIND_PROXY = flag("BEHIND_PROXY", bool(TRUSTED_PROXIES))
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = flag("HSTS_SUBDOMAINS", False)  # others may be there, without HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Nothing is loaded from or sent to another origin. Peaks and prefetched clips play from blob: URLs.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "media-src": [SELF, "blob:"],
        # The waveform has a style element in its shadow root. Pages without one get no nonce.
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- programs -----------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.tokens.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.parsers.StrictJsonParser"],
    "DEFAULT_SCHEMA_CLASS": "accounts.api_schema.Schema",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tagger",
    "DESCRIPTION": "Borrow clips, label them, hand the answers in.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],  # open to everyone, so it looks at no token
    "ENUM_NAME_OVERRIDES": {
        "AnswerEnum": "datasets.models.Label",
        "AudienceEnum": ["researchers", "public"],
        "CampaignKindEnum": "datasets.models.Campaign.Kind",
        "ReasonEnum": "tagger.models.Report.Reason",
        "ReviewKindEnum": "tagger.models.ReviewItem.Kind",
        "ObjectionOutcomeEnum": "tagger.desk.objections.Outcome",
        "ReviewReasonEnum": "tagger.models.ReviewItem.Reason",
        "UnusableReasonEnum": "tagger.models.Decision.UnusableReason",
    },
    "COMPONENT_SPLIT_PATCH": False,  # the answer that replaces another is as complete as the first
}

# --- messages to other servers -------------------------------------------------------------------
# Where owners may have messages about their campaigns sent: nowhere, unless whoever runs the site allows it.
WEBHOOKS = webhook_hosts("WEBHOOKS")
# Networks besides the public ones that such a host may be in. Plain HTTP is only for 127.0.0.0/8 and ::1.
WEBHOOK_NETWORKS = networks("WEBHOOK_NETWORKS")

# --- work in the background ---------------------------------------------------------------------
CELERY_BROKER_URL = broker(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Erasures and key rotation have a queue and, with `make run`, a worker of their own: settling never waits for
# them. A worker that is started without `-Q` takes from all.
CELERY_TASK_QUEUES = [
    Queue("celery", Exchange("celery"), routing_key="celery"),
    Queue("erasures", Exchange("erasures"), routing_key="erasures"),
    Queue("imports", Exchange("imports"), routing_key="imports"),
    # So that a site can give them a worker of their own, outside of its inner network.
    Queue("webhooks", Exchange("webhooks"), routing_key="webhooks"),
]
CELERY_TASK_ROUTES = {
    f"tagger.privacy.tasks.{name}": {"queue": "erasures"}
    for name in ("scrub", "scrub_unfinished", "unname_kept_answers", "rotate_master_key")
} | {
    # One import at a time is worked on, for seconds: the same worker may take settling from its own queue.
    name: {"queue": "imports"}
    for name in (
        "datasets.imports.tasks.proceed",
        "datasets.imports.tasks.sweep",
        "tagger.imports.tasks.undo",
    )
}
CELERY_TASK_ROUTES |= {
    name: {"queue": "webhooks"}
    for name in ("datasets.webhooks.tasks.deliver", "datasets.access.tasks.send_letters")
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY = False  # a volunteer does not wait for an unreachable broker
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "max_retries": 0,  # nor for new connections: kombu would sleep 2 s and 4 s between attempts
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "visibility_timeout": 600,
}
CELERY_BEAT_SCHEDULER = "tagger.beat:DurableScheduler"
CELERY_BEAT_SCHEDULE = {
    "scrub": {"task": "tagger.privacy.tasks.scrub_unfinished", "schedule": timedelta(seconds=30)},
    "kept answers": {
        "task": "tagger.privacy.tasks.unname_kept_answers",
        "schedule": timedelta(minutes=5),
    },
    # Whether one is due is in the database: a beat that starts without its schedule misses none.
    "key rotation": {"task": "tagger.privacy.tasks.rotate_master_key", "schedule": timedelta(seconds=30)},
    "sessions": {"task": "accounts.tasks.clear_expired_sessions", "schedule": timedelta(hours=6)},
    "failed log-ins": {"task": "accounts.tasks.record_failed_log_ins", "schedule": timedelta(minutes=5)},
    "check of the record": {"task": "accounts.tasks.check_audit_record", "schedule": timedelta(seconds=15)},
    # Every hour, in case the first after midnight was missed; a second one on the same day adds nothing.
    "recalls": {"task": "datasets.tasks.publish_recalls", "schedule": crontab(minute=10)},
    "archives": {"task": "datasets.tasks.plan_archives", "schedule": timedelta(seconds=30)},
    "reconcile": {
        "task": "tagger.privacy.tasks.reconcile",
        "schedule": crontab(hour=3, minute=20),
    },
    "imports": {"task": "datasets.imports.tasks.sweep", "schedule": timedelta(seconds=30)},
    "undone imports": {"task": "tagger.imports.tasks.undo", "schedule": timedelta(seconds=30)},
    "sweep": {"task": "tagger.tasks.settle", "schedule": timedelta(seconds=2)},
    # In case the broker lost the request: a weight was changed, or an owner does something with many clips.
    "weights": {"task": "tagger.explorer.tasks.recount", "schedule": timedelta(seconds=30)},
    "people": {"task": "tagger.explorer.tasks.count_people", "schedule": timedelta(minutes=1)},
    "clip jobs": {"task": "tagger.explorer.tasks.resume", "schedule": timedelta(seconds=15)},
    "refit": {"task": "tagger.tasks.refit", "schedule": crontab(minute=40)},
    "doubtful": {"task": "tagger.review.tasks.find_doubtful", "schedule": crontab(minute=20)},
    "controls": {"task": "tagger.tasks.rotate_controls", "schedule": crontab(minute=50)},
    "agreement": {"task": "tagger.tasks.measure_agreement", "schedule": crontab(hour=4, minute=5)},
    # It counts for at most one sixtieth of the time: with millions of clips most of these runs do nothing.
    "community": {"task": "tagger.tasks.measure_community", "schedule": timedelta(seconds=15)},
    "figures": {"task": "tagger.tasks.count_campaigns", "schedule": timedelta(minutes=1)},
    "reports": {"task": "tagger.review.tasks.measure_reports", "schedule": timedelta(minutes=5)},
    "order of checks": {"task": "tagger.review.tasks.order_checks", "schedule": timedelta(minutes=1)},
    # Of clips that were imported, or came before it was measured: for a few seconds each time.
    "quality of clips": {"task": "datasets.tasks.measure_clips", "schedule": timedelta(seconds=30)},
    "releases": {"task": "tagger.campaigns.tasks.make_releases", "schedule": timedelta(seconds=30)},
    "recounts": {"task": "tagger.campaigns.tasks.recount", "schedule": timedelta(seconds=10)},
    # In case the broker lost the request, and for what is tried again.
    "webhooks": {"task": "datasets.webhooks.tasks.deliver", "schedule": timedelta(seconds=5)},
    "letters": {"task": "datasets.access.tasks.send_letters", "schedule": timedelta(minutes=1)},
    "old letters": {"task": "datasets.access.tasks.forget_letters", "schedule": timedelta(hours=1)},
    "old deliveries": {"task": "datasets.webhooks.tasks.forget_old", "schedule": timedelta(hours=1)},
    "webhook counts": {"task": "tagger.webhooks.tasks.tell_counts", "schedule": timedelta(minutes=1)},
    "blocking": {"task": "tagger.review.tasks.recount_blocking", "schedule": timedelta(minutes=5)},
    "reclaim": {"task": "tagger.tasks.reclaim", "schedule": timedelta(seconds=30)},
} | {
    # So that admins are told if nobody takes from a queue. A note that waited is not worth taking.
    f"queue {queue.name} is seen": {
        "task": "tagger.operators.tasks.note_queue",
        "schedule": timedelta(seconds=15),
        "args": (queue.name,),
        "options": {"queue": queue.name, "expires": 60},
    }
    for queue in CELERY_TASK_QUEUES
}

# How long a task stays lent to a volunteer: plenty for a set of ten clips with pauses.
LEASE = timedelta(seconds=number("LEASE_SECONDS", 900, 5, 86_400))

# Someone has a track record after so many answers, from an account that is so old (or by a control).
TRACK_RECORD_ANSWERS = number("TRACK_RECORD_ANSWERS", 50, 1, 1_000_000)
TRACK_RECORD_AGE = timedelta(hours=number("TRACK_RECORD_HOURS", 24, 0, 87_600))

# How much one account may do in a short time; 0 for no limit. People stay far below: 300 clips an hour always
# pass. New accounts have the quotas of newcomers, over ten minutes, and all others the larger ones, over an
# hour. An account is new in its first minutes, and until it has given some answers. A clip that was lent
# counts as one once it is answered, and as five before (tagger/lending/quotas.py).
NEWCOMER_MINUTES = number("NEWCOMER_MINUTES", 60, 0, 100_000)
NEWCOMER_ANSWERS = number("NEWCOMER_ANSWERS", 50, 0, 100_000)
NEWCOMERS_LENDING_QUOTA = number("NEWCOMERS_LENDING_QUOTA", 200, 0, 1_000_000)
LENDING_QUOTA = number("LENDING_QUOTA", 1_200, 0, 1_000_000)
NEWCOMERS_SKIPPING_QUOTA = number("NEWCOMERS_SKIPPING_QUOTA", 30, 0, 1_000_000)
SKIPPING_QUOTA = number("SKIPPING_QUOTA", 180, 0, 1_000_000)
NEWCOMERS_REPORTING_QUOTA = number("NEWCOMERS_REPORTING_QUOTA", 10, 0, 1_000_000)
REPORTING_QUOTA = number("REPORTING_QUOTA", 60, 0, 1_000_000)
# How many settled answers one person may object to in a day; 0 for no limit.
OBJECTIONS_A_DAY = number("OBJECTIONS_A_DAY", 10, 0, 1_000_000)
# Somebody with at least so many dismissed reports, if they are most of theirs, hides nothing alone; 0: never.
DOUBTED_AFTER = number("DOUBTED_AFTER", 3, 0, 100_000)

# The share of checks before publication that are of a made sound with a known answer.
KNOWN_CHECKS_SHARE = share("KNOWN_CHECKS_SHARE", 0.05)

# The share of reviewers' answers that a second reviewer gives, too, without seeing the first one.
SECOND_LOOKS_SHARE = share("SECOND_LOOKS_SHARE", 0.05)

# --- files --------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = TAGGER_HOME / "static"
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "vault": {
        "BACKEND": "datasets.clips.vault.DurableFiles",
        "OPTIONS": {"location": TAGGER_HOME / "vault"},
    },
    # Files of imports wait here, sealed, and are deleted as soon as they were read.
    "uploads": {
        "BACKEND": "datasets.clips.vault.DurableFiles",
        "OPTIONS": {"location": TAGGER_HOME / "uploads"},
    },
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "tagger.static.HashedModules"
    },
}
MASTER_KEYS = Path(text("MASTER_KEYS", str(TAGGER_HOME / "keys")))
# A shell command that copies the folder named by its variable MASTER_KEYS, and removes from the copy what is
# not in the folder any more. No master key is used before, or destroyed here only, until it succeeded.
KEYS_COPIED_BY = text("KEYS_COPIED_BY")
# The largest body of a page or a call; `tagger/bodies.py` has the doors that take more, and refuses the rest.
DATA_UPLOAD_MAX_MEMORY_SIZE = 500_000
# No part of a body is written to a disk, as it may be a voice.
FILE_UPLOAD_HANDLERS = ["datasets.clips.in_memory.InMemory"]
# The most that one import may send, and the days after which one that nobody went on with is deleted.
IMPORT_GIGABYTES = number("IMPORT_GIGABYTES", 50, 1, 10_000)
IMPORT_DAYS = number("IMPORT_DAYS", 7, 1, 365)
# Uploads leave this much of the disk free.
IMPORT_LEAVES_GIGABYTES = number("IMPORT_LEAVES_GIGABYTES", 2, 0, 10_000)
DEVICE_UPLOADS_A_DAY = number("DEVICE_UPLOADS_A_DAY", 500, 0, 1_000_000)
# How long a device's access token is valid. ovos-backend-client 0.1 to 1.0.1 never renews it: a bug makes it
# raise before it sends anything. Such a device has to be paired again after this time.
DEVICE_ACCESS = timedelta(hours=number("DEVICE_ACCESS_HOURS", 720, 1, 8_760))

# The first is for people who ask for none of these. `tagger/locale` has the texts of the others.
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("de", "Deutsch"),
    ("es", "Español"),
    ("fr", "Français"),
    ("ar", "العربية"),
]
LOCALE_PATHS = [BASE_DIR / "tagger" / "locale", BASE_DIR / "tagger" / "locale" / "borrowed"]
FORMAT_MODULE_PATH = "tagger.locale"
# A person's choice is kept only in this cookie, and not stored here.
LANGUAGE_COOKIE_NAME = f"{COOKIE_PREFIX}django_language"
LANGUAGE_COOKIE_AGE = 31_536_000
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_TZ = True
TIME_ZONE = "UTC"

# Logs carry ids, never names, addresses or transcripts.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"django": {"handlers": ["console"], "level": "INFO", "propagate": False}},
}

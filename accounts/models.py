"""Who: people, their consent, their keys and devices, and the audit record."""

import hashlib
import json
import secrets
from collections.abc import Collection, Set
from datetime import timedelta
from importlib import import_module
from typing import Any, ClassVar, Self
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Cast, Now
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from . import ciphers, keyring, names, pseudonyms, site
from .factors.sealed import Authenticator

# Numbers that no other advisory lock of this site uses.
MASTER_LOCK, COPY_LOCK, AUDIT_LOCK, AUDIT_CHECK_LOCK = 7_301, 7_302, 7_303, 7_305
CURRENT_DAY = Cast(Now(), models.DateField())
# The names of people who left begin so. No pseudonym's hash does.
GONE = "gone-"


class Role(models.TextChoices):
    CONTRIBUTOR = "contributor", _("contributor")
    ANNOTATOR = "annotator", _("volunteer")
    REVIEWER = "reviewer", _("reviewer")
    # Of those campaigns alone whose owners asked them to.
    CAMPAIGN_REVIEWER = "campaign-reviewer", _("reviewer of a campaign")
    RESEARCHER = "researcher", _("researcher")
    PRIVACY_REVIEWER = "privacy-reviewer", _("privacy reviewer")
    OWNER = "owner", _("campaign owner")


# Whoever has one of these hears, decides or takes away what others gave: each needs a second factor.
POWERFUL = frozenset(set(Role) - {Role.CONTRIBUTOR, Role.ANNOTATOR})
REVIEWERS = (Role.REVIEWER, Role.CAMPAIGN_REVIEWER)


# Few people have power, and of all that the site asks about people, only this is asked about everybody.
HAS_POWER = Q(is_superuser=True) | Q(is_staff=True) | Q(roles__overlap=sorted(POWERFUL))


def newcomer_roles() -> list[str]:
    """The roles of everyone who signs up. Reviewers and researchers are appointed."""
    return [Role.CONTRIBUTOR, Role.ANNOTATOR]


class Scope(models.TextChoices):
    """What a token may be used for. Each view says which of these it takes (`token_scopes`)."""

    TAG = "tag", _("borrow clips, hear them, answer and report")
    IMPORT = "import", _("add recordings of your own (not available yet)")
    DOWNLOAD = "download", _("download releases")
    REVIEW = "review", _("hear and decide what waits for reviewers")
    CHECK = "check", _("hear clips before they are published, and say whether anything is private")
    MANAGE = "manage", _("run your campaigns: settings, clips, figures and people by number")


# Who may give a token which scope. Whether the person has the role is checked again at every call.
ROLES_OF_SCOPE = {
    Scope.TAG: (Role.ANNOTATOR,),
    Scope.IMPORT: (Role.CONTRIBUTOR,),
    # Everyone may ask for a release. What a token may download is asked of each release, at every call.
    Scope.DOWNLOAD: tuple(Role),
    Scope.REVIEW: REVIEWERS,
    Scope.CHECK: (Role.PRIVACY_REVIEWER,),
    Scope.MANAGE: (Role.OWNER,),
}
TOKEN_DAYS = 90


class People(UserManager["User"]):
    """Creates and finds people by their pseudonym, which no column has in plain text."""

    def create_user(
        self, username: str, email: str | None = None, password: str | None = None, **fields: Any
    ) -> "User":
        return self.create_found_by(names.looked_up(username), username, email or "", password, **fields)

    def create_found_by(
        self, text: str, pseudonym: str, address: str = "", password: str | None = None, **fields: Any
    ) -> "User":
        """Create a person who is found by the hash of this text, with their own data key."""
        person = self.model(**fields)
        person.set_password(password)
        return self.save_found_by(text, person, pseudonym, address)

    @transaction.atomic
    def save_found_by(self, text: str, person: "User", pseudonym: str, address: str = "") -> "User":
        """Store a new person. Raises IntegrityError if someone is found by this text already."""
        master = DataKey.objects.lock_master()
        # During a key rotation they may be stored under the hash of either master key.
        if self.found_by(text).exists():
            raise IntegrityError("someone is found by this text already")
        person.username = keyring.hash_under(master, text)
        person.save(using=self._db)
        DataKey.objects.create_for(person)
        person.seal_name(pseudonym, address)
        return person

    def found_by(self, text: str) -> models.QuerySet["User"]:
        """The person who is found by this text, if there is one."""
        hashes = keyring.hashes(text)
        if not hashes:
            # Without its keys a site knows no one. Say so, and not that no one is found.
            site.establish()
            hashes = keyring.hashes(text)
        return self.filter(username__in=hashes)

    def with_power(self) -> models.QuerySet["User"]:
        """Those who may log in and have a powerful role or the admin's rights, found by an index."""
        return self.filter(HAS_POWER, is_active=True)

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **fields: Any
    ) -> "User":
        return self.create_user(username, email, password, **fields, is_staff=True, is_superuser=True)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.found_by(names.looked_up(username or "")).get()


class User(AbstractUser):
    """A person under a pseudonym, or a person whose clips were imported (who cannot log in).

    Pseudonym and address are sealed under the person's data key. `username` is only a keyed hash of the
    pseudonym, enough to find the row at log-in. The site never asks for a name, age, sex, origin or income,
    so there are no columns for them.
    """

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = None  # type: ignore[assignment]
    EMAIL_FIELD = "address"  # a link for a new password works until this changes
    username = models.CharField(_("pseudonym"), max_length=150, unique=True, validators=[pseudonyms.check])
    sealed_name = models.BinaryField(default=bytes)
    sealed_email = models.BinaryField(default=bytes)
    roles = ArrayField(models.TextField(choices=Role.choices), default=newcomer_roles, blank=True)
    # For this many hours only they can hear what their devices sent.
    cooling_off = models.PositiveSmallIntegerField(default=72)
    # The version of the listener's pledge that they made; empty if none.
    pledge = models.CharField(max_length=8, default="", db_default="", blank=True)
    # Both are opt-in.
    shows_streak = models.BooleanField(default=False, db_default=False)
    on_leaderboard = models.BooleanField(default=False, db_default=False)
    # Since when releases may list their answers one by one, under a random id; None if they may not. Opt-in.
    single_votes_since = models.DateTimeField(null=True, blank=True, editable=False)
    # Codes without country of the languages in which they want to listen; None until they were asked.
    languages = ArrayField(models.CharField(max_length=8), null=True, blank=True)
    # Votes a day; 0 if they want no goal, None until they chose.
    daily_goal = models.PositiveSmallIntegerField(null=True, blank=True)
    # Made by the demo, with passwords in a file. Written only by the demo.
    is_demo = models.BooleanField(default=False, db_default=False, editable=False)

    authenticator_set: Any  # of allauth
    # The numbers of the factors that this session was opened with; None outside of a session, as for a token.
    session_factors: Set[int] | None = None

    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[People] = People()

    class Meta(AbstractUser.Meta):
        indexes = [models.Index(fields=["id"], condition=HAS_POWER, name="people_with_power")]

    def __str__(self) -> str:
        # Logs and the admin's history store this text, so it must not contain a name.
        return f"person {self.pk}"

    def clean(self) -> None:
        """Does nothing: Django's version would normalise columns that this model does not have."""

    @property
    def pseudonym(self) -> str:
        return self._unsealed(self.sealed_name, "name")

    # The admin greets the person by this.
    def get_short_name(self) -> str:
        return self.pseudonym

    def get_full_name(self) -> str:
        return self.pseudonym

    @property
    def address(self) -> str:
        """Their e-mail address, or an empty string."""
        return self._unsealed(self.sealed_email, "email")

    def name_under(self, data_key: bytes) -> str:
        """The pseudonym, opened with a data key that the caller has. Raises ciphers.KeyLost."""
        sealed = bytes(self.sealed_name)
        return ciphers.unseal(data_key, sealed, self._label("name")).decode() if sealed else ""

    def seal_name(self, pseudonym: str, address: str = "") -> None:
        """Store this pseudonym and, if given, this address, sealed under the person's key."""
        key = self.data_key.open()
        self.sealed_name = ciphers.seal(key, pseudonym.encode(), self._label("name"))
        self.sealed_email = ciphers.seal(key, address.encode(), self._label("email")) if address else b""
        self.save(update_fields=["sealed_name", "sealed_email"])

    def seal_address(self, address: str) -> None:
        """Store this e-mail address sealed, or none if it is empty."""
        key = self.data_key.open()
        self.sealed_email = ciphers.seal(key, address.encode(), self._label("email")) if address else b""
        self.save(update_fields=["sealed_email"])

    def forget(self) -> None:
        """Erase everything that identifies the person. The row stays, because consents refer to it."""
        DataKey.objects.filter(person=self).delete()
        self.username = f"{GONE}{secrets.token_hex(16)}"
        self.sealed_name = self.sealed_email = b""
        self.is_active = self.is_staff = self.is_superuser = False
        self.roles, self.last_login, self.pledge = [], None, ""
        self.shows_streak = self.on_leaderboard = False
        self.languages = self.daily_goal = None
        self.single_votes_since = None
        self.set_unusable_password()
        self.save()

    def _unsealed(self, sealed: bytes | memoryview, what: str) -> str:
        return (
            ciphers.unseal(self.data_key.open(), bytes(sealed), self._label(what)).decode() if sealed else ""
        )

    def _label(self, what: str) -> str:
        return f"{what} of {self.pk}"

    @property
    def may_log_in(self) -> bool:
        """By any door: a page, a token, a device. The demo's passwords are for trying it out only."""
        return self.is_active and (settings.DEBUG or not self.is_demo)

    def has_role(self, role: Role) -> bool:
        """Whether they may act in this role now: a powerful one counts only with a second factor."""
        return self.was_given(role) and not self.lacks_factor_for(role)

    @property
    def is_reviewer(self) -> bool:
        """Of all campaigns, or of some."""
        return any(map(self.has_role, REVIEWERS))

    def was_given(self, role: Role) -> bool:
        return self.may_log_in and (self.is_superuser or role in self.roles)

    def lacks_factor_for(self, role: Role) -> bool:
        """Whether only a second factor is missing. What a superuser's right adds needs one, too."""
        is_power = role in POWERFUL or role not in self.roles
        return self.was_given(role) and is_power and self.lacks_factor

    @property
    def lacks_factor(self) -> bool:
        """Whether they have power that does not count without a second factor. No query if they have none."""
        has_power = self.is_staff or self.is_superuser or not POWERFUL.isdisjoint(self.roles)
        return has_power and not self.needs_no_factor and not self.has_proven_factor

    @property
    def lacks_any_factor(self) -> bool:
        """For what needs a second factor of everyone, whatever their roles."""
        return not (self.needs_no_factor or self.has_proven_factor)

    @property
    def needs_no_factor(self) -> bool:
        """The people of the demo, while it is tried out."""
        return self.is_demo and settings.DEBUG

    @property
    def has_factor(self) -> bool:
        """Recovery codes alone are none."""
        return any(kind != Authenticator.Type.RECOVERY_CODES for kind in self._factors.values())

    @property
    def has_proven_factor(self) -> bool:
        """Whether they have a second factor and, in a session, opened it with one that they still have."""
        proven = self.session_factors is None or not self.session_factors.isdisjoint(self._factors)
        return self.has_factor and proven

    @cached_property
    def _factors(self) -> dict[int, str]:
        return dict(self.authenticator_set.values_list("pk", "type"))

    def scopes(self) -> list[Scope]:
        """What a token of theirs may be used for."""
        return [scope for scope, roles in ROLES_OF_SCOPE.items() if any(map(self.has_role, roles))]


class PersonalSession(AbstractBaseSession):
    """A session with its person. Django's own sessions must each be decoded to find a person's.

    Of when and where from it is used, only days are stored.
    """

    person = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="sessions")
    began_on = models.DateField(db_default=CURRENT_DAY)
    used_on = models.DateField(db_default=CURRENT_DAY)

    @classmethod
    def get_session_store_class(cls) -> type[Any]:
        return import_module(settings.SESSION_ENGINE).SessionStore


class ProgramTokens(models.Manager["ProgramToken"]):
    def create(  # type: ignore[override]
        self, user: User, scopes: Collection[str] | None = None, days: int = TOKEN_DAYS
    ) -> tuple["ProgramToken", str]:
        """A new token, and its text, which is stored nowhere. Without `scopes`: all that the roles allow."""
        text = secrets.token_hex(32)
        row = super().create(
            user=user,
            digest=ProgramToken.digest_of(text),
            prefix=text[: ProgramToken.SHOWN],
            scopes=list(user.scopes() if scopes is None else scopes),
            expires_at=timezone.now() + timedelta(days=days),
        )
        return row, text


class ProgramToken(models.Model):
    """The SHA-512 of a token with which a program of this person calls the API, for what, and until when."""

    SHOWN = 8  # the first characters, by which its owner tells it from others

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    digest = models.CharField(max_length=128, unique=True)
    prefix = models.CharField(max_length=25)
    scopes = ArrayField(models.TextField(choices=Scope.choices))
    created = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    objects: ClassVar[ProgramTokens] = ProgramTokens()

    def __str__(self) -> str:
        return f"token {self.pk}"

    @staticmethod
    def digest_of(text: str) -> str:
        return hashlib.sha512(text.encode()).hexdigest()

    @property
    def scope_labels(self) -> list[str]:
        return [str(Scope(scope).label) for scope in self.scopes]

    @property
    def has_ended(self) -> bool:
        return self.expires_at <= timezone.now()


class Material(models.TextChoices):
    """The kinds of recording that consent distinguishes."""

    WAKE_WORD = "wake-word", _("wake-word clips")
    UTTERANCE = "utterance", _("what was said after, or read aloud")

    @property
    def purposes(self) -> "list[Purpose]":
        """What consent can be given for. Only words are of use for speech synthesis."""
        return [each for each in Purpose if self == Material.UTTERANCE or each != Purpose.SYNTHESIS]


class Purpose(models.TextChoices):
    VOLUNTEERS = "volunteers", _("volunteers may hear")
    RESEARCHERS = "researchers", _("named researchers may have")
    PUBLIC = "public", _("public releases may hold")
    SYNTHESIS = "synthesis", _("speech synthesis may be trained on")


# Whom releases are for. Consent to speech synthesis counts only together with consent to one of them.
AUDIENCES = (Purpose.RESEARCHERS, Purpose.PUBLIC)


class ConsentNotice(models.Model):
    """The words that a person agreed to. A changed text is a new version, never an edit.

    A supplement has the words for one purpose that was added while the notice itself stayed as it is.
    """

    version = models.PositiveIntegerField()
    language = models.CharField(max_length=35)
    # Of a supplement; empty for the notice itself.
    purpose = models.CharField(max_length=20, choices=Purpose.choices, blank=True, default="", db_default="")
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    published_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "language", "purpose"], name="one_notice_per_version")
        ]

    def __str__(self) -> str:
        of = f", {self.purpose}" if self.purpose else ""
        return f"notice {self.version}{of} ({self.language})"


class ConsentQuerySet(models.QuerySet["Consent"]):
    def live(self) -> Self:
        """Consents that were given and have not been withdrawn."""
        return self.filter(withdraws=None, withdrawal=None)


class Consent(models.Model):
    """One event: a person gave one consent, or withdrew one. Written only by accounts.consent.

    Rows are never changed or deleted; a withdrawal is a row that names the consent it ends.
    """

    contributor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="consents")
    material = models.CharField(max_length=20, choices=Material.choices)
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    at = models.DateTimeField()
    notice = models.ForeignKey(ConsentNotice, on_delete=models.PROTECT, null=True, blank=True)
    # Where a consent given elsewhere can be found: free text that may name a person, so it is sealed. The
    # keyed hash is enough to recognise the same text.
    reference_hash = models.CharField(max_length=64, blank=True)
    sealed_reference = models.BinaryField(default=bytes)
    # Volunteers hear wake-word clips disguised. Of several live consents the newest decides.
    disguised = models.BooleanField(default=False)
    withdraws = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="withdrawal"
    )

    objects = ConsentQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["contributor", "material", "purpose"],
                name="consents_given",
                condition=Q(withdraws=None),
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(notice__isnull=False) | ~Q(reference_hash="") | Q(withdraws__isnull=False),
                name="consent_says_what_was_agreed",
            ),
            models.CheckConstraint(
                condition=Q(withdraws=None) | ~Q(withdraws=F("id")), name="consent_does_not_end_itself"
            ),
            models.CheckConstraint(
                condition=Q(disguised=False)
                | Q(material=Material.WAKE_WORD, purpose=Purpose.VOLUNTEERS, withdraws=None),
                name="only_volunteers_hear_disguised_and_only_wake_words",
            ),
            models.CheckConstraint(
                condition=~Q(purpose=Purpose.SYNTHESIS) | Q(material=Material.UTTERANCE),
                name="only_utterances_are_for_synthesis",
            ),
        ]

    def __str__(self) -> str:
        return f"{'withdrawn' if self.withdraws_id else 'given'}: {self.material} for {self.purpose}"

    @property
    def reference(self) -> str:
        """The reference, or an empty string. Raises ciphers.KeyLost once the person was erased."""
        if not self.sealed_reference:
            return ""
        key = self.contributor.data_key.open()
        return ciphers.unseal(
            key, bytes(self.sealed_reference), self.reference_label(self.contributor_id)
        ).decode()

    @staticmethod
    def reference_label(contributor_id: int) -> str:
        return f"consent reference of {contributor_id}"


class Site(models.Model):
    """The one row that says which site this database is. Written only by accounts.site and the vault."""

    uuid = models.UUIDField(unique=True)
    # Since when the operator's command to copy the keys fails; empty while it works.
    keys_not_copied_since = models.DateTimeField(null=True, blank=True)
    journal_copied = models.BigIntegerField(default=0)  # how many bytes of the journal it copied last
    has_vault = models.BooleanField(default=False)  # whether a vault was marked as this site's

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_site")]

    def __str__(self) -> str:
        return f"site {self.uuid}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = 1
        super().save(*args, **kwargs)


class Operator(models.Model):
    """The one row that says who runs this site, for everyone to read. Written only by accounts.operators."""

    name = models.CharField(max_length=200)
    contact = models.CharField(max_length=200)
    postal_address = models.TextField(max_length=500, blank=True)
    # The page that says what becomes of people's data: elsewhere, or this text.
    privacy_url = models.URLField(max_length=500, blank=True)
    privacy_text = models.TextField(max_length=50_000, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_operator")]

    def __str__(self) -> str:
        return "who runs this site"

    @property
    def contact_link(self) -> str:
        """Where the contact leads to, if it is an address."""
        if self.contact.startswith("https://"):
            return self.contact
        return f"mailto:{self.contact}" if "@" in self.contact else f"tel:{self.contact.replace(' ', '')}"

    @property
    def has_privacy_page(self) -> bool:
        return bool(self.privacy_url or self.privacy_text)


class MasterKeys(models.Manager["MasterKey"]):
    def current(self) -> "MasterKey | None":
        """The one that wraps keys and makes hashes; None before the first start.

        Hold `DataKeys.lock_master` while it matters.
        """
        return self.filter(used_since__isnull=False, destroyed_at=None).order_by("number").last()


class MasterKey(models.Model):
    """The life of one master key, whose bytes are only in the key folder. Written only by accounts.

    Each time is the database's, so that no two clocks are compared.
    """

    number = models.PositiveIntegerField(primary_key=True)
    made_at = models.DateTimeField(db_default=Now())
    used_since = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)  # nothing is under it any more
    destroyed_at = models.DateTimeField(null=True, blank=True)
    # Destroyed here and, after the operator's command ran once more, in the operator's copy.
    gone_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[MasterKeys] = MasterKeys()

    def __str__(self) -> str:
        return f"master key {self.number}"

    @property
    def name(self) -> str:
        """The name of its file. Number 0 is the key of the hashes of an older site."""
        return keyring.name_of(self.number) if self.number else keyring.OLD_HASHES


class DataKeys(models.Manager["DataKey"]):
    @transaction.atomic
    def create_for(self, person: User) -> "DataKey":
        row = DataKey(person=person)
        row.wrap(secrets.token_bytes(ciphers.KEY), self.lock_master())
        row.save()
        return row

    def lock_master(self) -> str:
        """The name of the master key that wraps keys and makes hashes, the same until this transaction ends.

        The first call for an empty site makes its keys. Raises site.WrongSite.
        """
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [MASTER_LOCK])
        current = MasterKey.objects.current()
        if current is None:
            site.establish()
            current = MasterKey.objects.latest("number")
        return current.name

    def lock_change_of_master(self) -> None:
        """Wait until no one wraps or hashes under the present master key, for at most two seconds.

        Everyone who signs up waits behind this. Raises OperationalError when the time is over.
        """
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [MASTER_LOCK])
            cursor.execute("SET LOCAL lock_timeout = DEFAULT")

    def lock_copy(self) -> None:
        """No one else writes the copy of this table until this transaction ends."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COPY_LOCK])


class DataKey(models.Model):
    """The key that all data of one person is encrypted under. It is wrapped by a master key.

    Written only by accounts.keys, accounts.key_rotation and People. `master` is the master key's file name.
    """

    person = models.OneToOneField(User, on_delete=models.CASCADE, related_name="data_key")
    wrapped = models.BinaryField()
    master = models.CharField(max_length=32)
    # Increases when the key is replaced because some of the person's data was erased and the rest stays.
    generation = models.PositiveIntegerField(default=1)
    # Set when neither this row nor its line in the key copy opens: no key rotation can save it.
    unreadable_since = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[DataKeys] = DataKeys()

    class Meta:
        indexes = [models.Index(fields=["master", "id"], name="data_keys_by_master")]

    def __str__(self) -> str:
        return f"data key {self.pk}"

    @staticmethod
    def label(person_id: int) -> str:
        return f"data key of {person_id}"

    def wrap(self, key: bytes, master: str) -> None:
        """Wrap this key by the master key that `lock_master` returned. Does not save."""
        self.master = master
        self.wrapped = ciphers.seal(keyring.read(master), key, self.label(self.person_id))

    def open(self) -> bytes:
        """The 32-byte key itself. Raises ciphers.KeyLost."""
        return ciphers.unseal(keyring.read(self.master), bytes(self.wrapped), self.label(self.person_id))


class Device(models.Model):
    """A voice assistant that may send its owner's clips. Written only by accounts.devices.

    Its name and the software it runs are sealed under the owner's key. No network address, no place and no
    time finer than a quarter is stored. `uploads` counts a single day, for the daily limit.
    """

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="devices")
    uuid = models.UUIDField(unique=True, default=uuid4)
    sealed_about = models.BinaryField(default=bytes)
    paired_in = models.CharField(max_length=7)  # such as 2026-Q2
    revoked_on = models.DateField(null=True, blank=True)
    is_suspect = models.BooleanField(default=False, help_text=_("another device used one of its tokens"))
    uploads_on = models.DateField(null=True, blank=True)
    uploads = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"device {self.pk}"

    @property
    def about(self) -> dict[str, str]:
        """`name` was chosen by the owner; the rest was reported by the device."""
        sealed = bytes(self.sealed_about)
        return json.loads(ciphers.unseal(self.owner.data_key.open(), sealed, self._label)) if sealed else {}

    @about.setter
    def about(self, details: dict[str, str]) -> None:
        plain = json.dumps(details).encode()
        self.sealed_about = ciphers.seal(self.owner.data_key.open(), plain, self._label)

    def reseal(self, old: bytes, new: bytes) -> None:
        """Seal its details under the owner's new data key instead of the old one."""
        plain = ciphers.unseal(old, bytes(self.sealed_about), self._label) if self.sealed_about else None
        self.sealed_about = ciphers.seal(new, plain, self._label) if plain is not None else b""
        self.save(update_fields=["sealed_about"])

    @property
    def is_waiting(self) -> bool:
        """Whether its code was entered but the device has not fetched its tokens yet."""
        return Pairing.objects.filter(device=self).exists()

    @property
    def _label(self) -> str:
        return f"device {self.uuid}"


class Pairing(models.Model):
    """A pairing code that a device shows for its owner to enter. Written only by accounts.devices.

    The code is stored as a keyed hash; `secret_sha256` covers the device's state and secret together.
    """

    code_hash = models.CharField(max_length=64, unique=True)
    secret_sha256 = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    device = models.OneToOneField(Device, on_delete=models.CASCADE, null=True, blank=True)

    def __str__(self) -> str:
        return f"pairing {self.pk}"


class DeviceLogin(models.Model):
    """A pair of tokens as SHA-256. Replaced ones are kept, to notice when a copied token is used."""

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="logins")
    access_sha256 = models.CharField(max_length=64, unique=True)
    refresh_sha256 = models.CharField(max_length=64, unique=True)
    access_until = models.DateTimeField()
    refresh_until = models.DateTimeField()
    is_replaced = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["device"], condition=Q(is_replaced=False), name="one_login_per_device"
            )
        ]

    def __str__(self) -> str:
        return f"login {self.pk}"


def acts() -> list[tuple[str, Any]]:
    """The kinds of audit events. Called by the field, so that a new kind needs no migration."""
    return AuditEvent.Act.choices


class AuditEvent(models.Model):
    """One event of the audit record: who heard, decided or exported what. Written only by accounts.audit.

    `sha256` covers the event before it and everything in this one except `person` and `salt`; of the person
    it covers only `who_sha256`. So both can be erased: the chain stays valid and leads to no one.
    """

    class Act(models.TextChoices):
        HEARD = "heard", _("heard a clip outside of the queue")
        DECIDED = "decided", _("decided a dispute")
        DISMISSED = "dismissed", _("dismissed a report")
        CHECKED = "checked", _("checked a clip before publication")
        CLEARED = "cleared", _("cleared a clip for publication")
        SILENCED = "silenced", _("silenced seconds of a clip")
        DESTROYED = "destroyed", _("destroyed a clip")
        ASKED_MORE = "asked-more", _("asked for more answers")
        CALLED_UNUSABLE = "called-unusable", _("called a clip unusable")
        RETURNED = "returned", _("put a reported clip back in the queue")
        UNDID = "undid", _("undid a reviewer's act")
        RELEASED = "released", _("published a release")
        RETRACTED = "retracted", _("retracted a release")
        EXPORTED = "exported", _("exported a release")
        ASKED_ACCESS = "asked-access", _("asked for a release, or withdrew from its terms")
        DECIDED_ACCESS = "decided-access", _("decided who may download a release")
        EXPORTED_RECORD = "exported-record", _("downloaded the audit record")
        LOOKED = "looked", _("looked at a page for admins")
        TOOK_ALONG = "took-along", _("downloaded all their own data")
        FAILED_LOG_IN = "failed-log-in", _("failed to log in")
        MADE_TOKEN = "made-token", _("made a token")
        REVOKED_TOKEN = "revoked-token", _("revoked a token")
        SET_FACTOR = "set-factor", _("set up a second factor")
        REMOVED_FACTOR = "removed-factor", _("removed a second factor")
        RESET_FACTORS = "reset-factors", _("reset a person's second factors")
        SET_ROLES = "set-roles", _("changed a person's roles")
        SAID_WHO_RUNS = "said-who-runs", _("said who runs this site")
        CHANGED_CAMPAIGN = "changed-campaign", _("changed a campaign")
        CHANGED_WEBHOOK = "changed-webhook", _("changed where messages about a campaign are sent")
        IMPORTED = "imported", _("imported clips")
        UNDID_IMPORT = "undid-import", _("undid an import")
        WITHDREW_IMPORT = "withdrew-import", _("withdrew imported people")
        WEIGHED = "weighed", _("changed how much a person's answers count")
        ACTED_ON_CLIPS = "acted-on-clips", _("did something with many clips of a campaign")
        ASKED_REVIEW = "asked-review", _("asked reviewers to look at a clip")
        BACKED_UP = "backed-up", _("made a backup")
        ERASED = "erased", _("finished an erasure")
        ROTATED_KEY = "turned-over", _("rotated the master key")
        RESTORED = "restored", _("restored a backup")

    number = models.BigIntegerField(primary_key=True)  # 1, 2, 3, … without gaps
    at = models.DateTimeField()
    act = models.CharField(max_length=20, choices=acts)
    about = models.CharField(max_length=100)  # a kind and an id, such as clip 12
    # What else there is to say, such as old and new values: numbers of people, and never a name.
    details = models.JSONField(default=dict, db_default={}, blank=True)
    who_sha256 = models.CharField(max_length=64, blank=True)  # empty for the site or its operator
    sha256 = models.CharField(max_length=64)
    person = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="audit_events", db_index=False
    )
    salt = models.BinaryField(default=bytes)

    class Meta:
        indexes = [
            models.Index(fields=["about", "at"], name="audit_by_what"),
            models.Index(fields=["act", "number"], name="audit_by_act"),
            models.Index(fields=["person", "number"], name="audit_by_person"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.act} {self.about}"


class AuditCheck(models.Model):
    """The one row about the last check of the whole audit record. Written only by accounts.audit."""

    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)  # empty while it is due or runs
    events = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)  # of the newest event that was read
    broken_at = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_audit_check")]

    def __str__(self) -> str:
        return f"check of {self.events} events"


class FailedLogIns(models.Model):
    """How often log-ins under one name failed in a window of time, until an audit event says so.

    The name is only a hash, under a key that is forgotten. Written only by accounts.failed_log_ins.
    """

    since = models.DateTimeField()
    name_hash = models.CharField(max_length=64)  # empty: all names beyond the first so many
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["since", "name_hash"], name="one_count_per_name_and_window")
        ]

    def __str__(self) -> str:
        return f"{self.count} failed log-ins"

"""Who: people, what they allowed, and the key that their voice is stored under."""

from typing import ClassVar, Self

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    CONTRIBUTOR = "contributor", _("contributor")
    ANNOTATOR = "annotator", _("volunteer")
    REVIEWER = "reviewer", _("reviewer")
    RESEARCHER = "researcher", _("researcher")


def newcomer_roles() -> list[str]:
    """What anyone who signs up may do; reviewers and researchers are named by a person."""
    return [Role.CONTRIBUTOR, Role.ANNOTATOR]


class User(AbstractUser):
    """A person under a pseudonym, or somebody whose clips were imported (who cannot log in).

    No name, age, sex, origin or income is asked, so there is no column for them.
    """

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    roles = ArrayField(models.TextField(choices=Role.choices), default=newcomer_roles, blank=True)

    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager[Self]] = UserManager()

    def has_role(self, role: Role) -> bool:
        return self.is_active and (self.is_superuser or role in self.roles)


class ConsentNotice(models.Model):
    """The words that a person agreed to. A changed text is a new version, never an edit."""

    version = models.PositiveIntegerField()
    language = models.CharField(max_length=35)
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    published_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "language"], name="one_notice_per_version")]

    def __str__(self) -> str:
        return f"notice {self.version} ({self.language})"


class Material(models.TextChoices):
    """What a recording was made of, as far as consent tells it apart."""

    WAKE_WORD = "wake-word", _("wake-word clips")
    UTTERANCE = "utterance", _("what was said after, or read aloud")


class Purpose(models.TextChoices):
    VOLUNTEERS = "volunteers", _("volunteers may hear")
    RESEARCHERS = "researchers", _("named researchers may have")
    PUBLIC = "public", _("public releases may hold")


class ConsentQuerySet(models.QuerySet["Consent"]):
    def live(self) -> Self:
        """Consents that were given and not withdrawn since."""
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
    reference = models.TextField(blank=True, help_text=_("where a consent given elsewhere can be found"))
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
                condition=Q(notice__isnull=False) | ~Q(reference="") | Q(withdraws__isnull=False),
                name="consent_says_what_was_agreed",
            ),
            models.CheckConstraint(
                condition=Q(withdraws=None) | ~Q(withdraws=F("id")), name="consent_does_not_end_itself"
            ),
        ]

    def __str__(self) -> str:
        return f"{'withdrawn' if self.withdraws_id else 'given'}: {self.material} for {self.purpose}"


class DataKey(models.Model):
    """The key that a contributor's voice is encrypted under, itself wrapped by a master key.

    Written only by accounts.keys. `master` names the file that holds the master key.
    """

    contributor = models.OneToOneField(User, on_delete=models.CASCADE, related_name="data_key")
    wrapped = models.BinaryField()
    master = models.CharField(max_length=32)

    def __str__(self) -> str:
        return f"data key {self.pk}"

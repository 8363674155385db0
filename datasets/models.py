"""The tables of this app: campaigns, clips, tasks (a clip under a campaign), annotations, frozen releases."""

import unicodedata
from typing import Self
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import (
    MaxValueValidator,
    MinValueValidator,
    ProhibitNullCharactersValidator,
    RegexValidator,
)
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Cast, Now, Random
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from accounts import consent, keys
from accounts.models import AuditEvent, Consent, Material, Purpose

from . import language_names, languages, licences, normalise, titles
from .words import words

language_code = RegexValidator(
    languages.CODE, _("Write a language code such as en or pt-BR."), code="language"
)


# Addresses of pages where a campaign's would be.
RESERVED_SLUGS = frozenset({"mixed", "next", "new", "join", "mine", "review", "reviewers"})


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def open(self) -> Self:
        """Those that ask volunteers and take clips."""
        return self.filter(stage=Campaign.Stage.OPEN)

    def public(self) -> Self:
        """Those that everyone may know of: not the ones that are still being made."""
        return self.exclude(stage=Campaign.Stage.DRAFT)


# The fields that make the question. Those are fixed from the first answer on.
QUESTION = ("kind", "language", "wake_word")


class Campaign(models.Model):
    """One question put to volunteers, and the rules for when an answer to it is settled."""

    class Stage(models.TextChoices):
        DRAFT = "draft", _("being made")
        OPEN = "open", _("open")
        PAUSED = "paused", _("paused")
        CLOSED = "closed", _("closed")
        ARCHIVED = "archived", _("archived")

    class TakingPart(models.TextChoices):
        EVERYONE = "everyone", _("everyone")
        LANGUAGE = "language", _("people who say that they understand its language")
        INVITED = "invited", _("people who have its link")

    class Kind(models.TextChoices):
        WAKE_WORD = "wake-word", _("wake word")
        TRANSCRIPTION = "transcription", _("transcription")

        @property
        def material(self) -> Material:
            """The material of its clips, for consent."""
            return Material.UTTERANCE if self == Campaign.Kind.TRANSCRIPTION else Material.WAKE_WORD

    slug = models.SlugField(unique=True, max_length=60)
    # Both are shown to everyone, as they were written.
    title = models.CharField(
        max_length=titles.LONGEST,
        default="",
        db_default="",
        blank=True,
        help_text=_("what people call it; empty: made from its kind and language"),
    )
    purpose = models.CharField(
        max_length=240,
        default="",
        db_default="",
        blank=True,
        help_text=_("one sentence: what it is for"),
    )
    becomes = models.CharField(
        max_length=240,
        default="",
        db_default="",
        blank=True,
        help_text=_("one sentence: what its answers become, such as a public data set"),
    )
    run_by = models.CharField(
        max_length=120,
        default="",
        db_default="",
        blank=True,
        help_text=_("who runs it, as volunteers read it"),
    )
    # {language of the site: {"title": …, "purpose": …, "becomes": …}}, where its owner translated them.
    translations = models.JSONField(default=dict, db_default={}, blank=True)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    language = models.CharField(max_length=languages.LONGEST, validators=[language_code])
    wake_word = models.CharField(max_length=80, blank=True)
    guidelines = models.TextField(blank=True)
    min_annotations = models.PositiveSmallIntegerField(default=2, validators=[MinValueValidator(1)])
    max_annotations = models.PositiveSmallIntegerField(default=7, validators=[MaxValueValidator(99)])
    confidence = models.FloatField(default=0.75)
    contributor_cap = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("the most clips of one contributor that one volunteer hears in a day; empty for no cap"),
    )
    speech_first = models.BooleanField(
        default=True, help_text=_("clips in which no speech was heard by machine come last")
    )
    control_share = models.FloatField(
        default=0.07,
        db_default=0.07,
        help_text=_(
            "the share of clips, 0 to 0.5, whose answer is known already. They show how reliable volunteers "
            "are; of a new volunteer’s first clips it is half"
        ),
    )
    must_hear = models.FloatField(
        default=1.0,
        help_text=_(
            "the share of a clip, 0 to 1, that must have sounded before “Yes” or a transcript can be given; "
            "half of it is enough for the other answers. The page keeps this rule, for people; a program "
            "that calls the site hears as it likes"
        ),
    )
    drafts_by = models.CharField(
        max_length=80,
        db_default="",
        blank=True,
        help_text=_(
            "the machine whose drafts an import may bring along; empty: no drafts are kept or offered"
        ),
    )
    needs_track_record = models.BooleanField(
        default=True,
        db_default=True,
        help_text=_(
            "the answers of new people alone do not settle a clip: at least one of those who answered it "
            "must have a track record"
        ),
    )
    needs_clearing = models.BooleanField(
        default=False,
        db_default=False,
        help_text=_(
            "releases for researchers, too, have only clips that two privacy reviewers cleared; "
            "public releases always do"
        ),
    )
    takes_part = models.CharField(
        max_length=10, choices=TakingPart.choices, default=TakingPart.EVERYONE, db_default="everyone"
    )
    # Of the link that works now, for people who are invited. The link itself is stored nowhere.
    invitation_sha256 = models.CharField(max_length=64, null=True, blank=True, unique=True, editable=False)
    # The same of the link by which one person becomes its reviewer.
    reviewing_sha256 = models.CharField(max_length=64, null=True, blank=True, unique=True, editable=False)
    # What its owner's page of releases begins with.
    release_audience = models.CharField(
        max_length=20,
        choices=[(Purpose.RESEARCHERS, Purpose.RESEARCHERS.label), (Purpose.PUBLIC, Purpose.PUBLIC.label)],
        default=Purpose.RESEARCHERS,
        db_default="researchers",
    )
    # Empty: what the licences of its clips allow.
    release_licence = models.CharField(max_length=40, default="", db_default="", blank=True)
    # Who answers for it, and is told when reports rise. Erased when that person leaves.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # Changed only by datasets.campaigns.move_to.
    stage = models.CharField(max_length=10, choices=Stage.choices, default=Stage.OPEN, db_default="open")
    # How many of its clips reviewers destroyed: nothing else is left that tells which campaign they were of.
    destroyed = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(
                condition=Q(min_annotations__gte=1) & Q(max_annotations__gte=F("min_annotations")),
                name="campaign_least_not_over_most",
                violation_error_message=_("The most annotations cannot be fewer than the least."),
            ),
            models.CheckConstraint(
                condition=Q(confidence__gt=0) & Q(confidence__lte=1),
                name="campaign_confidence_is_a_share",
                violation_error_message=_("The confidence to reach must be above 0 and at most 1."),
            ),
            models.CheckConstraint(
                condition=Q(must_hear__gte=0) & Q(must_hear__lte=1),
                name="campaign_must_hear_is_a_share",
                violation_error_message=_("The share that must be heard must be between 0 and 1."),
            ),
            models.CheckConstraint(
                condition=Q(control_share__gte=0) & Q(control_share__lte=0.5),
                name="campaign_control_share_is_at_most_half",
                violation_error_message=_("The share of known clips must be between 0 and 0.5."),
            ),
            models.CheckConstraint(
                condition=~Q(kind="wake-word") | ~Q(wake_word=""),
                name="wake_word_campaign_has_its_word",
                violation_error_message=_("A wake-word campaign needs its wake word."),
            ),
            models.CheckConstraint(
                condition=Q(kind="transcription") | Q(drafts_by=""),
                name="only_transcription_campaigns_have_drafts",
                violation_error_message=_("Only a transcription campaign has drafts."),
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        if self.slug in RESERVED_SLUGS:
            raise ValidationError({"slug": _("This name is taken by a page of the site.")})
        self.title = " ".join(self.title.split()) or titles.default(self.language, self.wake_word)
        for name in ("purpose", "becomes", "run_by"):
            setattr(self, name, " ".join(getattr(self, name).split()))
        self._refuse_another_question()

    def _refuse_another_question(self) -> None:
        """What was asked stays what was asked, once someone answered it: clone the campaign instead."""
        stored = Campaign.objects.filter(pk=self.pk).first() if self.pk else None
        if stored is None or not stored.is_answered:
            return
        message = _(
            "People have answered this question, so it cannot become another one. Clone the campaign instead."
        )
        changed = [name for name in QUESTION if getattr(self, name) != getattr(stored, name)]
        if changed:
            raise ValidationError({name: ValidationError(message, code="answered") for name in changed})

    @property
    def is_open(self) -> bool:
        return self.stage == self.Stage.OPEN

    @property
    def is_answered(self) -> bool:
        return self.tasks.filter(annotation_count__gt=0).exists()

    def said(self, name: str) -> str:
        """Its title, purpose or what it becomes, in the reader's language if its owner translated it."""
        translated = self.translations.get(get_language() or "", {}).get(name)
        return translated or getattr(self, name)

    @property
    def question(self) -> str:
        """What volunteers are asked about each clip, in the reader's language."""
        if self.kind == self.Kind.WAKE_WORD:
            return gettext("Is it “%(word)s”?") % {"word": self.wake_word}
        return gettext("Write down what is said")

    @property
    def question_html(self) -> SafeString:
        """The question on a page, where the wake word has its own language and direction."""
        if self.kind == self.Kind.WAKE_WORD:
            return format_html(gettext("Is it “%(word)s”?").replace("%(word)s", "{}"), self.wake_word_html)
        return format_html("{}", self.question)

    @property
    def wake_word_html(self) -> SafeString:
        return format_html('<bdi lang="{}">{}</bdi>', self.language, self.wake_word)

    @property
    def language_name(self) -> str:
        return language_names.own_name(self.language)

    @property
    def direction(self) -> str:
        """The direction of its script, for HTML's `dir`; auto if it is unknown."""
        known = language_names.about(self.language)
        if not known:
            return "auto"
        return "rtl" if known["bidi"] else "ltr"

    @property
    def asks_for_words(self) -> bool:
        return self.kind == self.Kind.TRANSCRIPTION

    def is_its_wake_word(self, word: str) -> bool:
        """Whether this is its wake word, however it is typed."""
        return normalise.text(word, self.language) == normalise.text(self.wake_word, self.language)

    @property
    def material(self) -> Material:
        return self.Kind(self.kind).material


class Participation(models.Model):
    """Someone who was invited to a campaign. Written only by datasets.taking_part; erased with the person."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="participations")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "campaign"], name="one_participation_per_person")
        ]

    def __str__(self) -> str:
        return f"participation {self.pk}"


class CampaignReviewer(models.Model):
    """Someone who reviews a campaign for its owner. Written only by datasets.reviewing; erased with them."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="own_reviewers")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reviewing", db_index=False
    )
    since = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "campaign"], name="one_reviewing_per_person")
        ]

    def __str__(self) -> str:
        return f"reviewer {self.pk}"


def short_enough_to_read(text: str) -> None:
    """Raise ValidationError unless a careful reader needs at most 15 s, the length of a recording.

    Ten letters a second is slow reading aloud; a digit, or a character of a script that writes whole
    syllables, counts as three letters.
    """
    tenths = sum(3 if c.isdigit() or unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
    if tenths > 10 * 15:
        message = _("Too long to read aloud in 15 s (about 150 letters).")
        raise ValidationError(message, code="too_long")


class Prompt(models.Model):
    """A sentence for contributors to read aloud. Written only by datasets.campaigns."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="prompts")
    text = models.CharField(
        max_length=200, validators=[short_enough_to_read, ProhibitNullCharactersValidator()]
    )
    times_read = models.PositiveIntegerField(default=0)  # written only by datasets.clips.recording

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "text"], name="one_prompt_per_sentence")]
        indexes = [models.Index(fields=["campaign", "times_read", "id"], name="prompts_least_read_first")]

    def __str__(self) -> str:
        return self.text


class Label(models.TextChoices):
    """The answers to a wake-word task."""

    YES = "yes", _("Yes")
    SIMILAR = "similar", _("Similar")
    NO = "no", _("No")
    NOISE = "noise", _("Noise")


def not_held(until: str) -> Q:
    """A condition for any query: the cooling-off is over. `until` is the query's field for `held_until`."""
    return Q(**{until: None}) | Q(**{f"{until}__lte": Now()})


class Withdrawal(models.Model):
    """A request to erase, and its progress. Written only by erasures.

    It names its person only by a number, and stores only counts, so it does not reveal what was erased.
    """

    class Scope(models.TextChoices):
        CLIPS = "clips", _("some clips")
        CONTRIBUTOR = "contributor", _("all clips")
        ACCOUNT = "account", _("the account")

    class Cause(models.TextChoices):
        ASKED = "asked", _("asked for by its person")
        SILENCED = "silenced", _("seconds silenced by a reviewer")
        DESTROYED = "destroyed", _("destroyed by a reviewer")

    person_id = models.BigIntegerField()
    scope = models.CharField(max_length=20, choices=Scope.choices)
    cause = models.CharField(max_length=10, choices=Cause.choices, default=Cause.ASKED, db_default="asked")
    keep_answers = models.BooleanField(null=True, blank=True)
    token_sha256 = models.CharField(max_length=64, unique=True)
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict, blank=True)
    # When the answers that stay stopped naming the person. Empty with `keep_answers`: that is still owed.
    answers_unnamed_at = models.DateTimeField(null=True, blank=True)
    # The newest master key that what was erased may be under in some backup. Owed: that it and all older ones
    # are destroyed, which sets `backups_closed_at`. Set with `finished_at`.
    last_master = models.PositiveIntegerField(null=True, blank=True)
    backups_closed_at = models.DateTimeField(null=True, blank=True)
    # The head of the audit chain when the erasure was finished. It is part of the receipt.
    event = models.ForeignKey(AuditEvent, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # What the receipt says instead, once that event was lost in the restore of an older backup.
    lost_event = models.JSONField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="withdrawals_to_do", condition=Q(finished_at=None)),
            models.Index(
                fields=["id"],
                name="answers_to_unname",
                condition=Q(keep_answers=True, answers_unnamed_at=None),
            ),
            models.Index(
                fields=["last_master"], name="withdrawals_owed", condition=Q(backups_closed_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"withdrawal {self.pk}"


class Import(models.Model):
    """A collection that a campaign's owner brings in the browser, or by the API.

    Files wait sealed under its own key, which their owner's data key wraps. Written only by datasets.imports.
    """

    class State(models.TextChoices):
        GATHERING = "gathering", _("files are being sent")
        RUNNING = "running", _("clips are being added")
        DONE = "done", _("finished")
        CANCELLED = "cancelled", _("cancelled")
        UNDOING = "undoing", _("being undone")
        UNDONE = "undone", _("undone")

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="imports")
    # Emptied when that person leaves, with the key.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="imports"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.GATHERING)
    is_public = models.BooleanField()  # the speakers' consent covers public releases too
    licence = models.CharField(max_length=licences.LONGEST, blank=True)  # empty: a column names it
    wrapped_key = models.BinaryField()  # under the owner's data key; empty once nothing is left to open
    # The collection's name, the consent reference, and how the table is read.
    sealed_about = models.BinaryField(default=bytes)
    is_planned = models.BooleanField(default=False)  # every file knows its row of the table
    counts = models.JSONField(default=dict, blank=True)  # of an ended import: how many files, by outcome
    is_clear = models.BooleanField(default=False)  # of an ended import: nothing of it waits any more
    size = models.BigIntegerField(default=0)  # of all files that were named, in bytes
    used_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["campaign", "-id"], name="imports_of_campaign"),
            models.Index(
                fields=["used_at"],
                name="imports_at_work",
                condition=Q(state__in=["gathering", "running", "undoing"]),
            ),
        ]

    def __str__(self) -> str:
        return f"import {self.pk}"


class ImportFile(models.Model):
    """A file of an import, until the import ends; one that was refused, until its owner had time to read why.

    Written only by datasets.imports.
    """

    class Kind(models.TextChoices):
        SOUND = "sound"
        TABLE = "table"

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        ADDED = "added", _("added")
        HELD = "held", _("held already")
        REFUSED = "refused", _("refused")

    run = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="files", db_index=False)
    # A keyed hash of its name, size and content, by which it is known when it is sent again.
    mark = models.CharField(max_length=64)
    kind = models.CharField(max_length=5, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    size = models.BigIntegerField()
    received = models.BigIntegerField(default=0)
    # Its name and hash, its row of the table, and why it was refused.
    sealed_about = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "mark"], name="one_file_per_mark"),
            models.CheckConstraint(
                condition=Q(received__gte=0) & Q(received__lte=F("size")), name="no_more_than_the_file"
            ),
        ]
        indexes = [models.Index(fields=["run", "state", "kind", "id"], name="files_of_import")]

    def __str__(self) -> str:
        return f"file {self.pk} of import {self.run_id}"


class ImportPart(models.Model):
    """Bytes of a file that wait, sealed, in the storage for uploads. Written only by datasets.imports."""

    file = models.ForeignKey(ImportFile, on_delete=models.PROTECT, related_name="parts", db_index=False)
    offset = models.BigIntegerField()
    size = models.PositiveIntegerField()
    stored_as = models.CharField(max_length=80, unique=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["file", "offset"], name="one_part_per_offset")]

    def __str__(self) -> str:
        return f"part {self.pk}"


def _in_use(clip: str = "") -> Q:
    """A condition on the clip's row, for any query: its cooling-off is over and it is not being erased.

    `clip` is the query's path to the clip: nothing, or "clip__".
    """
    return not_held(f"{clip}held_until") & Q(**{f"{clip}withdrawal": None})


def in_use_for(purpose: Purpose, clip: str = "", per_row: bool = False, since: int = 0) -> Q:
    """A condition: the clip at this path may be used for `purpose` now, unless a report hid it.

    `per_row` is faster where few rows are looked at; for `since` see accounts.consent.live_for.
    """
    consented = consent.live_for(f"{clip}contributor", f"{clip}material", purpose, since)
    return Q(consent.per_row(consented) if per_row else consented, _in_use(clip))


class ClipQuerySet(models.QuerySet["Clip"]):
    def live_for(self, purpose: Purpose) -> Self:
        """Clips that may be used for `purpose` now: consented to, out of the cooling-off, not hidden."""
        return self.filter(in_use_for(purpose), hidden_at=None)


class Clip(models.Model):
    """A recording: 16 kHz, mono, 16-bit. Its sound is stored encrypted in the vault, under `stored_as`."""

    class Source(models.TextChoices):
        IMPORT = "import", _("imported")
        BROWSER = "browser", _("recorded in the browser")
        DEVICE = "device", _("sent by a device")

    class Voice(models.TextChoices):
        UNKNOWN = "", _("a person's, as far as is known")
        MADE = "made", _("made by a machine")

    contributor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="clips")
    consent = models.ForeignKey(Consent, on_delete=models.PROTECT, related_name="clips")
    material = models.CharField(max_length=20, choices=Material.choices)
    language = models.CharField(max_length=languages.LONGEST, validators=[language_code])
    source = models.CharField(max_length=10, choices=Source.choices)
    seconds = models.FloatField()
    speech_share = models.FloatField(help_text=_("share of the clip in which a machine heard speech, 0 to 1"))
    # Speech over noise in whole dB, and the share that is clipped, in thousandths (datasets.clips.quality).
    # Without `clipping` neither is measured yet. Silencing seconds changes none of them: they say how the
    # clip was recorded, and zeros would count as its noise.
    snr = models.FloatField(null=True, blank=True)
    clipping = models.FloatField(null=True, blank=True)
    # A keyed hash and the sealed original, see datasets.clips.fingerprints. 0: stored plain by an older site.
    samples_hash = models.CharField(max_length=64, unique=True)
    hashed_under = models.PositiveIntegerField(default=0, db_default=0)  # number of a master key
    sealed_samples = models.BinaryField(default=bytes, db_default=b"")
    stored_as = models.CharField(max_length=80, unique=True)
    wrapped_key = models.BinaryField()  # under the contributor's data key
    licence = models.CharField(max_length=licences.LONGEST, blank=True, default="", db_default="")
    # What its import says; nobody else does.
    voice = models.CharField(max_length=5, choices=Voice.choices, default="", db_default="", blank=True)
    # The import that added it; one that found it here did not.
    brought_by = models.ForeignKey(
        Import, on_delete=models.PROTECT, null=True, blank=True, related_name="clips", db_index=False
    )
    created_at = models.DateTimeField()
    hidden_at = models.DateTimeField(null=True, blank=True)
    withdrawal = models.ForeignKey(
        Withdrawal, on_delete=models.PROTECT, null=True, blank=True, related_name="clips"
    )
    held_until = models.DateTimeField(
        null=True, blank=True, help_text=_("until then only the contributor hears it")
    )
    # The parts that are silent because they were private, [from, to] in seconds. Written only by silencing.
    silenced = models.JSONField(default=list, db_default=[], blank=True)
    # Since when privacy reviewers agree that nothing private is heard in it. Emptied when its sound changes
    # or somebody reports that it is private.
    cleared_at = models.DateTimeField(null=True, blank=True)
    # How many signs of something private a machine found in its words; empty: not looked at yet. It only
    # orders the checks.
    private_signs = models.PositiveSmallIntegerField(null=True, blank=True)

    objects = ClipQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["hashed_under", "id"], name="clips_by_master"),
            models.Index(fields=["id"], name="clips_hidden", condition=Q(hidden_at__isnull=False)),
            models.Index(fields=["id"], name="clips_to_measure", condition=Q(clipping=None, withdrawal=None)),
            models.Index(
                fields=["brought_by", "contributor"],
                name="clips_by_import",
                condition=Q(brought_by__isnull=False),
            ),
            models.Index(
                F("private_signs").desc(nulls_last=True),
                F("id"),
                name="clips_to_clear",
                condition=Q(cleared_at=None, withdrawal=None),
            ),
        ]

    def __str__(self) -> str:
        return f"clip {self.pk}"

    @cached_property
    def key(self) -> bytes:
        """The clip's own key, which seals its sound and its words. Raises KeyLost."""
        return keys.unseal(keys.existing_key(self.contributor), bytes(self.wrapped_key), self.key_label())

    def key_label(self) -> str:
        return self.key_label_of(self.stored_as)

    @staticmethod
    def key_label_of(stored_as: str) -> str:
        """What is authenticated together with a clip's wrapped key."""
        return f"key of {stored_as}"

    def wrap(self, key: bytes, data_key: bytes) -> None:
        """Set this key, wrapped by the contributor's data key. Does not save."""
        self.wrapped_key = keys.seal(data_key, key, self.key_label())


class TaskQuerySet(models.QuerySet["Task"]):
    def live_for(self, purpose: Purpose, per_row: bool = False, since: int = 0) -> Self:
        """Tasks whose clip may be used for `purpose` now. For `per_row` and `since` see `in_use_for`."""
        return self.filter(in_use_for(purpose, "clip__", per_row, since), clip__hidden_at=None)

    def locked_with_key(self) -> Self:
        """With campaign, clip and key, to write words: tasks and clips are locked, so the key stays theirs.

        If only the task were locked, a statement that waited for it would still see the clip as it was
        before, with a key that was replaced when seconds of it were silenced.
        """
        locked = self.select_for_update(of=("self", "clip"), no_key=True)
        return locked.select_related("campaign", "clip__contributor__data_key")


MAX_SPREAD = 2**31 - 1  # the largest value of Task.spread


def is_cleared_for(audience: Purpose) -> Q:
    """A condition on a task: privacy reviewers cleared its clip, if this audience's releases need that."""
    is_cleared = Q(clip__cleared_at__isnull=False)
    return is_cleared if audience == Purpose.PUBLIC else is_cleared | Q(campaign__needs_clearing=False)


class Task(models.Model):
    """One clip under one campaign, with the label that its annotations led to."""

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        SETTLED = "settled", _("settled")
        DISPUTED = "disputed", _("disputed")
        UNUSABLE = "unusable", _("unusable")

    # Other indexes begin with these columns, and every additional index is written for every answer.
    clip = models.ForeignKey(Clip, on_delete=models.PROTECT, related_name="tasks", db_index=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="tasks", db_index=False)
    # The answer according to the importer, or the sentence that was read. Never shown, never a vote.
    plain_reference = models.TextField(blank=True)
    sealed_reference = models.BinaryField(default=bytes)
    reference = words("reference", task_of=lambda task: task)
    # A machine's transcript, for a volunteer who asks to start from one. Never a vote.
    plain_draft = models.TextField(blank=True, db_default="")
    sealed_draft = models.BinaryField(default=bytes, db_default=b"")
    draft = words("draft", task_of=lambda task: task)
    priority = models.SmallIntegerField(default=0, help_text=_("lower comes first"))
    # Random order among otherwise equal tasks, so that volunteers who come together do not all get the same
    # one.
    spread = models.IntegerField(db_default=Cast(Random() * MAX_SPREAD, models.IntegerField()))

    # Written only by lending and answering, under this row's lock.
    annotation_count = models.PositiveSmallIntegerField(default=0)
    lent_count = models.PositiveSmallIntegerField(default=0)
    dirty_since = models.DateTimeField(null=True, blank=True)  # cleared only by settling
    # Since a refit learned what moves its confidence. Written only by learning, and cleared by settling.
    stale_since = models.DateTimeField(null=True, blank=True)

    # Written only by settling and by a reviewer's decision, under this row's lock.
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    wanted = models.PositiveSmallIntegerField(help_text=_("how many annotations are wanted at present"))
    # A reviewer asked for so many annotations, whatever the campaign's rule says. 0: none did.
    wanted_by_reviewer = models.PositiveSmallIntegerField(default=0, db_default=0)
    plain_answer = models.TextField(null=True, blank=True)
    sealed_answer = models.BinaryField(default=bytes)
    answer = words("answer", task_of=lambda task: task)
    plain_soft = models.JSONField(default=dict, blank=True)
    sealed_soft = models.BinaryField(default=bytes)
    soft = words("soft", task_of=lambda task: task)
    confidence = models.FloatField(null=True, blank=True)
    # The certificate of the label: with the annotations, enough to compute it again, byte for byte.
    plain_certificate = models.JSONField(default=dict, blank=True)
    sealed_certificate = models.BinaryField(default=bytes)
    certificate = words("certificate", task_of=lambda task: task)
    adjudicated = models.BooleanField(default=False)
    # Its answers would settle it, if only someone with a track record were among those who gave them.
    awaits_record = models.BooleanField(default=False, db_default=False)
    settled_at = models.DateTimeField(null=True, blank=True)
    # It came off being settled with so many annotations: by these it settles only at a higher confidence.
    fell_with = models.PositiveSmallIntegerField(default=0, db_default=0)

    # One of its kept answers is by someone who had a track record. Written only when people leave.
    kept_record = models.BooleanField(default=False, db_default=False)

    objects = TaskQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clip", "campaign"], name="one_task_per_clip_and_campaign"),
            models.CheckConstraint(
                condition=~Q(status="settled") | Q(plain_answer__isnull=False) | ~Q(sealed_answer=b""),
                name="settled_task_has_an_answer",
            ),
        ]
        indexes = [
            # For lending: most annotations first, then by priority, then from a random place on. Tasks that
            # await a track record are apart, as some people are lent them first and others last.
            *(
                models.Index(
                    F("campaign"),
                    F("annotation_count").desc(),
                    F("priority"),
                    F("spread"),
                    name=name,
                    condition=Q(status="open", awaits_record=awaits_record),
                )
                for name, awaits_record in (("tasks_to_lend", False), ("tasks_awaiting_a_record", True))
            ),
            models.Index(
                fields=["dirty_since"], name="tasks_to_settle", condition=Q(dirty_since__isnull=False)
            ),
            models.Index(
                fields=["stale_since"], name="tasks_to_recompute", condition=Q(stale_since__isnull=False)
            ),
            models.Index(
                fields=["campaign", "wanted_by_reviewer"],
                name="tasks_wanted_by_reviewers",
                condition=Q(status="open", wanted_by_reviewer__gt=0),
            ),
            # With the id, a page of one status is read in order, however many there are.
            models.Index(fields=["campaign", "status", "id"], name="tasks_by_status"),
            models.Index(
                fields=["campaign", "-settled_at"], name="tasks_settled_lately", condition=Q(status="settled")
            ),
        ]

    def __str__(self) -> str:
        return f"task {self.pk}"


class Reading(models.Model):
    """This task's clip is its speaker's reading of a prompt. Written only by datasets.clips.recording.

    The prompt is what is said in the clip, so it is not named here. The mark is a hash of it under the
    speaker's data key: no one can read it, and it is enough not to give the same person the same prompt
    again.
    """

    task = models.OneToOneField(Task, on_delete=models.CASCADE, primary_key=True, related_name="reading")
    mark = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return f"reading {self.pk}"


class Example(models.Model):
    """This task's clip is played next to its campaign's guidelines, with its answer.

    No one is asked about it any more, even after it is no longer shown, because its answer was visible.
    Written only when a reviewer chooses or removes an example.
    """

    task = models.OneToOneField(Task, on_delete=models.CASCADE, primary_key=True, related_name="example")
    # Why that is the answer. It may quote the clip.
    plain_note = models.TextField(blank=True)
    sealed_note = models.BinaryField(default=bytes)
    note = words("note", task_of=lambda example: example.task, always=True)
    is_shown = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"example {self.pk}"


class Annotation(models.Model):
    """One annotator's stored answer: a label, or a transcript exactly as typed.

    An answer whose annotator left and let it stay is no one's: it has no annotator, a random number below 0,
    no time finer than a quarter, and a weight that many people share. Only erasures write it so.
    """

    class Weight(models.IntegerChoices):
        """How much a kept answer counts. So few steps that a weight leads to no one."""

        LITTLE = 1, _("little")
        AVERAGE = 2, _("as much as a stranger's")
        MUCH = 3, _("much")

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="annotations", db_index=False)
    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="annotations",
        null=True,
        blank=True,
        db_index=False,
    )
    kept_weight = models.PositiveSmallIntegerField(choices=Weight.choices, null=True, blank=True)
    plain_answer = models.TextField(blank=True)
    sealed_answer = models.BinaryField(default=bytes)
    answer = words("answer", task_of=lambda annotation: annotation.task)
    # More than one person speaks in the clip. A mark beside the answer: no vote counts it.
    several_speakers = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "annotator"], name="one_annotation_per_annotator"),
            models.CheckConstraint(
                condition=Q(annotator__isnull=False, kept_weight=None)
                | Q(annotator=None, kept_weight__isnull=False, id__lt=0),
                name="only_kept_answers_are_no_ones",
            ),
        ]
        indexes = [models.Index(fields=["annotator", "-created_at"], name="annotations_of_one")]

    def __str__(self) -> str:
        return f"annotation {self.pk}"

    @property
    def voter(self) -> int:
        """Whose vote it is, as the consensus engine counts people: a kept answer is a person of its own.

        That is right, because no one answers a task twice.
        """
        return self.pk if self.annotator_id is None else self.annotator_id


class DatasetLine(models.Model):
    """Releases that are versions of each other. Written only by datasets.releases.freezing.

    In all of them a contributor's clips are in the same split.
    """

    started_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"line {self.pk}"


class LineSplit(models.Model):
    """The split of a contributor in a line of releases: drawn once. Written only by datasets.releases.

    It ends with the contributor, or once nothing of theirs is left in the line.
    """

    line = models.ForeignKey(DatasetLine, on_delete=models.CASCADE, related_name="splits", db_index=False)
    contributor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    split = models.CharField(max_length=10)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["line", "contributor"], name="one_split_per_contributor"),
        ]

    def __str__(self) -> str:
        return f"split {self.pk}"


# Addresses of pages where a release's would be.
RESERVED_RELEASES = frozenset({"mine", "requests"})


def not_a_page(slug: str) -> None:
    """Raises ValidationError for a release's name that is the address of another page."""
    if slug in RESERVED_RELEASES:
        raise ValidationError(_("This name is the address of a page. Choose another one."), code="reserved")


class Release(models.Model):
    """A frozen manifest of settled tasks. Its ids are random and used nowhere else.

    All that its archives say was written down when it was made. After that only recalls change it.
    """

    class Grants(models.TextChoices):
        STEWARD = "steward", _("its steward decides")
        AUTOMATIC = "automatic", _("whoever accepts the terms")

    slug = models.SlugField(unique=True, max_length=60, validators=[not_a_page])
    line = models.ForeignKey(DatasetLine, on_delete=models.PROTECT, related_name="releases")
    # The version before this one.
    previous = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="following"
    )
    version = models.CharField(max_length=20, default="1.0.0", db_default="1.0.0")
    notes = models.TextField(default="", db_default="", blank=True)
    campaigns = models.ManyToManyField(Campaign, related_name="releases")
    min_confidence = models.FloatField(default=0.0)
    min_contributors = models.PositiveIntegerField(default=1)
    licence = models.CharField(max_length=40, default="CC0-1.0")
    # Who may have it. It contains only clips whose contributors agreed to that.
    audience = models.CharField(
        max_length=20,
        choices=[(Purpose.RESEARCHERS, Purpose.RESEARCHERS.label), (Purpose.PUBLIC, Purpose.PUBLIC.label)],
        default=Purpose.RESEARCHERS,
    )
    # Who grants a request to download one that is for researchers. Written only by datasets.access.
    grants = models.CharField(
        max_length=10, choices=Grants.choices, default=Grants.STEWARD, db_default=Grants.STEWARD.value
    )
    published_at = models.DateTimeField()
    # Its voices are disguised, each clip in its own way. They may still be recognised.
    is_disguised = models.BooleanField(default=False, db_default=False)
    # Its archives list the answers of volunteers who agreed to that, one by one.
    has_single_votes = models.BooleanField(default=False, db_default=False)
    # Where the site was, and how to reach who ran it.
    site = models.CharField(max_length=200, default="", db_default="", blank=True)
    contact = models.CharField(max_length=200, default="", db_default="", blank=True)
    # Of each subset kind, language and wake word; of each campaign what it was and asked; of each source how
    # much came from it under which licence. See datasets.releases.pinning.
    subsets = models.JSONField(default=list, db_default=[], blank=True)
    asked = models.JSONField(default=list, db_default=[], blank=True)
    sources = models.JSONField(default=list, db_default=[], blank=True)
    # Counts: for its page, see datasets.releases.figures; and what changed since the previous version.
    figures = models.JSONField(default=dict, db_default={}, blank=True)
    # Counts of what the day's feed lists, for its page. Written only by datasets.releases.contents; empty if
    # they are still to be counted.
    contents = models.JSONField(default=dict, db_default={}, blank=True)
    changes = models.JSONField(default=dict, db_default={}, blank=True)
    # The clips that its page plays to everyone: [{"id", "seconds", "voice"}]. Chosen once, by
    # datasets.releases.samples; recalls take out what may not be one any more.
    samples = models.JSONField(default=list, db_default=[], blank=True)
    # What was found when privacy reviewers heard its campaigns' clips, for the card; counts, and no ids.
    clearing = models.JSONField(default=dict, db_default={}, blank=True)
    # Taken back as a whole, and why, as everyone reads it. Written only by datasets.releases.retraction.
    retracted_at = models.DateTimeField(null=True, blank=True)
    retracted_because = models.CharField(max_length=500, default="", db_default="", blank=True)
    # When the newest feed came, and the newest that changed anything. Written only by its recalls.
    recalls_published_on = models.DateField(null=True, blank=True)
    changed_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["-published_at"]

    def __str__(self) -> str:
        return self.slug


class AccessRequest(models.Model):
    """That somebody asked to download a release for researchers, and what became of it.

    Written only by datasets.access. Name, purpose and a steward's reason are sealed under the person's data
    key. Who asks again after an end gets a new row, so that the opt-out journal can name the one that ended.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waits for an answer")
        GRANTED = "granted", _("granted")
        REFUSED = "refused", _("refused")
        ENDED = "ended", _("ended by the steward")
        WITHDRAWN = "withdrawn", _("withdrawn")

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="access_requests", db_index=False
    )
    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="access_requests")
    state = models.CharField(max_length=10, choices=State.choices)
    sealed_about = models.BinaryField(default=bytes)
    terms = models.CharField(max_length=8)  # the version that they accepted last
    accepted_at = models.DateTimeField()
    asked_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="access_decisions",
    )
    # Granted because an admin made them a researcher: it counts as long as they are one.
    is_by_role = models.BooleanField(default=False)
    # A steward refused or ended an earlier one, so none is granted before a steward says so.
    must_wait = models.BooleanField(default=False)
    # In which the answer is mailed. Empty for older requests, whose people were not told of any e-mail.
    language = models.CharField(max_length=10, default="", db_default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "release"], name="one_access_request_per_release"),
        ]
        indexes = [
            models.Index(
                fields=["release", "asked_at"], condition=Q(state="waiting"), name="access_requests_waiting"
            )
        ]

    def __str__(self) -> str:
        return f"request {self.pk}"


class RecallNotice(models.Model):
    """Somebody wants an e-mail when clips of a release that they downloaded are recalled.

    Written only by datasets.access.recall_notices. There is none before a person ticks the box.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recall_notice"
    )
    language = models.CharField(max_length=10)  # of the page with the box

    def __str__(self) -> str:
        return f"recall notice {self.pk}"


class Letter(models.Model):
    """An e-mail about a release to one person: owed until it was sent or given up.

    Written only by datasets.access. It holds counts and codes: the address, and what a steward wrote, are
    opened when it is sent.
    """

    class Kind(models.TextChoices):
        """The first four are states of an AccessRequest."""

        GRANTED = "granted", _("your request was granted")
        REFUSED = "refused", _("your request was refused")
        ENDED = "ended", _("your access was ended")
        WITHDRAWN = "withdrawn", _("you withdrew from the terms")
        RECALLED = "recalled", _("clips were recalled")

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="letters")
    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="letters")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    language = models.CharField(max_length=10)
    day = models.DateField()  # on which it happened
    # Of one about recalls: how many clips, how many that copies for speech synthesis alone must lose, and how
    # many volunteers took their single votes back.
    recalled = models.PositiveIntegerField(default=0)
    not_for_synthesis = models.PositiveIntegerField(default=0)
    annotators = models.PositiveIntegerField(default=0, db_default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    # When to try; while it is being sent, when to try again if the worker is killed. Empty: never again.
    next_try_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)  # empty then: it was given up

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "release", "day"],
                condition=Q(kind="recalled"),
                name="one_letter_about_recalls_a_day",
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], name="letters_owed", condition=Q(next_try_at__isnull=False)),
            models.Index(fields=["day"], name="letters_by_age"),
        ]

    def __str__(self) -> str:
        return f"letter {self.pk}"


class ReleaseRowQuerySet(models.QuerySet["ReleaseRow"]):
    def listed(self) -> Self:
        """Those that the day's recall feed has left in their release."""
        # What a speaker withdrew stays recalled, even if they give consent again.
        recalled = Recall.objects.in_force().filter(
            release=OuterRef("release"), public_id=OuterRef("public_id")
        )
        return self.filter(~Exists(recalled))


class ReleaseRow(models.Model):
    """One settled task as it was when the release was frozen. Exports leave out what was withdrawn since."""

    class Change(models.TextChoices):
        """Why its answer is not that of the previous version."""

        NOTHING = "", _("it is the same")
        VOTES = "votes", _("more answers came")
        REVIEWER = "reviewer", _("a reviewer decided")
        RECOUNT = "recount", _("the same answers were counted anew")

    class Synthesis(models.TextChoices):
        NO = "", _("not agreed to")
        YES = "yes", _("agreed to")
        ENDED = "ended", _("not agreed to any more")

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="rows")
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="release_rows")
    public_id = models.CharField(max_length=32)
    speaker = models.CharField(max_length=32)
    split = models.CharField(max_length=10)
    plain_answer = models.TextField(blank=True)
    sealed_answer = models.BinaryField(default=bytes)
    answer = words("answer", task_of=lambda row: row.task)
    plain_soft = models.JSONField(default=dict)
    sealed_soft = models.BinaryField(default=bytes)
    soft = words("soft", task_of=lambda row: row.task)
    confidence = models.FloatField()
    votes = models.PositiveSmallIntegerField(default=0, db_default=0)
    # Whether its speaker agreed to speech synthesis when the release was made, and still does as of the feed.
    # Formats for synthesis have what is agreed to, and recall what is not any more.
    synthesis = models.CharField(
        max_length=6, choices=Synthesis.choices, default=Synthesis.NO, db_default="", blank=True
    )
    # Their places in the lists `subsets` and `asked` of the release.
    subset = models.PositiveSmallIntegerField(default=0, db_default=0)
    asked = models.PositiveSmallIntegerField(default=0, db_default=0)
    licence = models.CharField(max_length=licences.LONGEST, default="", db_default="", blank=True)
    source = models.CharField(max_length=10, default="", db_default="", blank=True)
    voice = models.CharField(max_length=5, choices=Clip.Voice.choices, default="", db_default="", blank=True)
    # How well it was recorded, as far as that was measured when the release was made; see Clip.
    snr = models.FloatField(null=True, blank=True)
    clipping = models.FloatField(null=True, blank=True)
    speech_share = models.FloatField(null=True, blank=True)
    # Its id in the previous version, and why its answer is another one now.
    previous_id = models.CharField(max_length=32, default="", db_default="", blank=True)
    changed_by = models.CharField(
        max_length=12, choices=Change.choices, default=Change.NOTHING, db_default="", blank=True
    )

    objects = ReleaseRowQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["release", "public_id"], name="one_row_per_release_id"),
            models.UniqueConstraint(fields=["release", "task"], name="one_row_per_released_task"),
        ]
        indexes = [
            # The two orders in which formats read a release: by id, and by speaker.
            models.Index(fields=["release", "subset", "split", "public_id"], name="rows_by_id"),
            models.Index(
                fields=["release", "subset", "split", "speaker", "public_id"], name="rows_by_speaker"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class ReleaseAnnotator(models.Model):
    """A volunteer in a release with single votes, under an id that is random for this release alone.

    `person` is emptied once they leave or do not agree any more. From the next feed on the id is in the feed,
    so that copies lose their votes. Written only by datasets.releases.single_votes.
    """

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="annotators", db_index=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="release_annotators",
        null=True,
        blank=True,
    )
    public_id = models.CharField(max_length=32)
    ended_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["release", "public_id"], name="one_annotator_per_release_id"),
            models.UniqueConstraint(fields=["release", "person"], name="one_release_id_per_annotator"),
        ]

    def __str__(self) -> str:
        return self.public_id


class SingleVote(models.Model):
    """One volunteer's answer to a clip, as it was when the release was frozen.

    What was taken back has no giver and no content; its place stays until the next feed. Written only by
    datasets.releases.single_votes.
    """

    row = models.ForeignKey(ReleaseRow, on_delete=models.CASCADE, related_name="single_votes")
    # Not `annotator`, which is an account in other tables.
    giver = models.ForeignKey(
        ReleaseAnnotator, on_delete=models.CASCADE, related_name="votes", null=True, blank=True
    )
    plain_answer = models.TextField(blank=True)
    sealed_answer = models.BinaryField(default=bytes)
    answer = words("answer", task_of=lambda vote: vote.row.task)
    size = models.PositiveIntegerField()  # of the answer, in bytes of UTF-8
    # What its certificate says; None if it has none, or if few annotators have this weight.
    weight = models.FloatField(null=True, blank=True)
    # None where few annotators answered on that day.
    day = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return f"single vote {self.pk}"


class CountBudget(models.Model):
    """What was spent in a quarter of the privacy budget for counts of people.

    Written only by datasets.releases.budget.
    """

    quarter = models.CharField(max_length=10, unique=True)
    spent = models.CharField(max_length=40, default="0")  # epsilon, as a fraction

    def __str__(self) -> str:
        return self.quarter


class ArchivePlan(models.Model):
    """The layout of a release's archive in one format, as of a recall feed.

    Written only by datasets.releases. It is sealed under a master key. If that is gone, or the feed is newer,
    the archive is planned again.
    """

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="plans", db_index=False)
    form = models.CharField(max_length=40)
    as_of = models.DateField(null=True)  # Release.changed_on
    code = models.CharField(max_length=16)  # which code made it
    master = models.CharField(max_length=20)
    sealed = models.BinaryField()
    size = models.BigIntegerField()  # bytes of the archive; 0: the format cannot take this release
    clips = models.PositiveIntegerField(default=0)
    refusal = models.JSONField(default=dict, blank=True)  # code and parameters, if it cannot

    class Meta:
        constraints = [models.UniqueConstraint(fields=["release", "form"], name="one_plan_per_format")]

    def __str__(self) -> str:
        return f"plan {self.pk}"


class RecallQuerySet(models.QuerySet["Recall"]):
    def in_force(self) -> Self:
        """What the feed says must be deleted: published, and not good again since."""
        return self.filter(published_on__isnull=False, returned_on=None)

    def erased(self) -> Self:
        """What was erased since the feed was published, and stays in the release's lists until the next."""
        return self.filter(Q(published_on=None) | Q(returned_on__isnull=False), line__isnull=False)


class Recall(models.Model):
    """An id of a release whose clip was taken back, for the release's recall feed.

    Its only times are days on which the feed was published, which are public. A recall after a report is not
    final: if a reviewer dismisses the report, the next feed says that the clip is good again. Written only by
    erasures and by the daily publication.
    """

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="recalls")
    public_id = models.CharField(max_length=32)
    published_on = models.DateField(null=True, blank=True)
    returned_on = models.DateField(null=True, blank=True)
    is_final = models.BooleanField(db_default=True)
    # What the release's lists say of an erased clip, without its words. The next publication removes it.
    line = models.JSONField(null=True, blank=True)

    objects = RecallQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["release", "public_id"], name="one_recall_per_release_id"),
            models.CheckConstraint(
                condition=Q(returned_on=None) | Q(is_final=False), name="a_final_recall_does_not_return"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class Webhook(models.Model):
    """Where a campaign's owner wants to be told what happens in it. Written only by datasets.webhooks.

    It belongs to whoever made it: address and secrets are sealed under their data key, and it ends with them.
    """

    class Event(models.TextChoices):
        CAMPAIGN_CHANGED = "campaign.changed", _("the campaign was changed, opened, paused or closed")
        CAMPAIGN_SETTLED = "campaign.settled", _("clips were settled")
        DISPUTE_OPENED = "dispute.opened", _("clips wait for a reviewer, as volunteers disagree")
        IMPORT_FINISHED = "import.finished", _("an import is finished")
        RELEASE_MADE = "release.made", _("a release was made")
        RELEASE_RETRACTED = "release.retracted", _("a release was retracted")
        CLIPS_RECALLED = "clips.recalled", _("clips of a release were recalled, or returned")

    class WhyOff(models.TextChoices):
        OWNER = "owner", _("an owner switched it off")
        GONE = "gone", _("its server said that nothing is there any more")
        FAILING = "failing", _("no message arrived for days")
        MAKER = "maker", _("whoever made it does not run this campaign any more")
        UNREADABLE = "unreadable", _("its address cannot be read any more")

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="webhooks")
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="webhooks")
    sealed = models.BinaryField()  # see datasets.webhooks.sealing
    events = models.JSONField(default=list)
    made_at = models.DateTimeField()
    off_at = models.DateTimeField(null=True, blank=True)
    why_off = models.CharField(max_length=10, choices=WhyOff.choices, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)  # no attempt succeeded since then
    # Up to when it was told how many clips were settled and disputed. Written only by what counts these.
    counted_until = models.DateTimeField()

    class Meta:
        ordering = ["made_at", "id"]

    def __str__(self) -> str:
        return f"webhook {self.pk}"


class Delivery(models.Model):
    """A message to a webhook: owed until it arrived or was given up. Written only by datasets.webhooks.

    It holds what is sent, which names no one, and of the answer only the status and its first line.
    """

    class Fault(models.TextChoices):
        NOT_ALLOWED = "not-allowed", _("this site does not allow that host")
        NOT_PUBLIC = "not-public", _("its address is inside a network that this site does not send to")
        NOT_FOUND = "not-found", _("no such host was found")
        NO_CONNECTION = "no-connection", _("no connection")
        NO_TRUST = "no-trust", _("its certificate could not be verified")
        TOO_LATE = "too-late", _("no answer in time")
        NO_HTTP = "no-http", _("the answer was not HTTP")

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    event = models.CharField(max_length=20)  # one of Webhook.Event, or webhook.test
    body = models.TextField()
    happened_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    # When to try again; while it is being tried, when to try again if the worker is killed. Empty: never.
    next_try_at = models.DateTimeField(null=True, blank=True)
    arrived_at = models.DateTimeField(null=True, blank=True)
    # Of the last attempt.
    tried_at = models.DateTimeField(null=True, blank=True)
    milliseconds = models.PositiveIntegerField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    fault = models.CharField(max_length=15, choices=Fault.choices, blank=True)
    first_line = models.CharField(max_length=120, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_try_at"], name="deliveries_owed", condition=Q(next_try_at__isnull=False)
            ),
            models.Index(fields=["webhook", "-happened_at"], name="deliveries_of_webhook"),
            models.Index(fields=["happened_at"], name="deliveries_by_age"),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}"


class Reconciliation(models.Model):
    """The result of one reconciliation: counts, no ids. Written only by the reconciler."""

    looked_at = models.DateTimeField()
    held = models.JSONField()  # what is stored, counted by kind
    orphans = models.JSONField()  # counted by kind; all are 0 if everything is in order
    erasures = models.JSONField()  # number finished, median and longest time in minutes

    class Meta:
        ordering = ["-looked_at", "-id"]

    def __str__(self) -> str:
        return f"reconciliation {self.pk}"

"""How it gets agreed: assignments, disputes, controls, and what is learned of crowds."""

from collections.abc import Iterable
from datetime import datetime
from typing import Self
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from datasets import languages
from datasets.models import Annotation, Campaign, Clip, Task
from datasets.words import words

from . import durations


class Assignment(models.Model):
    """A task lent to one annotator until a time. Written only by tagger.lending.

    There is only ever one row for each person, task and role. It changes only under the task's row lock.
    Annotators never see its role.
    """

    class Role(models.TextChoices):
        VOTE = "vote", _("an answer that is wanted")
        CONTROL = "control", _("a task whose answer is known")
        REPEAT = "repeat", _("the volunteer's own earlier task, lent again")

        @property
        def takes_a_place(self) -> bool:
            """Whether it counts in its task's lent_count while it is lent: a repeat brings no vote."""
            return self is not type(self).REPEAT

    class State(models.TextChoices):
        LENT = "lent", _("lent")
        DONE = "done", _("answered")
        SKIPPED = "skipped", _("skipped")
        REPORTED = "reported", _("reported")
        EXPIRED = "expired", _("expired")

    # Other indexes begin with these columns, and every index costs a write for every answer.
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="assignments", db_index=False)
    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="assignments", db_index=False
    )
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VOTE)
    state = models.CharField(max_length=10, choices=State.choices, default=State.LENT)
    # They asked for the machine's draft and were shown it.
    saw_draft = models.BooleanField(default=False, db_default=False)
    lent_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["task", "annotator", "role"], name="one_assignment_per_annotator_and_role"
            )
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="assignments_to_reclaim", condition=Q(state="lent")),
            models.Index(fields=["annotator", "lent_at"], name="assignments_of_one"),
            # Few rows of each annotator, however many they answered.
            models.Index(fields=["annotator"], name="assignments_held", condition=Q(state="lent")),
            models.Index(fields=["annotator"], name="assignments_of_controls", condition=Q(role="control")),
        ]

    def __str__(self) -> str:
        return f"assignment {self.pk}"


class ReportQuerySet(models.QuerySet["Report"]):
    def open(self) -> Self:
        """Those on which no reviewer has decided."""
        return self.filter(dismissed_at=None, upheld_at=None)


class Report(models.Model):
    """A volunteer's mark on a clip that should not be heard; one for each person and clip.

    Written by tagger.lending.reporting, dismissed or upheld by tagger.review, erased with its clip or its
    person. It changes only under the clip's row lock.
    """

    class Reason(models.TextChoices):
        PRIVATE = "private", _("private: a name, an address, a number")
        OTHER_PERSON = "other-person", _("someone who may not know about the recording")
        OFFENSIVE = "offensive", _("offensive")
        LANGUAGE = "language", _("another language")
        AUDIO = "audio", _("cannot be heard")

    clip = models.ForeignKey(Clip, on_delete=models.CASCADE, related_name="reports", db_index=False)
    campaign = models.ForeignKey(  # in which it was heard
        Campaign, on_delete=models.CASCADE, related_name="reports", db_index=False
    )
    reporter = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reports", db_index=False
    )
    reason = models.CharField(max_length=20, choices=Reason.choices)
    # The part that it marks, if any: its start and end, in seconds.
    part_from = models.FloatField(null=True, blank=True)
    part_to = models.FloatField(null=True, blank=True)
    # What the reporter adds, for reviewers alone. It may quote the clip, so the clip's key seals it.
    plain_note = models.TextField(blank=True, db_default="")
    sealed_note = models.BinaryField(default=bytes, db_default=b"")
    note = words("note", task_of=lambda report: report, always=True)
    at = models.DateTimeField()
    dismissed_at = models.DateTimeField(null=True, blank=True)
    # A reviewer found it right, and did something about the clip.
    upheld_at = models.DateTimeField(null=True, blank=True)

    objects = ReportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clip", "reporter"], name="one_report_per_clip_and_reporter")
        ]
        indexes = [
            models.Index(fields=["reporter", "at"], name="reports_of_one"),
            models.Index(fields=["campaign", "at"], name="reports_by_campaign"),
            models.Index(
                fields=["clip"], name="reports_open", condition=Q(dismissed_at=None, upheld_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"report {self.pk}"


class ReportRise(models.Model):
    """More reports of a campaign's clips than usual, and whether its owner and reviewers saw the notice.

    Written only by tagger.review.rises. It names no one who reported.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="report_rises")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    reports = models.PositiveIntegerField(help_text=_("in the last hour, when it was last counted"))
    seen_by_owner_at = models.DateTimeField(null=True, blank=True)
    seen_by_reviewers_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign"], name="one_report_rise_at_a_time", condition=Q(ended_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"rise of reports {self.pk}"


class GuidelinesFlag(models.Model):
    """A volunteer says that a campaign's guidelines are unclear; one for each person and text of them.

    Written only by tagger.desk.guidelines_flags, and erased with its person. The note is sealed under that
    person's data key.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="guidelines_flags")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="guidelines_flags", db_index=False
    )
    version = models.CharField(max_length=16, help_text=_("made from the guidelines that it is about"))
    sealed_note = models.BinaryField(default=bytes)
    at = models.DateTimeField()
    seen_by_owner_at = models.DateTimeField(null=True, blank=True)
    seen_by_reviewers_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "campaign", "version"], name="one_guidelines_flag_per_person_and_text"
            )
        ]

    def __str__(self) -> str:
        return f"guidelines flag {self.pk}"


class ReviewItemQuerySet(models.QuerySet["ReviewItem"]):
    def open(self) -> Self:
        return self.filter(closed_at=None)

    def free_for(self, reviewer: User, now: datetime) -> Self:
        """Those that no other reviewer has."""
        return self.filter(Q(reviewer=None) | Q(lent_until__lte=now) | Q(reviewer=reviewer))

    def with_keys(self) -> Self:
        """With all that opening the words of their clips and tasks reads."""
        return self.select_related("campaign", "clip__contributor__data_key", "task__campaign")

    def close(self, now: datetime) -> None:
        self.update(closed_at=now, reviewer=None, lent_until=None)

    def open_disputes(self, tasks: Iterable[Task], reason: str, now: datetime) -> None:
        """One for each of these tasks, whose rows are locked, unless one is open."""
        items = [
            ReviewItem(
                kind=ReviewItem.Kind.DISPUTE,
                reason=reason,
                clip_id=task.clip_id,
                task=task,
                campaign=task.campaign,
                language=task.campaign.language,
                opened_at=now,
            )
            for task in tasks
        ]
        ReviewItem.objects.bulk_create(items, ignore_conflicts=True)

    def open_report(self, clip: Clip, report: Report, now: datetime) -> None:
        """One for the clip, whose row is locked. If one is open, it gets the gravest reason of both."""
        item = self.open().filter(clip=clip, kind=ReviewItem.Kind.REPORT).first() or ReviewItem(
            kind=ReviewItem.Kind.REPORT,
            reason=report.reason,
            clip=clip,
            campaign_id=report.campaign_id,
            language=clip.language,
            opened_at=now,
        )
        item.reason = min(item.reason, report.reason, key=Report.Reason.values.index)
        item.rank = ReviewItem.FIRST if item.reason == Report.Reason.PRIVATE else ReviewItem.USUAL
        item.save()

    def open_check(self, clip: Clip, campaign: Campaign, reason: str, now: datetime) -> None:
        """One for the clip, whose row is locked, unless one is open."""
        item = ReviewItem(
            kind=ReviewItem.Kind.CHECK,
            reason=reason,
            clip=clip,
            campaign=campaign,
            language=clip.language,
            opened_at=now,
        )
        ReviewItem.objects.bulk_create([item], ignore_conflicts=True)


class ReviewItem(models.Model):
    """A clip that waits for a reviewer, and why: one open item for each task or clip, and kind.

    Opened by tagger.settling.settlement, tagger.lending.reporting, tagger.desk.objections, and findings,
    second looks and clearing in tagger.review, which lends and closes them.
    """

    class Kind(models.TextChoices):
        DISPUTE = "dispute", _("dispute")
        REPORT = "report", _("report")
        CHECK = "check", _("check before publication")

    class Reason(models.TextChoices):
        # of a dispute
        NO_AGREEMENT = "no-agreement", _("volunteers do not agree")
        CONTROL_MISSED = "control-missed", _("a known answer that many miss")
        CONFIDENCE_FELL = "confidence-fell", _("settled, and less certain since")
        MACHINE_DIFFERS = "machine-differs", _("a machine hears something else")
        SECOND_LOOK = "second-look", _("a second look at a decision")
        OWNER_ASKS = "owner-asks", _("the campaign’s owner asks")
        OBJECTION = "objection", _("a volunteer still thinks otherwise")
        # of a report: the gravest of its reports
        PRIVATE = Report.Reason.PRIVATE.value, Report.Reason.PRIVATE.label
        OTHER_PERSON = Report.Reason.OTHER_PERSON.value, Report.Reason.OTHER_PERSON.label
        OFFENSIVE = Report.Reason.OFFENSIVE.value, Report.Reason.OFFENSIVE.label
        LANGUAGE = Report.Reason.LANGUAGE.value, Report.Reason.LANGUAGE.label
        AUDIO = Report.Reason.AUDIO.value, Report.Reason.AUDIO.label
        # of a check
        FOUND = "found", _("something private was heard")
        UNSURE = "unsure", _("a privacy reviewer is not sure")

    FIRST, USUAL = 0, 1  # ranks

    kind = models.CharField(max_length=10, choices=Kind.choices)
    reason = models.CharField(max_length=20, choices=Reason.choices)
    clip = models.ForeignKey(Clip, on_delete=models.CASCADE, related_name="review_items")
    # Of a dispute; a report is about the clip, whatever is asked about it.
    task = models.ForeignKey(
        Task, on_delete=models.CASCADE, null=True, blank=True, related_name="review_items"
    )
    # Copied, so that the queue is filtered by an index.
    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="review_items", db_index=False
    )
    language = models.CharField(max_length=languages.LONGEST)
    rank = models.PositiveSmallIntegerField(default=USUAL, help_text=_("lower comes first, then the oldest"))
    opened_at = models.DateTimeField()
    # Whether it keeps its clip out of releases. Written only by tagger.review.blocking, every few minutes.
    blocks_public = models.BooleanField(default=False, db_default=False)
    blocks_researchers = models.BooleanField(default=False, db_default=False)
    # To whom it is lent, and until when.
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="review_items",
    )
    lent_until = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = ReviewItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["task"], name="one_open_dispute_per_task", condition=Q(kind="dispute", closed_at=None)
            ),
            models.UniqueConstraint(
                fields=["clip"],
                name="one_open_report_item_per_clip",
                condition=Q(kind="report", closed_at=None),
            ),
            models.UniqueConstraint(
                fields=["clip"],
                name="one_open_check_item_per_clip",
                condition=Q(kind="check", closed_at=None),
            ),
            models.CheckConstraint(
                condition=~Q(kind="dispute") | Q(task__isnull=False), name="a_dispute_is_about_a_task"
            ),
        ]
        indexes = [
            models.Index(
                fields=["rank", "opened_at", "id"], name="review_queue", condition=Q(closed_at=None)
            ),
            models.Index(
                fields=["kind", "rank", "opened_at", "id"],
                name="review_queue_of_a_kind",
                condition=Q(closed_at=None),
            ),
            models.Index(
                fields=["campaign", "rank", "opened_at", "id"],
                name="review_queue_of_a_campaign",
                condition=Q(closed_at=None),
            ),
            *(
                models.Index(
                    fields=["rank", "opened_at", "id"],
                    name=f"review_{column}",
                    condition=Q(closed_at=None) & Q(**{column: True}),
                )
                for column in ("blocks_public", "blocks_researchers")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Decision(models.Model):
    """What a reviewer did to an item of the review queue, with what undoing it needs.

    Written only by tagger.review. A decision that names no reviewer is by someone who left.
    """

    class Act(models.TextChoices):
        ACCEPT = "accept", _("accepted an answer")
        ASK_MORE = "ask-more", _("asked for more answers")
        UNUSABLE = "unusable", _("called the clip unusable")
        RETURN = "return", _("put the clip back in the queue")
        DISMISS = "dismiss", _("dismissed its reports")
        SILENCE = "silence", _("silenced private seconds")
        DESTROY = "destroy", _("destroyed the clip")
        CLEAR = "clear", _("cleared the clip for release")

    class UnusableReason(models.TextChoices):
        UNINTELLIGIBLE = "unintelligible", _("nobody can tell what is said")
        CUT_OFF = "cut-off", _("its beginning or its end is missing")
        LANGUAGE = "language", _("another language")
        SOUND = "sound", _("too noisy, too quiet or distorted")
        OTHER = "other", _("something else")

    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="decisions")
    clip = models.ForeignKey(Clip, on_delete=models.CASCADE, related_name="decisions")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+", db_index=False)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="decisions"
    )
    act = models.CharField(max_length=20, choices=Act.choices)
    # Why the clip is unusable.
    reason = models.CharField(max_length=20, choices=UnusableReason.choices, blank=True)
    # The answer that was accepted, as it was typed.
    plain_answer = models.TextField(blank=True)
    sealed_answer = models.BinaryField(default=bytes)
    answer = words("answer", task_of=lambda decision: decision, sealed_as="tagger.dispute")
    # For other reviewers. It may quote the clip.
    plain_note = models.TextField(blank=True)
    sealed_note = models.BinaryField(default=bytes)
    note = words("note", task_of=lambda decision: decision, always=True)
    # What it changed, as it was.
    plain_before = models.JSONField(default=dict, blank=True)
    sealed_before = models.BinaryField(default=bytes)
    before = words("before", task_of=lambda decision: decision, always=True)
    decided_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["reviewer", "-decided_at"], name="decisions_of_one")]

    def __str__(self) -> str:
        return f"decision {self.pk}"


class KnownPositive(models.Model):
    """A made sound in which a made voice says invented private things. No person's voice is in it.

    It is mixed into the checks, so that what checkers miss can be measured. It is no clip: it has no task,
    and nothing that lists or releases clips can reach it. Written only by tagger.review.known_positives.
    """

    language = models.CharField(max_length=languages.LONGEST)
    seconds = models.FloatField()
    sound = models.BinaryField()  # a WAV file
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"known positive {self.pk}"


class PrivacyCheckQuerySet(models.QuerySet["PrivacyCheck"]):
    def current(self) -> Self:
        """Those of the sound as it is now."""
        return self.filter(voided_at=None)

    def done(self) -> Self:
        return self.filter(done_at__isnull=False)

    def void(self, clip: Clip, now: datetime) -> None:
        """The clip has to be checked anew: its sound changed, or someone reported it. Its row is locked."""
        current = self.current().filter(clip=clip)
        current.filter(done_at=None).delete()
        current.update(voided_at=now)
        ReviewItem.objects.open().filter(clip=clip, kind=ReviewItem.Kind.CHECK).close(now)
        Clip.objects.filter(pk=clip.pk).update(cleared_at=None, private_signs=None)


class PrivacyCheck(models.Model):
    """One privacy reviewer's look at a clip before it is published: lent until a time, then answered.

    Of a clip, or of a made sound with a known answer. Nobody who checks sees what another answered. Written
    only by tagger.review.clearing; a check that names no one is by someone who left.
    """

    class Answer(models.TextChoices):
        NO = "no", _("nothing private")
        YES = "yes", _("something private")
        UNSURE = "unsure", _("not sure")

    class Found(models.TextChoices):
        NAME = "name", _("a name")
        NUMBER = "number", _("a number, such as a telephone or card number")
        ADDRESS = "address", _("an address")
        ACCOUNT = "account", _("an account, an e-mail address or a password")
        HEALTH = "health", _("somebody’s health")
        OTHER_VOICE = "other-voice", _("another person’s voice")

    clip = models.ForeignKey(
        Clip, on_delete=models.CASCADE, null=True, blank=True, related_name="privacy_checks"
    )
    known = models.ForeignKey(
        KnownPositive, on_delete=models.CASCADE, null=True, blank=True, related_name="checks"
    )
    checker = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="privacy_checks",
    )
    lent_until = models.DateTimeField()
    # When its sound was first asked for: without that, nobody heard it.
    sound_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=10, choices=Answer.choices, blank=True)
    found = models.JSONField(default=list, blank=True)  # of Found
    parts = models.JSONField(default=list, blank=True)  # where, [from, to] in seconds
    heard = models.FloatField(null=True, blank=True, help_text=_("seconds of it that sounded"))
    done_at = models.DateTimeField(null=True, blank=True)
    # The sound changed since, or the clip was reported as private: this check counts no more.
    voided_at = models.DateTimeField(null=True, blank=True)

    objects = PrivacyCheckQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(clip__isnull=False, known=None) | Q(clip=None, known__isnull=False),
                name="a_check_is_of_one_sound",
            ),
            models.UniqueConstraint(
                fields=["clip", "checker"],
                name="one_current_check_per_person_and_clip",
                condition=Q(voided_at=None),
            ),
            models.UniqueConstraint(
                fields=["known", "checker"], name="one_check_per_person_and_known_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"check {self.pk}"

    @property
    def seconds(self) -> float:
        """How long its sound lasts."""
        return self._sound.seconds

    @property
    def language(self) -> str:
        return self._sound.language

    @property
    def _sound(self) -> Clip | KnownPositive:
        sound = self.clip or self.known
        assert sound, "a_check_is_of_one_sound"
        return sound

    @property
    def found_labels(self) -> list[str]:
        return [str(self.Found(each).label) for each in self.found]


class Crowd(models.Model):
    """Everyone who answers one kind of question in one language, as the last refit learned them.

    Written only by tagger.learning.refit, and `recount_below` by tagger.learning.recomputing. `shared` is the
    engine's crowd without the annotators' skills.
    """

    kind = models.CharField(max_length=20, choices=Campaign.Kind.choices)
    language = models.CharField(max_length=35)
    shared = models.JSONField()
    annotations = models.PositiveBigIntegerField()
    fitted_at = models.DateTimeField()
    # The version of the engine by which it was learned.
    engine = models.PositiveSmallIntegerField(default=1, db_default=1)
    # All of its tasks with lower numbers are to be settled again, from the highest down. None: none are.
    recount_below = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "language"], name="one_crowd_per_language")]

    def __str__(self) -> str:
        return f"{self.kind} in {self.language}"


class Reliability(models.Model):
    """How well one annotator answers in all campaigns of a crowd, by the last refit.

    `skill` is what to expect of them in one where they have not answered; for the others there is
    CampaignReliability. Written only by tagger.learning.refit. Annotators see their own on their page, and
    reviewers see all.
    """

    crowd = models.ForeignKey(Crowd, on_delete=models.CASCADE, related_name="reliabilities")
    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reliabilities"
    )
    skill = models.JSONField()  # as the engine's crowd keeps it
    score = models.FloatField(help_text=_("the share of right answers to expect, 0 to 1"))
    answers = models.PositiveIntegerField()
    hurried = models.FloatField(default=0, help_text=_("the share of answers given before the sound ended"))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["crowd", "annotator"], name="one_reliability_per_crowd")
        ]

    def __str__(self) -> str:
        return f"reliability {self.pk}"


class CampaignCrowd(models.Model):
    """What holds in one campaign of a crowd in place of what holds in the others, by the last refit.

    Written only by tagger.learning.refit, together with its Crowd. `shared` has those of the crowd's fields
    that are the campaign's own.
    """

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, related_name="own_crowd")
    shared = models.JSONField()

    def __str__(self) -> str:
        return f"crowd of campaign {self.campaign_id}"


class CampaignReliability(models.Model):
    """How well one annotator answers in one campaign, by the last refit of their crowd.

    Written only by tagger.learning.refit.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="reliabilities")
    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="campaign_reliabilities"
    )
    skill = models.JSONField()  # as the engine's crowd keeps it
    score = models.FloatField(help_text=_("the share of right answers to expect, 0 to 1"))
    answers = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "annotator"], name="one_reliability_per_campaign")
        ]

    def __str__(self) -> str:
        return f"reliability {self.pk} in campaign {self.campaign_id}"


class TrackRecord(models.Model):
    """Someone whose answers can settle a task together with those of new people, in one crowd.

    It is gained once and stays: how well they answer from then on is for their weight to say. Written only
    by tagger.settling.track_records.
    """

    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="track_records", db_index=False
    )
    kind = models.CharField(max_length=20, choices=Campaign.Kind.choices)
    language = models.CharField(max_length=35)
    # The tasks that only lacked it are to be settled again.
    is_new = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["annotator", "kind", "language"], name="one_track_record_per_crowd"
            )
        ]
        indexes = [models.Index(fields=["id"], name="new_track_records", condition=Q(is_new=True))]

    def __str__(self) -> str:
        return f"track record {self.pk}"


class PersonWeight(models.Model):
    """How much one person's answers count in one campaign, as its owner decided.

    It takes no answer away: settling raises the likelihood of each of them to this power, and leaves out what
    has none. The note, which tells why, is sealed under that person's data key. Written only by
    tagger.settling.person_weights; erased with its person.
    """

    class Factor(models.TextChoices):
        NOTHING = "0", _("nothing")
        LESS = "0.5", _("half")
        USUAL = "1", _("as usual")
        MORE = "2", _("twice")

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="person_weights")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="person_weights", db_index=False
    )
    factor = models.FloatField()  # 0: their answers do not count; 1: as usual; at most 2
    sealed_note = models.BinaryField(default=bytes)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField()
    # The tasks that they answered are to be settled again.
    is_new = models.BooleanField(default=True)
    # Decided for everyone who had stopped answering; it ends when they answer again.
    until_return = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "campaign"], name="one_weight_per_person_and_campaign"),
            models.CheckConstraint(
                condition=Q(factor__gte=0) & Q(factor__lte=2), name="a_weight_is_between_0_and_2"
            ),
        ]
        indexes = [models.Index(fields=["id"], name="new_person_weights", condition=Q(is_new=True))]

    def __str__(self) -> str:
        return f"weight {self.pk}"


class PeopleCount(models.Model):
    """When those who answer in one campaign were last counted. Written only by tagger.explorer.counting."""

    campaign = models.OneToOneField(
        Campaign, on_delete=models.CASCADE, primary_key=True, related_name="people_count"
    )
    measured_at = models.DateTimeField(null=True)  # None until the first count
    took = models.FloatField(default=0)  # seconds that the counting took
    # A worker is counting since then; if it was killed, another one takes over after a while.
    claimed_at = models.DateTimeField(null=True)
    # How many of the newest transcripts were compared, as each has to be decrypted; empty: all answers were.
    sampled = models.PositiveIntegerField(null=True)
    # {days: [people, answers]} of those who have not answered for so many days, see tagger.explorer.inactive.
    stopped = models.JSONField(default=dict, db_default={})

    def __str__(self) -> str:
        return f"count of people in {self.campaign_id}"


class PersonFigures(models.Model):
    """How one person answers in one campaign, for its owner, who sees their number; erased with its person.

    Written only by tagger.explorer.counting.
    """

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="person_figures", db_index=False
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="person_figures"
    )
    answers = models.PositiveIntegerField()
    days = models.PositiveIntegerField()  # on which they answered
    last_on = models.DateField(null=True)  # the last of these
    seconds_each = models.FloatField(null=True)  # median from one answer to the next, in one go
    compared = models.PositiveIntegerField()  # answers to clips that are settled
    agreed = models.PositiveIntegerField()  # of these, those that are the settled answer
    controls = models.PositiveIntegerField()
    controls_right = models.PositiveIntegerField()
    most_given = models.PositiveIntegerField(null=True)  # times that they gave one same label
    confusion = models.JSONField(default=dict)  # {settled label: {own label: how often}}

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "person"], name="one_row_of_figures_per_person")
        ]
        indexes = [models.Index(fields=["campaign", "-answers", "person"], name="people_by_answers")]

    def __str__(self) -> str:
        return f"figures of {self.person_id} in {self.campaign_id}"


class PairFigures(models.Model):
    """How often two people gave the same answer; for few people of a campaign. Erased with either of them.

    Written only by tagger.explorer.counting.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="pair_figures")
    one = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="pairs_as_one")
    other = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="pairs_as_other"
    )
    both = models.PositiveIntegerField()  # clips that both answered
    same = models.PositiveIntegerField()  # of these, those with the same answer

    def __str__(self) -> str:
        return f"agreement {self.pk}"


class SavedView(models.Model):
    """A filter of a campaign's clips that someone keeps under a name; erased with its person."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="saved_views")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views", db_index=False
    )
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=500)  # the filter, as an address has it

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["person", "campaign", "name"], name="one_saved_view_per_name")
        ]

    def __str__(self) -> str:
        return self.name


class ClipJob(models.Model):
    """An act of an owner on many clips, done in batches by a worker. Written only by tagger.explorer.

    It goes from the newest task of the filter to the oldest one. Erased with its person.
    """

    class Act(models.TextChoices):
        PRIORITY = "priority", _("change the priority")
        UNUSABLE = "unusable", _("call unusable")
        TO_REVIEW = "to-review", _("send to reviewers")
        ASK_MORE = "ask-more", _("ask for more answers")
        EXAMPLE = "example", _("show as an example")

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="clip_jobs")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="clip_jobs")
    act = models.CharField(max_length=20, choices=Act.choices)
    options = models.JSONField(default=dict)  # what the act takes, such as a reason
    query = models.CharField(max_length=500, blank=True)  # the filter, as an address has it
    # The tasks that were chosen one by one; empty: all of the filter.
    chosen = models.JSONField(default=list)
    # Where it continues: below this task. Empty: at the newest.
    below = models.BigIntegerField(null=True, blank=True)
    looked_at = models.PositiveBigIntegerField(default=0)
    done = models.PositiveBigIntegerField(default=0)
    refused = models.JSONField(default=dict)  # how many clips, by the code of the refusal
    asked_at = models.DateTimeField()
    worked_at = models.DateTimeField(null=True, blank=True)  # when a worker last went on with it
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["id"], name="clip_jobs_to_do", condition=Q(finished_at=None))]

    def __str__(self) -> str:
        return f"job {self.pk}"


class ControlQuerySet(models.QuerySet["Control"]):
    def trusted(self) -> Self:
        """The controls whose answer is certain enough to be taken as the truth."""
        certain = Q(task__adjudicated=True) | Q(task__confidence__gte=TRUSTED_CONFIDENCE)
        return self.filter(certain, task__status=Task.Status.SETTLED)


TRUSTED_CONFIDENCE = 0.9


class Control(models.Model):
    """A task whose answer is known, or soon will be, lent again. Written only by tagger.lending.controls.

    Answers to it are votes like any other. At the campaign's max_annotations another task replaces it.
    """

    task = models.OneToOneField(Task, on_delete=models.CASCADE, related_name="control")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="controls")
    plain_answer = models.TextField(blank=True)
    sealed_answer = models.BinaryField(default=bytes)
    answer = words("answer", task_of=lambda control: control.task)
    since = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = ControlQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["campaign"], name="controls_in_use", condition=Q(retired_at=None)),
        ]

    def __str__(self) -> str:
        return f"control {self.pk}"


class Repeat(models.Model):
    """An annotator's second answer, to a clip that they had answered before. Never a vote."""

    annotation = models.ForeignKey(Annotation, on_delete=models.CASCADE, related_name="repeats")
    plain_answer = models.TextField(blank=True)
    sealed_answer = models.BinaryField(default=bytes)
    answer = words("answer", task_of=lambda repeat: repeat.annotation.task)
    several_speakers = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"repeat {self.pk}"


class ObjectionQuerySet(models.QuerySet["Objection"]):
    def of(self, person: User) -> Self:
        return self.filter(annotation__annotator=person)

    def erase(self) -> int:
        """Delete these, and what would tell of them: open items that nobody decided anything on, and reasons.

        Returns how many. Items of one person's objections follow each other, so that their reason would join
        the answers of someone who left.
        """
        tasks = list(self.values_list("annotation__task", flat=True))
        number = self.delete()[1].get("tagger.Objection", 0)
        others = Objection.objects.filter(annotation__task__in=tasks).values("annotation__task")
        items = ReviewItem.objects.filter(task__in=tasks, reason=ReviewItem.Reason.OBJECTION)
        items = items.exclude(task__in=others)
        items.filter(closed_at=None, decisions=None).delete()
        items.update(reason=ReviewItem.Reason.NO_AGREEMENT)
        return number


class Objection(models.Model):
    """A volunteer's 'I still think …': their answer, once, to a task that was settled by another one.

    Written only by tagger.desk.objections. It is no vote: a reviewer hears the clip once more. It goes with
    its annotation, and before that if the annotation is made no one's.
    """

    annotation = models.OneToOneField(Annotation, on_delete=models.CASCADE, related_name="objection")
    plain_answer = models.TextField(blank=True)
    sealed_answer = models.BinaryField(default=bytes)
    answer = words("answer", task_of=lambda objection: objection.annotation.task)
    # For reviewers alone. It may quote the clip.
    plain_note = models.TextField(blank=True)
    sealed_note = models.BinaryField(default=bytes)
    note = words("note", task_of=lambda objection: objection.annotation.task, always=True)
    created_at = models.DateTimeField()

    objects = ObjectionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="objections_lately")]

    def __str__(self) -> str:
        return f"objection {self.pk}"


class AgreementFigure(models.Model):
    """How well a campaign's annotators agree, over all tasks or over those first answered in one month.

    Written only by tagger.progress.agreement_figures. A figure that is undefined (too few answers) is empty.
    Each has a 95 % interval.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="agreement_figures")
    month = models.DateField(null=True, blank=True)  # its first day; empty: over all tasks
    measured_at = models.DateTimeField()
    tasks = models.PositiveIntegerField()
    alpha = models.FloatField(null=True)
    alpha_low = models.FloatField(null=True)
    alpha_high = models.FloatField(null=True)
    pairwise = models.FloatField(null=True)
    pairwise_low = models.FloatField(null=True)
    pairwise_high = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "month"], name="one_agreement_figure_per_month", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"agreement of {self.campaign_id}, {self.month or 'all'}"


class Community(models.Model):
    """The progress of all campaigns together, in one row, as it was at `measured_at`.

    Written only by tagger.progress.community. Nothing in it is about one person.
    """

    ONLY = 1

    measured_at = models.DateTimeField(null=True)
    took = models.FloatField(default=0)  # seconds that the counting took
    answers = models.PositiveBigIntegerField(default=0)
    settled = models.PositiveBigIntegerField(default=0)
    settled_today = models.PositiveBigIntegerField(default=0)
    settled_this_week = models.PositiveBigIntegerField(default=0)
    seconds_settled = models.FloatField(default=0)
    volunteers_this_week = models.PositiveIntegerField(default=0)
    releases = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_community")]

    def __str__(self) -> str:
        return f"community at {self.measured_at}"

    @property
    def is_worth_showing(self) -> bool:
        """Before this, the numbers would discourage rather than invite."""
        return self.hours_settled >= 1

    @property
    def hours_settled(self) -> float:
        return durations.hours(self.seconds_settled)

    @property
    def minutes_settled(self) -> int:
        return durations.whole_minutes(self.seconds_settled)


class ReleaseOrder(models.Model):
    """A release that an owner asked for, until a worker has made it; or the reason why it could not be made.

    Written only by tagger.campaigns.release_orders. Making it and removing the order is one transaction.
    """

    campaign = models.OneToOneField(
        Campaign, on_delete=models.CASCADE, primary_key=True, related_name="release_order"
    )
    slug = models.SlugField(max_length=60)
    min_confidence = models.FloatField()
    min_contributors = models.PositiveIntegerField()
    audience = models.CharField(max_length=20)
    licence = models.CharField(max_length=40, blank=True)  # empty: what the clips' licences allow
    # {"after": slug, "notes": text, "sentences_apart": bool, "disguised": bool, "single_votes": bool}, as far
    # as these were wanted.
    wish = models.JSONField(default=dict, db_default={}, blank=True)
    asked_at = models.DateTimeField()
    # Emptied when that person leaves.
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # The sentence, in English; empty while it is being made.
    refused = models.TextField(default="", blank=True)

    class Meta:
        indexes = [models.Index(fields=["asked_at"], name="releases_to_make", condition=Q(refused=""))]

    def __str__(self) -> str:
        return f"order of {self.slug}"


class Recount(models.Model):
    """A campaign's tasks, settled anew because its owner changed when a clip is settled.

    Written only by tagger.campaigns.recounts. `last_task`: up to which number that is done.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="recounts")
    asked_at = models.DateTimeField()
    tasks = models.PositiveBigIntegerField(help_text=_("how many there are to look at"))
    done = models.PositiveBigIntegerField(default=0)
    last_task = models.BigIntegerField(default=0)
    # What became of those that changed.
    reopened = models.PositiveBigIntegerField(default=0)
    settled = models.PositiveBigIntegerField(default=0)
    disputed = models.PositiveBigIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign"], name="one_recount_at_a_time", condition=Q(finished_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"recount {self.pk}"


class Counted(models.Model):
    """How many clips of one campaign are settled or disputed. Written only by tagger.progress.community."""

    campaign = models.OneToOneField(
        Campaign, on_delete=models.CASCADE, primary_key=True, related_name="counted"
    )
    clips = models.PositiveBigIntegerField()
    settled = models.PositiveBigIntegerField()
    disputed = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.settled} of {self.clips} settled in {self.campaign_id}"


class CampaignFigures(models.Model):
    """How one campaign goes, as it was at `measured_at`; pages read this row instead of counting.

    Written only by tagger.figures.counting. It holds counts and histograms, and no one's number.
    """

    campaign = models.OneToOneField(
        Campaign, on_delete=models.CASCADE, primary_key=True, related_name="counted_figures"
    )
    measured_at = models.DateTimeField(null=True)  # None until the first count
    took = models.FloatField(default=0)  # seconds that the counting took
    # A worker is counting since then; if it was killed, another one takes over after a while.
    claimed_at = models.DateTimeField(null=True)
    totals = models.JSONField(default=dict)  # by name
    tables = models.JSONField(default=dict)  # by name: rows, each with its columns by name

    def __str__(self) -> str:
        return f"figures of {self.campaign_id}"


class CampaignDay(models.Model):
    """What happened in one campaign on one day. Written only by tagger.figures.counting.

    Answers of people who left are on no day, because only their quarter is known.
    """

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="counted_days", db_index=False
    )
    day = models.DateField()
    answers = models.PositiveIntegerField(default=0)
    volunteers = models.PositiveIntegerField(default=0)
    settled = models.PositiveIntegerField(default=0)
    disputed = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "day"], name="one_row_per_campaign_day")]

    def __str__(self) -> str:
        return f"{self.day} in {self.campaign_id}"


class LargestContributor(models.Model):
    """One of the people with most clips in a campaign, for its owner, who sees their number.

    Written only by tagger.figures.counting, for few people of each campaign. Erased as soon as the person
    withdraws any clip.
    """

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="largest_contributors", db_index=False
    )
    contributor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="largest_in"
    )
    clips = models.PositiveIntegerField()
    seconds = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "contributor"], name="one_row_per_largest_contributor"
            )
        ]

    def __str__(self) -> str:
        return f"largest contributor {self.pk}"


class Team(models.Model):
    """Volunteers who invited each other. It belongs to its members alike, and ends with the last of them.

    Written only by tagger.progress.teams. What it did together is counted once a day, so that no one can
    watch a member at work, and only if at least three members did something.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=40)
    # Of the invitation that works now. The invitation itself is stored nowhere.
    invitation_sha256 = models.CharField(max_length=64, null=True, blank=True, unique=True)
    counted_on = models.DateField(null=True, blank=True)
    # In the month of that day.
    votes = models.PositiveIntegerField(default=0, db_default=0)
    seconds = models.FloatField(default=0, db_default=0)
    days = models.PositiveSmallIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [models.UniqueConstraint(Lower("name"), name="one_team_per_name")]
        indexes = [models.Index(F("counted_on").asc(nulls_first=True), name="teams_to_count")]

    def __str__(self) -> str:
        return f"team {self.pk}"

    @property
    def hours(self) -> float:
        return durations.hours(self.seconds)

    @property
    def minutes(self) -> int:
        return durations.whole_minutes(self.seconds)


class Membership(models.Model):
    """One person in one team. Written only by tagger.progress.teams; erased with its person."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships", db_index=False
    )
    # Whether the other members see their pseudonym. Opt-in.
    is_named = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "team"], name="one_membership_per_team")]

    def __str__(self) -> str:
        return f"membership {self.pk}"


class Challenge(models.Model):
    """A campaign's challenge for one month: to answer something there on so many days.

    Written only by tagger.progress.challenges.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="challenges")
    month = models.DateField()  # its first day
    days = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "month"], name="one_challenge_a_month"),
            models.CheckConstraint(condition=Q(days__gte=1, days__lte=28), name="challenge_fits_any_month"),
        ]

    def __str__(self) -> str:
        return f"challenge {self.pk}"


class ChallengeEntry(models.Model):
    """Someone who chose to take part. How far they are is counted from their answers, and not stored."""

    challenge = models.ForeignKey(Challenge, on_delete=models.CASCADE, related_name="entries")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="challenge_entries",
        db_index=False,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "challenge"], name="one_entry_per_challenge")
        ]

    def __str__(self) -> str:
        return f"entry {self.pk}"

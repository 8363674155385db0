"""How it gets agreed: what is lent to whom, and what people disagree about."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from datasets.models import Task
from datasets.words import words


class Assignment(models.Model):
    """A task lent to one annotator until a time. Written only by tagger.assignments.

    There is one row for each person and task, ever; every change is made under the task's row lock.
    """

    class State(models.TextChoices):
        LENT = "lent", _("lent")
        DONE = "done", _("answered")
        SKIPPED = "skipped", _("skipped")
        REPORTED = "reported", _("reported")
        EXPIRED = "expired", _("expired")

    class Reason(models.TextChoices):
        PRIVATE = "private", _("private: a name, an address, a number")
        OTHER_PERSON = "other-person", _("somebody who may not know of the recording")
        OFFENSIVE = "offensive", _("offensive")
        LANGUAGE = "language", _("another language")
        AUDIO = "audio", _("it cannot be heard")

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="assignments")
    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="assignments"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.LENT)
    reason = models.CharField(max_length=20, choices=Reason.choices, blank=True)
    lent_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "annotator"], name="one_assignment_per_annotator")
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="assignments_to_reclaim", condition=Q(state="lent")),
            models.Index(fields=["annotator", "lent_at"], name="assignments_of_one"),
        ]

    def __str__(self) -> str:
        return f"assignment {self.pk}"


class Dispute(models.Model):
    """A task that its annotators could not settle, and what a reviewer decided.

    Opened by tagger.settlement, decided by tagger.disputes.
    """

    task = models.OneToOneField(Task, on_delete=models.CASCADE, related_name="dispute")
    opened_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="decisions"
    )
    plain_answer = models.TextField(blank=True)
    sealed_answer = models.BinaryField(default=bytes)
    answer = words("answer", of=lambda dispute: dispute.task)

    class Meta:
        indexes = [
            models.Index(fields=["opened_at"], name="disputes_undecided", condition=Q(decided_at=None))
        ]

    def __str__(self) -> str:
        return f"dispute over {self.task_id}"

"""A machine's transcript of a clip, for a volunteer who asks for a draft to start from.

Two people who start from the same draft repeat its mistakes, and then look as if they agreed. So only one of
the volunteers who answer a task is shown its draft.
"""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from tagger.lending import assignments
from tagger.models import Assignment


@transaction.atomic
def show(annotator: User, assignment_id: int, now: datetime) -> str:
    """The draft for an assignment's clip; empty if there is none or another volunteer was shown it.

    Raises Assignment.DoesNotExist and AnswerRefused.
    """
    assignment = assignments.lock(annotator, assignment_id)
    assignments.must_be_playable(assignment, now)
    task = assignment.task
    shown = Assignment.objects.filter(task=task, saw_draft=True).exclude(annotator=annotator)
    if not task.campaign.drafts_by or not task.sealed_draft or shown.exists():
        return ""
    if not assignment.saw_draft:
        Assignment.objects.filter(pk=assignment.pk).update(saw_draft=True)
    return str(task.draft)

"""What a machine wrote down of a clip, for one volunteer who asks to begin from that.

Two people who begin from one draft repeat its mistakes and look as if they agreed. So of those who answer a
task one alone is shown it.
"""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from tagger.lending import assignments
from tagger.models import Assignment


@transaction.atomic
def show(annotator: User, assignment_id: int, now: datetime) -> str:
    """The draft to the clip behind an assignment; empty where there is none, or somebody else had it.

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

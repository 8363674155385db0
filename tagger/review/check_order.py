"""Which clips are checked before others: those with signs of something private in their words, or two voices.

A machine orders the work and clears nothing. Only the number of signs is stored, with the clip.
"""

from django.db.models import QuerySet

from accounts.ciphers import KeyLost
from datasets.models import Annotation, Clip, Task

from . import signs
from .clearing import may_be_released

BATCH_SIZE = 200


def count_signs() -> int:
    """Count them for clips that were settled since; returns for how many."""
    counted = 0
    while batch := list(_to_count()[:BATCH_SIZE]):
        for clip in batch:
            # Not if it was silenced meanwhile: then its words are others, and are counted next time.
            Clip.objects.filter(pk=clip.pk, stored_as=clip.stored_as).update(private_signs=_signs_in(clip))
        counted += len(batch)
        if len(batch) < BATCH_SIZE:
            break
    return counted


def _to_count() -> QuerySet[Clip]:
    clips = may_be_released().filter(private_signs=None, cleared_at=None)
    return clips.select_related("contributor__data_key").order_by("pk")


def _signs_in(clip: Clip) -> int:
    """The most that anyone's transcript has; and one for two voices, if anyone heard them."""
    tasks = list(clip.tasks.filter(status=Task.Status.SETTLED).select_related("campaign"))
    most = max((signs.count(text, clip.language) for text in _texts(clip, tasks)), default=0)
    two_voices = Annotation.objects.filter(task__clip=clip, several_speakers=True).exists()
    return min(most + two_voices, signs.MOST)


def _texts(clip: Clip, tasks: list[Task]) -> list[str]:
    """As they were typed, and as they were settled. None if the speaker left meanwhile."""
    spoken = {task.pk: task for task in tasks if task.campaign.asks_for_words}
    texts = []
    try:
        for task in spoken.values():
            task.clip = clip
            texts.append(task.answer or "")
        for annotation in Annotation.objects.filter(task__in=spoken):
            annotation.task = spoken[annotation.task_id]
            texts.append(annotation.answer)
    except KeyLost:
        return []
    return texts

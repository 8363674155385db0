"""All words that are sealed under a clip's key, opened to be sealed again under another.

When a part of a clip is silenced, transcripts lose what was said there. What may quote the clip in another
way (notes, drafts, evidence) is removed: notes cannot be placed in time, and settling makes evidence again.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import Model, Q

from datasets.models import Annotation, Clip, Example, ReleaseRow, SingleVote, Task
from datasets.words import columns
from tagger.models import Control, Decision, Objection, Repeat, Report


class Kept(NamedTuple):
    """Rows with words. `task` is the path to their task: empty for a task, and for a row of the clip itself.

    `texts` are transcripts, the names in `removed` anything else.
    """

    model: type[Model]
    task: str
    texts: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


KEPT = (
    Kept(Task, "", texts=("reference", "answer"), removed=("draft", "soft", "certificate")),
    Kept(Annotation, "task", texts=("answer",)),
    Kept(Repeat, "annotation__task", texts=("answer",)),
    Kept(Objection, "annotation__task", texts=("answer",), removed=("note",)),
    Kept(Control, "task", texts=("answer",)),
    Kept(Decision, "", texts=("answer",), removed=("note", "before")),
    Kept(Example, "task", removed=("note",)),
    Kept(Report, "", removed=("note",)),
)
# Their rows are recalled and deleted, as by an erasure.
RECALLED = (ReleaseRow, SingleVote)
# Notes are sealed in every campaign, other words only where words are asked for.
ALWAYS_SEALED = (Decision, Example, Objection, Report)


class Opened(NamedTuple):
    """One text of one row, as it is stored."""

    row: Any
    name: str
    text: str


def open_texts(clip: Clip, tasks: Sequence[Task]) -> list[Opened]:
    """All transcripts of the clip, opened with its present key. `tasks` are those of it that ask for words.

    The rows belong to this very object `clip`, so that they are sealed with its new key once it has one.
    """
    by_pk = {task.pk: task for task in tasks}
    for task in tasks:
        task.clip = clip
    opened = []
    for kept in KEPT:
        for row in _rows(kept, clip, by_pk) if kept.texts else []:
            found = ((name, getattr(row, name)) for name in kept.texts)
            opened += [Opened(row, name, text) for name, text in found if text]
    return opened


def seal_texts(opened: Sequence[Opened], changed: Callable[[str], str]) -> None:
    """Write the texts, each as `changed` returns it, under the present key of their clip."""
    for row, name, text in opened:
        setattr(row, name, changed(text))
        row.save(update_fields=columns(name))


def remove_others(clip: Clip, tasks: Sequence[Task]) -> None:
    """Remove all words of the clip that are no transcripts. `tasks` are those that ask for words."""
    for kept in KEPT:
        if kept.removed:
            made = kept.model()  # with the defaults
            emptied = {name: getattr(made, name) for name in columns(*kept.removed)}
            kept.model._default_manager.filter(_of(kept, clip, tasks)).update(**emptied)


def _of(kept: Kept, clip: Clip, tasks: Sequence[Task]) -> Q:
    if kept.model in ALWAYS_SEALED:
        return Q(**{f"{kept.task}__clip" if kept.task else "clip": clip})
    return Q(**{f"{kept.task or 'pk'}__in": [task.pk for task in tasks]})


def _rows(kept: Kept, clip: Clip, tasks: Mapping[int, Task]) -> list[Any]:
    """The rows of these tasks, each with its task from `tasks`, or with this clip."""
    if kept.model is Task:
        return list(tasks.values())
    if not kept.task:
        return _rows_of_clip(kept, clip, tasks)
    *between, _task = kept.task.split("__")
    found = kept.model._default_manager.filter(**{f"{kept.task}__in": list(tasks)}).order_by("pk")
    rows: list[Any] = list(found.select_related(*between) if between else found)
    for row in rows:
        owner = row
        for step in between:
            owner = getattr(owner, step)
        owner.task = tasks[owner.task_id]
    return rows


def _rows_of_clip(kept: Kept, clip: Clip, tasks: Mapping[int, Task]) -> list[Any]:
    """The rows of the clip itself that were written under a campaign of these tasks."""
    campaigns = {task.campaign_id for task in tasks.values()}
    found = kept.model._default_manager.filter(clip=clip, campaign__in=campaigns)
    rows: list[Any] = list(found.select_related("campaign").order_by("pk"))
    for row in rows:
        row.clip = clip
    return rows

"""Releases with single votes, and how they are read."""

import io
from datetime import timedelta

import pyarrow.parquet
from django.db.models import F

from accounts.models import User
from datasets.models import Annotation, Task
from datasets.releases import formats
from datasets.releases.archive import Archive
from datasets.releases.formats import single_votes
from tagger.settling import settlement
from tests.conftest import NOW

DAY = timedelta(days=1)


def agree(*people, since=NOW):
    """They let releases list what they answer from then on."""
    User.objects.filter(pk__in=[person.pk for person in people]).update(single_votes_since=since)


def answer(task, answers, at=NOW):
    """`answers`: {person: answer}. The task is settled by them."""
    for person, given in answers.items():
        annotation = Annotation(task=task, annotator=person, created_at=at)
        annotation.answer = given
        annotation.save()
    Task.objects.filter(pk=task.pk).update(
        annotation_count=F("annotation_count") + len(answers), dirty_since=NOW
    )
    settlement.settle(task.pk, NOW)


def files(one, form="parquet-labels"):
    """The files of an archive by their paths."""
    with Archive(one, formats.find(form)) as archive:
        return {entry.path: b"".join(entry.chunks) for entry in archive.entries()}


def listed(one, form="parquet-labels"):
    """The rows of its votes.parquet."""
    return read(files(one, form)[single_votes.NAME])


def read(content):
    return pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist()

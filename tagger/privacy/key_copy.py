"""What the copy of the keys (accounts.key_copy) has of clips, and how it opens a restored database."""

from base64 import b64decode
from collections.abc import Collection, Iterator

from django.db import transaction

from accounts import consent, key_copy
from accounts.models import DataKey, User
from datasets.models import Clip

BATCH_SIZE = 1_000


@transaction.atomic
def replace(person: int) -> None:
    """Make the copy's lines of this person those of the database: none if they left.

    Reads and writes the rows of this person only.
    """
    DataKey.objects.lock_copy()
    key_copy.replace([person], [*key_copy.person_lines([person]), *_clip_lines([person])])


def complete() -> None:
    """Make the copy agree with the database for everyone, in batches. Before a master key is destroyed."""
    last = 0
    while people := _next(last):
        _complete(last + 1, people)
        last = people[-1]
    with transaction.atomic():
        DataKey.objects.lock_copy()
        beyond = key_copy.generations(last + 1, 2**62)
        key_copy.replace(set(beyond) - _with_keys(beyond), [])


@transaction.atomic
def restore() -> int:
    """Put the copy's keys into a database restored from an older backup; returns how many.

    What was erased since the backup stays closed: its rows are orphans now.
    """
    outdated: set[int] = set()
    number = 0
    for line in key_copy.read():
        if "person" in line:
            number += 1
            if key_copy.restore_person(line):
                outdated.add(line["person"])
        elif line["contributor"] in outdated:
            number += 1
            columns = {"wrapped_key": b64decode(line["wrapped"])}
            if "samples" in line:
                columns["sealed_samples"] = b64decode(line["samples"])
            Clip.objects.filter(stored_as=line["clip"]).update(**columns)
    _hash_again(outdated)
    return number


def _complete(first: int, people: list[int]) -> None:
    """The people of one batch, and whoever is in the copy between them and left."""
    with transaction.atomic():
        DataKey.objects.lock_copy()
        copied = key_copy.generations(first, people[-1])
        rows = DataKey.objects.filter(person__in=people, unreadable_since=None)
        current = {
            person: (master, generation) for person, master, generation in rows.values_list(*_COMPARED)
        }
        outdated = [person for person in current if copied.get(person) != current[person]]
        gone = set(copied) - set(current)
        if outdated or gone:
            lines = [*key_copy.person_lines(outdated), *_clip_lines(outdated)]
            key_copy.replace([*outdated, *gone], lines)


_COMPARED = ("person", "master", "generation")


def _next(last: int) -> list[int]:
    keys = DataKey.objects.filter(person__gt=last).order_by("person")
    return list(keys.values_list("person", flat=True)[:BATCH_SIZE])


def _with_keys(people: Collection[int]) -> set[int]:
    return set(DataKey.objects.filter(person__in=people).values_list("person", flat=True))


def _clip_lines(people: Collection[int]) -> Iterator[key_copy.Line]:
    """The clip keys of people whose data key was replaced. For everyone else, the key in any backup works."""
    replaced = Clip.objects.filter(
        contributor__in=people, contributor__data_key__generation__gt=1, withdrawal=None
    )
    columns = ("contributor", "stored_as", "wrapped_key", "sealed_samples")
    for contributor, name, wrapped, samples in replaced.order_by("pk").values_list(*columns).iterator():
        yield {
            "clip": name,
            "contributor": contributor,
            "wrapped": key_copy.as_base64(wrapped),
            "samples": key_copy.as_base64(samples),
        }


def _hash_again(outdated: Collection[int]) -> None:
    """Consent references were hashed under the data key that was replaced since the backup."""
    for person in User.objects.filter(pk__in=outdated, data_key__isnull=False):
        key = person.data_key.open()
        consent.reseal_references(person.pk, key, key)

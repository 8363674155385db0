"""Write the copy of all keys, and use it to open a database restored from an older backup.

Such a backup holds keys wrapped by a master key that was destroyed since, or under a data key that was
replaced since. The copy has today's keys of everyone who stayed; people who left and clips that were deleted
are not in it.
"""

from base64 import b64decode
from collections.abc import Iterator

from django.db import transaction

from accounts import key_rotation
from datasets.models import Clip

BATCH_SIZE = 2_000


def write() -> None:
    key_rotation.write_copy(clip_key_lines())


def clip_key_lines() -> Iterator[key_rotation.Line]:
    """The clip keys of people whose data key was replaced. For everyone else, the key in any backup works."""
    replaced = Clip.objects.filter(contributor__data_key__generation__gt=1, withdrawal=None).order_by("pk")
    rows = replaced.values_list("contributor", "stored_as", "wrapped_key").iterator(chunk_size=BATCH_SIZE)
    for contributor, stored_as, wrapped in rows:
        yield {"clip": stored_as, "contributor": contributor, "wrapped": key_rotation.as_base64(wrapped)}


@transaction.atomic
def restore() -> int:
    """Put the copy's keys into a database restored from an older backup; returns how many.

    What was erased since the backup stays closed: its rows are orphans now.
    """
    outdated: set[int] = set()
    number = 0
    for line in key_rotation.read_copy():
        if "person" in line:
            number += 1
            if key_rotation.restore_person(line):
                outdated.add(line["person"])
        elif line["contributor"] in outdated:
            number += 1
            Clip.objects.filter(stored_as=line["clip"]).update(wrapped_key=b64decode(line["wrapped"]))
    return number

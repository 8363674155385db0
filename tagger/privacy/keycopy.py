"""The newest-only copy of all keys, and how a database restored from an older backup is opened with it.

A backup of the database holds keys wrapped by a master that was destroyed since, or under a data key that was
replaced since. Who stayed is in the copy, as of now; who left, and clips that were deleted, are not.
"""

from base64 import b64decode
from collections.abc import Iterator

from django.db import transaction

from accounts import turnover
from datasets.models import Clip

AT_ONCE = 2_000


def write() -> None:
    turnover.back_up(clip_keys())


def clip_keys() -> Iterator[turnover.Line]:
    """The keys of clips whose contributor's data key was replaced; any other's is good in all backups."""
    replaced = Clip.objects.filter(contributor__data_key__generation__gt=1, withdrawal=None).order_by("pk")
    rows = replaced.values_list("contributor", "stored_as", "wrapped_key").iterator(chunk_size=AT_ONCE)
    for contributor, stored_as, wrapped in rows:
        yield {"clip": stored_as, "contributor": contributor, "wrapped": turnover.in_letters(wrapped)}


@transaction.atomic
def restore() -> int:
    """Over a database that was restored from an older backup; how many keys were put in.

    What left since then stays closed: its rows are orphans now.
    """
    outdated: set[int] = set()
    number = 0
    for line in turnover.copied():
        if "person" in line:
            number += 1
            if turnover.restore(line):
                outdated.add(line["person"])
        elif line["contributor"] in outdated:
            number += 1
            Clip.objects.filter(stored_as=line["clip"]).update(wrapped_key=b64decode(line["wrapped"]))
    return number

"""Draw the splits of a line of releases. A contributor is drawn once, for all versions."""

import secrets
from collections.abc import Collection, Mapping

from datasets.models import DatasetLine, LineSplit

from . import splits

BATCH_SIZE = 5_000


def draw(line: DatasetLine, seconds: Mapping[int, float], test_only: Collection[int] = ()) -> dict[int, str]:
    """Each contributor's split, given the seconds of each in the release that is being made.

    Who was drawn before stays where they are. Of the others, those in `test_only` are in test.
    """
    # Locked: two releases of a line that are made together draw nobody twice.
    DatasetLine.objects.select_for_update().get(pk=line.pk)
    known = dict(line.splits.values_list("contributor", "split"))
    fixed = known | {each: "test" for each in test_only if each not in known}
    drawn = splits.assign(
        seconds, secrets.token_hex(16), fixed={each: fixed[each] for each in fixed if each in seconds}
    )
    new = [
        LineSplit(line=line, contributor_id=each, split=drawn[each]) for each in drawn if each not in known
    ]
    LineSplit.objects.bulk_create(new, batch_size=BATCH_SIZE)
    return drawn

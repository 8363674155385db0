"""Plan archives before anybody asks for them: after a release was made, and after each recall feed."""

import logging
from collections.abc import Callable

from accounts.alone import alone
from accounts.keys import KeyLost
from datasets.models import Release

from . import formats, plan
from .formats.delta import SUFFIX
from .formats.rows import NotRepresentable

logger = logging.getLogger(__name__)

# One worker plans at a time. See accounts.models for the other advisory locks.
PLANNING_LOCK = 7_309


def plan_some(has_time: Callable[[], bool]) -> int:
    """Plan what is not planned yet, the newest releases first, while there is time; returns how many.

    What a reader plans meanwhile is found planned.
    """
    with alone(PLANNING_LOCK) as is_alone:
        return _plan_some(has_time) if is_alone else 0


def _plan_some(has_time: Callable[[], bool]) -> int:
    known, made = set(plan.kept().values_list("release", "form")), 0
    for release in Release.objects.filter(retracted_at=None).order_by("-published_at"):
        for name in _names(release):
            if (release.pk, name) in known:
                continue
            if not has_time():
                return made
            made += _plan_one(release, name)
    return made


def _names(release: Release) -> list[str]:
    deltas = [name + SUFFIX for name in formats.FORMATS] if release.previous_id else []
    return [*formats.FORMATS, *deltas]


def _plan_one(release: Release, name: str) -> bool:
    try:
        plan.make(release, formats.find(name))
    except NotRepresentable:
        pass  # the refusal is kept in place of a plan
    except KeyLost:
        logger.exception("the archive of %s in %s cannot be planned", release.slug, name)
        return False
    return True

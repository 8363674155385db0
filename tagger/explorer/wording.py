"""The sentence for each refusal of an owner's act on a clip."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _

from tagger.models import ClipJob
from tagger.review import wording

from .refusals import ClipRefusal

WORDS = {
    ClipRefusal.REVIEWER_FIRST: _(
        "A reviewer has to hear it first: it was reported, or something was found."
    ),
    ClipRefusal.UNUSABLE_ALREADY: _("It is unusable already."),
    ClipRefusal.NOT_SETTLED: _("Only a settled clip can be an example."),
    ClipRefusal.NOT_LIVE: _("Volunteers may not hear it at present."),
    ClipRefusal.EXAMPLE_ALREADY: _("It is an example already."),
}


def why_refused(job: ClipJob) -> Iterator[tuple[str, int]]:
    """Each reason for which clips were left as they are, and how many."""
    known: list[tuple[str, Any]] = [*wording.WORDS.items(), *WORDS.items()]
    sentences = {str(code): text for code, text in known}
    for code, number in job.refused.items():
        yield str(sentences.get(code, code)), number

"""The sentence for each refusal of a reviewer's decision."""

from django.utils.translation import gettext_lazy as _

from tagger.desk.examples import ExampleRefusal
from tagger.privacy.silencing import SilencingRefusal

from .disputes import DisputeRefusal

WORDS = {
    DisputeRefusal.ALREADY_DECIDED: _("This dispute was decided in the meantime."),
    ExampleRefusal.SPEAKER_NOT_ASKED: _(
        "Its speaker agreed to an earlier notice, which does not mention examples."
    ),
    SilencingRefusal.NOTHING_MARKED: _("Mark the seconds to silence first."),
    SilencingRefusal.OUTSIDE_THE_CLIP: _(
        "The marked seconds must be within the clip, which lasts %(seconds).1f s."
    ),
    SilencingRefusal.NOTHING_LEFT: _("Nothing would be left to hear. Destroy the clip instead."),
    SilencingRefusal.BEING_ERASED: _("This clip is already being erased."),
    SilencingRefusal.RELEASE_BEING_MADE: _("A release is being made right now. Try again in a minute."),
}

"""The sentence for each refusal of a reviewer's act."""

from django.utils.translation import gettext_lazy as _

from accounts import refusals
from accounts.refusals import Refusal
from datasets.normalise import BadTranscript
from tagger.desk import wording as answers_wording
from tagger.desk.examples import ExampleRefusal
from tagger.lending.refusals import AnswerRefused
from tagger.privacy.silencing import SilencingRefusal

from .clearing import CheckRefusal
from .refusals import ReviewRefusal

WORDS = {
    ReviewRefusal.ALREADY_DECIDED: _("This was decided in the meantime."),
    ReviewRefusal.TAKEN_BY_ANOTHER: _("Your time for this clip was over, and another reviewer has it now."),
    ReviewRefusal.NOT_FOR_KIND: _("That is not possible here."),
    ReviewRefusal.NO_ANSWER: _("Send the answer or the transcript, one of them."),
    ReviewRefusal.NOT_A_NUMBER: _("Ask for 1 to %(most)s more answers."),
    ReviewRefusal.NOT_A_REASON: _("The reason must be one of: %(reasons)s."),
    ReviewRefusal.NOTE_TOO_LONG: _("Write at most %(most)s letters."),
    ReviewRefusal.NOT_PARTS: _("Write each part in seconds, such as 1.2-2.5, with commas between parts."),
    ReviewRefusal.UNDONE_ALREADY: _("It was undone already."),
    ReviewRefusal.NOT_AMONG_LAST: _("Only your last %(number)s decisions can be undone."),
    ReviewRefusal.CHANGED_SINCE: _("It cannot be undone: the clip came up again in the meantime."),
    ReviewRefusal.RELEASED_SINCE: _("It cannot be undone: the answer is in a release."),
    ReviewRefusal.FOR_GOOD: _("It cannot be undone: what was silenced or destroyed is gone for good."),
    CheckRefusal.NOT_AN_ANSWER: _("The answer must be one of: %(answers)s."),
    CheckRefusal.NOT_HEARD_WHOLE: _("Listen to the whole clip first."),
    CheckRefusal.NOTHING_MARKED: _("Mark where it is heard first."),
    CheckRefusal.NOTHING_NAMED: _("Say what is heard first."),
    CheckRefusal.NOT_A_PART: _(
        "The marked parts must be within the clip, which lasts %(seconds).1f s; 20 at most."
    ),
    CheckRefusal.CONTRADICTS_MARKS: _(
        "You marked something private. Answer “Yes”, or take the marks away first."
    ),
    CheckRefusal.TOO_LATE: _("Somebody else has this clip by now, or it is gone. Here is the next one."),
    CheckRefusal.ALREADY_ANSWERED: _("You answered this already."),
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


def in_words(refused: Refusal) -> str:
    """The sentence, also for an answer that volunteers could not give either."""
    if isinstance(refused, (AnswerRefused, BadTranscript)):
        return answers_wording.in_words(refused)
    return refusals.in_words(refused, WORDS)

"""The sentence for each refusal of this room. What only programs and commands print is English alone."""

from .consent import ConsentRefusal

WORDS = {
    ConsentRefusal.NO_CONSENT: "no live consent: %(purpose)s, %(material)s",
    ConsentRefusal.NOTICE_CHANGED: "the notice has changed, and this person has not answered the new one yet",
}

"""Clips to practise on, and what is said to an answer. The voices are nobody's, and no answer is kept."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasets import normalise
from datasets.models import Campaign, Label

WAKE_WORD = "hey juniper"


@dataclass(frozen=True)
class Clip:
    """`sound` is a file in static/sounds; `answer` a label, or the words that are said, if any."""

    sound: str
    answer: str
    why: Promise


@dataclass(frozen=True)
class Verdict:
    """`difference` tells where a transcript departs from what is said; empty for a label."""

    is_right: bool
    difference: str = ""


_WAKE_WORD = (
    Clip("wake-word.wav", Label.YES, gettext_lazy("“hey juniper” is said, so it is “Yes”.")),
    Clip(
        "similar.wav",
        Label.SIMILAR,
        gettext_lazy("“hey jennifer” is said. It sounds like “hey juniper” but is not, so it is “Similar”."),
    ),
    Clip("noise.wav", Label.NOISE, gettext_lazy("Someone knocks and no one speaks, so it is “Noise”.")),
)
_PLAIN = gettext_lazy("Every word as it is said. Capitals, commas and full stops make no difference.")
_UNCLEAR = gettext_lazy("A noise hides one word, so [unclear] goes in its place. No one has to guess.")
_NOBODY = gettext_lazy("Someone knocks and no one speaks: use the button “No one speaks”.")
_SENTENCES = {
    "en": (
        Clip("sentence-en.wav", "please turn on the light", _PLAIN),
        Clip("unclear-en.wav", "put the [unclear] on the table", _UNCLEAR),
        Clip("noise.wav", "", _NOBODY),
    ),
    "es": (
        Clip("sentence-es.wav", "enciende la luz por favor", _PLAIN),
        Clip("unclear-es.wav", "pon la [unclear] en la mesa", _UNCLEAR),
        Clip("noise.wav", "", _NOBODY),
    ),
}


def like(kind: str, language: str) -> Campaign:
    """A campaign that is stored nowhere, of this kind; in this language if we speak it, else in English."""
    if kind != Campaign.Kind.TRANSCRIPTION:
        return Campaign(kind=Campaign.Kind.WAKE_WORD, language="en", wake_word=WAKE_WORD)
    primary = language.partition("-")[0]
    return Campaign(kind=kind, language=primary if primary in _SENTENCES else "en")


def clips(campaign: Campaign) -> tuple[Clip, ...]:
    """Those of a campaign that `like` gave, in order."""
    return _SENTENCES[campaign.language] if campaign.asks_for_words else _WAKE_WORD


def every_clip() -> set[Clip]:
    return {clip for each in (_WAKE_WORD, *_SENTENCES.values()) for clip in each}


def judge(campaign: Campaign, clip: Clip, answer: str) -> Verdict:
    """Labels are compared as they are, transcripts word by word in the form that votes are counted on."""
    if not campaign.asks_for_words:
        return Verdict(answer == clip.answer)
    said, written = normalise.words(clip.answer), normalise.words(answer)
    return Verdict(said == written, _difference(said, written))


def _difference(said: list[str], written: list[str]) -> str:
    """The first word that is not alike, in words; empty where all are."""
    if said == written:
        return ""
    if not said:
        return _("You wrote words where no one speaks.")
    if not written:
        return _("Someone speaks in this clip.")
    at = next((n for n, pair in enumerate(zip(said, written, strict=False)) if len(set(pair)) > 1), None)
    if at is not None:
        named = {"number": at + 1, "said": _alone(said[at]), "written": _alone(written[at])}
        return _("Word %(number)d is “%(said)s”, and you wrote “%(written)s”.") % named
    if len(written) < len(said):
        return _("After what you wrote comes “%(said)s”.") % {"said": _alone(said[len(written)])}
    return _("Nothing is said after “%(said)s”, and you wrote “%(written)s”.") % {
        "said": _alone(said[-1]),
        "written": _alone(written[len(said)]),
    }


def _alone(word: str) -> str:
    """A word whose script runs as it does, whichever way the text around it runs (Unicode's isolates)."""
    return f"\u2068{word}\u2069"

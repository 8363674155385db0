"""Practice clips and the feedback on answers to them. The voices are synthetic, and no answer is stored."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import soundfile
from django.contrib.staticfiles import finders
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasets import normalise
from datasets.models import Campaign, Label

WAKE_WORD = "hey juniper"
BARS = 48


@dataclass(frozen=True)
class PracticeClip:
    """`sound` is a file in static/sounds; `answer` a label, or the words that are spoken, if any."""

    sound: str
    answer: str
    why: Promise


@dataclass(frozen=True)
class PracticeResult:
    """`difference` says where a transcript differs from what is spoken; empty for a label."""

    is_right: bool
    difference: str = ""


_WAKE_WORD = (
    PracticeClip("wake-word.wav", Label.YES, gettext_lazy("“hey juniper” is said, so it is “Yes”.")),
    PracticeClip(
        "similar.wav",
        Label.SIMILAR,
        gettext_lazy("“hey jennifer” is said. It sounds like “hey juniper” but is not, so it is “Similar”."),
    ),
    PracticeClip(
        "noise.wav", Label.NOISE, gettext_lazy("Someone knocks and no one speaks, so it is “Noise”.")
    ),
)
_PLAIN = gettext_lazy("Every word as it is said. Capitals, commas and full stops make no difference.")
_UNCLEAR = gettext_lazy("A noise hides one word, so [unclear] goes in its place. No one has to guess.")
_NOBODY = gettext_lazy("Someone knocks and no one speaks: use the button “No one speaks”.")
_SENTENCES = {
    "en": (
        PracticeClip("sentence-en.wav", "please turn on the light", _PLAIN),
        PracticeClip("unclear-en.wav", "put the [unclear] on the table", _UNCLEAR),
        PracticeClip("noise.wav", "", _NOBODY),
    ),
    "de": (
        PracticeClip("sentence-de.wav", "mach bitte das licht an", _PLAIN),
        PracticeClip("unclear-de.wav", "stell die [unclear] auf den tisch", _UNCLEAR),
        PracticeClip("noise.wav", "", _NOBODY),
    ),
    "es": (
        PracticeClip("sentence-es.wav", "enciende la luz por favor", _PLAIN),
        PracticeClip("unclear-es.wav", "pon la [unclear] en la mesa", _UNCLEAR),
        PracticeClip("noise.wav", "", _NOBODY),
    ),
    "fr": (
        PracticeClip("sentence-fr.wav", "allume la lumière de la cuisine", _PLAIN),
        PracticeClip("unclear-fr.wav", "pose la [unclear] sur la table", _UNCLEAR),
        PracticeClip("noise.wav", "", _NOBODY),
    ),
}


def campaign_like(kind: str, language: str) -> Campaign:
    """An unsaved campaign of this kind; in this language if it has practice sentences, else in English."""
    if kind != Campaign.Kind.TRANSCRIPTION:
        return Campaign(kind=Campaign.Kind.WAKE_WORD, language="en", wake_word=WAKE_WORD)
    primary = language.partition("-")[0]
    return Campaign(kind=kind, language=primary if primary in _SENTENCES else "en")


def clips(campaign: Campaign) -> tuple[PracticeClip, ...]:
    """The practice clips of a campaign from `campaign_like`, in order."""
    return _SENTENCES[campaign.language] if campaign.asks_for_words else _WAKE_WORD


def every_clip() -> set[PracticeClip]:
    return {clip for each in (_WAKE_WORD, *_SENTENCES.values()) for clip in each}


@cache
def shape(sound: str) -> tuple[int, ...]:
    """The wave of a file in static/sounds: the loudest moment of each of BARS equal parts, 1 to 100."""
    samples, _rate = soundfile.read(finders.find(f"sounds/{sound}"), dtype="float32")
    loudest = [float(np.abs(part).max()) for part in np.array_split(samples, BARS)]
    return tuple(max(1, round(100 * each / max(loudest))) for each in loudest)


def judge(campaign: Campaign, clip: PracticeClip, answer: str) -> PracticeResult:
    """Labels are compared as they are; transcripts word by word, in the form that votes are counted on."""
    if not campaign.asks_for_words:
        return PracticeResult(answer == clip.answer)
    spoken, written = (normalise.words(text, campaign.language) for text in (clip.answer, answer))
    return PracticeResult(spoken == written, _difference(spoken, written))


def _difference(spoken: list[str], written: list[str]) -> str:
    """A sentence about the first word that differs; empty if none does."""
    if spoken == written:
        return ""
    if not spoken:
        return _("You wrote words where no one speaks.")
    if not written:
        return _("Someone speaks in this clip.")
    at = next((n for n, pair in enumerate(zip(spoken, written, strict=False)) if len(set(pair)) > 1), None)
    if at is not None:
        words = {"number": at + 1, "said": _isolated(spoken[at]), "written": _isolated(written[at])}
        return _("Word %(number)d is “%(said)s”, and you wrote “%(written)s”.") % words
    if len(written) < len(spoken):
        return _("After what you wrote comes “%(said)s”.") % {"said": _isolated(spoken[len(written)])}
    return _("Nothing is said after “%(said)s”, and you wrote “%(written)s”.") % {
        "said": _isolated(spoken[-1]),
        "written": _isolated(written[len(spoken)]),
    }


def _isolated(word: str) -> str:
    """The word between Unicode isolate marks, so that it keeps its direction inside text of the other one."""
    return f"\u2068{word}\u2069"

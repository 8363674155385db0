"""The clips of the demo: what is said by which voice, and the right answers. The texts are our own."""

from dataclasses import dataclass
from itertools import cycle

import numpy as np

from .voices import RATE, VOICES, DemoVoice, noise, speak

LICENCE = "CC0-1.0"  # our own texts in made voices
WAKE_WORD = "hey juniper"
WAKE_WORD_CAMPAIGN = "hey-juniper"
TRANSCRIPTION_CAMPAIGN = "household-english"

_YES = (
    "hey juniper",
    "Hey Juniper!",
    "hey, juniper",
    "hey juniper?",
    "hey juniper, are you there",
    "hey juniper, what time is it",
    "hey juniper",
    "Hey Juniper!",
    "hey juniper, play some music",
    "hey, juniper",
    "hey juniper, stop",
    "hey juniper",
    "hey juniper, good morning",
    "hey juniper?",
)
_SIMILAR = (
    "hey jennifer",
    "hey jupiter",
    "a juniper",
    "hey juno",
    "they do prefer",
    "say juniper",
    "hey june, over here",
    "the junipers",
)
_NO = (
    "could you close the window, please",
    "dinner is nearly ready",
    "I left my keys on the kitchen table",
    "what a lovely morning",
    "the bus was late again today",
    "have you fed the cat yet",
    "turn the music down a little",
    "see you all tomorrow",
)
_HOUSEHOLD = (
    "please turn on the light in the hallway",
    "what will the weather be like tomorrow",
    "remind me to water the plants this evening",
    "add oat milk and bread to the shopping list",
    "play some quiet music in the kitchen",
    "is the front door locked",
    "how long does it take to boil an egg",
    "tell grandma that we are on our way",
    "close the blinds in the living room",
    "wake me up early on Saturday morning",
    "did anyone feed the goldfish today",
    "read me a short story about a fox",
    "make it a little warmer in here",
    "when does the next train leave for town",
    "start the washing machine after lunch",
    "good night and thank you for your help",
)
# Prompts to read aloud on the recording page.
PROMPTS = (
    "the kettle is on the stove and the cups are in the cupboard",
    "turn off every light except the one above the desk",
    "how far is it from here to the nearest lake",
    "our neighbour grows tomatoes on her balcony",
    "play the song that we heard in the car this morning",
    "set a timer for the bread in the oven",
    "a yellow bicycle leans against the garden wall",
    "is there any rain on the way this afternoon",
    "call me when you get home",
    "the library closes early on Wednesdays",
    "what is the word for squirrel in French",
    "put the umbrella next to the door, please",
)
# Pink noise behind a voice, in decibels relative to the voice's peak. None: a quiet room.
_BACKGROUNDS = (None, -45.0, -30.0, -38.0, -24.0)


@dataclass(frozen=True)
class Line:
    """One clip of the demo.

    `truth`: the right answer, "yes", "similar", "no" or "noise", or the words spoken; `seed`: of everything
    random. A clip with a `noise` (one of voices.NOISES) has no voice and no text. `background`: the level of
    pink noise in decibels relative to the voice's peak, None for a quiet room.
    """

    campaign: str
    truth: str
    seed: int
    voice: DemoVoice | None = None
    text: str = ""
    noise: str = ""
    background: float | None = None


def lines() -> list[Line]:
    """All clips of the demo, in the order in which they must be made."""
    return [*_wake_word_lines(), *_household_lines()]


def record(line: Line) -> np.ndarray:
    """The sound of the clip: int16 (n,) at 16 kHz."""
    random = np.random.default_rng(line.seed)
    if line.voice is None:
        return noise(line.noise, random.uniform(1.0, 2.5), line.seed)
    before, after = (round(RATE * pause) for pause in random.uniform(0.1, 0.4, 2))
    spoken = np.pad(speak(line.text, line.voice), (before, after))
    return _with_background(spoken, line.background, line.seed, level=random.uniform(0.25, 0.8))


def _with_background(spoken: np.ndarray, decibels: float | None, seed: int, level: float) -> np.ndarray:
    """The speech over pink noise, with the peak of both together at `level` of full scale: int16 (n,)."""
    sound = spoken / np.abs(spoken.astype(np.int32)).max()
    if decibels is not None:
        behind = noise("pink", len(spoken) / RATE, seed) / 32_768
        sound = sound + behind / np.abs(behind).max() * 10 ** (decibels / 20)
    return np.rint(32_767 * level * sound / np.abs(sound).max()).astype(np.int16)


def _wake_word_lines() -> list[Line]:
    said = [
        (text, truth)
        for truth, texts in (("yes", _YES), ("similar", _SIMILAR), ("no", _NO))
        for text in texts
    ]
    noises = [
        Line(WAKE_WORD_CAMPAIGN, "noise", seed=500 + n, noise=kind)
        for n, kind in enumerate(("pink", "hum", "clicks", "knock", "chord", "knock"))
    ]
    return _spoken(WAKE_WORD_CAMPAIGN, said, first_seed=100) + noises


def _household_lines() -> list[Line]:
    said = [(text, text) for text in _HOUSEHOLD]
    return _spoken(TRANSCRIPTION_CAMPAIGN, said, first_seed=1_000)


def _spoken(campaign: str, said: list[tuple[str, str]], first_seed: int) -> list[Line]:
    """A clip for each (text, truth), with the English voices in turn."""
    english = [voice for voice in VOICES if voice.language.startswith("en")]
    turns = zip(said, cycle(english), cycle(_BACKGROUNDS), strict=False)
    return [
        Line(campaign, truth, first_seed + n, voice, text, background=background)
        for n, ((text, truth), voice, background) in enumerate(turns)
    ]

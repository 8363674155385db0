"""The sound of a clip as volunteers and reviewers hear it."""

from accounts import consent
from accounts.models import Material
from datasets.models import Clip

from . import audio, disguise, vault


def for_volunteers(clip: Clip) -> bytes:
    """The clip's WAV, disguised if its contributor asked for that. Raises accounts.keys.KeyLost."""
    wav = vault.get(clip)
    if clip.material != Material.WAKE_WORD or not consent.is_disguised(clip.contributor):
        return wav
    return audio.wav(disguise.disguise(audio.read(wav), disguise.coefficient(clip.key)))

"""Why sound is refused, and the rates and channels that are not."""

from enum import StrEnum

from accounts.refusals import Refusal

RATES = range(4_000, 192_001)
MAX_CHANNELS = 8


class AudioFault(StrEnum):
    """Why audio is refused. Each is something that the sender can change."""

    UNKNOWN_FORMAT = "unknown-format"
    UNDECODABLE = "undecodable"
    INCOMPLETE = "incomplete"
    DAMAGED = "damaged"
    WRONG_LENGTH = "wrong-length"
    PARTLY_HIDDEN = "partly-hidden"
    NO_DECODER = "no-decoder"
    NO_SOUND_TRACK = "no-sound-track"
    UNKNOWN_CODEC = "unknown-codec"
    SAMPLE_RATE = "sample-rate"
    CHANNELS = "channels"
    NOT_NUMBERS = "not-numbers"
    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    CONSTANT = "constant"
    SILENT = "silent"
    CLIPPED = "clipped"
    WAV_SOUND_TRUNCATED = "wav-sound-truncated"
    WAV_CHUNK_TRUNCATED = "wav-chunk-truncated"
    WAV_UNCOUNTED_SOUND = "wav-uncounted-sound"
    WAV_WITHOUT_SOUND = "wav-without-sound"
    WAV_WITHOUT_FORMAT = "wav-without-format"
    WAV_ENCODING = "wav-encoding"
    WAV_CONTRADICTION = "wav-contradiction"
    WAV_PARTIAL_SAMPLE = "wav-partial-sample"
    WAV_HEADER_ONLY = "wav-header-only"


class BadAudio(Refusal):
    """Audio that is refused. Its code is an AudioFault, or one of a caller with stricter limits."""


def check_shape(rate: int, channels: int) -> None:
    """Raises BadAudio."""
    if rate not in RATES:
        least, most = f"{RATES[0]:,}", f"{RATES[-1]:,}"
        raise BadAudio(AudioFault.SAMPLE_RATE, rate=f"{rate:,}", least=least, most=most)
    if not 1 <= channels <= MAX_CHANNELS:
        raise BadAudio(AudioFault.CHANNELS, channels=channels, most=MAX_CHANNELS)

"""The sentences for refusals of this room, for its pages, the device API and the import command."""

from datasets.normalise import TranscriptFault

# A machine's draft is a transcript too.
DRAFT = {
    TranscriptFault.TOO_LONG: "draft is %(found)d characters long, at most %(most)d are taken.",
    TranscriptFault.TOO_MANY_WORDS: "draft has %(found)d words, at most %(most)d are taken.",
    TranscriptFault.ZERO_CHARACTER: "draft holds a zero character.",
}

"""The sentences for this room's refusals: on the record page, in the device API and in the import command."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.consent import ConsentRefusal
from accounts.refusals import Refusal, in_words
from accounts.wording import WORDS as ACCOUNTS_WORDS
from datasets.normalise import TranscriptFault

from .audio_faults import AudioFault, BadAudio
from .intake import IntakeRefusal
from .recording import RecordingRefusal
from .sources import ImportRefusal, SourceFault
from .uploads import UploadRefusal

Words = dict[Any, str | Promise]

AUDIO: Words = {
    AudioFault.UNKNOWN_FORMAT: _(
        "not an audio file that this site can read (WAV, FLAC, OGG, Opus, MP3, WebM, M4A)"
    ),
    AudioFault.UNDECODABLE: _(
        "the sound cannot be decoded: the file is damaged, incomplete or not in the format it claims to be"
    ),
    AudioFault.INCOMPLETE: _(
        "the file is incomplete: it should have %(promised)s samples, but it has %(held)s"
    ),
    AudioFault.DAMAGED: _("a part of the sound is missing or damaged"),
    AudioFault.WRONG_LENGTH: _("the file says it is %(said)s s long, but it has %(held)s s of sound"),
    AudioFault.PARTLY_HIDDEN: _(
        "%(seconds)s s of its sound are cut off or hidden by an edit list; save the recording as a new file"
    ),
    AudioFault.NO_DECODER: _("WebM and M4A need the package `av`, which is not installed on this site"),
    AudioFault.NO_SOUND_TRACK: _("the file has no audio track"),
    AudioFault.UNKNOWN_CODEC: _("its audio encoding is not supported"),
    AudioFault.SAMPLE_RATE: _("%(rate)s samples per second; %(least)s to %(most)s are supported"),
    AudioFault.CHANNELS: _("%(channels)d channels; 1 to %(most)d are supported"),
    AudioFault.NOT_NUMBERS: _("the file contains samples that are not numbers (NaN or infinity)"),
    AudioFault.TOO_SHORT: _("only %(seconds)s s of sound; at least %(least)s s are needed"),
    AudioFault.TOO_LONG: _("longer than %(seconds)d s"),
    AudioFault.CONSTANT: _("no sound: every sample is the same"),
    AudioFault.SILENT: _("no sound: nothing but digital silence"),
    AudioFault.CLIPPED: _("clipped: %(percent)s of the samples are at full scale"),
    AudioFault.WAV_SOUND_TRUNCATED: _(
        "the WAV header says %(promised)s bytes of sound, but the file has %(held)s"
    ),
    AudioFault.WAV_CHUNK_TRUNCATED: _(
        "the WAV header says %(promised)s bytes of other data, but the file has %(held)s"
    ),
    AudioFault.WAV_UNCOUNTED_SOUND: _(
        "the WAV header says %(promised)s bytes of sound, but %(more)s bytes follow that may be sound too"
    ),
    AudioFault.WAV_WITHOUT_SOUND: _("the WAV file contains no sound"),
    AudioFault.WAV_WITHOUT_FORMAT: _("the WAV header does not say how its sound is encoded"),
    AudioFault.WAV_ENCODING: _("WAV encoding %(encoding)d with %(bits)d bits is not supported"),
    AudioFault.WAV_CONTRADICTION: _(
        "the WAV header contradicts itself: %(channels)d channels of %(bits)d bits in %(bytes)d bytes"
    ),
    AudioFault.WAV_PARTIAL_SAMPLE: _("the WAV file's sound ends in the middle of a sample"),
    AudioFault.WAV_HEADER_ONLY: _("no sound: the WAV file is only a header"),
    RecordingRefusal.TOO_SHORT: _("shorter than %(seconds)d s"),
}

# Programs, devices and commands get English; pages, of imports too, the reader's language.
WORDS: Words = {
    **ACCOUNTS_WORDS,
    **AUDIO,
    IntakeRefusal.DUPLICATE: _("the same recording is already stored from another contributor"),
    # In an import, the draft of a machine is checked as a transcript.
    TranscriptFault.TOO_LONG: _("draft is %(found)d characters long, at most %(most)d are accepted."),
    TranscriptFault.TOO_MANY_WORDS: _("draft has %(found)d words, at most %(most)d are accepted."),
    TranscriptFault.ZERO_CHARACTER: _("draft holds a zero character."),
    UploadRefusal.BAD_LANGUAGE: "The language is not a code such as en or pt-BR.",
    UploadRefusal.UNKNOWN_WAKE_WORD: "No open campaign asks for this wake word.",
    UploadRefusal.WHICH_LANGUAGE: "State the language: open campaigns ask for recordings in several.",
    UploadRefusal.OTHER_LANGUAGE: "No open campaign asks for recordings in this language.",
    UploadRefusal.DAILY_LIMIT: "This device has reached its limit of clips for today; try again tomorrow.",
    ImportRefusal.ZERO_CHARACTER: _("its row holds a zero character"),
    ImportRefusal.WITHDREW: _("this contributor withdrew; an import cannot bring them back"),
    ImportRefusal.BAD_LANGUAGE: _("language %(language)r is not a code such as en or pt-BR"),
    ImportRefusal.OTHER_LANGUAGE: _("its language is %(language)s, the campaign's is %(wanted)s"),
    ImportRefusal.BAD_TRUTH: _("truth is %(truth)r; it must be wake-word, not-wake-word or an answer"),
    ImportRefusal.BAD_VOICE: _("voice %(voice)r is not known: write made, or leave it empty"),
    ImportRefusal.BAD_LICENCE: _("licence %(licence)r is not an SPDX identifier such as CC-BY-4.0"),
    ImportRefusal.NO_LICENCE: _("its row names no licence"),
    ImportRefusal.OTHER_KIND: _("its answer is to another kind of question than this campaign’s"),
    ImportRefusal.NOT_LISTED: _("soft-labels.jsonl, which lists the archive’s recordings, does not name it"),
    ImportRefusal.NOT_A_FILE: _("this is not a file"),
    ImportRefusal.TOO_LARGE: _("%(megabytes).0f MB; the limit is %(most)d MB"),
    ImportRefusal.MISSING: _("there is no such file"),
    ImportRefusal.UNREADABLE: _("it cannot be read: %(error)s"),
    ImportRefusal.LINKED_FOLDER: _(
        "this is a link to a folder and is not followed; import that folder itself"
    ),
    ImportRefusal.OUTSIDE: _("its path is absolute or leads out of the manifest's folder"),
    ImportRefusal.CONTRADICTS: _("line %(line)d names the same file and says something else of it"),
    SourceFault.UNKNOWN_KIND: (
        "%(path)s is neither a folder, nor a tar, nor a manifest whose name ends in .csv or .tsv."
    ),
    SourceFault.UNREADABLE: _("%(path)s cannot be read: %(error)s."),
    SourceFault.MISSING: _("%(path)s does not exist."),
    SourceFault.NOT_UTF_8: _("%(path)s, line %(line)d: not UTF-8 (%(error)s)."),
    SourceFault.BROKEN_CSV: _("%(path)s, line %(line)d: %(error)s."),
    SourceFault.NO_PATH_COLUMN: _("%(path)s, line %(line)d: no column named path (found: %(found)s)."),
    SourceFault.UNKNOWN_COLUMNS: _(
        "%(path)s, line %(line)d: unknown columns: %(columns)s. Rename or remove them, so that nothing is "
        "passed over by mistake. The columns are %(known)s; usual other names for these are known too."
    ),
    SourceFault.COLUMN_TWICE: _(
        "%(path)s, line %(line)d: the column %(column)s appears twice (found: %(found)s)."
    ),
    SourceFault.TOO_MANY_CELLS: _(
        "%(path)s, line %(line)d: more cells than columns; put quotes around a cell with a %(delimiter)s."
    ),
    SourceFault.BROKEN_LINE: _("%(path)s, line %(line)d: %(expected)s is expected here."),
    SourceFault.SEGMENTS: _(
        "%(path)s cuts recordings into parts, which is not supported: cut them, and bring the parts."
    ),
    SourceFault.NO_LICENCE: (
        "%(path)s does not say under which licence its recordings are: name it with --licence, such as "
        "--licence CC-BY-4.0, or for each in a column licence."
    ),
    SourceFault.OTHER_LICENCE: _(
        "%(path)s says that its recordings are under %(found)s, not under %(given)s. Name that one, or none."
    ),
    SourceFault.BROKEN_ARCHIVE: _("%(path)s is damaged or incomplete: %(error)s."),
    SourceFault.BAD_MEMBER: _(
        "%(path)s has a part called %(member)s, which is not a plain file inside it. Nothing of it is read."
    ),
    SourceFault.NO_SOUND: _("%(path)s has texts and labels but no recordings: there is nothing to import."),
    SourceFault.NOT_THIS_LAYOUT: "%(path)s has no files of the format %(form)s (%(wanted)s).",
    SourceFault.TOO_FEW_CELLS: _("%(path)s, line %(line)d: fewer cells than columns."),
}

FOR_DEVICES: Words = WORDS | {
    ConsentRefusal.NO_CONSENT: "No live consent: volunteers may hear %(material)s.",
}

NOT_AGREED = _("Nothing was stored: you have not agreed to this, or no longer do.")

FOR_PAGES: Words = WORDS | {
    ConsentRefusal.NO_CONSENT: NOT_AGREED,
    ConsentRefusal.NOTICE_CHANGED: NOT_AGREED,
    IntakeRefusal.DUPLICATE: _("Someone else has already shared this recording."),
    RecordingRefusal.ALREADY_READ: _("You have already recorded this sentence."),
}

TOO_LARGE_FILE = _("This file is larger than 2 MB.")


def on_page(refusal: Refusal) -> str:
    """The sentence on the record page, in the active language."""
    words = in_words(refusal, FOR_PAGES)
    if isinstance(refusal, BadAudio):
        return _("This recording cannot be accepted: %(reason)s.") % {"reason": words}
    return words

"""Every refusal of this room has a sentence for each place that shows it, in the reader's language."""

from itertools import chain

import pytest
from django.utils import translation

from accounts.consent import ConsentRefusal
from accounts.refusals import in_words
from datasets.clips import wording
from datasets.clips.audio import AudioFault, BadAudio
from datasets.clips.imports import ImportRefusal, SourceFault
from datasets.clips.intake import IntakeRefusal
from datasets.clips.recording import RecordingRefusal
from datasets.clips.uploads import UploadRefusal
from datasets.normalise import TranscriptFault

EVERYWHERE = (AudioFault, ConsentRefusal, IntakeRefusal)
IN_IMPORTS = (TranscriptFault, ImportRefusal, SourceFault)


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        (wording.WORDS, (*EVERYWHERE, *IN_IMPORTS)),
        (wording.FOR_DEVICES, (*EVERYWHERE, UploadRefusal)),
        (wording.FOR_PAGES, (*EVERYWHERE, RecordingRefusal)),
    ],
    ids=["command", "devices", "pages"],
)
def test_every_code_has_words(words, codes):
    assert set(chain.from_iterable(codes)) <= words.keys()


def test_no_two_refusals_share_a_code():
    codes = list(chain(*EVERYWHERE, *IN_IMPORTS, UploadRefusal, RecordingRefusal))
    assert len(set(map(str, codes))) == len(codes)


def test_a_refused_recording_is_explained_in_the_readers_language_and_to_programs_in_english():
    bad = BadAudio(AudioFault.CLIPPED, percent="61%")
    with translation.override("es"):
        assert wording.on_page(bad) == (
            "No se puede aceptar esta grabación: saturado: el 61% de las muestras está al tope."
        )
    assert in_words(bad, wording.WORDS) == "clipped: 61% of the samples are at full scale"

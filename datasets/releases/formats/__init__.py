"""One writer for each training format: see `form`. The files that all formats share are in `package`."""

from . import (
    common_voice,
    deepspeech,
    delta,
    hf_audiofolder,
    kaldi,
    lhotse_shar,
    ljspeech,
    microwakeword,
    nemo,
    openwakeword,
    parquet,
    parquet_labels,
    precise,
    text,
    webdataset,
)
from .form import Format
from .rows import FormatRefusal, UnknownFormat

_ALL: tuple[Format, ...] = (
    *(deepspeech, kaldi, lhotse_shar, nemo, common_voice),
    *(hf_audiofolder, parquet, webdataset),
    *(precise, openwakeword, microwakeword),
    *(ljspeech, parquet_labels, text),
)
FORMATS = {form.NAME: form for form in _ALL}


def find(name: str) -> Format:
    """The format of that name, or what it has more than the version before. Raises UnknownFormat.

    >>> find("deepspeech").NAME
    'deepspeech'
    >>> find("deepspeech-delta").NAME
    'deepspeech-delta'
    """
    whole = name.removesuffix(delta.SUFFIX)
    if whole != name and whole in FORMATS:
        return delta.Delta(FORMATS[whole])
    if name not in FORMATS:
        raise UnknownFormat(FormatRefusal.UNKNOWN, name=name, known=", ".join(sorted(FORMATS)))
    return FORMATS[name]

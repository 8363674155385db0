"""What somebody types to download a release in one format and to load it, as its page shows it."""

from collections.abc import Sequence

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.models import Operator

from .formats import hub, wake_words
from .formats.rows import WAKE_WORD
from .formats.subsets import Subset

PROGRAM = "static/downloads/fetch_release.py"

# Who reads each format, those first that most people have.
READ_BY = {
    "parquet": _("Hugging Face datasets, pandas, DuckDB: sound and labels in few files"),
    "hf-audiofolder": _("Hugging Face datasets: a WAV for each clip"),
    "webdataset": _("PyTorch with WebDataset: large releases, read one after the other"),
    "lhotse-shar": _("PyTorch with Lhotse: k2, Icefall, NeMo"),
    "nemo": _("NVIDIA NeMo"),
    "kaldi": _("Kaldi, ESPnet, Lhotse"),
    "deepspeech": _("DeepSpeech, Coqui STT"),
    "common-voice": _("programs that read Mozilla Common Voice"),
    "precise": _("wake words: Mycroft Precise"),
    "openwakeword": _("wake words: openWakeWord, livekit-wakeword"),
    "microwakeword": _("wake words: microWakeWord"),
    "ljspeech": _("speech synthesis: Piper, Coqui TTS"),
    "parquet-labels": _("labels without sound: pandas, DuckDB"),
    "text": _("labels without sound: any program that reads JSON lines"),
}
ABOUT_WAKE_WORDS = {"precise", "openwakeword", "microwakeword"}

# The first lines with what the format's users have, which is named if it can be installed. {folder} is where
# the archive was unpacked, and {part} where the files of one language and wake word are. Sounds are decoded
# by soundfile: for `datasets` to do it, torchcodec and FFmpeg must be installed as well.
SNIPPETS = {
    "parquet": (
        "# pip install datasets soundfile\nimport io\n\nimport soundfile\n"
        "from datasets import Audio, load_dataset\n\n"
        'train = load_dataset("{folder}"{config}, split="train").cast_column("audio", Audio(decode=False))\n'
        "for clip in train:\n"
        '    samples, rate = soundfile.read(io.BytesIO(clip["audio"]["bytes"]))'
    ),
    "hf-audiofolder": (
        "# pip install datasets soundfile\nimport soundfile\nfrom datasets import Audio, load_dataset\n\n"
        'train = load_dataset("{folder}"{config}, split="train").cast_column("audio", Audio(decode=False))\n'
        "for clip in train:\n"
        '    samples, rate = soundfile.read(clip["audio"]["path"])'
    ),
    "webdataset": (
        "# pip install webdataset\nimport glob\n\nimport webdataset\n\n"
        'train = webdataset.WebDataset(sorted(glob.glob("{part}/data/train-*.tar")), shardshuffle=100)'
    ),
    "lhotse-shar": (
        "# pip install lhotse torch urllib3\nfrom lhotse import CutSet\n\n"
        'train = CutSet.from_shar(in_dir="{part}/train")'
    ),
    "nemo": (
        '# pip install "nemo_toolkit[asr]"\n'
        "model.setup_training_data({{\n"
        '    "manifest_filepath": "{part}/train_manifest.json",\n'
        '    "sample_rate": 16_000,\n'
        '    "batch_size": 16,\n'
        "}})"
    ),
    "kaldi": (
        "# pip install lhotse torch urllib3\n# in the folder {part}\n"
        "from lhotse.kaldi import load_kaldi_data_dir\n\n"
        'recordings, supervisions, _ = load_kaldi_data_dir("train", sampling_rate=16_000)'
    ),
    "deepspeech": '# pip install pandas\nimport pandas\n\ntrain = pandas.read_csv("{part}/train.csv")',
    "common-voice": (
        "# pip install pandas\nimport pandas\n\n"
        'train = pandas.read_csv("{part}/{language}/train.tsv", sep="\\t", quoting=3)  # without quotes'
    ),
    "precise": "precise-train word.net {part}",
    "openwakeword": (
        '# in the settings of openWakeWord\'s train.py\nmodel_name: "{model}"\noutput_dir: "{part}"'
    ),
    "microwakeword": (
        "from microwakeword.audio.clips import Clips\n\n"
        'positive = Clips(input_directory="{part}/positive/training", file_pattern="*.wav")'
    ),
    "ljspeech": (
        "# pip install pandas\nimport glob\n\nimport pandas\n\n"
        'for speaker in glob.glob("{part}/*/metadata.csv"):\n'
        '    lines = pandas.read_csv(speaker, sep="|", header=None, quoting=3)  # without quotes'
    ),
    "parquet-labels": (
        "# pip install duckdb\nimport duckdb\n\n"
        "duckdb.sql(\"SELECT * FROM '{part}/data/*.parquet' LIMIT 5\").show()"
    ),
    "text": (
        '# pip install pandas\nimport pandas\n\ntrain = pandas.read_json("{part}/train.jsonl", lines=True)'
    ),
}


def fetch(slug: str, form: str) -> str:
    """Download an archive, check and unpack it, in a folder without anything else of this site."""
    return (
        f"curl --fail --output fetch_release.py {settings.SITE_URL}/{PROGRAM}\n"
        f"python3 fetch_release.py {slug} --site {settings.SITE_URL} --format {form}"
    )


def fetch_by_hand(slug: str, form: str, is_open: bool) -> str:
    """The same by curl and tar; TAGGER_TOKEN is the person's token."""
    folder = folder_of(slug, form)
    token = "" if is_open else ' --header "Authorization: Token $TAGGER_TOKEN"'
    return (
        f"curl --fail --continue-at - --output {folder}.tar{token} "
        f"{settings.SITE_URL}/api/v1/releases/{slug}/{form}.tar\n"
        f"mkdir {folder} && tar --extract --file {folder}.tar --directory {folder}\n"
        f"cd {folder} && sha256sum --check --quiet checksums.sha256"
    )


def load(slug: str, form: str, subsets: Sequence[Subset]) -> str:
    """The first of the release's languages and wake words that people use the format for."""
    folder = folder_of(slug, form)
    usual = [each for each in subsets if (each.kind == WAKE_WORD) == (form in ABOUT_WAKE_WORDS)]
    subset = [*usual, *subsets, Subset("", "", "")][0]
    return SNIPPETS[form].format(
        folder=folder,
        part=f"{folder}/{subset.folder}".rstrip("/"),
        config=f', "{hub.config_name(subset)}"' if subset.folder else "",
        language=subset.language or "und",
        model=wake_words.model_name(subset.wake_word),
    )


def citation(slug: str, year: int, operator: Operator | None) -> str:
    """As BibTeX. Whoever runs the site is the author, as contributors are not named."""
    name = operator.name if operator else "Contributors to Tagger"
    author = name.translate(dict.fromkeys(map(ord, "{}\\")))
    return (
        f"@misc{{{slug},\n"
        f"  author = {{{{{author}}}}},\n"
        f"  title = {{{{{slug}}}}},\n"
        f"  year = {{{year}}},\n"
        f"  url = {{{settings.SITE_URL}/releases/{slug}/}}\n"
        "}"
    )


def folder_of(slug: str, form: str) -> str:
    """
    >>> folder_of("spring", "kaldi")
    'spring-kaldi'
    """
    return f"{slug}-{form}"

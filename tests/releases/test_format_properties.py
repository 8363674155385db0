"""What holds for every format and any rows, so that an archive can be sent from any byte on and tells no one
when a contributor left."""

import json
import re
from dataclasses import replace
from io import BytesIO

import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets.releases import blank, formats
from datasets.releases.formats import layout, package, parquet, parquet_labels
from datasets.releases.formats.parts import SoundOf
from datasets.releases.formats.rows import NotRepresentable, Row
from tests.support import training
from tests.support.mutants import mutant
from tests.support.training import files, in_order, planned

EACH = pytest.mark.parametrize("form", formats.FORMATS.values(), ids=formats.FORMATS)
# A row group ends with its block.
WITHOUT_ROW_GROUPS = [form for form in formats.FORMATS.values() if form not in (parquet, parquet_labels)]
TEXTS = (".csv", ".tsv", ".jsonl", ".json", "text", "utt2spk", "utt2lang", "wav.scp", "spk2utt")

word = st.sampled_from(
    [
        "hey",
        "nan",
        "null",
        "día",
        "o'neill's",
        "ß",
        "東",
        "قناة",
        "४",
        "12",
        "٤",
        "[unclear]",
        "[private]",
        "𞤀𞤁",
    ]
)
number_or_none = st.none() | st.floats(0, 1, allow_nan=False)


@st.composite
def clip(draw, number):
    """A clip of at most 20 ms, so that sounds are small."""
    is_label = draw(st.booleans())
    words = draw(st.lists(word, max_size=4))
    seconds = draw(st.integers(0, 320)) / 16_000
    speaker = draw(st.integers(0, 3))
    votes = {"yes": draw(st.integers(0, 9)), "no": draw(st.integers(0, 9))}
    return Row(
        id=f"{draw(st.sampled_from(['0', 'a', 'B', '12e']))}c{number:07}",
        speaker=f"s{speaker}",
        split=("train", "dev", "test", "train")[speaker],
        kind="wake-word" if is_label else "transcription",
        wake_word=draw(st.sampled_from(["Hey Mycroft", "computer", "嘿"])) if is_label else "",
        label=draw(st.sampled_from(["yes", "similar", "no", "noise"])) if is_label else None,
        text="" if is_label else " ".join(words),
        seconds=seconds,
        size=44 + 2 * round(seconds * 16_000) + draw(st.sampled_from([0, 30])),
        confidence=draw(st.floats(0, 1)),
        soft={"votes": votes} if is_label else {"words": [{"word": each} for each in words]},
        language=draw(st.sampled_from(["en", "es", ""])),
        licence="CC0-1.0",
        source="browser",
        votes=draw(st.integers(0, 9)),
        snr=draw(number_or_none),
        clipping=draw(number_or_none),
        speech_share=draw(number_or_none),
        for_synthesis=speaker % 2 == 0,
    )


@st.composite
def releases(draw):
    return [draw(clip(number)) for number in range(draw(st.integers(1, 9)))]


any_release = settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])


def voice(row):
    return row.id.encode().ljust(row.size, b".")


def withdrawn(row):
    """The row after its contributor left and before the next recall feed."""
    if row.kind == "wake-word":
        return row
    return replace(row, text=blank.text(row.text), soft=blank.evidence(row.soft))


def made(form, rows, **options):
    """Its files, and none of a release that it refuses."""
    try:
        return files(form, rows, voice, **options)
    except NotRepresentable:
        return {}


@EACH
@any_release
@given(rows=releases())
def test_every_file_has_the_size_that_was_announced(form, rows):
    written = made(form, rows)
    if not written:
        return
    plan = planned(form, rows)
    announced = {file.path: file.size for file in plan.files}
    assert {path: len(written[path]) for path in announced} == announced
    assert len(written) == plan.file_count + 1  # the checksums


@mutant(
    "no size in an archive says when a contributor left",
    "datasets/releases/formats/parquet_file.py",
    kept_by="        content = value.encode() if isinstance(value, str) else value",
    broken="        content = value.strip().encode() if isinstance(value, str) else value",
)
@EACH
@any_release
@given(rows=releases())
def test_a_withdrawal_changes_no_name_and_no_size(form, rows):
    before = made(form, rows)
    after = made(form, rows, as_sent=withdrawn)
    assert {path: len(content) for path, content in before.items()} == {
        path: len(content) for path, content in after.items()
    }


@mutant(
    "no archive that is planned after someone left has other rows",
    "datasets/releases/blank.py",
    kept_by='next(filter(str.isdecimal, rest), "")',
    broken='""',
)
@EACH
@any_release
@given(rows=releases())
def test_a_withdrawal_changes_no_decision(form, rows):
    """An archive that is planned after it has the same rows."""
    assert list(map(form.why_left_out, rows)) == [form.why_left_out(withdrawn(row)) for row in rows]


@EACH
@any_release
@given(rows=releases())
def test_every_row_is_in_the_archive_or_counted(form, rows):
    written = made(form, rows)
    left_out = {row.id for row in rows if form.why_left_out(row)}
    if not written:
        assert left_out == {row.id for row in rows}
        return
    counted = planned(form, rows).summary
    assert counted.left_out.total() == len(left_out) and counted.clips == len(rows) - len(left_out)
    own = b"\n".join(path.encode() + b"\n" + content for path, content in training.own(written).items())
    named = {token.decode() for token in re.findall(rb"[0-9A-Za-z]+", own)}
    assert {row.id for row in rows} - named == left_out


@EACH
@any_release
@given(rows=releases())
def test_each_line_about_clips_names_them(form, rows):
    """`clean_copy.py` deletes lines by the ids in them."""
    ids = {row.id for row in rows}
    for path, content in training.own(made(form, rows)).items():
        if not path.endswith(TEXTS):
            continue
        lines = content.decode().splitlines()
        about_clips = lines[1:] if path.endswith((".tsv", "train.csv", "dev.csv", "test.csv")) else lines
        assert all(ids & set(re.findall("[0-9A-Za-z]+", line)) for line in about_clips)


@pytest.mark.parametrize("form", WITHOUT_ROW_GROUPS, ids=lambda form: form.NAME)
@any_release
@given(rows=releases(), size=st.sampled_from([1, 2, 3]))
def test_how_rows_are_divided_into_blocks_changes_no_byte(form, rows, size):
    whole = made(form, rows)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(layout, "BLOCK_ROWS", size)
        assert made(form, rows) == whole


@EACH
@any_release
@given(rows=releases(), size=st.sampled_from([1, 2, 400]))
def test_a_block_can_be_made_by_itself_and_in_any_order(form, rows, size):
    """From its rows alone, and with `has_words` unset from rows whose words are blank."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(layout, "BLOCK_ROWS", size)
        try:
            plan = planned(form, rows)
        except NotRepresentable:
            return
        whole = made(form, rows)
    named, ordered = in_order(form, rows)
    parts = package.parts(form, named, has_previous=False)
    starts = [sum(block.rows for block in plan.blocks[:number]) for number in range(len(plan.blocks))]
    for file in plan.files:
        part = parts[file.part]
        pieces = {}
        for run in reversed(file.runs):
            block = plan.blocks[run.block]
            kept = layout.kept(block, ordered[starts[run.block] : starts[run.block] + block.rows])
            given_rows = kept if part.has_words else list(map(withdrawn, kept))
            made_now = layout.segments(part, given_rows, run)
            pieces[run.block] = b"".join(
                voice(each.row) if isinstance(each, SoundOf) else each for each in made_now
            )
        content = b"".join(pieces[run.block] for run in file.runs)
        assert file.head + content + file.tail == whole[file.path]


@pytest.mark.parametrize("form", [parquet, parquet_labels])
@any_release
@given(rows=releases(), size=st.sampled_from([1, 2, 400]))
def test_parquet_gives_back_every_value(form, rows, size):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(layout, "BLOCK_ROWS", size)
        written = made(form, rows)
    read = {}
    for path, content in written.items():
        if path.endswith(".parquet"):
            for line in pyarrow.parquet.read_table(BytesIO(content)).to_pylist():
                read[line["id"]] = line
    assert read.keys() == {row.id for row in rows}
    for row in rows:
        line = read[row.id]
        for name in (
            "speaker",
            "split",
            "kind",
            "language",
            "label",
            "seconds",
            "confidence",
            "votes",
            "snr",
        ):
            assert line[name] == getattr(row, name)
        assert json.loads(line["soft"]) == row.soft
        if form is parquet:
            assert line["audio"]["bytes"] == voice(row)

"""Files as they come: wrong lengths, joined files, junk, cut ends. All sound that is there, or a reason.

Each file is made here, from samples or packets that are counted before, and the count is compared.
"""

import io
import struct
from tempfile import NamedTemporaryFile

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.refusals import in_words
from datasets.clips import audio, mpeg, ogg, wav_files
from datasets.clips.audio import BadAudio
from datasets.clips.wording import WORDS
from tests.support import sounds
from tests.support.mutants import mutant
from tests.support.sounds import fmt, riff, tone

RATE = audio.RATE
SAMPLES = np.random.default_rng(1).integers(-9_000, 9_000, RATE // 2).astype(np.int16)
SOUND = SAMPLES.tobytes()
LISTED = (b"LIST", b"INFOIART\x05\0\0\0Alice\0")
JUNK = np.random.default_rng(2).bytes(5_000)
ID3V1 = b"TAG" + b"by Alice".ljust(125, b"\0")


def refused(data: bytes) -> str:
    with pytest.raises(BadAudio) as caught:
        audio.check(audio.read(data))
    return in_words(caught.value, WORDS)


def is_all(data: bytes) -> bool:
    return audio.read(data).tobytes() == SOUND


def id3v2(size: int, byte: bytes = b"\xff\xfb\x90\x64") -> bytes:
    """A tag that large, full of what looks like the head of an MP3 frame."""
    parts = [size >> shift & 0x7F for shift in (21, 14, 7, 0)]
    return b"ID3\x04\0\0" + bytes(parts) + (byte * (size // 4 + 1))[:size]


# WAV


@mutant(
    "a WAV file is read to the end of its sound, whatever length its form has",
    "datasets/clips/wav_files.py",
    kept_by="    while at + 8 <= len(data):\n",
    broken='    while at + 8 <= min(len(data), int.from_bytes(data[4:8], "little") + 8):\n',
)
@pytest.mark.parametrize("off", [-(10**6), -12_000, -40, -3, -1, 1, 2, 100, 10**6])
@pytest.mark.parametrize("chunks", [[], [LISTED]], ids=["plain", "with a list"])
def test_a_form_of_the_wrong_length_loses_nothing(off, chunks):
    size = len(riff(fmt(), (b"data", SOUND), *chunks)) - 8
    assert is_all(riff(fmt(), (b"data", SOUND), *chunks, size=max(size + off, 0)))
    assert is_all(riff(fmt(), *chunks, (b"data", SOUND), size=max(size + off, 0)))


def with_data_size(size: int, after: bytes = b"", form: int | None = None) -> bytes:
    body = sounds.wav_header(size, 36 + len(SOUND) if form is None else form) + SOUND
    return body + after


@mutant(
    "sound after the length in a WAV header is not dropped silently",
    "datasets/clips/wav_files.py",
    kept_by="    if len(data) - more >= encoded.frame and not _is_other_data(data, more):\n",
    broken="    if False:\n",
)
@pytest.mark.parametrize("off", [2, 4, 10, 2_000, len(SOUND) - 2])
def test_sound_beyond_its_counted_length_is_refused_with_both_figures(off):
    promised = len(SOUND) - off
    for form in (36 + promised, 36 + len(SOUND), 7, 0xFFFF_FFFF):
        says = f"says {promised:,} bytes of sound, but {off:,} bytes follow"
        assert says in refused(with_data_size(promised, form=form))


@pytest.mark.parametrize("off", [1, 2, 8, 36, 44])
def test_a_recorder_that_counts_its_header_as_sound_is_read(off):
    assert is_all(with_data_size(len(SOUND) + off))


def test_a_wav_file_that_is_cut_off_is_refused_with_both_figures():
    file = riff(fmt(), (b"data", SOUND))
    for held in (12, 100, len(SOUND) - 46):
        says = f"says {len(SOUND):,} bytes of sound, but the file has {held:,}"
        assert says in refused(file[: 44 + held])


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF, 0x7FFF_FFFF, 0x8000_0000])
@pytest.mark.parametrize("form", [0, 36, 36 + len(SOUND), 50, 0xFFFF_FFFF])
def test_an_open_length_is_read_to_the_end_whatever_the_form_says(size, form):
    assert is_all(with_data_size(size, form=form))
    assert is_all(with_data_size(size, b"\x01", form=form))


@pytest.mark.parametrize("before", [(b"odd ", b"abc"), (b"LIST", b"INFOx"), (b"JUNK", b"x" * 27)])
def test_a_missing_pad_byte_hides_no_sound(before):
    name, body = before
    chunk = name + struct.pack("<I", len(body)) + body
    for file in (
        b"RIFF\0\0\0\0WAVE" + chunk + sounds.chunk(*fmt()) + sounds.chunk(b"data", SOUND),
        b"RIFF\0\0\0\0WAVE" + sounds.chunk(*fmt()) + chunk + sounds.chunk(b"data", SOUND),
    ):
        assert is_all(file)
    odd = np.arange(8_001).astype(np.uint8).tobytes()
    header = b"RIFF\0\0\0\0WAVE" + sounds.chunk(*fmt(bits=8)) + b"data" + struct.pack("<I", len(odd))
    for end in (b"", b"\0", sounds.chunk(*LISTED), b"\0" + sounds.chunk(*LISTED)):
        assert len(audio.read(header + odd + end)) == 8_001


@pytest.mark.parametrize(
    "after",
    [
        *(sounds.chunk(*LISTED), sounds.chunk(*LISTED) * 3, sounds.chunk(b"abcd", b"\1\2\3"), b"\0"),
        *(b"LIST\xff\xff\0\0what", id3v2(300), ID3V1, b"APETAGEX" + bytes(99), b"made by Alice\r\n"),
    ],
)
def test_what_is_known_not_to_be_sound_may_follow(after):
    assert is_all(riff(fmt(), (b"data", SOUND)) + after)


@mutant(
    "a second WAV file that was appended is not dropped silently",
    "datasets/clips/wav_files.py",
    kept_by="        if name in _SOUND:\n            return False\n",
    broken="",
)
def test_a_second_file_or_a_second_data_chunk_is_refused():
    one = riff(fmt(), (b"data", SOUND))
    for file in (
        one + one,
        riff(fmt(), (b"data", SOUND), LISTED) + one,
        riff(fmt(), (b"data", SOUND), (b"data", SOUND)),
    ):
        assert "follow that may be sound too" in refused(file)


def rf64(data_size: int, in_ds64: int, magic: bytes = b"RF64") -> bytes:
    ds64 = struct.pack("<QQQI", 0, in_ds64, in_ds64 // 2, 0)
    head = magic + b"\xff\xff\xff\xff" + b"WAVE" + sounds.chunk(b"ds64", ds64) + sounds.chunk(*fmt())
    return head + b"data" + struct.pack("<I", data_size) + SOUND


@pytest.mark.parametrize("magic", [b"RF64", b"BW64"])
def test_a_file_for_more_than_4_gb_is_read(magic):
    assert is_all(rf64(0xFFFF_FFFF, len(SOUND), magic))
    assert is_all(rf64(0xFFFF_FFFF, 0, magic))
    assert is_all(rf64(len(SOUND), 0, magic))
    assert "says 99,999 bytes of sound" in refused(rf64(0xFFFF_FFFF, 99_999, magic))


def extensible(bits: int, valid: int, encoding: int = 1) -> bytes:
    return struct.pack("<HHIH", 22, valid, 4, encoding) + wav_files.GUID_TAIL


@pytest.mark.parametrize(("bits", "valid"), [(16, 16), (24, 20), (24, 24), (32, 24)])
def test_an_extensible_header_is_read_at_full_level(bits, valid):
    wide = SAMPLES.astype("<i4") << 16
    sound = wide.view(np.uint8).reshape(-1, 4)[:, 4 - bits // 8 :].tobytes()
    assert is_all(riff(fmt(0xFFFE, bits=bits, extra=extensible(bits, valid)), (b"data", sound)))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_lengths_in_a_wav_header_lose_nothing_silently(data):
    """The first length is the form's, the second the sound's; what follows is a list or nothing."""
    some = st.sampled_from([0, 36, len(SOUND), len(SOUND) + 36, 0xFFFF_FFFF]) | st.integers(0, 2**32 - 1)
    near = st.integers(len(SOUND) - 100, len(SOUND) + 100)
    after = data.draw(st.sampled_from([b"", sounds.chunk(*LISTED)]))
    size = data.draw(some | near)
    try:
        samples = audio.read(with_data_size(size, after, data.draw(some | near)))
    except BadAudio as refusal:
        assert in_words(refusal, WORDS)
    else:
        assert samples.tobytes()[: len(SOUND)] == SOUND


# FLAC


def flac(samples=SAMPLES, total: int | None = None) -> bytes:
    file = bytearray(sounds.in_format("flac", samples))
    if total is not None:
        field = int.from_bytes(file[18:26])
        file[18:26] = (field >> 36 << 36 | total).to_bytes(8)
    return bytes(file)


@mutant(
    "a FLAC file is read to its end, whatever its header counts",
    "datasets/clips/audio.py",
    kept_by="        if not total or _goes_on(sound, decoded):\n",
    broken="        if not total:\n",
)
@pytest.mark.parametrize("total", [0, 1, 100, 4_096, 7_000, len(SAMPLES) - 1, len(SAMPLES)])
@pytest.mark.parametrize("after", [b"", ID3V1])
def test_a_flac_file_that_counts_too_few_samples_is_read_whole(total, after):
    assert is_all(flac(total=total) + after)
    assert is_all(id3v2(70_000) + flac(total=total) + after)


@mutant(
    "a FLAC file that holds fewer samples than it says is refused",
    "datasets/clips/audio.py",
    kept_by="            if not len(block):\n                held",
    broken="            if not len(block):\n                return decoded\n                held",
)
@pytest.mark.parametrize("total", [len(SAMPLES) + 1, 10**6, 2**36 - 1])
def test_a_flac_file_that_counts_too_many_samples_is_refused_with_both_figures(total):
    assert refused(flac(total=total)) == (
        f"the file is incomplete: it should have {total:,} samples, but it has {len(SAMPLES):,}"
    )


@pytest.mark.parametrize("total", [None, 0])
def test_a_flac_file_that_is_cut_off_or_damaged_is_refused(total):
    file = flac(total=total)
    for cut in (200, len(file) // 2, len(file) - 1):
        assert refused(file[:cut])
    middle = len(file) // 2
    assert refused(file[:middle] + bytes(100) + file[middle + 100 :])
    assert refused(file[:middle] + file[middle + 3_000 :])


@mutant(
    "a second FLAC file that was appended is read too",
    "datasets/clips/audio.py",
    kept_by="    starts = [found.start() for found in _FLAC_START.finditer(data)] or [0]\n",
    broken="    starts = [0]\n",
)
@pytest.mark.parametrize("total", [None, 0, 1])
def test_flac_files_that_were_appended_to_each_other_are_all_read(total):
    assert audio.read(flac(total=total) * 3).tobytes() == SOUND * 3


# Ogg


def pages(file: bytes) -> list[bytes]:
    return [file[page.start : page.end] for page in ogg._pages(file)]


def rewritten(page: bytes, granule: int) -> bytes:
    new = bytearray(page)
    new[6:14] = (granule % 2**64).to_bytes(8, "little")
    new[22:26] = bytes(4)
    new[22:26] = ogg._checksum(bytes(new))
    return bytes(new)


OGG = {kind: sounds.in_format(kind, tone(1.5)) for kind in ("ogg", "opus")}
LONG_OGG = {kind: sounds.in_format(kind, np.tile(SAMPLES, 6)) for kind in ("ogg", "opus")}


@mutant(
    "all of the streams that are chained in an Ogg file are read",
    "datasets/clips/audio.py",
    kept_by="(partial(_decode_ogg, stream) for stream in chained)",
    broken="(partial(_decode_ogg, stream) for stream in chained[:1])",
)
@pytest.mark.parametrize("first", ["ogg", "opus"])
def test_chained_streams_are_all_read(first):
    for chain in ([first] * 2, [first] * 3, ["ogg", "opus"], ["opus", "ogg"]):
        assert len(audio.read(b"".join(OGG[kind] for kind in chain))) == 24_000 * len(chain)


def test_a_chain_of_other_rates_and_channels_is_read():
    stereo = np.stack([tone(0.5, 44_100)] * 2, axis=1)
    other = sounds.in_format("ogg", stereo, 44_100)
    assert len(audio.read(OGG["ogg"] + other)) == pytest.approx(24_000 + 8_000, abs=1)


def test_a_chain_that_goes_on_for_ever_is_refused():
    assert refused(OGG["opus"] * 22) == "longer than 30 s"


@mutant(
    "an Ogg file that is cut off or damaged is refused",
    "datasets/clips/ogg.py",
    kept_by='            raise BrokenOgg(f"the page at byte {at} is cut short")\n',
    broken="            return\n",
)
@pytest.mark.parametrize("kind", ["ogg", "opus"])
def test_an_ogg_file_that_is_cut_within_a_page_is_refused(kind):
    file = LONG_OGG[kind]
    for cut in (len(file) - 1, len(file) // 2, len(file) // 3):
        assert refused(file[:cut]) == "a part of the sound is missing or damaged"


@pytest.mark.parametrize("kind", ["ogg", "opus"])
def test_an_ogg_file_that_ends_with_a_page_is_read_up_to_it(kind):
    *others, _last = pages(LONG_OGG[kind])
    end = ogg.last_granule(b"".join(others))
    expected = end if kind == "ogg" else (end - 312) // 3  # Opus counts at 48 kHz, and skips its first 6.5 ms
    assert len(audio.read(b"".join(others))) == expected > RATE
    assert len(audio.read(LONG_OGG[kind] + ID3V1)) == 6 * len(SAMPLES)


@mutant(
    "an Ogg file without one of its pages is refused",
    "datasets/clips/ogg.py",
    kept_by="    if page.number != (before.number + 1) % 2**32:\n",
    broken="    if False:\n",
)
@pytest.mark.parametrize("kind", ["ogg", "opus"])
def test_an_ogg_file_without_a_page_is_refused(kind):
    all_pages = pages(LONG_OGG[kind])
    for gone in range(2, len(all_pages) - 1):
        assert "missing or damaged" in refused(b"".join(all_pages[:gone] + all_pages[gone + 1 :]))


@mutant(
    "an Ogg file with a damaged page is refused",
    "datasets/clips/ogg.py",
    kept_by="        if _checksum(",
    broken="        if False and _checksum(",
)
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_an_ogg_file_with_a_wrong_bit_is_refused(data):
    file = bytearray(LONG_OGG[data.draw(st.sampled_from(["ogg", "opus"]))])
    at = data.draw(st.integers(len(file) // 2, len(file) - 1))
    file[at] ^= 1 << data.draw(st.integers(0, 7))
    assert refused(bytes(file))


@mutant(
    "an Ogg file that says it ends early is refused",
    "datasets/clips/audio.py",
    kept_by="    if held - promised > _PADDING * rate:\n",
    broken="    if False:\n",
)
@pytest.mark.parametrize("kind", ["ogg", "opus"])
@pytest.mark.parametrize("part", [0.5, 0.7])
def test_an_ogg_file_that_says_it_ends_early_is_refused(kind, part):
    numbered = list(enumerate(pages(LONG_OGG[kind])))
    last = int(ogg.last_granule(LONG_OGG[kind]) * part)
    early = [page if number < 2 else rewritten(page, last) for number, page in numbered]
    assert refused(b"".join(early))
    backwards = [*(page for _, page in numbered[:-1]), rewritten(numbered[-1][1], 1_000)]
    assert "missing or damaged" in refused(b"".join(backwards))


@pytest.mark.parametrize("kind", ["ogg", "opus"])
def test_an_ogg_file_cut_from_a_broadcast_starts_where_it_starts(kind):
    numbered = enumerate(ogg._pages(LONG_OGG[kind]))
    file = [
        LONG_OGG[kind][page.start : page.end]
        if number < 2
        else rewritten(LONG_OGG[kind][page.start : page.end], page.granule + 42 * 48_000)
        for number, page in numbered
    ]
    assert len(audio.read(b"".join(file))) == 6 * len(SAMPLES)


# MP3

MP3 = sounds.in_format("mp3", np.tile(SAMPLES, 3))
FRAMES = mpeg.frames(MP3, 31)
ALL = 3 * len(SAMPLES)  # with the encoder's padding left out, as the Info frame says
UNTRIMMED = FRAMES.samples - mpeg.DECODER_DELAY


def with_info(count: int) -> bytes:
    at = MP3.index(b"Info" if b"Info" in MP3 else b"Xing") + 8
    return MP3[:at] + count.to_bytes(4) + MP3[at + 4 :]


def encoded(kilobits_index: int, rate: int = RATE) -> list[bytes]:
    """The frames of a tone at a constant bitrate, without an Info frame."""
    file = io.BytesIO()
    level = {1: 0.95, 14: 0.0}[kilobits_index]
    kind = {"format": "MP3", "bitrate_mode": "CONSTANT", "compression_level": level}
    with soundfile.SoundFile(file, "w", rate, 1, **kind) as opened:
        opened.write(tone(1.5, rate))
    found = mpeg.frames(file.getvalue(), 31)
    return [found.data[each.start : each.start + each.size] for each in found.sound]


def test_the_frames_of_an_mp3_file_are_counted_by_their_heads():
    assert FRAMES.joined() == MP3
    assert FRAMES.samples == len(FRAMES.sound) * 576 > ALL
    assert (len(audio.read(MP3)), FRAMES.samples - FRAMES.padding()) == (ALL, ALL)


@pytest.mark.parametrize("size", [1, 3, 100, 5_000, 300_000])
def test_junk_before_an_mp3_loses_nothing(size):
    expected = audio.read(MP3).tobytes()
    for junk in ((JUNK * 60)[:size], bytes(size), b"\xff" * size, id3v2(size), id3v2(size) + JUNK[:size]):
        assert audio.read(junk + MP3).tobytes() == expected
        assert audio.read(junk + MP3 + ID3V1).tobytes() == expected


@mutant(
    "an MP3 file is read to its end, whatever its Info frame says",
    "datasets/clips/mpeg.py",
    kept_by="        if not flags & 1 or count != len(self.sound):\n            return None\n",
    broken="",
)
@pytest.mark.parametrize("count", [0, 1, 10, len(FRAMES.sound) - 1, len(FRAMES.sound) + 1, 10**6])
def test_an_info_frame_that_counts_wrong_loses_nothing(count):
    assert len(audio.read(with_info(count))) == UNTRIMMED


def test_an_info_frame_that_would_cut_sound_off_is_not_believed():
    at = MP3.index(b"LAME") + 21
    lying = MP3[:at] + b"\xff\xff\xff" + MP3[at + 3 :]
    assert len(audio.read(lying)) == UNTRIMMED


@mutant(
    "an MP3 file of changing bitrate without an Info frame is read to its end",
    "datasets/clips/audio.py",
    kept_by="        if decoded.length >= frames.samples - padding:\n",
    broken="        if True:\n",
)
@pytest.mark.parametrize("rate", [RATE, 44_100])
def test_an_mp3_file_of_changing_bitrate_needs_no_info_frame(rate):
    high, low = encoded(14, rate), encoded(1, rate)
    frame = 576 if rate == RATE else 1_152
    for frames in (high[:20] + low, low[:20] + high):
        expected = (len(frames) * frame - mpeg.DECODER_DELAY) * RATE / rate
        found = len(audio.read(b"".join(frames)))
        assert expected - 1 <= found <= expected + mpeg.DECODER_DELAY


@pytest.mark.parametrize("between", [b"", ID3V1, id3v2(1_000), JUNK])
def test_mp3_files_that_were_appended_to_each_other_are_all_read(between):
    file = MP3 + between + MP3
    assert len(audio.read(file)) == 2 * FRAMES.samples - mpeg.DECODER_DELAY


@settings(max_examples=40, deadline=None)
@given(st.integers(0, len(FRAMES.sound) - 1), st.integers(0, 5_000))
def test_junk_between_frames_loses_no_frame(number, size):
    at = FRAMES.sound[number].start
    assert len(audio.read(MP3[:at] + JUNK[:size] + MP3[at:])) in (ALL, UNTRIMMED)


@settings(max_examples=30, deadline=None)
@given(st.integers(len(MP3) // 4, len(MP3) - 1))
def test_an_mp3_file_that_is_cut_off_is_read_to_its_last_whole_frame(cut):
    whole = sum(frame.start + frame.size <= cut for frame in FRAMES.sound)
    assert len(audio.read(MP3[:cut])) == whole * 576 - mpeg.DECODER_DELAY


def test_what_only_looks_like_an_mp3_is_not_read_as_one():
    for file in (b"\xff\xfb\x90\x64" * 1_000, JUNK * 20, b"\xff" * 100_000, id3v2(5_000) + JUNK):
        assert "not an audio file" in refused(file)


# WebM


def webm(seconds: float, stamp=lambda number, at: at) -> bytes:
    return sounds.by_av(tone(seconds, 48_000), 48_000, "webm", "libopus", stamp)


WEBM = webm(1)


@mutant(
    "a WebM file may begin at any time",
    "datasets/clips/audio.py",
    kept_by="            if self._origin is None:\n                self._origin = decoded.length - at\n",
    broken="            if self._origin is None:\n                self._origin = 0\n",
)
@pytest.mark.parametrize("start", [0.5, 42, 86_400])
def test_a_webm_file_that_begins_late_begins_with_its_sound(start):
    late = audio.read(webm(1, lambda number, at: at + int(start * 48_000)))
    assert np.array_equal(late, audio.read(WEBM))
    assert len(late) == pytest.approx(RATE, abs=400)


def test_a_gap_after_a_late_start_is_kept():
    samples = audio.read(webm(3, lambda number, at: None if 50 <= number < 100 else at + 42 * 48_000))
    assert audio.seconds(samples) == pytest.approx(3, abs=0.02)


@mutant(
    "a WebM file whose time goes back loses nothing",
    "datasets/clips/audio.py",
    kept_by="                self._origin -= gap\n",
    broken="                return\n",
)
def test_webm_files_that_were_appended_to_each_other_are_all_read():
    assert len(audio.read(WEBM + WEBM)) >= 2 * RATE
    with_gap = webm(2, lambda number, at: None if 30 <= number < 80 else at)
    assert len(audio.read(WEBM + with_gap)) == pytest.approx(3 * RATE, abs=400)


@settings(max_examples=20, deadline=None)
@given(st.integers(len(WEBM) // 3, len(WEBM) - 1))
def test_a_webm_file_that_is_cut_off_is_read_to_its_last_whole_packet(cut):
    with av.open(io.BytesIO(WEBM), format="matroska") as opened:
        *ends, _last = [packet.pos + packet.size for packet in opened.demux(audio=0) if packet.size]
    whole = sum(end + 10 <= cut for end in ends)  # a block has a few bytes before its packet
    assert len(audio.read(WEBM[:cut])) >= whole * 320 - 104  # 20 ms each; Opus skips its first 6.5 ms


# M4A


def m4a(seconds: float = 1, **options) -> bytes:
    sound = tone(seconds, 48_000)[None] / np.float32(32_768)
    frame = av.AudioFrame.from_ndarray(sound, "fltp", "mono")
    frame.sample_rate = 48_000
    with NamedTemporaryFile(suffix=".mp4") as file:  # FFmpeg reads it again, to move its index to the front
        with av.open(file.name, "w", format="mp4", options=options) as opened:
            stream = opened.add_stream("aac", rate=48_000, layout="mono")
            for part in [*stream.encode(frame), *stream.encode(None)]:
                opened.mux(part)
        return file.read()


M4A, STREAMABLE = m4a(), m4a(movflags="faststart")


def with_edit(file: bytes, milliseconds: int, start: int) -> bytes:
    at = file.index(b"elst") + 12
    return file[:at] + struct.pack(">Ii", milliseconds, start) + file[at + 8 :]


@pytest.mark.parametrize("file", [M4A, STREAMABLE], ids=["plain", "streamable"])
def test_an_edit_list_may_leave_out_what_starts_up_the_decoder(file):
    assert audio.seconds(audio.read(file)) == pytest.approx(1, abs=0.03)
    for milliseconds, start in ((1_000, 0), (1_000, 1_024), (1_000, 2_112), (99_000, 1_024)):
        assert audio.seconds(audio.read(with_edit(file, milliseconds, start))) >= 0.95


@mutant(
    "an M4A file whose edit list hides sound is refused",
    "datasets/clips/audio.py",
    kept_by="    if hidden > _PADDING:\n",
    broken="    if False:\n",
)
@pytest.mark.parametrize(("milliseconds", "start"), [(400, 1_024), (500, 24_000), (1_000, 24_000)])
def test_an_edit_list_that_hides_sound_is_refused(milliseconds, start):
    for file in (M4A, STREAMABLE):
        assert "hidden by an edit list" in refused(with_edit(file, milliseconds, start))


def test_an_m4a_file_that_is_cut_off_is_refused():
    for file in (M4A, STREAMABLE):
        for part in (0.4, 0.6, 0.7):
            assert refused(file[: int(len(file) * part)])


def test_a_fragmented_m4a_file_is_read():
    file = m4a(2, movflags="frag_keyframe+empty_moov", frag_duration="300000")
    assert audio.seconds(audio.read(file)) == pytest.approx(2, abs=0.05)


# Any file


FILES = {
    **{"wav": riff(fmt(), (b"data", SOUND)), "flac": flac(), "mp3": MP3, "webm": WEBM},
    **{"m4a": STREAMABLE, **OGG},
}


@pytest.mark.parametrize("kind", [kind for kind in FILES if kind not in ("webm", "m4a")])
def test_without_the_optional_decoder_the_other_formats_are_read(kind, monkeypatch):
    expected = audio.read(FILES[kind])
    monkeypatch.setattr(audio, "av", None)
    assert np.array_equal(audio.read(FILES[kind]), expected)


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "opus"])
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_file_cut_anywhere_is_refused_or_has_all_it_holds(kind, data):
    """These say how long they are, or check their pages: half a sentence is not taken for the whole."""
    file = FILES[kind]
    cut = file[: data.draw(st.integers(0, len(file) - 46))]
    try:
        samples = audio.read(cut)
    except BadAudio:
        return
    assert kind in ("ogg", "opus") and cut.endswith(tuple(pages(file)))
    assert len(samples) < len(audio.read(file))


@pytest.mark.parametrize("rate", [8_000, 96_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT"])
def test_every_rate_depth_and_number_of_channels_keeps_its_length(rate, channels, subtype):
    samples = np.stack([tone(0.5, rate)] * channels, axis=1) / 32_768
    for kind in ("WAV", "FLAC") if subtype in ("PCM_16", "PCM_24") else ("WAV",):
        read = audio.read(sounds.by_sndfile(samples, rate, kind, subtype))
        assert len(read) == RATE // 2
        assert np.abs(read[200:-200]).max() == pytest.approx(16_384, abs=200)


def test_an_offset_is_kept_and_hides_neither_sound_nor_silence():
    loud = (tone(0.5, level=0.2).astype(int) + 9_000).astype(np.int16)
    assert np.array_equal(audio.read(sounds.in_format("flac", loud)), loud)
    assert "every sample is the same" in refused(sounds.in_format("flac", np.full(8_000, 9_000, np.int16)))


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("samples", [1, 7])
def test_a_file_with_hardly_a_sample_is_refused(kind, samples):
    assert refused(sounds.in_format(kind, tone(1)[:samples]))

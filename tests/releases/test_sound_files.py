"""The files of sounds in a release: read by every reader, and with hashes that are the release's own."""

import hashlib
import io
import subprocess
import wave

import pytest
import soundfile
from scipy.io import wavfile

from accounts import consent
from accounts.models import Material, Purpose, User
from datasets.clips import audio, vault
from datasets.models import Clip, Release
from datasets.releases import archive, formats, sound_files
from tests.conftest import NOW
from tests.support import sounds
from tests.support.mutants import mutant
from tests.support.released import release, settle


@pytest.fixture
def wendy(db):
    person = User.objects.create_user("wendy")
    consent.give(person, "wake-word", Material.WAKE_WORD.purposes, NOW, reference="on paper")
    return person


@pytest.fixture
def shared(juniper, share, wendy):
    """Wendy's clip, settled: its WAV as stored."""
    task = share(juniper, wendy)
    settle(task)
    return vault.get(task.clip)


def files(one, form="precise"):
    with archive.Archive(one, formats.find(form)) as opened:
        return {entry.path: b"".join(entry.chunks) for entry in opened.entries()}


def sound_in(one):
    [sound] = [data for name, data in files(one).items() if name.endswith(".wav")]
    return sound


def readings(data):
    """The samples, according to the standard library, libsndfile and SciPy."""
    with wave.open(io.BytesIO(data)) as opened:
        yield opened.readframes(opened.getnframes())
    yield soundfile.read(io.BytesIO(data), dtype="int16")[0].tobytes()
    yield wavfile.read(io.BytesIO(data))[1].tobytes()


@mutant(
    "two releases for everyone cannot be joined by the hashes of their files",
    "datasets/releases/sound_files.py",
    kept_by="    if release.audience != Purpose.PUBLIC:\n",
    broken="    if True:\n",
)
@pytest.mark.filterwarnings("error")
def test_the_same_clip_in_two_public_releases_has_the_same_sound_and_no_common_hash(shared, juniper):
    releases = [release(name, juniper, audience=Purpose.PUBLIC) for name in ("one", "two")]
    sounds = [sound_in(each) for each in releases]
    for one, data in zip(releases, sounds, strict=True):
        assert set(readings(data)) == {shared[44:]}
        assert one.rows.get().public_id.encode() in data
    listed = [set(digest for digest, _name in sums(files(each))) for each in releases]
    assert hashlib.sha256(shared).hexdigest() not in listed[0] | listed[1]
    assert sounds[0] != sounds[1] and not listed[0] & listed[1] - common_texts(*releases)


def sums(found):
    return [line.split("  ") for line in found["checksums.sha256"].decode().splitlines()]


def common_texts(one, other):
    """The hashes of files that are the same in both and hold no sound."""
    was, now = files(one), files(other)
    same = {name for name in was if was[name] == now.get(name) and not name.endswith(".wav")}
    return {hashlib.sha256(was[name]).hexdigest() for name in same}


def test_a_release_for_researchers_has_the_wavs_as_they_are_stored(shared, juniper):
    assert sound_in(release("named", juniper)) == shared


@pytest.mark.parametrize("audience", [Purpose.RESEARCHERS, Purpose.PUBLIC])
def test_sha256sum_accepts_every_file(shared, juniper, audience, tmp_path):
    for name, data in files(release("spring", juniper, audience=audience)).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    done = subprocess.run(["sha256sum", "--check", "--strict", "checksums.sha256"], cwd=tmp_path)
    assert done.returncode == 0


@pytest.mark.parametrize("audience", ["public", "researchers"])
def test_silence_has_the_header_and_the_size_of_a_sound(shared, audience):
    mark = sound_files.mark(Release(audience=audience), "0123456789abcdef")
    buffer = memoryview(bytearray(len(shared) + len(mark)))
    sound_files.silence_into(buffer, mark)
    data = bytes(buffer)
    assert len(data) == sound_files.size((len(shared) - 44) / 32_000, mark)
    assert set(readings(data)) == {bytes(len(shared) - 44)}
    if not mark:
        assert data[:44] == shared[:44]


@mutant(
    "of a disguised release no sound is sent as it is stored",
    "datasets/releases/frozen.py",
    kept_by="._replace(is_disguised=release.is_disguised)",
    broken="",
)
@pytest.mark.parametrize("audience", [Purpose.RESEARCHERS, Purpose.PUBLIC])
def test_of_a_disguised_release_every_sound_is_disguised_and_always_in_the_same_way(
    juniper, share, wendy, audience
):
    tasks = [share(juniper, wendy) for _ in range(2)]
    for task in tasks:
        settle(task)
        spoken = sounds.babble(task.pk, 1.0)
        vault.destroy(task.clip.stored_as)
        vault.put(task.clip.stored_as, task.clip.key, audio.wav(spoken))
        Clip.objects.filter(pk=task.clip_id).update(seconds=1.0)
    stored = {vault.get(task.clip)[44:] for task in tasks}
    one = release("hidden", juniper, audience=audience, disguised=True)
    found = {name: data for name, data in files(one).items() if name.endswith(".wav")}
    sent = {next(readings(data)) for data in found.values()}
    assert len(sent) == len(stored) == 2 and not sent & stored
    assert {len(each) for each in sent} == {len(each) for each in stored}
    assert found == {name: data for name, data in files(one).items() if name.endswith(".wav")}
    readme = files(one)["README.md"].decode()
    assert "17 of 30" in readme and "anonymised" not in readme


def test_sums_of_a_disguised_release_are_those_of_what_is_sent(juniper, shared):
    found = files(release("hidden", juniper, disguised=True))
    for digest, name in sums(found):
        assert hashlib.sha256(found[name]).hexdigest() == digest

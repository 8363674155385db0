import pytest
from django.core.files.storage import storages
from django.db import OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts import consent, keys, notices
from accounts.models import Material, Purpose, User
from datasets import campaigns
from datasets.clips import audio, fingerprints, intake, vault
from datasets.models import Clip, Task
from tests.conftest import NOW
from tests.support import sounds
from tests.support.mutants import mutant
from tests.support.stored import files


@pytest.fixture
def sound():
    return intake.read(sounds.in_format("wav", sounds.tone(0.5)))


def origin(contributor, reference=""):
    return intake.Origin(contributor, Clip.Source.BROWSER, "en", reference)


def test_a_clip_is_stored_with_its_task(alice, juniper, share):
    task = share(juniper)
    assert (task.clip.contributor, task.clip.material, task.wanted) == (alice, "wake-word", 2)
    assert task.clip.consent.purpose == Purpose.VOLUNTEERS


def test_the_vault_returns_the_same_samples(alice, juniper, sound):
    intake.add(sound, juniper, origin(alice), NOW)
    wav = vault.get(Clip.objects.get())
    assert wav == audio.wav(sound.samples)


@mutant(
    "the vault contains only ciphertext",
    "datasets/clips/vault.py",
    kept_by="(name, _sealed(name, key, wav)) for",
    broken="(name, wav) for",
)
def test_the_vault_holds_only_ciphertext(alice, juniper, sound, own_home):
    intake.add(sound, juniper, origin(alice), NOW)
    [file] = files(own_home)
    stored = file.read_bytes()
    assert sound.samples.tobytes()[100:140] not in stored and b"RIFF" not in stored


def test_no_other_user_of_the_machine_can_read_the_vault(alice, juniper, sound, own_home):
    intake.add(sound, juniper, origin(alice), NOW)
    assert (own_home / "vault").stat().st_mode & 0o077 == 0


def test_a_stolen_vault_and_database_are_useless_without_the_master_key(alice, juniper, sound, own_home):
    intake.add(sound, juniper, origin(alice), NOW)
    (own_home / "keys" / "0001.key").unlink()
    with pytest.raises(keys.KeyLost):
        vault.get(Clip.objects.get())


def test_nothing_is_stored_without_consent(sam, juniper, sound, own_home):
    with pytest.raises(consent.NoConsent):
        intake.add(sound, juniper, origin(sam), NOW)
    assert (Clip.objects.count(), Task.objects.count(), files(own_home)) == (0, 0, [])


@mutant(
    "nothing is stored once consent was withdrawn",
    "accounts/consent.py",
    kept_by="    found = Consent.objects.live().filter(contributor=contributor,",
    broken="    found = Consent.objects.filter(contributor=contributor,",
)
def test_nothing_is_stored_after_consent_was_withdrawn(alice, juniper, sound, own_home):
    consent.withdraw(alice, NOW)
    with pytest.raises(consent.NoConsent):
        intake.add(sound, juniper, origin(alice), NOW)
    assert (Clip.objects.count(), files(own_home)) == (0, [])


def test_consent_for_one_material_does_not_cover_another(db, sentences, sound):
    person = User.objects.create_user("wendy")
    consent.give(person, "wake-word", Material.WAKE_WORD.purposes, NOW, reference="on paper")
    with pytest.raises(consent.NoConsent):
        intake.add(sound, sentences, origin(person), NOW)


def test_the_same_samples_again_add_nothing(alice, juniper, sound):
    assert intake.add(sound, juniper, origin(alice), NOW)
    assert not intake.add(sound, juniper, origin(alice), NOW)
    assert Clip.objects.count() == 1


def test_the_same_samples_in_another_format_are_the_same_clip(alice, juniper, sound):
    intake.add(sound, juniper, origin(alice), NOW)
    again = intake.read(sounds.in_format("flac", sounds.tone(0.5)))
    assert not intake.add(again, juniper, origin(alice), NOW)


def test_a_second_campaign_asks_about_the_existing_clip(alice, juniper, sentences, sound):
    intake.add(sound, juniper, origin(alice), NOW)
    assert intake.add(sound, sentences, origin(alice), NOW)
    assert (Clip.objects.count(), Task.objects.count()) == (1, 2)


def test_another_contributors_recording_is_a_duplicate(alice, bea, juniper, sound):
    intake.add(sound, juniper, origin(alice), NOW)
    consent.give(bea, "wake-word", Material.WAKE_WORD.purposes, NOW, reference="on paper")
    with pytest.raises(intake.Duplicate):
        intake.add(sound, juniper, origin(bea), NOW)


@pytest.mark.django_db(transaction=True)
def test_a_recording_that_another_contributor_stores_at_the_same_time_is_a_duplicate(
    alice, bea, juniper, sound, in_background, monkeypatch, own_home
):
    consent.give(bea, "wake-word", Material.WAKE_WORD.purposes, NOW, reference="on paper")
    look, came = intake._existing, []

    def look_and_let_it_come(*args):
        found = look(*args)
        if not came:
            came.append(True)
            assert in_background(lambda: intake.add(sound, juniper, origin(bea), NOW)).result(timeout=30)
        return found

    monkeypatch.setattr(intake, "_existing", look_and_let_it_come)
    with pytest.raises(intake.Duplicate):
        intake.add(sound, juniper, origin(alice), NOW)
    assert Clip.objects.get().contributor == bea
    assert len(files(own_home)) == 1


@mutant(
    "a failure while storing leaves no file behind",
    "datasets/clips/vault.py",
    kept_by="                destroy(name)\n",
    broken="                pass\n",
)
def test_a_failure_after_the_file_was_written_leaves_no_file(alice, juniper, sound, own_home, monkeypatch):
    put_all = vault.put_all

    def put_and_fail(wavs):
        put_all(wavs)
        raise RuntimeError("the machine stops here")

    monkeypatch.setattr(vault, "put_all", put_and_fail)
    with pytest.raises(RuntimeError):
        intake.add(sound, juniper, origin(alice), NOW)
    assert (Clip.objects.count(), files(own_home)) == (0, [])


def state_of(person, consented, monkeypatch):
    """Bring the person's consent for wake words into this state. Returns the reference for the clip."""
    if consented == "withdrawn":
        consent.withdraw(person, NOW, material=Material.WAKE_WORD)
    if consented == "notice changed":
        monkeypatch.setattr(notices, "current_version", lambda: 1_000_000)
    return "another paper" if consented == "other reference" else ""


def stored(sound):
    """The clip of this sound and its tasks, without the values that differ from run to run."""
    clip = Clip.objects.filter(samples_hash__in=fingerprints.hashes([sound.fingerprint])).first()
    if clip is None:
        return None
    own = {
        "id",
        "_state",
        "stored_as",
        "wrapped_key",
        "sealed_samples",
        "clip_id",
        "spread",
        "sealed_reference",
        "sealed_draft",
    }
    rows = [vars(row) for row in (clip, *clip.tasks.order_by("campaign"))]
    words = [(task.reference, task.draft) for task in clip.tasks.order_by("campaign")]
    return [{name: value for name, value in row.items() if name not in own} for row in rows], words


@mutant(
    "an existing clip needs consent for what it is, not for what the campaign asks",
    "datasets/clips/intake.py",
    kept_by="    material = Material(existing.material) if existing else campaign.material\n",
    broken="    material = campaign.material\n",
)
@pytest.mark.parametrize(
    "consented", ["live", "never given", "other reference", "withdrawn", "notice changed"]
)
@pytest.mark.parametrize(
    "clip", ["new", "own and asked", "own, asked elsewhere", "own of other material", "another's"]
)
def test_a_clip_is_stored_alone_as_in_a_batch(alice, juniper, sentences, sound, monkeypatch, clip, consented):
    """For every combination of what is already stored and the contributor's consent."""
    if consented == "never given" and clip.startswith("own"):
        return  # an existing clip had consent once
    wendy = User.objects.create_user("wendy")
    if consented != "never given":
        notice = notices.current("en")
        for material in Material:
            consent.give(wendy, material, [Purpose.VOLUNTEERS], NOW, notice=notice)
    other = campaigns.create(slug="other", kind=juniper.kind, language="en", wake_word="hello")
    campaign = sentences if clip == "own of other material" else juniper
    earlier = {"own and asked": juniper, "own, asked elsewhere": other, "own of other material": juniper}
    if clip in earlier:
        intake.add(sound, earlier[clip], origin(wendy), NOW)
    elif clip == "another's":
        intake.add(sound, campaign, origin(alice), NOW)
    of_wendy = origin(wendy, state_of(wendy, consented, monkeypatch))
    tones = (sounds.tone(0.5, hertz=hertz) for hertz in (700, 800))
    first, last = (
        intake.Submission(intake.read(audio.wav(tone)), origin(alice, "on paper")) for tone in tones
    )
    submission = intake.Submission(sound, of_wendy, truth="no", draft="know" if campaign == sentences else "")

    found, rows = [], []
    for batch, place in (([submission], 0), ([first, submission, last], 1)):
        with transaction.atomic():
            outcomes = intake.add_all(batch, campaign, NOW)
            rows.append(stored(sound))
            transaction.set_rollback(True)
        assert [each for n, each in enumerate(outcomes) if n != place] == [True] * (len(batch) - 1)
        found.append(outcomes[place])

    assert rows[0] == rows[1]
    if clip == "another's":
        assert [type(each) for each in found] == [intake.Duplicate] * 2
    elif consented != "live":
        refusal = consent.NoticeChanged if consented == "notice changed" else consent.NoConsent
        assert [type(each) for each in found] == [refusal] * 2
    else:
        assert found == [clip != "own and asked"] * 2


def test_clips_without_speech_come_last_if_the_campaign_says_so(alice, juniper, sentences, share):
    sentences.speech_first = False
    sentences.save()
    assert (share(juniper).priority, share(sentences).priority) == (1, 0)


@mutant(
    "a database that dies while it commits leaves no row without its file",
    "datasets/clips/vault.py",
    kept_by="        if names and not _may_be_stored(names[0], error):\n",
    broken="        if names:\n",
)
@pytest.mark.django_db(transaction=True)
def test_a_commit_that_lost_its_answer_leaves_no_row_without_its_file(alice, juniper, monkeypatch):
    """If the database dies while it commits, the row may exist although the call failed."""
    commit = BaseDatabaseWrapper._commit

    def commit_and_lose_the_answer(self):
        commit(self)
        if Clip.objects.exists():
            raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patch:
        patch.setattr(BaseDatabaseWrapper, "_commit", commit_and_lose_the_answer)
        with pytest.raises(OperationalError):
            intake.add(intake.read(sounds.in_format("wav", sounds.tone(0.5))), juniper, origin(alice), NOW)
    assert storages["vault"].exists(Clip.objects.get().stored_as)

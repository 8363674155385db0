"""Samples on the page of a release, for everyone: made voices, and speakers who agreed to examples."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts import consent, notices
from accounts.models import Consent, Material, Purpose, User
from datasets.clips import audio, imports, vault
from datasets.models import Clip, ReleaseRow, Task, Withdrawal
from datasets.releases import recalls, retraction, samples
from tagger.privacy import withdrawal
from tests.conftest import NOW
from tests.support import sounds
from tests.support.mutants import mutant
from tests.support.released import clear, release, settle

DAY = timedelta(days=1)
PAGE = "/releases/spring/"
EVERYONE = (Purpose.VOLUNTEERS, Purpose.RESEARCHERS, Purpose.PUBLIC)
Voice = Clip.Voice


def agree(person, purposes=EVERYONE, **more):
    """As on the page of today's notice."""
    consent.give(person, Material.WAKE_WORD, purposes, NOW, notice=notices.current("en"), **more)


@pytest.fixture
def erin(db):
    """She agreed, at today's notice, that everyone may have her clips."""
    vault.establish()
    person = User.objects.create_user("erin")
    agree(person)
    return person


@pytest.fixture
def brought(juniper, tmp_path):
    """Imports a tone whose row says this of its voice; its settled task."""

    def bring(voice, hertz=700, public=True):
        name = f"{hertz}.wav"
        (tmp_path / name).write_bytes(sounds.in_format("wav", sounds.tone(0.5, hertz=hertz)))
        table = tmp_path / f"{hertz}.csv"
        table.write_text(f"path,speaker,voice\n{name},speaker {hertz},{voice}\n")
        run = imports.ImportRun(juniper, "tones", "on paper", NOW, public=public, licence="CC0-1.0")
        [(_, outcome)] = run.store_all(imports.items(table))
        if outcome != imports.ImportOutcome.ADDED:
            return outcome
        return settle(Task.objects.latest("pk"))

    return bring


def address(one):
    return f"{PAGE}samples/{one['id']}.wav"


def heard(one, client=None):
    """The samples of what the address plays."""
    answer = (client or Client()).get(address(one))
    assert (answer.status_code, answer["Content-Type"]) == (200, "audio/wav")
    return audio.read(answer.content)


def ids(spring):
    return [each["id"] for each in spring.samples]


def test_an_import_says_which_voices_are_made(brought):
    made, unknown = brought("made"), brought("", hertz=800)
    assert [task.clip.voice for task in (made, unknown)] == ["made", ""]
    refused = brought("alloy", hertz=900)
    assert (refused.code, refused.parameters["voice"]) == ("bad-voice", "alloy")


def test_everyone_hears_samples_of_made_voices_without_an_account(brought, juniper):
    for hertz in range(700, 1_200, 100):
        brought("made", hertz)
    spring = release("spring", juniper)
    assert len(ids(spring)) == 3 and ReleaseRow.objects.filter(voice=Voice.MADE).count() == 5
    assert len(set(spring.rows.filter(public_id__in=ids(spring)).values_list("speaker", flat=True))) == 3
    page = Client().get(PAGE).content.decode()
    assert page.count("a made voice") == 3 and "Sample 3" in page
    for each in spring.samples:
        assert f'src="{address(each)}"' in page and heard(each).any()
        assert Client().get(address(each), headers={"Range": "bytes=0-99"}).status_code == 206


@mutant(
    "no clip of a person is a sample without their agreement to examples",
    "datasets/releases/samples.py",
    kept_by="        since=notices.FIRST_WITH_EXAMPLES,\n",
    broken="",
)
def test_a_speaker_who_was_not_asked_about_examples_is_no_sample(juniper, share, erin):
    other = User.objects.create_user("otto")
    agree(other)
    tasks = [settle(share(juniper, person)) for person in (erin, other)]
    Consent.objects.filter(contributor=other).update(notice=notices._published(1, "en"))
    clear(juniper)
    spring = release("spring", juniper)
    rows = {row.task_id: row.public_id for row in spring.rows.all()}
    assert ids(spring) == [rows[tasks[0].pk]]
    assert Client().get(f"{PAGE}samples/{rows[tasks[1].pk]}.wav").status_code == 404


@mutant(
    "a voice that nobody called made is no sample without its speaker's agreement",
    "datasets/releases/samples.py",
    kept_by="    given_here = ~Q(task__clip__source=Clip.Source.IMPORT)\n",
    broken="    given_here = Q()\n",
)
def test_an_imported_person_is_no_sample(brought, juniper):
    brought("")
    clear(juniper)
    spring = release("spring", juniper)
    assert ids(spring) == [] and "Samples" not in Client().get(PAGE).content.decode()


@mutant(
    "only what everyone may have is a sample",
    "datasets/releases/samples.py",
    kept_by="    everyones = Task.objects.live_for(Purpose.PUBLIC, per_row=True)\n",
    broken="    everyones = Task.objects.live_for(Purpose.RESEARCHERS, per_row=True)\n",
)
def test_what_only_researchers_may_have_is_no_sample(brought, juniper, share):
    otto = User.objects.create_user("otto")
    agree(otto, (Purpose.VOLUNTEERS, Purpose.RESEARCHERS))
    settle(share(juniper, otto))
    brought("made", public=False)
    clear(juniper)
    assert ids(release("spring", juniper)) == []


@mutant(
    "no clip of a person is a sample before two people heard that nothing private is in it",
    "datasets/releases/samples.py",
    kept_by=", task__clip__cleared_at__isnull=False)\n",
    broken=")\n",
)
def test_a_person_s_clip_that_nobody_checked_is_no_sample(juniper, share, erin):
    settle(share(juniper, erin))
    assert ids(release("spring", juniper)) == []


@mutant(
    "whoever is heard disguised by volunteers is no sample",
    "datasets/releases/samples.py",
    kept_by="~Exists(hidden), ",
    broken="",
)
def test_whoever_wants_to_be_heard_disguised_is_no_sample(juniper, share, erin):
    consent.withdraw(erin, NOW)
    agree(erin, disguised=True)
    settle(share(juniper, erin))
    clear(juniper)
    assert Consent.objects.live().filter(disguised=True).exists()
    assert ids(release("spring", juniper)) == []


@mutant(
    "only what was pinned as a sample is served as one",
    "datasets/releases/samples.py",
    kept_by="    if found is None:\n        return None\n",
    broken="    if found is None:\n        found = {'seconds': 0.5}\n",
)
def test_no_other_clip_is_served_as_a_sample(brought, juniper, share, erin):
    brought("made")
    settle(share(juniper))
    settle(share(juniper, erin))
    spring = release("spring", juniper)
    others = spring.rows.exclude(public_id__in=ids(spring)).values_list("public_id", flat=True)
    assert len(ids(spring)) == 1 and len(others) == 2
    for name in [*others, "0" * 16, "..", "%00"]:
        assert Client().get(f"{PAGE}samples/{name}.wav").status_code in (400, 404), name
    assert Client().get(f"/releases/none/samples/{ids(spring)[0]}.wav").status_code == 404


@mutant(
    "a sample that was withdrawn is silent at once",
    "datasets/releases/samples.py",
    kept_by="    if not (stored.may_be_sent and _is_allowed(release, public_id)):\n",
    broken="    if False:\n",
)
@pytest.mark.parametrize("ended", ["all", "public", "reported"])
def test_a_sample_is_silent_at_once_and_gone_with_the_next_feed(juniper, share, erin, ended):
    task = settle(share(juniper, erin))
    clear(juniper)
    spring = release("spring", juniper)
    [one] = spring.samples
    assert heard(one).any()
    if ended == "reported":
        Clip.objects.filter(pk=task.clip_id).update(hidden_at=NOW)
    else:
        consent.withdraw(erin, NOW, **({} if ended == "all" else {"purpose": Purpose.PUBLIC}))
    assert not heard(one).any() and address(one) in Client().get(PAGE).content.decode()
    recalls.publish(NOW + DAY)
    assert Client().get(address(one)).status_code == 404
    assert address(one) not in Client().get(PAGE).content.decode()
    Clip.objects.update(hidden_at=None)
    recalls.publish(NOW + 2 * DAY)
    assert Client().get(address(one)).status_code == 404  # chosen once: it does not come back


def test_a_sample_that_was_erased_is_silent_until_the_next_feed(juniper, share, erin):
    settle(share(juniper, erin))
    clear(juniper)
    [one] = release("spring", juniper).samples
    withdrawal.forget_contributor(erin, NOW)
    for pk in withdrawal.unfinished():
        withdrawal.scrub(Withdrawal.objects.get(pk=pk), lambda: NOW)
    assert not ReleaseRow.objects.exists() and not heard(one).any()
    recalls.publish(NOW + DAY)
    assert Client().get(address(one)).status_code == 404


def test_a_retracted_release_plays_nothing(brought, juniper, admin_user):
    brought("made")
    spring = release("spring", juniper)
    retraction.retract(spring, "It was a mistake.", admin_user, NOW)
    assert Client().get(address(spring.samples[0])).status_code == 404
    assert "Samples" not in Client().get(PAGE).content.decode()


def test_a_sample_has_its_own_hash_in_each_release(brought, juniper):
    task = brought("made")
    one, other = (release(slug, juniper) for slug in ("spring", "summer"))
    files = [samples.sound(each, each.samples[0]["id"]) for each in (one, other)]
    assert files[0] != files[1] != vault.get(task.clip)
    assert (audio.read(files[0]) == audio.read(files[1])).all()

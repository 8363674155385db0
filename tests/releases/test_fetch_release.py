"""Copies of releases, downloaded from a real server and kept in step by the program that this site offers."""

import io
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
from datetime import timedelta
from itertools import count, islice
from urllib import request

import pytest

from accounts import consent
from accounts.models import ProgramToken, Purpose, Role, Scope, User
from datasets.access import deciding, sealing, terms
from datasets.clips import intake
from datasets.models import AccessRequest, Clip, Task
from datasets.releases import recalls, retraction
from static.downloads import fetch_release
from tests.conftest import NOW, on_own_connection
from tests.support import cast, sounds
from tests.support.cutting import Between
from tests.support.factors import give_factor
from tests.support.mutants import mutant
from tests.support.released import release, settle
from tests.support.site import ROOT
from tests.support.votes import agree, answer

pytestmark = [pytest.mark.thorough, pytest.mark.django_db(transaction=True)]

PROGRAMS = ROOT / "static/downloads"
AGREED = (Purpose.VOLUNTEERS, Purpose.RESEARCHERS, Purpose.PUBLIC)
ASKING = ("--accept", terms.VERSION, "--name", "Rosa Example", "--purpose", "to train a wake word")


@pytest.fixture
def site(gunicorn):
    """The site's server, with another before it that can cut connections."""
    between = Between(gunicorn)
    yield between
    between.close()


@pytest.fixture
def here(tmp_path):
    """An empty folder; the site has its own beside it."""
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


@pytest.fixture
def people(db):
    """Three contributors who agreed to public releases as well."""
    made = cast.create("ann", "ben", "cleo")
    for person in made:
        consent.give(person, "wake-word", AGREED, NOW, reference="on paper")
    return made


@pytest.fixture
def spring(juniper, share, people):
    for person in people:
        for _ in range(4):
            settle(share(juniper, person))
    return release("spring", juniper)


@pytest.fixture
def token(db):
    rosa = give_factor(User.objects.create_user("rosa", roles=[Role.RESEARCHER]))
    return ProgramToken.objects.create(rosa)[1]


def command(site, *options, program=PROGRAMS / "fetch_release.py"):
    words = [*map(str, options)]
    return [sys.executable, "-I", "-S", "-B", program, *words, "--site", site.address, "--pause", "0.01"]


def fetch(site, *options, token="", **more):
    """Run it as on another computer: Python only, without this project's packages or settings."""
    env = {"TAGGER_TOKEN": token} if token else {}
    return subprocess.run(command(site, *options), capture_output=True, text=True, env=env, cwd="/", **more)


def done(run):
    assert run.returncode == 0, run
    return run


def heeds_ctrl_c():
    """Also if this test runs in the background of a shell, which has its commands ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def whole(site, token, slug="spring", form="precise"):
    """The files of the archive, as the server sends it at once."""
    address = f"http://localhost:{site.behind}/api/v1/releases/{slug}/{form}.tar"
    asked = request.Request(address, headers={"Authorization": f"Token {token}"})
    with request.urlopen(asked) as answer, tarfile.open(fileobj=io.BytesIO(answer.read())) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def test_a_download_cut_off_twenty_times_equals_the_whole(site, spring, token, here):
    dice, cuts = random.Random(7), [0]

    def cut():
        cuts[0] += 1
        return dice.randint(700, 9_000) if cuts[0] <= 20 else None

    site.cut_after = cut
    run = done(fetch(site, "spring", "--format", "precise", "--to", here / "copy", *ASKING, token=token))
    assert len(site.archives) == 21 and "broke off" in run.stderr
    assert contents(here / "copy") == whole(site, token)
    assert sorted(path.name for path in here.iterdir()) == ["copy"]


def test_a_download_that_was_stopped_goes_on_where_it_was(site, spring, token, here):
    """Ctrl-C while the archive comes; the next run asks for the rest alone."""
    at_60_kb = here / "copy.partial/archive.tar"
    options = ["spring", "--format", "precise", "--to", here / "copy", *ASKING]
    site.cut_after = lambda: 60_000
    env = {"TAGGER_TOKEN": token}
    words = [*command(site, *options), "--pause", "300"]
    with subprocess.Popen(
        words, stderr=subprocess.PIPE, text=True, env=env, cwd="/", preexec_fn=heeds_ctrl_c
    ) as running:
        for line in running.stderr:
            if "broke off" in line:
                running.send_signal(signal.SIGINT)
                break
        assert "Run it again to go on from here" in running.stderr.read()
    assert running.returncode == 130
    assert not (here / "copy").exists() and 50_000 < at_60_kb.stat().st_size <= 60_000
    site.cut_after = lambda: None
    done(fetch(site, *options, token=token))
    assert contents(here / "copy") == whole(site, token)
    assert len(site.archives) == 2


def test_if_the_feed_changes_the_archive_the_download_starts_again(site, spring, people, token, here):
    site.cut_after = lambda: 60_000

    def next_day():
        site.on_archive, site.cut_after = (lambda: None), (lambda: None)
        consent.withdraw(people[0], NOW)
        recalls.publish(NOW + timedelta(days=1))

    site.on_archive = lambda: on_own_connection(next_day)
    run = done(fetch(site, "spring", "--format", "precise", "--to", here / "copy", *ASKING, token=token))
    assert "another one by now" in run.stderr
    assert not (here / "copy.partial").exists()
    gone = spring.rows.filter(task__clip__contributor=people[0]).values_list("public_id", flat=True)
    assert len(gone) == 4 and not any(each in "".join(contents(here / "copy")) for each in gone)
    assert contents(here / "copy") == whole(site, token)


@pytest.fixture
def large(juniper, alice, people):
    """Much more than what a program reads ahead of the first clip."""
    tones = (sounds.tone(0.5, hertz=1000 + 10 * number) for number in count(1))
    for person in people:
        origin = intake.Origin(person, Clip.Source.BROWSER, juniper.language)
        read = [intake.read(sounds.in_format("wav", tone)) for tone in islice(tones, 30)]
        submissions = [intake.Submission(sound, origin) for sound in read]
        assert intake.add_all(submissions, juniper, NOW) == [True] * 30
    for task in Task.objects.all():
        settle(task)
    return release("spring", juniper)


def next_feed(site, leaving):
    """While the archive comes, these people withdraw and the next feed is published."""

    def publish():
        site.on_archive, site.cut_after = (lambda: None), (lambda: None)
        for person in leaving:
            consent.withdraw(person, NOW)
        recalls.publish(NOW + timedelta(days=1))

    site.on_archive = lambda: on_own_connection(publish)


def sent_since(site, first):
    return sum(site.sent[first:])


@mutant(
    "after a feed that changed the archive, clips that are here are not downloaded again",
    "static/downloads/fetch_release.py",
    kept_by="    if size_of(file) > size_of(earlier):\n",
    broken="    if False:\n",
)
@pytest.mark.parametrize("form", ["precise", "deepspeech"])
def test_after_a_withdrawal_in_the_middle_only_what_is_missing_is_downloaded(
    site, large, people, token, here, form
):
    """The copy is that of a fresh download; of 90 clips about 60 are left, and about 80 had come."""
    site.cut_after = lambda: 1_500_000
    next_feed(site, people[:1])
    run = done(fetch(site, "spring", "--format", form, "--to", here / "copy", *ASKING, token=token))
    assert "keeping the clips that are here" in run.stderr
    fresh = whole(site, token, form=form)
    assert contents(here / "copy") == fresh
    assert sum(name.endswith(".wav") for name in fresh) == 60
    size = sum(map(len, fresh.values()))
    assert sent_since(site, 1) < size / 2
    assert sorted(path.name for path in here.iterdir()) == ["copy"]


def test_a_second_feed_in_the_same_download_keeps_them_too(site, large, people, token, here):
    site.cut_after = lambda: 1_500_000
    days = iter((1, 2))

    def publish():
        day = next(days, None)
        if day:
            consent.withdraw(people[day - 1], NOW)
            recalls.publish(NOW + timedelta(days=day))
        site.cut_after = lambda: None

    site.on_archive = lambda: on_own_connection(publish)
    run = done(fetch(site, "spring", "--format", "precise", "--to", here / "copy", *ASKING, token=token))
    assert run.stderr.count("another one by now") == 2
    fresh = whole(site, token)
    assert contents(here / "copy") == fresh and sum(name.endswith(".wav") for name in fresh) == 30
    assert sent_since(site, 1) < sum(map(len, fresh.values()))


@mutant(
    "a feed that comes while clips are put together loses none of them",
    "static/downloads/fetch_release.py",
    kept_by="            refuse_another(site, address, partial, first[1])\n",
    broken="            pass\n",
)
def test_a_feed_between_the_archive_and_its_feed_loses_nothing(site, large, people, token, here):
    """What is newer than the archive that has begun does not fit to it: its first clip is recalled."""
    clips = large.rows.order_by("split", "public_id").values_list("task__clip__contributor", flat=True)
    first = next(person for person in people if person.pk == clips[0])
    other = next(person for person in people if person != first)
    site.cut_after = lambda: 1_500_000
    next_feed(site, [other])

    def publish():
        consent.withdraw(first, NOW)
        recalls.publish(NOW + timedelta(days=2))

    def before(line):
        if "/recalls/" in line:
            site.before = lambda line: None
            on_own_connection(publish)

    site.before = before
    run = done(fetch(site, "spring", "--format", "precise", "--to", here / "copy", *ASKING, token=token))
    assert run.stderr.count("another one by now") == 2
    fresh = whole(site, token)
    assert contents(here / "copy") == fresh and sum(name.endswith(".wav") for name in fresh) == 30
    assert sent_since(site, 1) < sum(map(len, fresh.values()))


def test_a_program_killed_while_it_puts_clips_together_goes_on(site, large, people, token, here):
    """At each file that it moves, and at each piece that it writes there."""
    options = ["spring", "--format", "precise", "--to", here / "copy", *ASKING]
    site.cut_after = lambda: 1_500_000
    next_feed(site, people[:1])
    runs = [dying(site, token, at, 1, *options).returncode for at in ("replace", "touch", "unlink")]
    assert runs == [9, 9, 9]
    done(fetch(site, *options, token=token))
    fresh = whole(site, token)
    assert contents(here / "copy") == fresh
    assert sent_since(site, 1) < sum(map(len, fresh.values()))


def test_a_clip_that_came_back_is_downloaded(site, large, people, token, here):
    """It lies between those that are here, which then do not follow each other: all of it is downloaded."""
    row = large.rows.order_by("split", "public_id").filter(split="train")[5]
    Clip.objects.filter(tasks=row.task_id).update(hidden_at=NOW)
    recalls.publish(NOW + timedelta(days=1))
    site.cut_after = lambda: 1_500_000

    def publish():
        site.on_archive, site.cut_after = (lambda: None), (lambda: None)
        Clip.objects.update(hidden_at=None)
        recalls.publish(NOW + timedelta(days=2))

    site.on_archive = lambda: on_own_connection(publish)
    done(fetch(site, "spring", "--format", "precise", "--to", here / "copy", *ASKING, token=token))
    fresh = whole(site, token)
    assert contents(here / "copy") == fresh and row.public_id in "".join(fresh)


def test_where_ranges_are_not_known_it_is_downloaded_whole(site, large, people, token, here):
    site.drops = b"range:"
    site.cut_after = lambda: 1_500_000
    next_feed(site, people[:1])
    done(fetch(site, "spring", "--format", "precise", "--to", here / "copy", *ASKING, token=token))
    assert contents(here / "copy") == whole(site, token)


@mutant(
    "a download takes out what was withdrawn since the feed",
    "static/downloads/fetch_release.py",
    kept_by='    return cleaner.clean(folder, *cleaner.withdrawn(folder, feed, ""))\n',
    broken="    return []\n",
)
def test_what_was_withdrawn_is_taken_out_at_the_download_and_at_every_run(site, spring, people, token, here):
    copy = here / "copy"
    options = ["spring", "--format", "precise", "--to", copy, *ASKING]

    def has(person):
        ids = spring.rows.filter(task__clip__contributor=person).values_list("public_id", flat=True)
        return sum(any(each in name for each in ids) for name in contents(copy))

    consent.withdraw(people[0], NOW)
    done(fetch(site, *options, token=token))
    assert (has(people[0]), has(people[1])) == (0, 4)
    consent.withdraw(people[1], NOW)
    recalls.publish(NOW + timedelta(days=1))
    done(fetch(site, "spring", "--to", copy, "--recalls"))
    assert (has(people[1]), has(people[2])) == (0, 4)
    consent.withdraw(people[2], NOW)
    recalls.publish(NOW + timedelta(days=2))
    done(fetch(site, *options))
    assert has(people[2]) == 0
    assert len(site.archives) == 1


def next_version(juniper, share, people, one, **more):
    """A clip left out, an answer changed, three clips more."""
    rows = list(one.rows.order_by("public_id"))
    Task.objects.filter(pk=rows[0].task_id).update(plain_answer="no")
    Task.objects.filter(pk=rows[1].task_id).update(status=Task.Status.OPEN)
    for person in people:
        settle(share(juniper, person))
    return release("summer", juniper, after=one, **more)


@pytest.mark.parametrize("audience", [Purpose.RESEARCHERS, Purpose.PUBLIC])
def test_a_copy_updated_by_the_difference_has_the_same_files_as_a_whole_download(
    site, juniper, share, people, token, here, audience
):
    for person in people:
        for _ in range(4):
            settle(share(juniper, person))
    one = release("spring", juniper, audience=audience)
    options = ["--format", "precise", "--to", here / "copy", *ASKING]
    done(fetch(site, "spring", *options, token=token))
    next_version(juniper, share, people, one, audience=audience)
    done(fetch(site, "summer", *options, "--update", token=token))
    assert [address.split("/")[-1] for address in site.archives] == ["precise.tar", "precise-delta.tar"]
    assert contents(here / "copy") == whole(site, token, "summer")
    assert sorted(path.name for path in here.iterdir()) == ["copy"]


def test_a_copy_that_lacks_a_clip_of_the_new_version_is_downloaded_whole(
    site, juniper, share, people, spring, token, here
):
    options = ["--format", "precise", "--to", here / "copy", *ASKING]
    done(fetch(site, "spring", *options, token=token))
    next_version(juniper, share, people, spring)
    sorted((here / "copy").rglob("*.wav"))[-1].unlink()
    sorted((here / "copy").rglob("*.wav"))[0].unlink()
    run = done(fetch(site, "summer", *options, "--update", token=token))
    assert "Downloading the whole" in run.stderr
    assert contents(here / "copy") == whole(site, token, "summer")


def test_a_copy_of_another_release_is_not_updated(site, juniper, spring, token, share, people, here):
    options = ["--format", "precise", "--to", here / "copy", *ASKING]
    done(fetch(site, "spring", *options, token=token))
    before = contents(here / "copy")
    other = release("other", juniper)
    next_version(juniper, share, people, other)
    for slug, says in (
        ("summer", "does not hold the version before"),
        ("other", "follows no other one"),
    ):
        run = fetch(site, slug, *options, "--update", token=token)
        assert run.returncode == 1 and says in run.stderr
        assert contents(here / "copy") == before
    run = fetch(site, "summer", *options, token=token)
    assert run.returncode == 1 and "--update" in run.stderr


def test_an_update_does_not_delete_files_that_are_not_of_the_release(
    site, juniper, share, people, spring, token, here
):
    options = ["--format", "precise", "--to", here / "copy", *ASKING]
    done(fetch(site, "spring", *options, token=token))
    next_version(juniper, share, people, spring)
    (here / "copy/mine.txt").write_text("mine")
    run = fetch(site, "summer", *options, "--update", token=token)
    assert run.returncode == 1 and "mine.txt is not of the release" in run.stderr
    assert (here / "copy/mine.txt").exists()


@pytest.mark.parametrize("at", ["replace", "mkdir"])
def test_an_update_killed_at_any_step_leaves_one_of_the_two_copies_whole(
    site, juniper, share, people, spring, token, here, at
):
    options = ["--format", "precise", "--to", str(here / "copy"), *ASKING]
    done(fetch(site, "spring", *options, token=token))
    old = contents(here / "copy")
    next_version(juniper, share, people, spring)
    done(fetch(site, "summer", "--format", "precise", "--to", here / "new", *ASKING, token=token))
    new = contents(here / "new")
    shutil.rmtree(here / "new")
    dies, step = True, 0
    while dies:
        step += 1
        dies = dying(site, token, at, step, "summer", *options, "--update").returncode == 9
        found = [here / name for name in ("copy", "copy.old") if (here / name).exists()]
        assert any(contents(each) in (old, new) for each in found)
    assert step > 2
    done(fetch(site, "summer", *options, "--update", token=token))
    assert contents(here / "copy") == new
    assert sorted(path.name for path in here.iterdir()) == ["copy"]


def dying(site, token, at, after, *options):
    _python, *_options, program = command(site)[:5]
    words = [str(each) for each in command(site, *options)[4:]]
    code = f"""
import os, pathlib, runpy, sys
kept, left = pathlib.Path.{at}, [{after}]
def counted(*args, **kwargs):
    left[0] -= 1
    if not left[0]:
        os._exit(9)
    return kept(*args, **kwargs)
pathlib.Path.{at} = counted
sys.argv = {words!r}
runpy.run_path({str(program)!r}, run_name="__main__")
"""
    python = [sys.executable, "-I", "-S", "-B", "-c", code]
    return subprocess.run(python, capture_output=True, env={"TAGGER_TOKEN": token}, cwd="/")


def test_whoever_may_not_have_it_reads_the_sites_words(site, spring, here):
    for token, says in (("", "401"), ("wrong", "401")):
        run = fetch(site, "spring", "--format", "precise", "--to", here / "copy", *ASKING, token=token)
        assert run.returncode == 1 and says in run.stderr and "Traceback" not in run.stderr
        assert not (here / "copy").exists()


def test_whoever_asks_waits_for_the_steward_and_downloads_when_it_is_granted(site, spring, here):
    """Exit code 3, until somebody decided."""
    olga, rosa = (give_factor(User.objects.create_user(name)) for name in ("olga", "rosa"))
    token = ProgramToken.objects.create(rosa, [Scope.DOWNLOAD])[1]
    options = ["spring", "--format", "precise", "--to", here / "copy"]
    run = fetch(site, *options, token=token, stdin=subprocess.DEVNULL)
    assert run.returncode == 1 and "give --accept" in run.stderr and terms.in_english()[0] in run.stderr
    run = fetch(site, *options, *ASKING[2:], "--accept", "0", token=token)
    assert (
        run.returncode == 1 and f"The terms were not accepted: they are version {terms.VERSION}" in run.stderr
    )
    assert not AccessRequest.objects.exists()
    for _ in range(2):
        run = fetch(site, *options, *ASKING, token=token)
        assert run.returncode == 3 and "A steward decides" in run.stderr
    asked = AccessRequest.objects.get()
    told = sealing.unseal(asked)
    assert (told.name, told.purpose) == ("Rosa Example", "to train a wake word")
    deciding.grant(asked.pk, olga, NOW)
    done(fetch(site, *options, token=token))
    assert contents(here / "copy") == whole(site, token)


def test_an_update_brings_the_single_votes_of_the_new_version(
    site, juniper, share, people, volunteers, token, here
):
    bea, carl = volunteers[:2]
    agree(bea)
    for person in people:
        answer(share(juniper, person), {bea: "yes", carl: "yes"})
    spring = release("spring", juniper, single_votes=True)
    done(fetch(site, "spring", "--format", "precise", "--to", here / "copy", *ASKING, token=token))
    before = (here / "copy/votes.parquet").read_bytes()
    answer(share(juniper, people[0]), {bea: "no", carl: "no"})
    release("summer", juniper, after=spring, single_votes=True)
    options = ["summer", "--format", "precise", "--to", here / "copy", "--update", *ASKING]
    done(fetch(site, *options, token=token))
    assert (here / "copy/votes.parquet").read_bytes() != before
    assert contents(here / "copy") == whole(site, token, "summer")


def test_whoever_is_refused_reads_why(site, spring, here):
    olga, rosa = (give_factor(User.objects.create_user(name)) for name in ("olga", "rosa"))
    token = ProgramToken.objects.create(rosa, [Scope.DOWNLOAD])[1]
    options = ["spring", "--format", "precise", "--to", here / "copy", *ASKING]
    fetch(site, *options, token=token)
    deciding.refuse(AccessRequest.objects.get().pk, "Which wake word?", olga, NOW)
    run = fetch(site, *options[:5], token=token, stdin=subprocess.DEVNULL)
    assert run.returncode == 1 and "Which wake word?" in run.stderr and not (here / "copy").exists()


def test_a_format_that_cannot_hold_the_release_says_why(site, spring, sentences, share, token, here):
    settle(share(sentences), "turn on the lights")
    release("words", sentences)
    run = fetch(site, "words", "--format", "precise", "--to", here / "copy", *ASKING, token=token)
    assert run.returncode == 1 and "precise can hold no clip of this release" in run.stderr
    run = fetch(site, "spring", "--format", "mp3", "--to", here / "copy", *ASKING, token=token)
    assert run.returncode == 1 and "--format mp3: the site has" in run.stderr
    run = fetch(site, "none", "--format", "precise", "--to", here / "copy", *ASKING, token=token)
    assert run.returncode == 1 and "404" in run.stderr
    assert not (here / "copy").exists()


def test_a_retracted_release_says_why(site, spring, token, here):
    retraction.retract(spring, "A speaker was under age.", None, NOW)
    run = fetch(site, "spring", "--format", "precise", "--to", here / "copy", *ASKING, token=token)
    assert run.returncode == 1 and "retracted: A speaker was under age." in run.stderr
    assert list(here.iterdir()) == []


def test_a_busy_site_is_waited_for_as_long_as_it_says(site, spring, token, here):
    busy = b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    site.first = [busy, busy]
    run = done(fetch(site, "spring", "--format", "precise", "--to", here / "copy", *ASKING, token=token))
    assert run.stderr.count("The site is busy: waiting 1 s") == 2
    assert len(site.archives) == 3


def test_a_full_disk_leaves_no_copy_and_the_next_run_goes_on(site, spring, token, here):
    options = ["spring", "--format", "precise", "--to", here / "copy", *ASKING]
    limit = 100_000

    def no_larger_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    run = fetch(site, *options, token=token, preexec_fn=no_larger_files)
    assert run.returncode == 1 and "Not complete: " in run.stderr and "Traceback" not in run.stderr
    assert [path.name for path in here.iterdir()] == ["copy.partial"]
    done(fetch(site, *options, token=token))
    assert contents(here / "copy") == whole(site, token)


def test_too_little_space_is_said_before_the_download(monkeypatch, here):
    monkeypatch.setattr(fetch_release.shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(9, 4, 5))
    with pytest.raises(fetch_release.Stopped, match="6 B are needed and 5 B are free"):
        fetch_release.room_for(here, 6)


def test_a_sound_that_changed_on_the_way_is_named_and_makes_no_copy(site, spring, token, here):
    options = ["spring", "--format", "precise", "--to", here / "copy", *ASKING]
    site.cut_after = lambda: 200_000
    words = [*command(site, *options), "--pause", "300"]
    env = {"TAGGER_TOKEN": token}
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=env, cwd="/") as running:
        next(line for line in running.stderr if "broke off" in line)
        running.kill()
    archive = here / "copy.partial/archive.tar"
    with tarfile.open(archive) as tar:
        sound = next(member for member in tar if member.name.endswith(".wav"))
    with archive.open("r+b") as file:
        file.seek(sound.offset_data + 1000)
        file.write(b"?")
    site.cut_after = lambda: None
    run = fetch(site, *options, token=token)
    assert run.returncode == 1 and f"changed: {sound.name}" in run.stderr
    assert not (here / "copy").exists()


def member(name, kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, 0
    return info


@mutant(
    "an archive is unpacked into its folder alone",
    "static/downloads/fetch_release.py",
    kept_by="    if not member.isreg() or not is_inside or not path.parts:\n",
    broken="    if False:\n",
)
@pytest.mark.parametrize(
    "bad",
    [
        member("../out.txt"),
        member("clips/../../out.txt"),
        member("/tmp/out.txt"),
        member("C:out.txt"),
        member("..\\out.txt"),
        member("out.txt", tarfile.SYMTYPE, "/etc/passwd"),
        member("out.txt", tarfile.LNKTYPE, "good.txt"),
        member("out.txt", tarfile.FIFOTYPE),
        member("out", tarfile.DIRTYPE),
    ],
    ids=lambda bad: f"{bad.name} {bad.type}",
)
def test_an_archive_is_unpacked_into_its_folder_alone(here, bad):
    with tarfile.open(here / "archive.tar", "w") as tar:
        tar.addfile(member("good.txt"))
        tar.addfile(bad)
    with pytest.raises(fetch_release.Stopped, match="no plain file within the copy"):
        fetch_release.unpack(here / "archive.tar", here / "files")
    assert sorted(path.name for path in here.rglob("*")) == ["archive.tar", "files", "good.txt"]


def test_a_token_goes_to_no_other_site(site, spring, token, here):
    elsewhere = Between(1)
    moved = f"HTTP/1.1 302 Found\r\nLocation: {elsewhere.address}/x.tar\r\nContent-Length: 0\r\n\r\n"
    site.first = [moved.encode()]
    run = fetch(site, "spring", "--format", "precise", "--to", here / "copy", *ASKING, token=token)
    elsewhere.close()
    assert run.returncode == 1 and "leads to another site" in run.stderr
    assert elsewhere.asked == []
    with pytest.raises(fetch_release.Stopped, match="https"):
        fetch_release.Site("http://tags.example", token, 1)


def test_a_folder_with_something_else_is_left_alone(site, spring, token, here):
    (here / "copy").mkdir()
    (here / "copy/mine.txt").write_text("mine")
    run = fetch(site, "spring", "--format", "precise", "--to", here / "copy", *ASKING, token=token)
    assert run.returncode == 1 and "is no copy of a release" in run.stderr
    assert contents(here / "copy") == {"mine.txt": b"mine"} and site.archives == []


def test_releases_and_the_sizes_of_their_formats_are_listed(site, spring, token):
    assert "spring: 12 clips" in done(fetch(site, "--list", token=token)).stdout
    shown = done(fetch(site, "spring", "--list", *ASKING, token=token)).stdout
    assert "precise: " in shown and "deepspeech: " in shown


@pytest.fixture
def static_files(own_home):
    """What `collectstatic` puts there."""
    folder = own_home / "static/downloads"
    folder.mkdir(parents=True)
    shutil.copy(PROGRAMS / "clean_copy.py", folder)


def test_without_its_companion_the_program_downloads_it(static_files, site, juniper, share, people, here):
    settle(share(juniper, people[0]))
    release("open", juniper, audience=Purpose.PUBLIC)
    program = shutil.copy(PROGRAMS / "fetch_release.py", here / "fetch_release.py")
    words = command(site, "open", "--format", "precise", "--to", here / "copy", program=program)
    done(subprocess.run(words, capture_output=True, text=True, env={}, cwd="/"))
    assert (here / "clean_copy.py").read_bytes() == (PROGRAMS / "clean_copy.py").read_bytes()


def test_the_program_needs_only_python():
    text = (PROGRAMS / "fetch_release.py").read_text()
    imported = {
        line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))
    }
    assert imported <= sys.stdlib_module_names
    assert os.access(PROGRAMS / "clean_copy.py", os.R_OK)

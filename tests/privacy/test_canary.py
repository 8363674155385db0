"""The canary: a person's whole life on a site that is watched and broken at random, and what is left of it.

They opt in, record, are tagged, released to both audiences and reported, tag other people's clips, and leave
with their answers kept. Meanwhile someone polls all that can be asked for, workers are killed and connections
are cut. Afterwards today's disk, yesterday's dump with today's keys, a restored backup and every feed must
say the same.
"""

import json
import os
import pickle
import re
import shutil
import signal
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest

from tests.privacy.test_scan import ASK, Contributor, Town, belongs_to, ids_of, is_row
from tests.support import opened, sounds
from tests.support.commands import Commands
from tests.support.consent_page import Form
from tests.support.scan import Scanner
from tests.support.site import QuickSite, eventually
from tests.support.trouble import Attacker, Chaos, insist
from tests.whole_site.test_journey import Person

pytestmark = pytest.mark.thorough

SEED = 12
CAMPAIGNS = {"word": ("wake-word", "--wake-word", "hey juniper"), "said": ("transcription",)}
RELEASES = {"open": ["--public"], "research": ["--votes"]}
TO_A_STRANGER = (
    "releases/open/",
    "releases/open/manifest.jsonl",
    "recalls/open.json",
    "recalls/research.json",
)
TO_A_RESEARCHER = ("releases/", "releases/research/", "releases/research/manifest.jsonl")
ARCHIVES = {
    "stranger": ("releases/open/precise.tar", "releases/open/deepspeech.tar"),
    "researcher": ("releases/research/precise.tar",),
}

SETTLED = """
from datasets.models import Task
print(Task.objects.filter(status="settled", dirty_since=None).count(), "settled")
"""
RECLAIM = """
from datetime import timedelta
from django.utils import timezone
from tagger.lending import leases
leases.reclaim(timezone.now() + timedelta(hours=1))
"""
# What they answer may be listed one by one.
ALLOW = """
from django.utils import timezone
from accounts.models import User
User.objects.update(single_votes_since=timezone.now())
"""
APPOINT = """
from accounts.models import User
from tests.support import factors
person = User.objects.get_by_natural_key("researcher")
factors.appoint(person, "researcher")
person.tokens.update(scopes=["download"])
"""
# Everyone still thinks what they wrote down, about each transcript.
OBJECT = """
from django.utils import timezone
from datasets.models import Annotation
from tagger.models import Objection
written = Annotation.objects.filter(task__campaign__slug="said", objection=None)
for given in written.select_related("task__campaign", "task__clip__contributor__data_key"):
    objection = Objection(annotation=given, created_at=timezone.now())
    objection.answer = objection.note = given.answer
    objection.save()
"""
# Two privacy reviewers hear what may be published.
CLEAR = "from tests.support.checking import clear_all; clear_all()"
# What beat asks for every 30 seconds.
SWEEP = "from tagger.privacy import tasks; tasks.scrub_unfinished.delay()"
ROTATE = "from tests.support.rotation import rotate; rotate()"

# What a site says the next day: to researchers, to the person who left, to who tries to log in as them.
LOOK = """
import json
from datetime import timedelta
from django.utils import timezone
from accounts import audit, signing
from accounts.models import User
from datasets.models import Annotation, Release
from datasets.releases import frozen, recalls
from tagger.privacy import reconciler, withdrawal
recalls.publish(timezone.now() + timedelta(days=1))
feeds = {{release.slug: recalls.feed(release) for release in Release.objects.all()}}
receipt = withdrawal.receipt({token!r})
for document in (receipt, *feeds.values()):
    signing.verify(document)
print(json.dumps({{
    "recalled": {{slug: feed["recalled"] for slug, feed in feeds.items()}},
    "listed": {{each.slug: sorted(row.id for row in frozen.rows(each, with_words=False))
        for each in Release.objects.all()}},
    "taken back": {{slug: feed.get("annotators", []) for slug, feed in feeds.items()}},
    "receipt": {{name: receipt[name] for name in ("requested_at", "finished_at", "erased", "audit")}},
    "known": User.objects.found_by({name!r}).exists(),
    "no one's answers": Annotation.objects.filter(annotator=None).count(),
    "broken at": audit.broken_at(),
    "orphans": {{kind: n for kind, n in reconciler.reconcile(timezone.now()).orphans.items() if n}},
}}))
"""


class Sharer(Contributor):
    """A contributor with a second wake-word clip, who also tags."""

    def __init__(self, site, name, seed):
        super().__init__(site, name, seed)
        noise = 3_000 * np.random.default_rng(seed + 1_000).standard_normal(24_000)
        self.second = np.rint(noise / 2 + sounds.babble(seed + 1_000, 1.5) / 2).astype("<i2")

    def agree(self):
        """If the answer was lost, but not what was sent, there is no form any more."""
        page = self.http.get("/profile/consent/")
        assert page.status_code == 200
        if Form(page.text, "/profile/consent/give/").found:
            super().agree()

    @property
    def recordings(self):
        return [*zip(CAMPAIGNS, self.sounds, strict=True), ("word", self.second)]

    def canaries(self):
        return super().canaries() | {f"{self.name}: second sound": self.second.tobytes()}

    def share(self, slug, samples):
        files = {"audio": ("take.wav", sounds.in_format("wav", samples), "audio/wav")}
        answer = self.http.post(f"/record/{slug}/", data=self.form_token(), files=files)
        assert answer.status_code == 200 and "shared" in answer.text, answer.text

    def leave(self):
        """Returns the token of the receipt."""
        answer = self.http.post("/leave/", data=self.form_token() | {"answers": "keep"})
        assert answer.status_code == 200, answer.text
        return answer.url.path.split("/")[3]

    def form_token(self):
        page = self.http.get("/leave/").text
        return {"csrfmiddlewaretoken": re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]}


class Life:
    """What happens to the one who leaves, in the order of its methods."""

    def __init__(self, town, chaos, attacker):
        self.town, self.site, self.chaos, self.attacker = town, town.site, chaos, attacker
        [self.leaver], [self.stayer], self.listeners = town.leaving, town.staying, town.others
        self.heard = {}  # {samples: the number of the last listener's assignment}

    def opt_in_and_record(self):
        for person in (self.stayer, self.leaver):
            insist(person.agree)
            for slug, samples in person.recordings:
                insist(lambda person=person, slug=slug, samples=samples: person.share(slug, samples))

    def be_tagged(self):
        """The leaver begins, so that some of the answers that count are theirs."""
        while "6 settled" not in self.shell(SETTLED):
            for person in (self.leaver, *self.listeners):
                for slug in CAMPAIGNS:
                    insist(lambda person=person, slug=slug: self.tag(person, slug))
            # What was lent with a lost answer is taken back, as it is when its time is over.
            self.shell(RECLAIM)
            eventually(lambda: "6 settled" in self.shell(SETTLED), 3)

    def tag(self, person, slug):
        words = {each.sounds[1].tobytes(): each.words for each in (self.leaver, self.stayer)}
        for assignment, samples in person.borrow(slug):
            if person is self.listeners[-1]:
                self.heard[samples] = assignment
            answer = {"transcript": words[samples]} if slug == "said" else {"answer": "yes"}
            insist(lambda pk=assignment, answer=answer: hand_in(person, pk, answer))

    def be_objected_to(self):
        self.shell(OBJECT)

    def be_released(self):
        self.shell(CLEAR)
        for slug, options in RELEASES.items():
            self.manage("release", slug, "--campaign", *CAMPAIGNS, *options)

    def be_asked_for(self):
        """The release for researchers, by one, and by everyone else under their real names."""
        names = {person.name: person.real_name for person in (self.leaver, self.stayer)}
        self.shell(ASK.format(names=names | {"researcher": "a researcher"}))

    def be_watched(self, researcher):
        """Until everything was seen that can be: the control of what is looked for afterwards."""
        api = f"{self.site.url}/api/v1/"
        stranger = httpx.Client(base_url=api, timeout=30)
        clients = {"stranger": stranger, "researcher": again(researcher.api)}
        self.lists = [*TO_A_STRANGER, *TO_A_RESEARCHER]
        self.attacker.watch(stranger, *TO_A_STRANGER)
        self.attacker.watch(clients["researcher"], *TO_A_RESEARCHER)
        clips = [self.heard[samples.tobytes()] for _slug, samples in self.leaver.recordings]
        sounds_heard = [f"assignments/{assignment}/audio/" for assignment in clips]
        self.attacker.watch(again(self.listeners[-1].api), *sounds_heard)
        for who, paths in ARCHIVES.items():
            self.attacker.watch(clients[who], *paths)
        self.voices = [*sounds_heard, *(path for paths in ARCHIVES.values() for path in paths)]
        since = time.monotonic()
        assert eventually(
            lambda: all(any(e.found for e in self.seen(path, since)) for path in self.voices), 60
        )
        assert eventually(lambda: all(self.seen(path, since) for path in self.lists), 60)

    def seen(self, path, since, until=float("inf")):
        return [each for each in self.attacker.of(path, since, until) if each.status == 200]

    def be_reported(self):
        def report():
            pk = self.heard[self.leaver.second.tobytes()]
            told = self.listeners[-1].api.post(f"assignments/{pk}/report/", json={"reason": "private"})
            assert told.status_code == 204, told.text

        insist(report)

    def back_up(self, folder):
        """Yesterday: what everyone's keys opened, a dump with the vault, and a backup."""
        with self.chaos.calm:
            self.before = self.town.opened()
            opened.dump(self.town.addresses["DATABASE_URL"], folder / "yesterday.sql")
        shutil.copytree(self.site.home / "vault", folder / "yesterday" / "vault")
        self.manage("backup", folder / "backup")

    def leave(self):
        """It holds from the moment that it is acknowledged, also while nothing is erased yet."""
        with self.chaos.calm, self.without_eraser():
            self.token = self.leaver.leave()
            self.left = time.monotonic()
            asked = self.attacker.of
            assert eventually(lambda: all(asked(path, self.left) for path in self.voices + self.lists), 60)

    @contextmanager
    def without_eraser(self):
        """It is paused, and then killed."""
        eraser = insist(lambda: self.site.children()["eraser"])
        os.kill(eraser, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(eraser, signal.SIGKILL)

    def be_erased(self):
        """And the master keys are rotated, both while things go on failing."""
        receipt = f"{self.site.url}/receipts/erasure/{self.token}/receipt.json"

        def is_said(what):
            found = insist(lambda: httpx.get(receipt, timeout=30).raise_for_status().json())
            return found if found[what] else None

        assert eventually(lambda: self.shell(SWEEP) or is_said("finished_at"), 120), self.site.log("eraser")
        assert eventually(lambda: self.shell(ROTATE) or is_said("backups_closed_at"), 120)
        assert is_said("backups_closed_at")["backups"].startswith("closed")

    def manage(self, *arguments):
        """A command of the operator, who runs it again if its connection was cut."""

        def run():
            done = self.site.manage(*arguments, check=False)
            assert done.returncode == 0 or "already" in done.stderr, done.stderr
            return done.stdout

        return insist(run)

    def shell(self, code):
        return self.manage("shell", "--no-imports", "-v", "0", "-c", code)


def hand_in(person, assignment, answer):
    given = person.api.post(f"assignments/{assignment}/annotation/", json=answer)
    assert given.status_code in (200, 201), given.text


def again(client):
    """A client of the same person for another thread."""
    return httpx.Client(base_url=client.base_url, headers=client.headers, timeout=30)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    temporary = Path(tempfile.mkdtemp(prefix="tagger-canary-", dir="/tmp"))
    temporary.chmod(0o711)
    folder = tmp_path_factory.mktemp("canary")
    with QuickSite(folder / "home", TMPDIR=str(temporary)) as site:
        for slug, (kind, *more) in CAMPAIGNS.items():
            site.manage(
                "create_campaign", slug, "--kind", kind, "--language", "en", "--no-track-record", *more
            )
        leaver, stayer = Sharer(site, "Kanarienvögel-7d21", 1), Sharer(site, "Bleiber-31x7", 5)
        listeners = [Person(site, f"listener{number}") for number in range(2)]
        town = Town(site, temporary, [leaver], [stayer], listeners, folder / "dump.sql")
        town.shell(ALLOW)
        yield town
    shutil.rmtree(temporary)


def test_who_leaves_is_gone_everywhere_whatever_fails_meanwhile(town, tmp_path):
    canaries = town.canaries(town.leaving)
    researcher = Person(town.site, "researcher")
    town.shell(APPOINT)
    with Attacker(Scanner(canaries)) as attacker, Chaos(town.site, SEED) as chaos:
        life = Life(town, chaos, attacker)
        life.opt_in_and_record()
        life.be_tagged()
        life.be_objected_to()
        life.be_released()
        life.be_asked_for()
        life.be_watched(researcher)
        life.be_reported()
        life.back_up(tmp_path)
        life.leave()
        life.be_erased()
    assert set(chaos.done) == {"worker", "eraser", "connection"} and min(chaos.done.values()) > 0, chaos.done
    no_one_heard_or_noticed(life)
    today, ids = look(life, town.site.manage), ids_of(town.leaving, life.before)
    assert (today["known"], today["broken at"], today["orphans"]) == (False, None, {})
    it_is_recalled_everywhere(life, ids, today)
    nothing_is_left_on_disk(life, ids, canaries)
    answers_are_no_ones(life, ids, today)
    single_votes_are_gone(life, ids, today)
    objections_are_gone(life, ids, canaries)
    nothing_opens_of_yesterday(life, canaries, tmp_path)
    nothing_comes_back(life, canaries, tmp_path, today)


def no_one_heard_or_noticed(life):
    """Since leaving was acknowledged no voice was sent, and no list showed that someone left."""
    for path in life.voices:
        after = life.attacker.of(path, life.left)
        assert after and not any(each.found for each in after), path
        assert path.endswith(".tar") or not any(each.status == 200 for each in after), path
    for path in life.lists:
        assert life.seen(path, life.left), path
        assert len({each.digest for each in life.seen(path, 0)}) == 1, path


def look(life, manage):
    code = LOOK.format(token=life.token, name=life.leaver.name)
    return json.loads(manage("shell", "--no-imports", "-v", "0", "-c", code).stdout)


def it_is_recalled_everywhere(life, ids, today):
    """Everything of theirs from both releases, and nothing of anyone else."""
    released = {slug: [] for slug in RELEASES}
    slugs = {row["raw"]["id"]: row["raw"]["slug"] for row in of_kind(life.before, "Release")}
    theirs = belongs_to(life.before, ids)
    for row in of_kind({name: life.before[name] for name in theirs}, "ReleaseRow"):
        released[slugs[row["raw"]["release_id"]]].append(row["raw"]["public_id"])
    assert today["recalled"] == {slug: sorted(public_ids) for slug, public_ids in released.items()}
    for slug in RELEASES:
        assert len(today["recalled"][slug]) == len(today["listed"][slug]) == len(life.leaver.recordings)
        feed = httpx.get(f"{life.site.url}/api/v1/recalls/{slug}.json", timeout=30).json()
        assert feed["recalled"] == today["recalled"][slug]


def nothing_is_left_on_disk(life, ids, canaries):
    after = life.town.opened()
    assert Scanner(canaries).names(pickle.dumps(after)) == set()
    assert life.town.found(canaries) == set()
    named = {row.split()[0] for row in belongs_to(after, ids)}
    assert named == {"accounts.User", "accounts.Consent", "datasets.Withdrawal"}


def answers_are_no_ones(life, ids, today):
    given = [row for row in of_kind(life.before, "Annotation") if row["raw"]["annotator_id"] in ids]
    assert len(given) == len(life.stayer.recordings) == today["no one's answers"]


def single_votes_are_gone(life, ids, today):
    """Those of the leaver on other people's clips, as the feed says, and all on their own clips."""
    [theirs] = [row for row in of_kind(life.before, "ReleaseAnnotator") if row["raw"]["person_id"] in ids]
    assert today["taken back"]["research"] == [theirs["raw"]["public_id"]]
    before, after = of_kind(life.before, "SingleVote"), of_kind(life.town.opened(), "SingleVote")
    assert {row["raw"]["giver_id"] for row in before} > {theirs["raw"]["id"]}
    rows = {row["raw"]["id"] for row in of_kind(life.before, "ReleaseRow")}
    own = belongs_to(life.before, ids)
    rows -= {life.before[name]["raw"]["id"] for name in own if is_row(name, "ReleaseRow")}
    stay = [row for row in before if row["raw"]["giver_id"] != theirs["raw"]["id"]]
    stay = {row["raw"]["id"] for row in stay if row["raw"]["row_id"] in rows}
    assert {row["raw"]["id"] for row in after if row["raw"]["giver_id"]} == stay and stay


def objections_are_gone(life, ids, canaries):
    """Those about the leaver's clips, which say what was said there, and those that the leaver made."""
    before, after = (
        [row for name, row in rows.items() if name.startswith("tagger.Objection ")]
        for rows in (life.before, life.town.opened())
    )
    scanner = Scanner(canaries)
    assert scanner.names(pickle.dumps(before))
    made = {
        row["raw"]["id"] for row in of_kind(life.before, "Annotation") if row["raw"]["annotator_id"] in ids
    }
    others = [row for row in before if row["raw"]["annotation_id"] not in made]
    stay = [row["raw"]["id"] for row in others if not scanner.names(pickle.dumps(row))]
    assert [row["raw"]["id"] for row in after] == stay
    assert 0 < len(stay) < len(others) < len(before)


def of_kind(rows, model):
    return [row for name, row in rows.items() if is_row(name, model)]


def nothing_opens_of_yesterday(life, canaries, folder):
    """With yesterday's vault, today's keys, and the copy of the keys that opens everything of who stayed."""
    shutil.copytree(life.site.home / "keys", folder / "yesterday" / "keys")
    found = folder / "opened"
    with (
        opened.Restored(life.town.addresses["DATABASE_URL"], folder / "yesterday.sql") as address,
        commands(life, address, folder / "yesterday") as manage,
    ):
        manage("restore_keys")
        manage("shell", "--no-imports", "-v", "0", "-c", write_opened(found))
    only_who_stayed_opens(life, canaries, found)


def nothing_comes_back(life, canaries, folder, today):
    """A backup from before they left, restored elsewhere with today's keys, says what the site says."""
    shutil.copytree(life.site.home / "keys", folder / "elsewhere" / "keys")
    found = folder / "opened"
    address = urlsplit(life.town.addresses["DATABASE_URL"])._replace(path="/elsewhere").geturl()
    life.town.sql("CREATE DATABASE elsewhere")
    with commands(life, address, folder / "elsewhere") as manage:
        manage("restore", folder / "backup")
        assert look(life, manage) == today
        manage("shell", "--no-imports", "-v", "0", "-c", write_opened(found))
    only_who_stayed_opens(life, canaries, found)


def only_who_stayed_opens(life, canaries, found):
    stayed = life.town.canaries(life.town.staying)
    assert Scanner(canaries | stayed).names(found.read_bytes()) == set(stayed)


def write_opened(path):
    return f"from tests.support import opened; opened.write({str(path)!r})"


@contextmanager
def commands(life, address, home):
    """manage.py on another database and home, each command without a fault."""
    others = {name: life.town.addresses[name] for name in ("REDIS_URL", "SECRET_KEY")}
    program = Commands(life.site.env | others | {"DATABASE_URL": address, "TAGGER_HOME": str(home)})

    def manage(*arguments):
        done = program.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    try:
        yield manage
    finally:
        program.close()

"""After an opt-out nothing of the person is left in any store or encoding. Also tests the scanner."""

import base64
import gzip
import hashlib
import json
import os
import pickle
import re
import shutil
import tempfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import numpy as np
import psycopg2
import pytest
import redis

from tagger.local import addresses
from tests.support import opened, scan, sounds
from tests.support.consent_page import BOXES, Form
from tests.support.scan import Scanner
from tests.support.site import QuickSite, Site, eventually
from tests.whole_site.test_journey import Person, wait_until_settled

NAME = "Zoë-Канарейка-7d21"
PCM = (8_000 * np.random.default_rng(7).standard_normal(16_000)).astype("<i2").tobytes()
SESSION = {"_auth_user_id": "7", "note": f"hello {NAME}, welcome"}

WRAPPED = {
    "plain": NAME.encode(),
    "UTF-16": NAME.encode("utf-16-le"),
    "UTF-16, the other order": NAME.encode("utf-16-be"),
    "UTF-16 in base64": base64.b64encode(NAME.encode("utf-16")),
    **{f"base64 at {n}": base64.b64encode(b"x" * n + NAME.encode() + b"y") for n in range(4)},
    **{f"url-safe base64 at {n}": base64.urlsafe_b64encode(b"\xff" * n + NAME.encode()) for n in range(4)},
    "hex": NAME.encode().hex().encode(),
    "HEX, one digit off": b"A" + NAME.encode().hex().upper().encode(),
    "URL": quote(NAME).encode(),
    "URL, in part": b"name=" + NAME.replace("ë", "%C3%AB").encode(),
    "JSON": json.dumps({"name": NAME}).encode(),
    "JSON in JSON": json.dumps(json.dumps({"name": NAME})).encode(),
    "repr of bytes": repr(NAME.encode()).encode(),
    "gzip": gzip.compress(NAME.encode()),
    "gzip, cut short": gzip.compress(NAME.encode() + np.random.default_rng(1).bytes(2_000))[:-500],
    "zlib": zlib.compress(NAME.encode()),
    "zip": scan.zipped("a.txt", NAME.encode() * 9),
    "zip, cut short": scan.zipped("a.txt", NAME.encode() * 9)[:-30],
    "tar": scan.tarred("a.txt", NAME.encode()),
    "tar.gz": scan.tarred("a.txt", NAME.encode(), "w:gz"),
    "tar.bz2": scan.tarred("a.txt", NAME.encode(), "w:bz2"),
    "tar.xz": scan.tarred("a.txt", NAME.encode(), "w:xz"),
    **{f"pickle {n}": pickle.dumps({"name": NAME}, protocol=n) for n in range(6)},
    "zip in gzip in base64": base64.b64encode(gzip.compress(scan.zipped("a", NAME.encode() * 9))),
    "a compressed session": base64.urlsafe_b64encode(zlib.compress(json.dumps(SESSION).encode())),
    "a session": base64.urlsafe_b64encode(json.dumps(SESSION).encode()),
    "a queued task": json.dumps(
        {"body": base64.b64encode(json.dumps([[NAME], {}, {}]).encode()).decode(), "headers": {}}
    ).encode(),
}


@pytest.fixture(scope="module")
def scanner():
    return Scanner({"name": NAME, "sound": PCM})


@pytest.mark.parametrize("how", WRAPPED)
def test_a_planted_name_is_found_in_every_encoding(scanner, how):
    around = np.random.default_rng(3).bytes(5_001)
    assert scanner.names(around + b"\0" + WRAPPED[how] + b"\0" + around) == {"name"}


@pytest.mark.parametrize("start", [0, 1, 2, 3, 31, 32, 333, len(PCM) - 64])
def test_any_64_bytes_of_a_sound_are_found(scanner, start):
    piece = PCM[start : start + 64]
    assert scanner.names(b"\1" * start + piece) == {"sound"}
    assert scanner.names(b"-" + base64.b64encode(piece)) == {"sound"}
    assert scanner.names(b"\\\\x" + piece.hex().encode()) == {"sound"}


def test_a_sound_is_found_in_an_audio_file(scanner):
    assert scanner.names(sounds.in_format("wav", np.frombuffer(PCM, "<i2"))) == {"sound"}
    assert scanner.names(gzip.compress(pickle.dumps(PCM))) == {"sound"}


def test_random_bytes_and_other_sounds_are_no_hit(scanner):
    assert scanner.find(np.random.default_rng(5).bytes(3_000_000)) == set()
    assert scanner.find(bytes(1_000_000)) == set()
    assert scanner.find(sounds.in_format("wav", sounds.babble(4, 2))) == set()
    assert scanner.find(base64.b64encode(np.random.default_rng(6).bytes(300_000))) == set()


CAMPAIGNS = ("word", "said")
MORE_LEAVERS = int(os.environ.get("LEAVERS", "1"))  # more people who leave at the same time
CONTROL = "Kontroll-Kanarie-Übung"


class Contributor(Person):
    """A person who signs up, agrees to everything and shares, all over HTTP."""

    def __init__(self, site, name, seed):
        self.name, self.address = name, f"mail-canary-{seed}-of-{seed * 7919}@example.org"
        self.words = f"the canary of {name} sang number {seed}"
        self.real_name = f"Doctor {seed * 6841}, {name} Institute"
        self.client = f"127.86.{100 + seed // 150}.{100 + seed % 150}"
        transport = httpx.HTTPTransport(local_address=self.client)
        self.http = httpx.Client(base_url=site.url, follow_redirects=True, timeout=30, transport=transport)
        page = self.http.get("/accounts/signup/").text
        sent = {"username": name, "email": self.address, "password1": f"a long pass phrase {seed}"}
        self.page = self.send("/accounts/signup/", page, **sent)
        self.send("/first-minute/", self.http.get("/first-minute/").text, promise="on")
        made = self.send("/profile/tokens/", self.http.get("/profile/").text)
        token = re.search("[0-9a-f]{64}", made)[0]
        headers = {"Authorization": f"Token {token}"}
        self.api = httpx.Client(base_url=f"{site.url}/api/v1/", headers=headers, timeout=30)
        noise = 3_000 * np.random.default_rng(seed).standard_normal((2, 24_000))
        self.sounds = [np.rint(one / 2 + sounds.babble(seed, 1.5) / 2).astype("<i2") for one in noise]

    def canaries(self):
        texts = {
            **{"name": self.name, "address": self.address, "words": self.words},
            "real name": self.real_name,
        }
        recordings = {
            f"{slug} sound": pcm.tobytes() for slug, pcm in zip(CAMPAIGNS, self.sounds, strict=True)
        }
        return {f"{self.name}: {what}": canary for what, canary in (texts | recordings).items()}

    def agree(self):
        page = self.http.get("/profile/consent/").text
        form = Form(page, "/profile/consent/give/")
        self.send("/profile/consent/give/", page, **form.hidden(), **dict.fromkeys(BOXES, "on"))

    def share(self):
        for slug, samples in zip(CAMPAIGNS, self.sounds, strict=True):
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.http.get("/leave/").text)[1]
            answer = self.http.post(
                f"/record/{slug}/",
                data={"csrfmiddlewaretoken": token},
                files={"audio": ("take.wav", sounds.in_format("wav", samples), "audio/wav")},
            )
            assert answer.status_code == 200 and "shared" in answer.text, answer.text

    def forget_my_password(self):
        """Requested without the session. The site writes an e-mail, which contains the address."""
        with httpx.Client(base_url=self.http.base_url, follow_redirects=True, timeout=30) as elsewhere:
            page = elsewhere.get("/accounts/password/reset/").text
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
            sent = {"csrfmiddlewaretoken": token, "email": self.name}
            assert elsewhere.post("/accounts/password/reset/", data=sent).status_code == 200

    def leave(self):
        """Leave; returns the URL of the erasure receipt."""
        page = self.http.get("/leave/").text
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
        answer = self.http.post("/leave/", data={"csrfmiddlewaretoken": token, "answers": "remove"})
        assert answer.status_code == 200, answer.text
        return f"{answer.url.path}receipt.json"


@dataclass
class Town:
    """One site, its people, and every store where it may keep something."""

    site: Site
    temporary: Path
    leaving: list
    staying: list
    others: list
    dump: Path

    def canaries(self, people):
        return {name: canary for person in people for name, canary in person.canaries().items()}

    def opened(self):
        """Everything that today's keys open, read by a process of this site."""
        path = self.dump.with_name("opened")
        self.shell(f"from tests.support import opened; opened.write({str(path)!r})")
        found = pickle.loads(path.read_bytes())
        path.unlink()
        return found

    def shell(self, code):
        return self.site.manage("shell", "--no-imports", "-c", code).stdout

    @property
    def addresses(self):
        return addresses.find(self.site.home)

    def sql(self, *statements):
        connection = psycopg2.connect(self.addresses["DATABASE_URL"])
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        connection.close()

    def stores(self):
        """Every (store, content) in turn, after the database has written everything to disk."""
        self.sql("CHECKPOINT")
        data, home = (self.site.home / "postgres").resolve(), self.site.home
        for path in files_below(data):
            with suppress(FileNotFoundError):  # the server creates and deletes files while this runs
                yield ("journal" if "pg_wal" in path.parts else "database files"), path.read_bytes()
        yield "dump", opened.dump(self.addresses["DATABASE_URL"], self.dump).read_bytes()
        for folder in ("vault", "log", "run", "keys", "mail", "valkey", "static"):
            for path in files_below(home / folder):
                yield folder, path.read_bytes()
        for path in files_below(self.temporary):
            yield "temporary files", path.read_bytes()
        with redis.Redis.from_url(self.addresses["REDIS_URL"]) as client:
            for key in client.scan_iter():
                yield "broker", key + b"\0" + pickle.dumps(value_of(client, key))

    def found(self, canaries):
        """{(store, canary)} of every canary that is readable anywhere."""
        scanner, known, hits = Scanner(canaries), {}, set()
        for store, data in self.stores():
            digest = hashlib.sha256(data).digest()
            if digest not in known:  # the database's template files repeat many times
                known[digest] = scanner.names(data)
            hits |= {(store, name) for name in known[digest]}
        return hits

    def plant(self):
        """Put a control canary, unencrypted, into each store: the scan must find it there."""
        self.sql("CREATE TABLE IF NOT EXISTS canary (word text)", f"INSERT INTO canary VALUES ('{CONTROL}')")
        for folder in (*(self.site.home / name for name in FOLDERS), self.temporary):
            folder.mkdir(exist_ok=True)
            (folder / "canary").write_bytes(base64.b64encode(gzip.compress(CONTROL.encode())))
        with redis.Redis.from_url(self.addresses["REDIS_URL"]) as client:
            client.rpush("canaries", json.dumps({"body": base64.b64encode(CONTROL.encode()).decode()}))

    def remove_planted(self):
        for folder in (*(self.site.home / name for name in FOLDERS), self.temporary):
            (folder / "canary").unlink()


FOLDERS = ("vault", "log", "run", "keys", "mail")
STORES = {"database files", "journal", "dump", "temporary files", "broker", *FOLDERS}


def files_below(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def value_of(client, key):
    read = {
        b"string": client.get,
        b"list": lambda k: client.lrange(k, 0, -1),
        b"hash": client.hgetall,
        b"set": client.smembers,
        b"zset": lambda k: client.zrange(k, 0, -1),
    }
    return read[client.type(key)](key)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    temporary = Path(tempfile.mkdtemp(prefix="tagger-scan-", dir="/tmp"))
    temporary.chmod(0o711)
    folder = tmp_path_factory.mktemp("scan")
    with QuickSite(folder / "home", TMPDIR=str(temporary)) as site:
        for slug, kind in zip(CAMPAIGNS, ("wake-word", "transcription"), strict=True):
            more = ["--wake-word", "hey juniper"] if kind == "wake-word" else []
            site.manage(
                "create_campaign", slug, "--kind", kind, "--language", "en", "--no-track-record", *more
            )
        leaving = [Contributor(site, "Kanarienvögel-7d21", 1)]
        leaving += [Contributor(site, f"Wegzieher{n}x{n * 7919}", 10 + n) for n in range(MORE_LEAVERS)]
        staying = [Contributor(site, f"Bleiber{n}x{n * 7919}", 5 + n) for n in range(2)]
        town = Town(site, temporary, leaving, staying, [], folder / "dump.sql")
        live(town)
        yield town
    shutil.rmtree(temporary)


def live(town):
    """They agree, share, pair a device and get a line in the admin's log; others label and transcribe."""
    transcripts = {}
    for person in town.staying + town.leaving:
        person.agree()
        person.share()
        transcripts |= {samples.tobytes(): person.words for samples in person.sounds}
    town.shell(DEVICES_AND_LOG)
    # The oldest clip, of a person who stays, is lent to one who leaves and who will not hand it in.
    town.sql("UPDATE datasets_task SET priority = -1 WHERE id = (SELECT min(id) FROM datasets_task)")
    town.leaving[0].api.post("campaigns/word/assignments/", json={"count": 1}).raise_for_status()
    town.others = [Person(town.site, f"listener{n}") for n in range(2)]
    for person in town.others:
        wait_until_settled(town.site)  # lending passes over a task that is being settled at this moment
        for assignment, _samples in person.borrow("word"):
            person.answer(assignment, answer="yes")
        for assignment, samples in person.borrow("said"):
            person.answer(assignment, transcript=transcripts[samples])
    wait_until_settled(town.site)
    town.site.manage("release", "scan", "--campaign", *CAMPAIGNS)
    town.site.manage("export", "scan", "--format", "deepspeech", "--to", town.dump.with_name("export"))
    town.shell(ASK.format(names={person.name: person.real_name for person in town.staying + town.leaving}))
    town.leaving[1].forget_my_password()


# They ask for the releases for researchers, by their real names. That needs a second factor.
ASK = """
from django.utils import timezone
from accounts.models import User
from datasets.access import asking, terms
from datasets.access.sealing import About
from datasets.models import Release
from tests.support.factors import give_factor
for pseudonym, name in {names!r}.items():
    person = User.objects.get_by_natural_key(pseudonym)
    has_factor = person.has_factor
    if not has_factor:
        give_factor(person)
    for release in Release.objects.filter(audience="researchers"):
        asking.ask(person, release, About(name, "for " + name), terms.VERSION, timezone.now())
    if not has_factor:
        person.authenticator_set.all().delete()
"""
DEVICES_AND_LOG = """
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from accounts import devices
from accounts.models import User
for person in User.objects.filter(is_active=True):
    offer = devices.offer("state", timezone.now())
    devices.claim(person, offer.code, f"lamp of {person.pseudonym}", timezone.now())
    devices.activate("state", offer.token, {"platform": "shelf"}, timezone.now())
    about = ContentType.objects.get_for_model(User)
    LogEntry.objects.create(user=person, content_type=about, object_id=str(person.pk),
        object_repr=str(person), action_flag=CHANGE, change_message="[]")
"""


def ids_of(people, rows):
    names = {person.name for person in people}
    return {
        each["raw"]["id"]
        for row, each in rows.items()
        if row.startswith("accounts.User ") and each["opens"].get("name") in names
    }


def belongs_to(rows, ids):
    """The rows of these people, and the rows that refer to those."""
    by_owner = ("contributor_id", "person_id", "owner_id", "annotator_id", "user_id")
    theirs = {f"accounts.User {pk}" for pk in ids}
    theirs |= {row for row, each in rows.items() if any(each["raw"].get(name) in ids for name in by_owner)}
    for name, model in (
        ("clip_id", "Clip"),
        ("task_id", "Task"),
        ("device_id", "Device"),
        ("row_id", "ReleaseRow"),
    ):
        parents = {row.split()[1] for row in theirs if row.split()[0].endswith(f".{model}")}
        theirs |= {row for row, each in rows.items() if str(each["raw"].get(name)) in parents}
    return theirs


def hashes(rows, but):
    """Hashes of the other rows, without counters and without what a key rotation wraps or hashes again."""
    others = {row: each for row, each in rows.items() if row not in but and row.split()[0] not in BOOKKEEPING}
    rotated = {"wrapped", "master", "username", "samples_hash", "hashed_under", "sealed_samples"}
    # A machine may look at the words for signs of something private meanwhile, and measure the sound.
    measured = {"private_signs", "snr", "clipping"}
    changes = rotated | {"lent_count", "annotation_count", "dirty_since"} | measured
    return {row: opened.row_hash(each, without=changes) for row, each in others.items()}


BOOKKEEPING = {
    "accounts.MasterKey",
    "datasets.Withdrawal",
    "datasets.Recall",
    "tagger.Community",
    "tagger.Counted",
    "tagger.CampaignFigures",
    "tagger.CampaignDay",
    "tagger.LargestContributor",
}


def vault_files(town):
    return {
        path.relative_to(town.site.home): path.read_bytes()
        for path in files_below(town.site.home / "vault")
        if path.name != "site.json"
    }


def test_after_an_opt_out_nothing_is_left_in_any_store_and_other_people_are_untouched(town):
    canaries = town.canaries(town.leaving)
    before = town.opened()
    ids = ids_of(town.leaving, before)
    assert len(ids) == len(town.leaving)
    theirs = belongs_to(before, ids)
    files = vault_files(town)
    control_of_what_is_sealed(town, before, canaries)
    control_of_each_store(town, canaries)

    receipts = [person.leave() for person in town.leaving]
    with httpx.Client(base_url=town.site.url, timeout=30) as stranger:
        for address in receipts:
            assert eventually(lambda a=address: stranger.get(a).status_code == 200, 120), town.site.log(
                "worker"
            )
    rotate_keys(town)

    after = town.opened()
    assert Scanner(canaries).names(pickle.dumps(after)) == set()
    assert {hit for hit in town.found(canaries)} == set()
    survivors_are_untouched(town, before, after, theirs, files)
    released = {
        each["raw"]["public_id"]
        for row, each in before.items()
        if is_row(row, "ReleaseRow") and row in theirs
    }
    recalled = {each["raw"]["public_id"] for row, each in after.items() if is_row(row, "Recall")}
    assert recalled == released and len(released) == 2 * len(town.leaving)


def is_row(row, model):
    return row.startswith(f"datasets.{model} ")


def control_of_what_is_sealed(town, rows, canaries):
    everything = canaries | town.canaries(town.staying)
    assert Scanner(everything).names(pickle.dumps(rows)) == set(everything)
    assert not any(each["closed"] for each in rows.values())


def control_of_each_store(town, canaries):
    """Every store is searched, and the only canary found unencrypted is in the e-mail that was sent.

    The addresses of people's computers are nowhere either, though the limits count by them at this moment.
    """
    town.plant()
    clients = {f"{person.name}: client": person.client for person in town.leaving + town.staying}
    found = town.found(canaries | clients | {"control": CONTROL})
    with redis.Redis.from_url(town.addresses["REDIS_URL"]) as counters:
        assert len(counters.keys("limit:*")) >= 2 * len(clients)
    assert {store for store, name in found if name == "control"} == STORES
    mail = ("mail", f"{town.leaving[1].name}: address")
    assert mail in found
    assert {hit for hit in found if hit[1] != "control" and hit[0] != "mail"} == set()
    town.remove_planted()


def rotate_keys(town):
    """Run the nightly rotation, and destroy the old master key after its grace."""
    town.shell("from tests.support.rotation import rotate; rotate()")
    assert [path.name for path in (town.site.home / "keys").glob("[0-9]*.key")] == ["0002.key"]


def survivors_are_untouched(town, before, after, theirs, files):
    was, now = hashes(before, theirs), hashes(after, theirs)
    assert {row for row in was if now.get(row) != was[row]} == set()
    assert set(was) <= set(now)  # withdrawals of consent add rows
    kept = {each["raw"]["stored_as"] for row, each in after.items() if is_row(row, "Clip")}
    assert len(kept) == 2 * len(town.staying)
    assert vault_files(town) == {path: data for path, data in files.items() if str(path)[6:] in kept}
    assert Scanner(town.canaries(town.staying)).names(pickle.dumps(after)) == set(town.canaries(town.staying))
    assert {each["raw"]["lent_count"] for row, each in after.items() if is_row(row, "Task")} == {0}

"""The journey of a clip from file to file: real HTTP, a real Celery worker, real PostgreSQL and Redis."""

import csv
import hashlib
import io
import json
import re

import httpx
import pytest
import soundfile

from tests.support import sounds
from tests.support.site import eventually

SPEAKERS = ("ann", "ben", "cat", "dan")
SPOKEN = {"ann-0": "lights on", "ben-0": "Lights on!", "cat-0": "good night", "dan-0": "what time is it"}


class Person:
    """A volunteer who uses the site over HTTP."""

    def __init__(self, site, name):
        self.http = httpx.Client(base_url=site.url, follow_redirects=True, timeout=30)
        page = self.http.get("/accounts/signup/").text
        self.page = self.send("/accounts/signup/", page, username=name, password1="a long pass phrase")
        self.send("/first-minute/", self.http.get("/first-minute/").text, promise="on")
        made = self.send("/profile/tokens/", self.http.get("/profile/").text)
        self.api = httpx.Client(
            base_url=f"{site.url}/api/v1/",
            headers={"Authorization": f"Token {re.search('[0-9a-f]{64}', made)[0]}"},
            timeout=30,
        )

    def send(self, address, page, **fields):
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
        answer = self.http.post(address, data={"csrfmiddlewaretoken": token, **fields})
        assert answer.status_code == 200, answer.text
        return answer.text

    def borrow(self, campaign):
        """Each assignment that is left for this person, with its clip's samples."""
        while lent := self.api.post(f"campaigns/{campaign}/assignments/", json={"count": 10}).json()[
            "assignments"
        ]:
            for assignment in lent:
                wav = self.http.get(assignment["audio"])
                assert (wav.status_code, wav.headers["Cache-Control"]) == (200, "no-store")
                yield assignment["id"], fingerprint(wav.content)

    def answer(self, assignment, **body):
        given = self.api.post(f"assignments/{assignment}/annotation/", json=body)
        assert given.status_code == 201, given.text

    def close(self):
        self.http.close()
        self.api.close()


def fingerprint(wav):
    samples, rate = soundfile.read(io.BytesIO(wav), dtype="int16")
    assert rate == 16_000 and samples.ndim == 1
    return samples.tobytes()


@pytest.fixture
def clips(tmp_path):
    """Three wake-word clips and one sentence of each speaker, in different formats: {samples: name}."""
    known = {}
    for s, speaker in enumerate(SPEAKERS):
        for n in range(4):
            samples = sounds.babble(seed=10 * s + n, seconds=1.5)
            kind = "flac" if n % 2 else "wav"
            (tmp_path / f"{speaker}-{n}.{kind}").write_bytes(sounds.in_format(kind, samples))
            known[samples.tobytes()] = f"{speaker}-{n}"
    return known


def write_manifest(folder, name, rows):
    with open(folder / name, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "speaker"])
        writer.writerows(rows)
    return folder / name


def test_the_journey_of_a_clip(site, clips, tmp_path):
    wake_words = write_manifest(
        tmp_path,
        "wake-words.csv",
        [(f"{s}-{n}.{'flac' if n % 2 else 'wav'}", s) for s in SPEAKERS for n in (1, 2, 3)],
    )
    sentences = write_manifest(tmp_path, "sentences.csv", [(f"{s}-0.wav", s) for s in SPEAKERS])
    site.manage(
        "create_campaign",
        "journey-word",
        "--kind",
        "wake-word",
        "--language",
        "en",
        "--wake-word",
        "hey juniper",
        "--max-annotations",
        "5",
        "--no-track-record",
    )
    site.manage(
        "create_campaign",
        "journey-said",
        "--kind",
        "transcription",
        "--language",
        "en",
        "--max-annotations",
        "5",
        "--no-track-record",
    )
    for source, campaign in ((wake_words, "journey-word"), (sentences, "journey-said")):
        output = site.manage(
            "import_clips",
            source,
            "--campaign",
            campaign,
            "--contributor",
            "journey",
            "--consent-reference",
            "form 7",
            "--licence",
            "CC-BY-4.0",
        ).stdout
        assert ", 0 held already, 0 refused." in output

    people = [Person(site, f"journey{n}") for n in range(5)]
    for n, person in enumerate(people):
        for assignment, samples in person.borrow("journey-word"):
            person.answer(assignment, answer=wake_answer(clips[samples], n))
        for assignment, samples in person.borrow("journey-said"):
            person.answer(assignment, transcript=SPOKEN[clips[samples]] if n else "lights off now")
        wait_until_settled(site)

    listed = {c["slug"]: c["progress"] for c in people[0].api.get("campaigns/").json()}
    assert listed["journey-word"] == {"total": 12, "settled": 11, "disputed": 1}
    assert listed["journey-said"] == {"total": 4, "settled": 4, "disputed": 0}

    judge = Person(site, "journey5")  # not one who answered
    adjudicate(site, judge, "yes")
    export_and_check(site, clips, tmp_path)
    doubtful = settle_by_two(site, people[3:], tmp_path)
    check_refit(site, people, judge, doubtful)
    check_controls(site, tmp_path)
    assert "17 labels recomputed, all byte for byte as stored" in site.manage("recompute").stdout
    for person in (*people, judge):
        person.close()


WAKE_WORD = ("--kind", "wake-word", "--language", "en", "--wake-word", "hey juniper")


def test_random_answers_to_one_campaign_change_nothing_in_another(site, tmp_path):
    """The same people answer both, well and then at random."""
    for slug in ("calm", "flooded"):
        site.manage("create_campaign", slug, *WAKE_WORD, "--no-track-record", "--min-annotations", "4")
    import_some(site, tmp_path, "calm", seeds=range(1000, 1016))
    import_some(site, tmp_path, "flooded", seeds=range(1100, 1116))
    people = [Person(site, f"crowd{n}") for n in range(4)]
    answer_all(people, "calm", lambda sound, n: ("yes", "no", "similar", "noise")[sound[0] % 4])
    refit(site)
    before = labels_of(site, "calm")
    assert progress(people[0], "calm") == {"total": 16, "settled": 16, "disputed": 0}
    answer_all(people, "flooded", lambda sound, n: ("yes", "no", "similar", "noise")[(sound[0] + n) % 4])
    refit(site)
    assert labels_of(site, "calm") == before
    assert progress(people[0], "calm") == {"total": 16, "settled": 16, "disputed": 0}
    for person in people:
        person.close()


def test_accounts_made_to_agree_settle_nothing(site, tmp_path):
    """Two that signed up for it agree on a wrong answer; then someone comes whom the site knows."""
    site.manage("create_campaign", "guarded", *WAKE_WORD)
    import_some(site, tmp_path, "guarded", seeds=[1200])
    colluders, known = [Person(site, f"fresh{n}") for n in range(2)], Person(site, "known")
    site.manage("shell", "-c", APPOINT_REVIEWER.format(name="known"))
    answer_all(colluders, "guarded", lambda sound, n: "noise")
    wait_until_settled(site)
    assert progress(known, "guarded") == {"total": 1, "settled": 0, "disputed": 0}
    answer_all([known], "guarded", lambda sound, n: "yes")
    wait_until_settled(site)
    assert progress(known, "guarded") == {"total": 1, "settled": 0, "disputed": 0}
    helpers = [Person(site, f"helper{n}") for n in range(4)]
    for person in helpers:  # one more is asked for after each
        answer_all([person], "guarded", lambda sound, n: "yes")
        wait_until_settled(site)
    assert [label for _pk, label in labels_of(site, "guarded")] == ["yes"]
    for person in (*colluders, known, *helpers):
        person.close()


APPOINT_REVIEWER = """
from accounts.models import User
from tests.support import factors
factors.appoint(User.objects.get_by_natural_key({name!r}), "reviewer")
"""
LABELS = """
import json
from datasets.models import Task
settled = Task.objects.filter(campaign__slug={slug!r}, status="settled").order_by("pk")
print("labels", json.dumps(list(settled.values_list("pk", "plain_answer"))))
"""


def import_some(site, tmp_path, campaign, seeds):
    """Clips of babble, each of its seed."""
    folder = tmp_path / campaign
    folder.mkdir()
    for seed in seeds:
        (folder / f"{seed}.wav").write_bytes(sounds.in_format("wav", sounds.babble(seed, 1.5)))
    given = "--contributor", campaign, "--consent-reference", "form 9", "--licence", "CC-BY-4.0"
    site.manage("import_clips", folder, "--campaign", campaign, *given)


def answer_all(people, campaign, answer):
    """Each answers all that they are lent: `answer`, from a digest of the samples and the person's place."""
    for n, person in enumerate(people):
        for assignment, samples in person.borrow(campaign):
            person.answer(assignment, answer=answer(hashlib.sha256(samples).digest(), n))


def refit(site):
    """As the worker does every hour."""
    wait_until_settled(site)
    site.manage("shell", "-c", "from tagger import tasks; tasks.refit()")
    wait_until_settled(site)


def labels_of(site, slug):
    output = site.manage("shell", "-c", LABELS.format(slug=slug)).stdout
    return json.loads(output.partition("labels ")[2])


def wake_answer(name, n):
    """The volunteers disagree on dan-3; cat's clips are similar; all others are the wake word."""
    if name == "dan-3":
        return ("yes", "no", "yes", "no", "noise")[n]
    return "similar" if name.startswith("cat") else "yes"


def wait_until_settled(site):
    """Wait until the worker has settled all answers, by asking the database as an operator would."""
    waiting = "Task.objects.exclude(dirty_since=None, stale_since=None).count()"
    whole = "Crowd.objects.exclude(recount_below=None).count()"
    models = "from datasets.models import Task; from tagger.models import Crowd"
    ask = f"{models}; print('dirty', {waiting} + {whole})"
    assert eventually(lambda: "dirty 0" in site.manage("shell", "-c", ask).stdout), site.log("worker")


def adjudicate(site, person, answer):
    site.manage("shell", "-c", APPOINT_REVIEWER.format(name="journey5"))
    listed = person.http.get("/review/").text
    [dispute] = re.findall(r"/review/items/(\d+)/", listed)
    page = person.http.get(f"/review/items/{dispute}/").text
    assert person.http.get(f"/review/items/{dispute}/audio/").headers["Content-Type"] == "audio/wav"
    person.send(f"/review/items/{dispute}/accept/", page, answer=answer)


def settle_by_two(site, people, tmp_path):
    """One more clip is settled by two people, of whom not much is known; its samples."""
    samples = import_one(site, tmp_path, "doubtful", seed=98)
    for person in people:
        [(assignment, _samples)] = person.borrow("journey-word")
        person.answer(assignment, answer="noise")
    wait_until_settled(site)
    assert progress(people[0]) == {"total": 13, "settled": 13, "disputed": 0}
    return samples.tobytes()


# Every clip is answered by three people as it was settled, and wrongly by one of the two others.
ELSEWHERE = """
from django.db.models import F
from django.utils import timezone
from accounts.models import User
from datasets.models import Annotation, Task
people = [User.objects.get_by_natural_key(f"journey{n}") for n in range(5)]
settled = Task.objects.filter(campaign__slug="journey-word", status="settled", adjudicated=False)
for number, task in enumerate(settled.exclude(plain_answer="noise").order_by("pk")):
    missing = [n for n in (0, 1, 2, 3 + number % 2) if not task.annotations.filter(annotator=people[n])]
    if missing:
        for n in missing:
            answer = "noise" if n > 2 else task.answer
            task.annotations.create(annotator=people[n], plain_answer=answer, created_at=timezone.now())
        more = F("annotation_count") + len(missing)
        Task.objects.filter(pk=task.pk).update(annotation_count=more, dirty_since=timezone.now())
from tagger import tasks
print("of", tasks.refit(), Annotation.objects.count())
"""


def check_refit(site, people, reviewer, doubtful):
    """The refit learns from all answers; volunteers see their own figures, reviewers everyone's.

    Two people are always wrong. What they settled alone is not certain enough any more: it is lent again.
    """
    output = site.manage("shell", "-c", ELSEWHERE).stdout
    learned, answers = re.search(r"of (\d+) (\d+)", output).groups()
    assert learned == answers and int(answers) > 30
    wait_until_settled(site)
    assert progress(people[0])["settled"] < 13
    [(assignment, samples)] = people[0].borrow("journey-word")
    assert samples == doubtful
    people[0].answer(assignment, answer="yes")
    wait_until_settled(site)
    page = people[1].http.get("/my-answers/").text
    assert re.search(r"\d+ of the last \d+ \(\d+ %\)", page) and "of 100" in page
    listed = re.findall(r"volunteer \d+", reviewer.http.get("/review/volunteers/").text)
    assert len(set(listed)) == len(people)
    assert people[1].http.get("/review/volunteers/").status_code == 403
    site.manage("shell", "-c", "from tagger import tasks; tasks.measure_agreement()")
    assert "alpha" in people[1].http.get("/tag/journey-word/agreement/").text


def check_controls(site, tmp_path):
    """A new volunteer is also lent settled clips, and nothing shows that they are controls."""
    site.manage("shell", "-c", "from tagger import tasks; tasks.rotate_controls()")
    more = import_one(site, tmp_path, "eve", seed=99)
    newcomers = [Person(site, f"newcomer{n}") for n in range(3)]  # each meets a control with 1 - 2 ** -10
    heard = [samples for person in newcomers for _id, samples in borrow_once(person)]
    wanted = more.tobytes()
    assert wanted in heard and set(heard) != {wanted}
    for person in newcomers:
        person.close()


def import_one(site, tmp_path, name, seed, campaign="journey-word"):
    """One more clip of a campaign of wake words; its samples."""
    samples = sounds.babble(seed=seed, seconds=1.5)
    (tmp_path / f"{name}.wav").write_bytes(sounds.in_format("wav", samples))
    source = write_manifest(tmp_path, f"{name}.csv", [(f"{name}.wav", name)])
    given = "--contributor", "journey", "--consent-reference", "form 8", "--licence", "CC-BY-4.0"
    site.manage("import_clips", source, "--campaign", campaign, *given)
    return samples


def progress(person, campaign="journey-word"):
    """Of a campaign, as the API tells it."""
    listed = person.api.get("campaigns/").json()
    return next(each["progress"] for each in listed if each["slug"] == campaign)


def borrow_once(person):
    lent = person.api.post("campaigns/journey-word/assignments/", json={"count": 10}).json()["assignments"]
    return [(each["id"], fingerprint(person.http.get(each["audio"]).content)) for each in lent]


def export_and_check(site, clips, tmp_path):
    site.manage(
        "release", "journey-1", "--campaign", "journey-word", "journey-said", "--min-contributors", "4"
    )
    site.manage("export", "journey-1", "--format", "deepspeech", "--to", tmp_path / "ds")
    site.manage("export", "journey-1", "--format", "precise", "--to", tmp_path / "precise")
    check_deepspeech(clips, tmp_path / "ds")
    precise = {
        p.relative_to(tmp_path / "precise").parts[-2]: p for p in (tmp_path / "precise").rglob("*.wav")
    }
    assert set(precise) == {"wake-word", "not-wake-word"}
    names = {clips[fingerprint(p.read_bytes())]: p.parent.name for p in (tmp_path / "precise").rglob("*.wav")}
    assert len(names) == 12 and {n for n, kind in names.items() if kind == "not-wake-word"} == {
        "cat-1",
        "cat-2",
        "cat-3",
    }


def check_deepspeech(clips, folder):
    """Every WAV opens, every row matches its file, no speaker is in two splits. Each kind has a folder."""
    speakers, seen = {}, {}
    for part in sorted(path.parent for path in folder.rglob("alphabet.txt")):
        letters = (part / "alphabet.txt").read_text().split("\n")
        alphabet = set("".join(line for line in letters if not line.startswith("#")))
        for split in ("train", "dev", "test"):
            with open(part / f"{split}.csv", newline="") as file:
                for row in csv.DictReader(file):
                    wav = (part / row["wav_filename"]).read_bytes()
                    name = clips[fingerprint(wav)]
                    assert int(row["wav_filesize"]) == len(wav) and set(row["transcript"]) <= alphabet | {" "}
                    speakers.setdefault(name.split("-")[0], set()).add(split)
                    seen[name] = row["transcript"]
    assert all(len(splits) == 1 for splits in speakers.values()) and set.union(*speakers.values()) == {
        "train",
        "dev",
        "test",
    }
    assert {n: t for n, t in seen.items() if n.endswith("-0")} == {
        n: t.lower().strip("!") for n, t in SPOKEN.items()
    }
    assert {n: t for n, t in seen.items() if not n.endswith("-0")} == {
        f"{s}-{n}": "hey juniper" for s in ("ann", "ben", "dan") for n in (1, 2, 3)
    }
    assert len(list(folder.rglob("clips/*.wav"))) == len(seen)
    labels = [json.loads(line) for line in (folder / "soft-labels.jsonl").read_text().splitlines()]
    assert len(labels) == len(seen) and sum(label["soft"]["adjudicated"] for label in labels) == 1

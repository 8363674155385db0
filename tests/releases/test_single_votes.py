"""Answers of volunteers one by one in a release: whose, under which id, and how they are taken back."""

import io
import json
import re
from collections import Counter, defaultdict
from contextlib import closing
from datetime import timedelta

import pandas
import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client

from accounts import audit, journal, signing
from accounts.models import User
from datasets.access import letter_texts, recall_notices
from datasets.imports import archives
from datasets.models import Annotation, Letter, Recall, Release, ReleaseAnnotator, SingleVote, Withdrawal
from datasets.releases import formats, frozen, groups, recalls, taking_back
from datasets.releases.archive import Archive
from datasets.releases.formats import parquet_file, single_votes
from datasets.releases.single_votes import to_hide
from static.downloads import clean_copy
from tagger.campaigns.release_form import ReleaseForm
from tagger.models import PersonWeight
from tagger.privacy import restore, withdrawal
from tagger.settling import settlement
from tests.conftest import NOW
from tests.support import takeout
from tests.support.mutants import mutant
from tests.support.released import WITHOUT_SYNTHESIS, refused, release
from tests.support.site import eventually
from tests.support.votes import DAY, agree, answer, files, listed, read

BLANK = " " * 16


@pytest.fixture
def trio(volunteers):
    """Bea, Carl and Dora, who let releases list their answers."""
    agree(*volunteers[:3])
    return volunteers[:3]


@pytest.fixture
def answered(juniper, share, trio):
    """Four clips that all three answered."""
    made = []
    for said in ("yes", "no", "yes", "noise"):
        made.append(share(juniper))
        answer(made[-1], dict.fromkeys(trio, said))
    return made


@pytest.fixture
def written(sentences, share, trio):
    """Two sentences that all three wrote down, each in their own way."""
    made = []
    for said in ("Turn left!", "Qué día"):
        made.append(share(sentences))
        answer(made[-1], {trio[0]: said, trio[1]: said.lower(), trio[2]: said})
    return made


@pytest.fixture
def spring(juniper, sentences, answered, written):
    return release("spring", juniper, sentences, single_votes=True)


def id_of(person, one):
    return one.annotators.get(person=person).public_id


def scrub_all():
    for pk in withdrawal.unfinished():
        withdrawal.scrub(Withdrawal.objects.get(pk=pk), lambda: NOW)


def publish(days=1):
    recalls.publish(NOW + days * DAY)


def feed_of(one):
    return Client().get(f"/api/v1/recalls/{one.slug}.json").json()


# --- what is listed ------------------------------------------------------------------------------


@mutant(
    "a release lists single votes only if that was asked for",
    "datasets/releases/freezing.py",
    kept_by="    votes = single_votes.pin(release) if wish.single_votes else {}\n",
    broken="    votes = single_votes.pin(release)\n",
)
def test_without_the_option_nothing_is_pinned_and_no_archive_has_the_file(juniper, answered):
    one = release("spring", juniper)
    assert not SingleVote.objects.exists() and not ReleaseAnnotator.objects.exists()
    assert single_votes.NAME not in files(one)
    assert "annotators" not in feed_of(one)


def test_every_vote_of_who_agreed_is_listed_in_the_words_of_the_release(spring, trio, written):
    votes = listed(spring)
    assert {vote["annotator"] for vote in votes} == {id_of(person, spring) for person in trio}
    assert Counter(vote["answer"] for vote in votes) == {
        **{"yes": 6, "no": 3, "noise": 3},
        **{"turn left": 3, "qué día": 3},
    }
    assert {vote["id"] for vote in votes} == {row.id for row in frozen.rows(spring)}
    assert {(vote["weight"], vote["day"]) for vote in votes} == {(1.0, "2026-05-04")}
    assert spring.figures["single_votes"] == {"votes": 18, "unsaid": []}


@mutant(
    "the answers of a volunteer who did not agree to it are listed in no release",
    "datasets/releases/single_votes.py",
    kept_by="        return since is not None and _answered_at(given) >= since\n",
    broken="        return given.annotator_id is not None\n",
)
def test_only_answers_of_who_agreed_and_only_those_given_since_are_listed(juniper, share, volunteers):
    bea, carl, dora = volunteers[:3]
    agree(bea)
    agree(carl, since=NOW - DAY)
    for at in (NOW - 2 * DAY, NOW):
        answer(share(juniper), dict.fromkeys((bea, carl, dora), "yes"), at)
    task = share(juniper)
    answer(task, dict.fromkeys((bea, carl, dora), "yes"), NOW - 2 * DAY)
    Annotation.objects.filter(task=task).update(changed_at=NOW)
    one = release("spring", juniper, single_votes=True)
    assert Counter(vote["annotator"] for vote in listed(one)) == {id_of(bea, one): 2, id_of(carl, one): 2}
    assert not ReleaseAnnotator.objects.filter(person=dora).exists()


def test_answers_that_are_no_ones_are_not_listed(juniper, answered, trio):
    withdrawal.forget_account(trio[2], keep_answers=True, now=NOW)
    scrub_all()
    for task in answered:
        settlement.settle(task.pk, NOW)
    assert Annotation.objects.filter(annotator=None).count() == len(answered)
    assert len(listed(release("spring", juniper, single_votes=True))) == 2 * len(answered)


@mutant(
    "an annotator's id in a release leads to no account, and not to their id in another release",
    "datasets/releases/single_votes.py",
    kept_by="public_id=secrets.token_hex(8))",
    broken='public_id=f"{person:016x}")',
)
def test_a_volunteer_has_another_id_in_each_release_and_each_version(juniper, answered, trio):
    first = release("spring", juniper, single_votes=True)
    second = release("summer", juniper, single_votes=True, after=first)
    other = release("other", juniper, single_votes=True)
    ids = [id_of(person, one) for person in trio for one in (first, second, other)]
    assert len(set(ids)) == 9 and all(re.fullmatch("[0-9a-f]{16}", each) for each in ids)


@mutant(
    "single votes are in no order that says who answered first",
    "datasets/releases/single_votes.py",
    kept_by="        secrets.SystemRandom().shuffle(listed)\n",
    broken="",
)
@mutant(
    "no single vote says at what hour it was given",
    "datasets/releases/single_votes.py",
    kept_by="    return None if day is None else day.isoformat()\n",
    broken='    return None if day is None else f"{day.isoformat()}T12:00"\n',
)
def test_no_vote_says_at_what_hour_or_in_which_order_it_was_given(juniper, share, trio):
    for _ in range(12):
        answer(share(juniper), dict.fromkeys(trio, "yes"), NOW + timedelta(hours=3, minutes=7))
    one = release("spring", juniper, single_votes=True)
    votes = listed(one)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", vote["day"]) for vote in votes)
    orders = defaultdict(list)
    for vote in votes:
        orders[vote["id"]].append(vote["annotator"])
    assert len(set(map(tuple, orders.values()))) > 1


def test_a_weight_is_the_one_in_the_certificate(juniper, answered, trio):
    PersonWeight.objects.create(campaign=juniper, person=trio[2], factor=0.5, at=NOW)
    for task in answered:
        settlement.settle(task.pk, NOW)
    one = release("spring", juniper, single_votes=True)
    weights = {(vote["annotator"], vote["weight"]) for vote in listed(one)}
    assert weights == {(id_of(trio[0], one), 1.0), (id_of(trio[1], one), 1.0), (id_of(trio[2], one), 0.5)}


def test_a_plain_majority_of_the_votes_is_the_label_of_each_clip(juniper, share, trio):
    for answers in (("yes", "yes", "no"), ("no", "no", "no"), ("similar", "noise", "similar")):
        answer(share(juniper), dict(zip(trio, answers, strict=True)))
    one = release("spring", juniper, single_votes=True)
    made = files(one)
    votes = pandas.read_parquet(io.BytesIO(made["votes.parquet"]))
    majority = votes.groupby("id")["answer"].agg(lambda given: given.value_counts().idxmax())
    labels = [json.loads(line) for line in made["soft-labels.jsonl"].splitlines()]
    assert labels and {label["id"]: label["answer"] for label in labels} == majority.to_dict()
    for label in labels:
        counted = votes[votes["id"] == label["id"]]["answer"].value_counts().to_dict()
        assert counted == {said: number for said, number in label["soft"]["votes"].items() if number}


@pytest.mark.parametrize("form", WITHOUT_SYNTHESIS)
def test_every_format_has_the_file_beside_its_labels(spring, form):
    made = files(spring, form)
    ids = {json.loads(line)["id"] for line in made["soft-labels.jsonl"].splitlines()}
    assert ids and {vote["id"] for vote in read(made[single_votes.NAME])} == ids


def test_the_whole_is_the_same_bytes_however_it_is_reached(spring):
    with Archive(spring, formats.find("deepspeech")) as archive:
        whole = b"".join(archive.stream())
    for start in range(0, len(whole), 1_701):
        with Archive(spring, formats.find("deepspeech")) as archive:
            assert (
                b"".join(archive.stream(start, min(start + 1_700, len(whole) - 1)))
                == (whole[start : start + 1_701])
            )


# --- pinned --------------------------------------------------------------------------------------


def test_later_votes_decisions_and_recounts_change_no_byte(spring, juniper, answered, volunteers, trio):
    before = files(spring)
    answer(answered[0], dict.fromkeys(volunteers[3:6], "no"))
    Annotation.objects.filter(task=answered[1]).update(plain_answer="noise", changed_at=NOW + DAY)
    PersonWeight.objects.create(campaign=juniper, person=trio[0], factor=0, at=NOW)
    settlement.settle(answered[1].pk, NOW)
    agree(volunteers[4], since=NOW - DAY)
    spring.plans.all().delete()
    assert files(spring) == before


# --- few people ----------------------------------------------------------------------------------


@mutant(
    "a release lists no single votes of fewer volunteers than allowed",
    "datasets/releases/single_votes.py",
    kept_by="    groups.check_annotators(release)\n",
    broken="",
)
def test_votes_of_few_volunteers_refuse_the_release_by_name_and_leave_nothing(
    juniper, sentences, share, trio, volunteers, settings
):
    answer(share(juniper), dict.fromkeys(trio, "yes"))
    settings.RELEASE_LEAST_GROUP = {"researchers": 4, "public": 10}
    says = "3 volunteers who gave answers to this release agreed .* at least 4 are needed"
    with refused(groups.TellsApart, says):
        release("spring", juniper, single_votes=True)
    assert not Release.objects.exists() and not SingleVote.objects.exists()
    agree(volunteers[3])
    answer(share(juniper), dict.fromkeys(volunteers[:4], "yes"))
    answer(share(sentences), dict.fromkeys(volunteers[:3], "turn left"))
    with refused(groups.TellsApart, "3 volunteers who gave answers to transcription en agreed"):
        release("spring", juniper, sentences, single_votes=True)
    assert release("spring", juniper, single_votes=True).annotators.count() == 4


@mutant(
    "a day on which few volunteers answered is not said",
    "datasets/releases/single_votes.py",
    kept_by='    return votes.filter(**{f"{column}__in": hidden}).update(**{column: None})\n',
    broken="    return 0\n",
)
def test_what_few_volunteers_have_is_left_unsaid(juniper, share, volunteers, settings):
    agree(*volunteers[:4], since=NOW - 9 * DAY)
    for people, at in ((volunteers[:4], NOW), (volunteers[:2], NOW - DAY), (volunteers[:1], NOW - 2 * DAY)):
        task = share(juniper)
        answer(task, dict.fromkeys(people, "yes"), at)
        answer(task, dict.fromkeys(set(volunteers[:4]) - set(people), "yes"), NOW)
    settings.RELEASE_LEAST_GROUP = {"researchers": 2, "public": 2}
    one = release("spring", juniper, single_votes=True)
    assert Counter(vote["day"] for vote in listed(one)) == {"2026-05-04": 9, None: 3}
    assert one.figures["single_votes"]["unsaid"] == ["day"]


@pytest.mark.parametrize(
    ("people", "few", "hidden"),
    [
        ({"mon": {1, 2}, "tue": {1, 2, 3}}, 2, []),
        ({"mon": {1}, "tue": {1, 2, 3}}, 2, ["mon", "tue"]),
        ({"mon": {1}, "tue": {2}, "wed": {1, 2, 3}}, 2, ["mon", "tue"]),
        ({None: {1}, "tue": {1, 2}, "wed": {1, 2, 3}}, 2, ["tue"]),
        ({None: {1, 2}, "wed": {1, 2, 3}}, 2, []),
        ({}, 2, []),
    ],
)
def test_as_many_volunteers_as_needed_have_a_value_that_is_left_unsaid(people, few, hidden):
    assert to_hide(people, few) == hidden


# --- taken back ----------------------------------------------------------------------------------


def leave(person):
    withdrawal.forget_account(person, keep_answers=True, now=NOW)


def leave_and_be_erased(person):
    leave(person)
    scrub_all()


def leave_with_all_answers(person):
    withdrawal.forget_account(person, keep_answers=False, now=NOW)
    scrub_all()


def take_back(person):
    taking_back.take_back(person, NOW)


ACTS = [leave, leave_and_be_erased, leave_with_all_answers, take_back]


def head(one, form):
    one.plans.all().delete()  # a key rotation makes what was planned before unreadable
    answer = Client().get(f"/api/v1/releases/{one.slug}/")
    with Archive(one, formats.find(form)) as archive:
        return answer.content, archive.etag, archive.size


@mutant(
    "what a volunteer took back is blank at once",
    "datasets/releases/single_votes.py",
    kept_by="    if not (vote.annotator and vote.is_active and vote.since):\n",
    broken="    if not vote.annotator:\n",
)
@mutant(
    "what is taken back takes as many bytes until the next feed",
    "datasets/releases/formats/single_votes.py",
    kept_by='        " " * len(vote.answer.encode()),\n',
    broken='        "",\n',
)
@mutant(
    "what was taken back is in no release from the next feed on",
    "datasets/releases/taking_back.py",
    kept_by="    SingleVote.objects.filter(row__release=release, giver=None).delete()\n",
    broken="",
)
@mutant(
    "the feed names the ids of those who took their votes back",
    "datasets/releases/taking_back.py",
    kept_by="    named = release.annotators.filter(ended_on__isnull=False)\n",
    broken="    named = release.annotators.none()\n",
)
@pytest.mark.parametrize("form", ["deepspeech", "precise"])
@pytest.mark.parametrize("act", ACTS)
def test_who_leaves_or_takes_it_back_is_blank_at_once_and_gone_with_the_next_feed(spring, trio, act, form):
    gone, others = id_of(trio[0], spring), {id_of(person, spring) for person in trio[1:]}
    was, before = listed(spring, form), head(spring, form)
    act(trio[0])
    assert head(spring, form) == before
    now = listed(spring, form)
    for old, new in zip(was, now, strict=True):
        if old["annotator"] == gone:
            blank = {"annotator": BLANK, "answer": " " * len(old["answer"].encode()), "weight": 0.0}
            assert new == {"id": old["id"], **blank, "day": " " * 10}
        else:
            assert new == old
    assert feed_of(spring)["annotators"] == []
    publish()
    spring.refresh_from_db()
    assert {vote["annotator"] for vote in listed(spring, form)} == others
    assert feed_of(spring)["annotators"] == [gone]
    assert head(spring, form)[1:] != before[1:]
    publish(2)
    assert feed_of(spring)["annotators"] == [gone]


@mutant(
    "an e-mail about a feed takes volunteers who took their votes back for no clips",
    "datasets/releases/recalls.py",
    kept_by="not_for_synthesis=not_for_synthesis, annotators=annotators",
    broken="not_for_synthesis=not_for_synthesis + annotators, annotators=0",
)
def test_who_downloaded_it_is_told_how_many_took_their_votes_back(spring, trio, rita, settings):
    settings.SENDS_MAIL = True
    audit.record(audit.Act.EXPORTED, "release spring", rita, NOW)
    recall_notices.want(rita, "en")
    take_back(trio[0])
    publish()
    owed = Letter.objects.get()
    assert (owed.recalled, owed.not_for_synthesis, owed.annotators) == (0, 0, 1)
    assert letter_texts.subject(owed) == "Answers were taken out of the release spring"
    said = letter_texts.text(owed, "")
    assert "1 volunteer took their answers out of the release spring." in said and " clip " not in said


@mutant(
    "an erased volunteer's single votes are erased from all releases",
    "tagger/privacy/withdrawal.py",
    kept_by="        taken = taking_back.forget(person)\n",
    broken="        taken = 0\n",
)
@pytest.mark.parametrize("act", [leave_and_be_erased, leave_with_all_answers, take_back])
def test_nothing_in_the_database_leads_from_who_left_to_their_votes(spring, trio, act):
    votes = list(SingleVote.objects.filter(giver__person=trio[0]).values_list("pk", flat=True))
    act(trio[0])
    assert not ReleaseAnnotator.objects.filter(person=trio[0]).exists()
    left = SingleVote.objects.filter(pk__in=votes)
    assert len(votes) == left.count() == 6
    for vote in left:
        assert (vote.giver, vote.plain_answer, bytes(vote.sealed_answer)) == (None, "", b"")
        assert (vote.weight, vote.day) == (0.0, taking_back.NO_DAY)


def test_the_receipt_counts_them(spring, trio):
    leave_and_be_erased(trio[0])
    assert Withdrawal.objects.get().counts["single_votes"] == 6


def test_who_agrees_again_is_not_back_in_what_they_were_taken_out_of(spring, juniper, trio):
    take_back(trio[0])
    taking_back.agree(User.objects.get(pk=trio[0].pk), NOW + DAY)
    assert BLANK in {vote["annotator"] for vote in listed(spring)}
    publish()
    again = release("summer", juniper, single_votes=True)
    assert not again.annotators.filter(person=trio[0]).exists()  # all they answered was before


@mutant(
    "an erasure waits for a release that is being made, and takes its votes out as well",
    "datasets/releases/taking_back.py",
    kept_by='        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [FREEZE_LOCK])\n',
    broken='        cursor.execute("SELECT 1")\n',
)
@pytest.mark.django_db(transaction=True)
def test_an_erasure_finds_the_votes_of_a_release_that_was_being_made(
    juniper, answered, trio, in_background, lock_is_awaited
):
    with transaction.atomic():
        release("spring", juniper, single_votes=True)
        forgotten = in_background(lambda: forget(trio[0]))
        assert eventually(lambda: lock_is_awaited() or forgotten.done())
    assert forgotten.result(timeout=30) == len(answered)
    assert not ReleaseAnnotator.objects.filter(person=trio[0]).exists()


def forget(person):
    with transaction.atomic():
        return taking_back.forget(person)


# --- with the clips ------------------------------------------------------------------------------


def test_votes_go_with_a_recalled_clip_and_are_blank_before(spring, alice, answered, written):
    before = {form: head(spring, form) for form in ("precise", "deepspeech")}
    was = {form: listed(spring, form) for form in before}
    clips = [answered[0].clip_id, written[0].clip_id]
    gone = set(spring.rows.filter(task__clip__in=clips).values_list("public_id", flat=True))
    withdrawal.forget_clips(alice, clips, NOW)
    for step in (lambda: None, scrub_all):
        step()
        for form, had in before.items():
            assert head(spring, form) == had
            votes = listed(spring, form)
            assert [vote["id"] for vote in votes] == [vote["id"] for vote in was[form]]
            assert {vote["annotator"] for vote in votes if vote["id"] in gone} == {BLANK}
            assert {vote["answer"].strip() for vote in votes if vote["id"] in gone} == {""}
            assert BLANK not in {vote["annotator"] for vote in votes if vote["id"] not in gone}
    assert not SingleVote.objects.filter(row__task__clip__in=clips).exists()
    publish()
    spring.refresh_from_db()
    for form in before:
        left = {vote["id"] for vote in listed(spring, form)}
        assert left and not left & gone
    assert feed_of(spring)["annotators"] == [] and set(feed_of(spring)["recalled"]) == gone
    assert not Recall.objects.filter(line__isnull=False).exists()


def test_transcripts_are_sealed_under_the_key_of_their_clip(spring, written):
    votes = SingleVote.objects.filter(row__task__in=written)
    assert {vote.plain_answer for vote in votes} == {""} and all(bytes(vote.sealed_answer) for vote in votes)
    assert {vote.answer for vote in votes} == {"turn left", "qué día"}


# --- copies --------------------------------------------------------------------------------------


def test_it_is_a_table_that_is_read_without_a_library_of_ours(spring):
    content = files(spring)[single_votes.NAME]
    assert content.startswith(parquet_file.MAGIC) and content.endswith(parquet_file.MAGIC)
    frame = pandas.read_parquet(io.BytesIO(content))
    assert list(frame.columns) == [column.name for column in single_votes.COLUMNS]
    assert frame["weight"].dtype == "float64" and len(frame) == 18


@pytest.mark.parametrize("form", ["deepspeech", "parquet-labels"])
def test_a_copy_that_is_cleaned_by_the_feed_has_the_votes_that_the_release_has(
    spring, alice, answered, trio, tmp_path, form
):
    call_command("export", "spring", format=form, to=tmp_path / "copy", stdout=io.StringIO())
    withdrawal.forget_clips(alice, [answered[0].clip_id], NOW)
    leave_and_be_erased(trio[0])
    publish()
    spring.refresh_from_db()
    (tmp_path / "feed.json").write_bytes(Client().get("/api/v1/recalls/spring.json").content)
    key = signing.public_key()["public_key"]
    found = clean_copy.withdrawn(tmp_path / "copy", str(tmp_path / "feed.json"), key)
    assert clean_copy.clean(tmp_path / "copy", *found) == []
    cleaned = read((tmp_path / "copy" / single_votes.NAME).read_bytes())
    assert cleaned and cleaned == listed(spring, form)


@pytest.mark.parametrize("form", ["precise", "deepspeech", "parquet", "webdataset", "nemo"])
def test_an_archive_with_single_votes_comes_in_again_as_without(spring, tmp_path, form):
    call_command("export", "spring", format=form, to=tmp_path / "copy", stdout=io.StringIO())
    with closing(archives.opened(tmp_path / "copy")) as archive:
        assert archive.form.name == form
        labels = (tmp_path / "copy/soft-labels.jsonl").read_text().splitlines()
        assert archive.survey(asks_for_words=form == "deepspeech").number == len(labels) > 0


def test_documents_say_what_is_listed_and_what_it_can_give_away(spring):
    made = files(spring)
    for name in ("README.md", "DATASHEET.md"):
        text = " ".join(made[name].decode().split())
        assert "`votes.parquet` lists answers of volunteers one by one" in text, name
        assert "whoever has two releases with the same clips can find out which ids are one person" in text
        assert "(18 of 18)" in text
    described = json.loads(made["croissant.json"])
    [votes] = [each for each in described["recordSet"] if each["name"] == "votes"]
    assert [field["name"] for field in votes["field"]] == ["id", "annotator", "answer", "weight", "day"]


# --- who agrees ----------------------------------------------------------------------------------


@mutant(
    "nobody's answers are listed unless they switch it on",
    "accounts/models.py",
    kept_by="    single_votes_since = models.DateTimeField(null=True, blank=True, editable=False)\n",
    broken="    single_votes_since = models.DateTimeField(default=timezone.now, null=True, editable=False)\n",
)
def test_it_is_off_until_it_is_switched_on_and_off_again_with_one_button(client, db):
    nina = User.objects.create_user("nina")
    assert nina.single_votes_since is None
    client.force_login(nina)

    def buttons():
        page = client.get("/profile/").content.decode()
        form = page[page.index('action="/my-answers/single-votes/"') :]
        return re.findall(r'name="switch" value="(\w+)"', form[: form.index("</form>")])

    assert buttons() == ["on"]
    client.post("/my-answers/single-votes/", {"switch": "on"})
    nina.refresh_from_db()
    assert nina.single_votes_since is not None and buttons() == ["off"]
    client.post("/my-answers/single-votes/", {"switch": "off"})
    nina.refresh_from_db()
    assert nina.single_votes_since is None and buttons() == ["on"]


def test_who_is_no_volunteer_any_more_can_still_take_it_back(client, spring, trio):
    User.objects.filter(pk=trio[0].pk).update(roles=[])
    client.force_login(User.objects.get(pk=trio[0].pk))
    assert "Do not list my answers any more" in client.get("/profile/").content.decode()
    client.post("/my-answers/single-votes/", {"switch": "off"})
    assert not ReleaseAnnotator.objects.filter(person=trio[0]).exists()


@mutant(
    "a restore brings back no single votes that were taken back",
    "tagger/privacy/restore.py",
    kept_by="            done.rights_ended_again += taking_back.end_again(entry)\n",
    broken="            pass\n",
)
def test_the_journal_ends_it_again_in_a_database_that_a_backup_brought_back(spring, trio):
    since, annotator = NOW - DAY, spring.annotators.get(person=trio[0])
    agree(trio[0], since=since)
    take_back(trio[0])
    [entry] = [each for each in journal.entries() if each["kind"] == taking_back.ENDED]
    assert taking_back.has_ended(entry)
    agree(trio[0], since=since)
    ReleaseAnnotator.objects.filter(pk=annotator.pk).update(person=trio[0])
    assert not taking_back.has_ended(entry)
    restore._replay(NOW, restore.Restored())
    assert User.objects.get(pk=trio[0].pk).single_votes_since is None
    assert not ReleaseAnnotator.objects.filter(person=trio[0]).exists()
    agree(trio[0], since=NOW + DAY)
    restore._replay(NOW, restore.Restored())
    assert User.objects.get(pk=trio[0].pk).single_votes_since is not None  # they agreed anew since


def test_a_download_of_ones_data_says_in_which_releases_one_is_listed(spring, trio, volunteers):
    told = takeout.file_of(trio[0], "single-votes.json")
    assert told["listed"] == [{"release__slug": "spring", "public_id": id_of(trio[0], spring), "answers": 6}]
    assert takeout.file_of(volunteers[4], "single-votes.json") == {"since": None, "listed": []}


def test_the_owners_page_asks_for_them_only_if_they_are_ticked(juniper):
    form = ReleaseForm(juniper)
    assert "checked" not in str(form["single_votes"])
    sent = {"min_confidence": "0", "min_contributors": "1", "audience": "researchers", "slug": "spring"}
    for ticked, wish in (({}, {}), ({"single_votes": "on"}, {"single_votes": True})):
        form = ReleaseForm(juniper, sent | ticked)
        assert form.is_valid() and form.wanted["wish"] == wish


def test_the_command_lists_them_if_it_is_told_to(juniper, answered):
    said = io.StringIO()
    call_command("release", "spring", "--campaign", "juniper", "--votes", stdout=said)
    assert "Single votes: 12 of 12; others did not agree to that." in said.getvalue()
    assert Release.objects.get().has_single_votes
    call_command("release", "summer", "--campaign", "juniper", stdout=said)
    assert not Release.objects.get(slug="summer").has_single_votes

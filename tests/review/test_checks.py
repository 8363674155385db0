"""The look before publication: two people hear a clip whole, each for themselves, before it is cleared."""

from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from itertools import product
from zipfile import ZipFile

import pytest
from django.test import Client
from django.utils import timezone

from accounts import consent
from accounts.models import AuditEvent, Material, ProgramToken, Purpose, Role, Scope
from accounts.refusals import in_words
from datasets.models import Campaign, Clip, Release, Withdrawal
from tagger.lending import reporting
from tagger.models import PrivacyCheck, ReviewItem
from tagger.privacy import personal_data, silencing, withdrawal
from tagger.review import acts, clearing, queue, undo
from tagger.review.clearing import CheckRefusal, CheckRefused
from tagger.review.refusals import ReviewRefusal
from tagger.review.wording import WORDS
from tests.conftest import NOW
from tests.support.checking import MARKED, MINUTE, look, privacy_reviewer
from tests.support.every_page import without_marks
from tests.support.mutants import mutant
from tests.support.released import release, settle
from tests.support.reviewing import item_of, review_refused

LATER = NOW + timedelta(hours=1)
Answer = PrivacyCheck.Answer
Reason = ReviewItem.Reason


@pytest.fixture
def alice(alice):
    """Her clips may be in public releases."""
    for material in Material:
        consent.give(alice, material, [Purpose.PUBLIC], NOW, reference="on paper")
    return alice


@pytest.fixture
def pia(db):
    return privacy_reviewer("pia")


@pytest.fixture
def quinn(db):
    return privacy_reviewer("quinn")


@pytest.fixture
def task(juniper, add_tasks):
    """Settled, and of a clip of one second."""
    return settle(add_tasks(juniper, 1)[0])


@pytest.fixture
def clip(task):
    return task.clip


def is_cleared(clip):
    return Clip.objects.get(pk=clip.pk).cleared_at is not None


@contextmanager
def refused(code):
    """The block must be refused with this code, for which there is a sentence."""
    with pytest.raises(CheckRefused) as raised:
        yield
    assert raised.value.code == code and in_words(raised.value, WORDS)


@mutant(
    "a clip is cleared by two people, not by one",
    "tagger/review/clearing.py",
    kept_by="    if len(given) >= CHECKERS and",
    broken="    if len(given) >= 1 and",
)
def test_a_clip_is_cleared_when_two_people_heard_nothing_private_in_it(clip, pia, quinn):
    look(pia, NOW)
    assert not is_cleared(clip)
    look(quinn, NOW)
    assert is_cleared(clip)
    assert list(AuditEvent.objects.filter(act="checked").values_list("person__username", flat=True)) == [
        pia.username,
        quinn.username,
    ]


@mutant(
    "nobody checks a clip twice",
    "tagger/review/clearing.py",
    kept_by="        current.done().filter(checker=checker),\n",
    broken="",
)
@mutant(
    "nobody checks their own clip before publication",
    "tagger/review/clearing.py",
    kept_by="waiting.exclude(contributor=checker).filter",
    broken="waiting.filter",
)
@mutant(
    "nobody checks a clip that they reported",
    "tagger/review/clearing.py",
    kept_by='        Report.objects.filter(reporter=checker, clip=OuterRef("pk")),\n',
    broken="",
)
def test_nobody_checks_a_clip_twice_or_one_that_they_gave_or_reported(alice, task, pia, quinn, bea):
    assert clearing.take(alice, NOW) is None
    reporting.store(bea, task, "audio", None, NOW)
    assert clearing.take(bea, NOW) is None
    assert look(pia, NOW) and look(pia, NOW) is None


@mutant(
    "a clip is lent to no more people than must check it",
    "tagger/review/clearing.py",
    kept_by=".filter(_has_place_for(checker, now))\n    return",
    broken="\n    return",
)
def test_a_clip_is_lent_to_two_people_and_to_a_third_when_a_lease_is_over(clip, pia, quinn):
    third = privacy_reviewer("remy")
    first, second = clearing.take(pia, NOW), clearing.take(quinn, NOW)
    assert first.clip == second.clip == clip and clearing.take(pia, NOW) == first
    assert clearing.take(third, NOW) is None
    then = NOW + clearing.LEASE
    assert look(third, then)
    look(quinn, then)
    clearing.hear(first, NOW)
    with refused(CheckRefusal.TOO_LATE):
        clearing.answer(first, "no", then)
    assert is_cleared(clip)


def test_two_people_who_ask_at_once_are_lent_different_clips_or_the_two_places(
    transactional_db, juniper, add_tasks, alice, run_together
):
    for task in add_tasks(juniper, 2):
        settle(task)
    people = [privacy_reviewer(name) for name in ("pia", "quinn", "remy", "sol", "tia", "uma")]
    lent = run_together(*(lambda person=person: clearing.take(person, NOW) for person in people))
    again = [check or clearing.take(person, NOW) for person, check in zip(people, lent, strict=True)]
    clips = Clip.objects.values_list("pk", flat=True)
    assert sorted(check.clip_id for check in again if check) == sorted([*clips, *clips])


@mutant(
    "what one person hears goes to a reviewer, whatever the other says",
    "tagger/review/clearing.py",
    kept_by="    if check.answer != Answer.NO:\n",
    broken="    if check.answer == Answer.YES:\n",
)
@mutant(
    "a clip in which somebody heard something private is not cleared by others",
    "tagger/review/clearing.py",
    kept_by=" and set(given) == {Answer.NO}:",
    broken=":",
)
@pytest.mark.parametrize("answers", list(product(Answer.values, repeat=2)), ids="-".join)
def test_only_two_times_no_clears_and_anything_else_is_decided_by_a_reviewer(clip, pia, quinn, answers):
    """Both have the clip before one of them answers."""
    lent = [clearing.take(person, NOW) for person in (pia, quinn)]
    for check, answer in zip(lent, answers, strict=True):
        clearing.hear(check, NOW)
        clearing.answer(check, answer, NOW + MINUTE, **(MARKED if answer == "yes" else {}))
    told = next((each for each in answers if each != "no"), None)
    assert is_cleared(clip) is (told is None)
    opened = list(ReviewItem.objects.values_list("kind", "reason"))
    assert opened == ([("check", "found" if told == "yes" else "unsure")] if told else [])
    assert clearing.take(privacy_reviewer("remy"), NOW) is None


@mutant(
    "an answer needs the whole clip to be heard: its sound was asked for",
    "tagger/review/clearing.py",
    kept_by="    is_long_ago = check.sound_at is not None and",
    broken="    is_long_ago = check.sound_at is None or",
)
@mutant(
    "an answer needs the whole clip to be heard: long enough ago",
    "tagger/review/clearing.py",
    kept_by="_elapsed(check, now) >= least / FASTEST",
    broken="True",
)
@mutant(
    "an answer needs the whole clip to be heard: as the page counts",
    "tagger/review/clearing.py",
    kept_by="not heard >= least)",
    broken="False)",
)
def test_an_answer_is_taken_only_if_the_whole_clip_was_heard(clip, pia):
    check = clearing.take(pia, NOW)
    with refused(CheckRefusal.NOT_HEARD_WHOLE):
        clearing.answer(check, "no", NOW + MINUTE)
    clearing.hear(check, NOW)
    with refused(CheckRefusal.NOT_HEARD_WHOLE):
        clearing.answer(check, "no", NOW + timedelta(seconds=0.4))
    for heard in (0.5, float("nan")):
        with refused(CheckRefusal.NOT_HEARD_WHOLE):
            clearing.answer(check, "no", NOW + MINUTE, heard=heard)
    assert clearing.answer(check, "no", NOW + timedelta(seconds=0.6), heard=1.0).heard == 1.0
    assert clearing.answer(check, "no", LATER).done_at == NOW + timedelta(seconds=0.6)  # sent twice
    with refused(CheckRefusal.ALREADY_ANSWERED):
        clearing.answer(check, "yes", LATER, **MARKED)


@pytest.mark.parametrize(
    ("given", "marked", "code"),
    [
        ("maybe", {}, CheckRefusal.NOT_AN_ANSWER),
        ("yes", {"found": ["name"]}, CheckRefusal.NOTHING_MARKED),
        ("yes", {"parts": [(0.1, 0.2)]}, CheckRefusal.NOTHING_NAMED),
        ("yes", {"parts": [(0.1, 0.2)], "found": ["poem"]}, CheckRefusal.NOTHING_NAMED),
        ("unsure", {"parts": [(0.8, 1.3)]}, CheckRefusal.NOT_A_PART),
        ("unsure", {"parts": [(0.3, 0.3)]}, CheckRefusal.NOT_A_PART),
        ("unsure", {"parts": [(0.1, float("nan"))]}, CheckRefusal.NOT_A_PART),
        ("no", {"found": ["name"]}, CheckRefusal.CONTRADICTS_MARKS),
        ("no", {"parts": [(0.1, 0.2)]}, CheckRefusal.CONTRADICTS_MARKS),
    ],
)
def test_an_answer_says_what_was_heard_and_where(clip, pia, given, marked, code):
    check = clearing.take(pia, NOW)
    clearing.hear(check, NOW)
    with refused(code):
        clearing.answer(check, given, LATER, **marked)
    assert PrivacyCheck.objects.get().done_at is None


@mutant(
    "whoever checked a clip does not decide what came of it",
    "tagger/review/queue.py",
    kept_by="    allowed = allowed.filter(Q(kind=Kind.DISPUTE) | ~Exists(own_check))\n",
    broken="",
)
def test_a_reviewer_who_did_not_check_the_clip_clears_it_or_undoes_that(clip, task, pia, quinn, rita):
    pia.roles = [Role.PRIVACY_REVIEWER, Role.REVIEWER]
    pia.save()
    look(pia, NOW, "yes")
    item = item_of(clip)
    assert not queue.open_to(pia).exists() and queue.take(rita, queue.EVERYTHING, NOW) == item
    decision = acts.clear(item, rita, LATER)
    assert is_cleared(clip) and clearing.take(quinn, LATER) is None
    undo.undo(decision, rita, LATER)
    assert not is_cleared(clip) and item_of(clip) == item
    acts.clear(item, rita, LATER)
    release("open", task.campaign, audience=Purpose.PUBLIC)
    Release.objects.update(published_at=LATER)
    with review_refused(ReviewRefusal.RELEASED_SINCE):
        undo.undo(undo.last_of(rita)[0], rita, LATER)


def test_who_decided_on_a_clip_does_not_check_it(clip, pia, quinn, rita):
    look(pia, NOW, "unsure")
    acts.clear(item_of(clip), rita, NOW)
    PrivacyCheck.objects.void(clip, NOW)
    assert clearing.take(rita, NOW) is None and clearing.take(pia, NOW)


@mutant(
    "what somebody reports as private has to be checked anew",
    "tagger/lending/reporting.py",
    kept_by="        PrivacyCheck.objects.void(clip, now)\n",
    broken="        pass\n",
)
@pytest.mark.parametrize("reason", ["private", "other-person", "audio"])
def test_a_report_of_something_private_takes_the_clearance_away(clip, task, pia, quinn, rita, bea, reason):
    look(pia, NOW)
    look(quinn, NOW)
    reporting.store(bea, task, reason, None, NOW)
    assert is_cleared(clip) is (reason == "audio")
    acts.dismiss(item_of(clip), rita, NOW)
    assert is_cleared(clip) is (reason == "audio")
    if reason != "audio":
        assert look(pia, NOW) and look(quinn, NOW) and is_cleared(clip)


@mutant(
    "a clip with silenced seconds has to be checked anew",
    "tagger/privacy/silencing.py",
    kept_by="    PrivacyCheck.objects.void(clip, now)\n",
    broken="",
)
def test_silencing_takes_the_clearance_away_and_asks_for_two_new_looks(juniper, share, pia, quinn, rita):
    clip = settle(share(juniper)).clip
    look(pia, NOW)
    lent = clearing.take(quinn, NOW)
    Clip.objects.update(cleared_at=NOW)
    silencing.silence(clip, [(0.1, 0.2)], rita, NOW)
    assert not is_cleared(clip)
    clearing.hear(lent, NOW)
    with refused(CheckRefusal.TOO_LATE):
        clearing.answer(lent, "no", LATER)
    look(pia, LATER)
    assert not is_cleared(clip)
    look(quinn, LATER)
    assert is_cleared(clip)


@mutant(
    "who checked a clip is forgotten when they leave",
    "tagger/privacy/withdrawal.py",
    kept_by='            "checks": kept_answers.unname_checks(person),\n',
    broken="",
)
def test_a_check_names_no_one_and_no_time_once_its_person_left(clip, pia, quinn):
    look(pia, NOW)
    withdrawal.forget_account(pia, keep_answers=False, now=NOW)
    withdrawal.scrub(Withdrawal.objects.get(), lambda: NOW)
    check = PrivacyCheck.objects.get()
    assert (check.checker, check.heard) == (None, None)
    assert check.done_at.isoformat() == "2026-04-01T00:00:00+00:00"
    look(quinn, NOW)
    assert is_cleared(clip)


def test_only_clips_for_which_someone_asks_are_lent(juniper, add_tasks, alice, pia):
    """Settled, and free for everyone; for researchers alone only if their campaign wants it."""
    [task] = add_tasks(juniper, 1)
    assert clearing.take(pia, NOW) is None
    settle(task)
    consent.withdraw(alice, NOW, purpose=Purpose.PUBLIC)
    assert clearing.take(pia, NOW) is None
    Campaign.objects.update(needs_clearing=True)
    assert clearing.take(pia, NOW).clip == task.clip


# --- the page and the API -------------------------------------------------------------------------


@pytest.fixture
def sounding(juniper, share):
    """Two settled clips with a sound."""
    return [settle(share(juniper)).clip for _ in range(2)]


def logged_in(person):
    client = Client()
    client.force_login(person)
    return client


def heard_page(client):
    """The page of the next check, whose sound was asked for a minute ago; returns the check."""
    page = client.get("/review/checks/")
    check = page.context["check"]
    assert client.get(f"/review/checks/{check.pk}/audio/").getvalue().startswith(b"RIFF")
    PrivacyCheck.objects.filter(pk=check.pk).update(sound_at=timezone.now() - MINUTE)
    return check


@mutant(
    "only privacy reviewers check clips before publication",
    "tagger/review/views_checks.py",
    kept_by="@privacy_reviewer_required\ndef checks(",
    broken="def checks(",
)
def test_the_page_takes_an_answer_without_a_script_and_shows_the_next_clip(sounding, pia, rita):
    assert logged_in(rita).get("/review/checks/").status_code == 403
    client = logged_in(pia)
    first = heard_page(client)
    address = f"/review/checks/{first.pk}/answer/"
    refused = client.post(address, {"answer": "yes", "found": "name", "from_2": "0,1", "to_2": "0.3"})
    assert (refused.status_code, refused.context["form"].pairs[1]) == (400, (2, "0,1", "0.3"))
    assert 'value="name" checked' in refused.content.decode()
    sent = {"answer": "yes", "found": ["number", "name"], "from_2": "0.1", "to_2": "0.3"}
    assert client.post(address, sent)["Location"] == "/review/checks/"
    first.refresh_from_db()
    assert (first.answer, first.found, first.parts) == ("yes", ["name", "number"], [[0.1, 0.3]])
    assert client.post(f"/review/checks/{heard_page(client).pk}/answer/", {"answer": "no"}).status_code == 302
    assert "Nothing to check" in client.get("/review/checks/").content.decode()
    assert client.get(f"/review/checks/{first.pk}/audio/").status_code == 404
    page = logged_in(rita).get(f"/review/items/{item_of(first.clip).pk}/").content.decode()
    assert "A name" not in page and "a name" in page and 'data-from="0.10"' in page


@mutant(
    "the sound of a check is for the person who checks alone",
    "tagger/review/sounds.py",
    kept_by="    check = get_object_or_404(clearing.playable(request.user, now), pk=pk)\n",
    broken="    check = get_object_or_404(clearing.PrivacyCheck, pk=pk)\n",
)
def test_nobody_hears_or_answers_the_check_of_another(sounding, pia, quinn):
    check, other = clearing.take(pia, timezone.now()), logged_in(quinn)
    assert other.get(f"/review/checks/{check.pk}/audio/").status_code == 404
    for act in ("answer", "put-back"):
        assert other.post(f"/review/checks/{check.pk}/{act}/", {"answer": "no"}).status_code == 404
    assert logged_in(pia).post(f"/review/checks/{check.pk}/put-back/").status_code == 302
    assert not PrivacyCheck.objects.exists()


def test_nobody_who_checks_is_told_what_another_answered(sounding, pia, quinn):
    """Page, sound, API and download say the same before and after another person's answer."""

    def told(person):
        client = logged_in(person)
        page = client.get("/review/checks/")
        check = page.context["check"]
        said = client.post("/api/v1/reviews/checks/next/", headers={"X-CSRFToken": "x"}).json()
        with ZipFile(BytesIO(b"".join(personal_data.archive(person, NOW)))) as taken_along:
            own = taken_along.read("checks.jsonl")
        return without_marks(page.content.decode()), said, check, own

    Clip.objects.filter(pk=sounding[1].pk).update(hidden_at=NOW)
    before = told(quinn)
    look(pia, timezone.now() - MINUTE, "yes")
    after = told(quinn)
    assert before == after
    quinn.roles = [Role.PRIVACY_REVIEWER, Role.REVIEWER]
    quinn.save()
    assert set(logged_in(quinn).get("/api/v1/reviews/").json()["counts"].values()) == {0}
    assert logged_in(quinn).get(f"/api/v1/reviews/{ReviewItem.objects.get().pk}/").status_code == 404


def test_a_program_checks_clips_with_a_token_of_that_scope(sounding, pia):
    program = {"Authorization": f"Token {ProgramToken.objects.create(pia, scopes=[Scope.CHECK])[1]}"}
    client = Client(headers=program)
    check = client.post("/api/v1/reviews/checks/next/").json()
    assert set(check) == {"id", "language", "duration", "lent_until", "audio"}
    address = f"/api/v1/reviews/checks/{check['id']}/answer/"

    def send(**said):
        return client.post(address, said, content_type="application/json")

    too_early = send(answer="no")
    assert (too_early.status_code, too_early.json()["detail"]) == (400, "Listen to the whole clip first.")
    assert client.get(check["audio"]).getvalue().startswith(b"RIFF")
    PrivacyCheck.objects.update(sound_at=timezone.now() - MINUTE)
    assert send(answer="yes", found=["health"], parts=[[0.1, 0.2], [0.3, 0.4]], heard=0.5).status_code == 204
    assert send(answer="no").status_code == 409
    assert client.get(check["audio"]).status_code == 404
    assert PrivacyCheck.objects.get().parts == [[0.1, 0.2], [0.3, 0.4]]

"""The review queue: who gets which item, in what order, and one person at a time."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import consent
from accounts.models import Role, User
from datasets.models import Clip
from tagger.desk import examples
from tagger.lending import assignments
from tagger.models import ReviewItem
from tagger.review import queue
from tagger.review.queue import EVERYTHING, Filter
from tests.conftest import NOW
from tests.support.factors import give_factor
from tests.support.mutants import mutant
from tests.support.reviewing import as_reviewers, dispute_over, page_of

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def ruth(db):
    return give_factor(User.objects.create_user("ruth", roles=[Role.REVIEWER]))


@pytest.fixture
def items(juniper, add_tasks):
    """Three disputes, the second of which is the oldest."""
    times = (NOW - timedelta(days=1), NOW - timedelta(days=9), NOW)
    return [dispute_over(task, at) for task, at in zip(add_tasks(juniper, 3), times, strict=True)]


def test_the_oldest_comes_first_and_private_reports_before_all(rita, bea, carl, juniper, add_tasks, items):
    dull, private = add_tasks(juniper, 2)
    assignments.report_example(carl, dull, "audio", NOW - timedelta(days=2))
    assignments.report_example(bea, private, "private", LATER)
    order = [item.clip_id for item in queue.open_to(rita)]
    first, second, third = (item.clip_id for item in items)
    assert order == [private.clip_id, second, dull.clip_id, first, third]


@mutant(
    "a reviewer who answered a clip does not decide on it",
    "tagger/review/queue.py",
    kept_by="~Exists(own_answer), ",
    broken="",
)
@mutant(
    "a reviewer who reported a clip does not decide on it",
    "tagger/review/queue.py",
    kept_by=", ~Exists(own_report)",
    broken="",
)
@mutant(
    "a reviewer does not decide on their own clip",
    "tagger/review/queue.py",
    kept_by=".exclude(clip__contributor=reviewer)",
    broken="",
)
def test_whoever_gave_a_clip_answered_or_reported_it_never_gets_it(alice, bea, carl, juniper, add_tasks):
    given, answered, reported = add_tasks(juniper, 3)
    [lent] = assignments.lend(bea, juniper, 1, NOW)
    assignments.hand_in(bea, lent.pk, "yes", NOW)
    answered = lent.task
    other = next(task for task in (given, reported) if task.clip_id != answered.clip_id)
    assignments.report_example(carl, other, "audio", NOW)
    dispute_over(answered, NOW)
    as_reviewers(alice, bea, carl)
    assert [item.kind for item in queue.open_to(bea)] == ["report"]
    assert [item.kind for item in queue.open_to(carl)] == ["dispute"]
    assert not queue.open_to(alice) and queue.take(alice, EVERYTHING, NOW) is None


@pytest.mark.parametrize("end", ["withdrawn", "hidden"])
def test_a_dispute_over_a_clip_that_is_not_live_is_not_offered(alice, rita, items, end):
    if end == "withdrawn":
        consent.withdraw(alice, NOW)
    else:
        Clip.objects.update(hidden_at=NOW)
    assert not queue.open_to(rita)


def test_an_item_is_lent_to_one_reviewer_until_their_time_is_over(rita, ruth, items):
    taken = [queue.take(rita, EVERYTHING, NOW) for _ in range(2)]
    assert [item.clip_id for item in taken] == [items[1].clip_id, items[0].clip_id]
    assert queue.take(ruth, EVERYTHING, NOW) == items[2]
    assert queue.take(ruth, EVERYTHING, NOW) is None
    assert list(queue.held(rita, NOW)) == taken
    assert queue.take(ruth, EVERYTHING, NOW + queue.LEASE) == items[1]


def test_what_is_put_back_goes_to_another_and_its_reviewer_gets_the_next(rita, ruth, items):
    first = queue.take(rita, EVERYTHING, NOW)
    queue.put_back([first.pk], ruth)  # not hers to put back
    assert queue.held(rita, NOW).count() == 1
    queue.put_back([first.pk], rita)
    assert queue.take(rita, EVERYTHING, NOW, after=first) == items[0]
    assert queue.take(ruth, EVERYTHING, NOW) == first


@mutant(
    "an item that a reviewer looks at is not given to another one",
    "tagger/review/views_item.py",
    kept_by="    queue.hold(found, request.user, timezone.now())\n",
    broken="",
)
def test_who_looks_at_an_item_has_it_until_their_time_is_over(client, rita, ruth, items):
    client.force_login(rita)
    assert client.get(page_of(items[1])).status_code == 200
    now = timezone.now()
    assert queue.take(ruth, EVERYTHING, now) == items[0]
    queue.hold(items[1], ruth, now)
    assert list(queue.held(rita, now)) == [items[1]]
    queue.hold(items[1], ruth, now + queue.LEASE)
    assert list(queue.held(rita, now)) == []


def test_nobody_holds_the_whole_queue(rita, juniper, add_tasks):
    for task in add_tasks(juniper, queue.MOST_HELD + 1):
        dispute_over(task, NOW)
    held = [queue.take(rita, EVERYTHING, NOW) for _ in range(queue.MOST_HELD + 1)]
    assert held[-1] is None and None not in held[:-1]


@mutant(
    "nobody holds the whole queue by looking at its items",
    "tagger/review/queue.py",
    kept_by="    if own.count() >= MOST_HELD and not own.filter(pk=item.pk).exists():\n        return\n",
    broken="",
)
def test_nobody_holds_the_whole_queue_by_looking_at_it(client, rita, juniper, add_tasks):
    made = [dispute_over(task, NOW) for task in add_tasks(juniper, queue.MOST_HELD + 1)]
    client.force_login(rita)
    for item in made:
        assert client.get(page_of(item)).status_code == 200
    now = timezone.now()
    assert list(queue.held(rita, now)) == made[:-1]
    queue.hold(made[0], rita, now + timedelta(minutes=10))  # anew, as it is theirs
    assert made[0] in queue.held(rita, now + queue.LEASE)


def test_an_item_stays_with_whoever_works_on_it(rita, ruth, items):
    caller = APIClient()
    caller.force_authenticate(rita)
    item = queue.take(rita, EVERYTHING, NOW)
    address = f"/api/v1/reviews/{item.pk}/renew/"
    lent = caller.post(address)
    assert lent.status_code == 200 and queue.held(rita, timezone.now()).get() == item
    ReviewItem.objects.update(lent_until=NOW)
    assert queue.take(ruth, EVERYTHING, timezone.now()) == item
    refused = caller.post(address)
    assert refused.status_code == 409 and "another reviewer" in refused.json()["detail"]
    assert list(queue.held(ruth, timezone.now())) == [item]
    ReviewItem.objects.close(NOW)
    assert caller.post(address).status_code == 409


@mutant(
    "two reviewers never get the same item",
    "tagger/review/queue.py",
    kept_by='    free = free.select_for_update(skip_locked=True, no_key=True, of=("self",))\n',
    broken="",
)
@pytest.mark.django_db(transaction=True)
def test_reviewers_who_come_together_never_get_the_same_item(rita, ruth, juniper, add_tasks, run_together):
    for task in add_tasks(juniper, 8):
        dispute_over(task, NOW)

    def take_four(person):
        return lambda: [queue.take(person, EVERYTHING, NOW).pk for _ in range(4)]

    one, other = run_together(take_four(rita), take_four(ruth))
    assert len({*one, *other}) == 8


def test_the_queue_is_filtered(rita, bea, juniper, sentences, add_tasks, items):
    assignments.report_example(bea, add_tasks(sentences, 1)[0], "audio", NOW)

    def found(**part):
        return [item.kind for item in queue.page(rita, Filter(**part), NOW)]

    assert len(found()) == 4
    assert found(kind="report") == found(campaign="sentences") == found(reason="audio") == ["report"]
    assert found(language="en") == found() and found(language="eo") == []
    assert found(older_than=timedelta(days=7)) == ["dispute"]
    assert queue.counts(rita, EVERYTHING, NOW) == dict.fromkeys(ReviewItem.Kind, 0) | {
        "dispute": 3,
        "report": 1,
    }
    assert queue.waiting(rita, EVERYTHING, NOW) == 4


def test_pages_follow_each_other_without_a_gap(rita, juniper, add_tasks, monkeypatch):
    monkeypatch.setattr(queue, "PAGE", 2)
    for number, task in enumerate(add_tasks(juniper, 5)):
        dispute_over(task, NOW + timedelta(minutes=number // 2))  # two at the same time
    seen, after = [], None
    while page := queue.page(rita, EVERYTHING, NOW, after):
        seen, after = seen + [item.pk for item in page], page[-1]
    assert seen == list(ReviewItem.objects.order_by("opened_at", "pk").values_list("pk", flat=True))
    assert len(seen) == 5


@pytest.mark.parametrize("number", [10, 60])
def test_the_page_and_the_next_item_take_as_many_queries_for_many_as_for_few(
    client, rita, juniper, add_tasks, number, django_assert_max_num_queries
):
    for task in add_tasks(juniper, number):
        dispute_over(task, NOW)
    client.force_login(rita)
    with django_assert_max_num_queries(20):
        assert client.get("/review/").status_code == 200
    with django_assert_max_num_queries(9):
        assert queue.take(rita, EVERYTHING, NOW)


# --- the API --------------------------------------------------------------------------------------


@pytest.fixture
def ritas(rita):
    client = APIClient()
    client.force_login(rita)
    return client


def test_a_program_lists_takes_hears_and_decides(ritas, juniper, share):
    for days in (1, 9, 0):
        dispute_over(share(juniper), NOW - timedelta(days=days))
    oldest = ReviewItem.objects.order_by("opened_at").first()
    listed = ritas.get("/api/v1/reviews/?kind=dispute").json()
    assert listed["counts"]["dispute"] == 3 and len(listed["items"]) == 3
    taken = ritas.post("/api/v1/reviews/next/", {}, format="json").json()
    assert taken["id"] == oldest.pk and taken["lent_until"]
    assert ritas.get(taken["audio"]).headers["Content-Type"] == "audio/wav"
    seen = ritas.get(f"/api/v1/reviews/{taken['id']}/").json()
    assert seen["evidence"]["votes"] == [] and seen["evidence"]["goal"] == 0.75
    decided = ritas.post(f"/api/v1/reviews/{taken['id']}/accept/", {"answer": "yes"}, format="json")
    assert decided.status_code == 200 and decided.json()["decision"]
    again = ritas.post(f"/api/v1/reviews/{taken['id']}/accept/", {"answer": "yes"}, format="json")
    assert (again.status_code, again.json()["detail"]) == (409, "This was decided in the meantime.")
    assert ritas.post(f"/api/v1/reviews/{taken['id']}/undo/", {}, format="json").json() == {"decision": None}
    assert ReviewItem.objects.get(pk=taken["id"]).closed_at is None


@pytest.mark.parametrize(
    ("act", "sent"),
    [
        ("accept", {}),
        ("accept", {"answer": "maybe"}),
        ("accept", {"answer": "yes", "transcript": "yes"}),
        ("ask-more", {"number": 99}),
        ("ask-more", {"number": "many"}),
        ("unusable", {"reason": "dull"}),
        ("unusable", {}),
        ("dismiss", {}),
        ("accept", {"answer": "yes", "note": "x" * 501}),
    ],
)
def test_a_bad_call_decides_nothing_and_says_why(ritas, items, act, sent):
    answer = ritas.post(f"/api/v1/reviews/{items[0].pk}/{act}/", sent, format="json")
    assert answer.status_code == 400 and answer.json()
    assert not ReviewItem.objects.exclude(closed_at=None).exists()


def test_nothing_left_is_said_without_a_body(ritas):
    assert ritas.post("/api/v1/reviews/next/", {}, format="json").status_code == 204


def test_the_api_is_for_reviewers(bea, items):
    beas = APIClient()
    beas.force_login(bea)
    for answer in (beas.get("/api/v1/reviews/"), beas.post("/api/v1/reviews/next/", {}, format="json")):
        assert answer.status_code == 403


def test_a_program_accepts_an_answer_and_makes_the_clip_an_example(ritas, juniper, share, disagree):
    item = disagree(share(juniper), "yes", "no")
    sent = {"answer": "no", "is_example": True, "example_note": "only “june”"}
    assert ritas.post(f"/api/v1/reviews/{item.pk}/accept/", sent, format="json").status_code == 200
    [example] = examples.for_campaign(juniper)
    assert (example.task.answer, example.note) == ("no", "only “june”")

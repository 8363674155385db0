"""What keeps clips out of releases: counted for the queue's filter, by consent, kind and campaign."""

import pytest

from accounts import consent
from accounts.models import Material, Purpose
from datasets.models import Campaign, Clip, Task
from tagger.lending import assignments
from tagger.models import ReviewItem
from tagger.review import blocking, queue
from tagger.review.part_form import PartForm
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.reviewing import dispute_over

PUBLIC, RESEARCHERS = Purpose.PUBLIC, Purpose.RESEARCHERS


@pytest.fixture
def disputed(task):
    Task.objects.filter(pk=task.pk).update(status="disputed")
    return dispute_over(task, NOW)


def agree(alice, *purposes):
    consent.withdraw(alice, NOW)
    given = [Purpose.VOLUNTEERS, *purposes]
    consent.give(alice, Material.WAKE_WORD, given, NOW, reference="on paper")


def blocked():
    """The purposes of the releases that the only item blocks."""
    blocking.recount()
    item = ReviewItem.objects.get()
    return [purpose for purpose, column in blocking.COLUMNS.items() if getattr(item, column)]


@mutant(
    "nothing is said to block a release that its speaker did not agree to",
    "tagger/review/blocking.py",
    kept_by='in_use_for(purpose, "clip__"), ',
    broken="",
)
@pytest.mark.parametrize("agreed", [[], [PUBLIC], [RESEARCHERS], [PUBLIC, RESEARCHERS]])
def test_a_dispute_blocks_what_its_speaker_agreed_to(alice, disputed, agreed):
    agree(alice, *agreed)
    assert blocked() == agreed


def test_a_dispute_over_a_settled_task_blocks_nothing(alice, disputed):
    agree(alice, PUBLIC)
    Task.objects.update(status="settled", plain_answer="yes")
    assert blocked() == []


def test_a_report_blocks_while_it_hides_the_clip(alice, bea, task):
    agree(alice, PUBLIC)
    assignments.report_example(bea, task, "audio", NOW)
    assert blocked() == []
    Clip.objects.update(hidden_at=NOW)
    assert blocked() == [PUBLIC]


@mutant(
    "a check blocks releases for researchers only where the campaign asks for it",
    "tagger/review/blocking.py",
    kept_by="        uncleared &= Q(campaign__needs_clearing=True)\n",
    broken="        pass\n",
)
@pytest.mark.parametrize("needs_clearing", [False, True])
def test_a_check_blocks_public_releases_and_others_if_the_campaign_says_so(alice, task, needs_clearing):
    agree(alice, PUBLIC, RESEARCHERS)
    Campaign.objects.update(needs_clearing=needs_clearing)
    ReviewItem.objects.open_check(task.clip, task.campaign, "found", NOW)
    assert blocked() == ([PUBLIC, RESEARCHERS] if needs_clearing else [PUBLIC])


def test_it_is_counted_anew(alice, disputed):
    agree(alice, PUBLIC)
    assert blocked() == [PUBLIC]
    assert blocking.recount() == 0
    consent.withdraw(alice, NOW, purpose=PUBLIC)
    assert blocking.recount() == 1 and blocked() == []


def test_what_is_closed_is_left_alone(alice, disputed):
    agree(alice, PUBLIC)
    ReviewItem.objects.close(NOW)
    assert blocking.recount() == 0


def test_the_queue_is_filtered_by_it_and_keeps_the_filter(client, alice, rita, juniper, add_tasks, disputed):
    dispute_over(add_tasks(juniper, 1)[0], NOW)
    agree(alice, PUBLIC)
    Task.objects.exclude(pk=disputed.task_id).update(status="settled", plain_answer="yes")
    blocking.recount()
    part = PartForm({"blocks": "public"})
    assert list(part.part().of(queue.open_to(rita), NOW)) == [disputed] and part.query() == "blocks=public"
    client.force_login(rita)
    for address, ours in (("public", 1), ("researchers", 0), ("", 2)):
        page = client.get("/review/", {"blocks": address}).content.decode()
        assert page.count('class="visually-hidden"> clip') == ours
    assert "blocks=public" in client.get("/review/?blocks=public").content.decode()
    sent = client.get("/api/v1/reviews/?blocks=public").json()
    assert [each["id"] for each in sent["items"]] == [disputed.pk]

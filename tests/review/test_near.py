"""Near clips of an item's speaker: which a reviewer hears, and which nobody does."""

import pytest

from accounts import consent
from accounts.models import AuditEvent, Purpose
from datasets.models import Clip, Task
from tagger.models import Control
from tagger.review import near
from tests.conftest import NOW
from tests.support.differing import settle
from tests.support.mutants import mutant
from tests.support.reviewing import dispute_over, page_of


@pytest.fixture
def others(juniper, share):
    """Alice's clips in the order of time; the third is in dispute, the others are settled."""
    tasks = [share(juniper) for _ in range(7)]
    for task in tasks[:2] + tasks[3:]:
        settle(task, "no", NOW)
    return tasks


@pytest.fixture
def item(others):
    return dispute_over(others[2], NOW)


def heard(item):
    return [each.clip for each in near.of(item)]


def test_the_nearest_few_are_shown_with_their_labels_and_play(client, rita, item, others):
    assert heard(item) == [others[1].clip_id, others[0].clip_id, others[3].clip_id]
    client.force_login(rita)
    page = client.get(page_of(item)).content.decode()
    section = page.split('id="near"')[1].split("</section>")[0]
    assert section.count("<strong>No</strong>") == near.NEAREST == section.count("<audio")
    address = f"{page_of(item)}near/{others[1].clip_id}/audio/"
    assert address in section and client.get(address).status_code == 200
    assert AuditEvent.objects.filter(act="heard", about=f"clip {others[1].clip_id}").exists()
    sent = client.get(f"/api/v1/reviews/{item.pk}/").json()["near"]
    assert [each["label"] for each in sent] == ["No"] * 3
    assert client.get(sent[0]["audio"]).status_code == 200


def test_nothing_else_of_the_speaker_can_be_heard_there(client, rita, bea, item, others):
    client.force_login(rita)
    far = f"{page_of(item)}near/{others[6].clip_id}/audio/"
    assert client.get(far).status_code == 404
    assert client.get(f"/api/v1/reviews/{item.pk}/near/{others[6].clip_id}/audio/").status_code == 404
    client.force_login(bea)
    assert client.get(f"{page_of(item)}near/{others[1].clip_id}/audio/").status_code == 403


@mutant(
    "no near clip is heard that volunteers may not hear",
    "tagger/review/near.py",
    kept_by="        Task.objects.live_for(Purpose.VOLUNTEERS, per_row=True)\n",
    broken="        Task.objects\n",
)
@pytest.mark.parametrize("gone", ["hidden", "withdrawn", "erased"])
def test_what_volunteers_may_not_hear_is_left_out(alice, item, others, gone):
    if gone == "hidden":
        Clip.objects.filter(pk=others[1].clip_id).update(hidden_at=NOW)
        assert others[1].clip_id not in heard(item) and len(heard(item)) == 3
    else:
        consent.withdraw(alice, NOW, purpose=Purpose.VOLUNTEERS if gone == "withdrawn" else None)
        assert heard(item) == []


@mutant(
    "a reviewer is not shown the answer of a control that they may be lent",
    "tagger/review/near.py",
    kept_by="filter(~Exists(in_use), ",
    broken="filter(",
)
def test_a_control_in_use_is_left_out(juniper, item, others):
    task = Task.objects.get(pk=others[1].pk)
    Control.objects.create(task=task, campaign=juniper, answer="no", since=NOW)
    assert others[1].clip_id not in heard(item)


def test_other_speakers_campaigns_and_open_tasks_are_left_out(sam, sentences, juniper, share, item, others):
    consent.give(sam, "wake-word", [Purpose.VOLUNTEERS], NOW, reference="on paper")
    settle(share(juniper, contributor=sam), "no", NOW)
    settle(share(sentences), "a dog", NOW)
    Task.objects.exclude(pk__in=[others[5].pk]).filter(campaign=juniper, clip__contributor__pk__gt=0).exclude(
        clip__contributor=sam
    ).update(status="open", plain_answer=None)
    assert heard(item) == [others[5].clip_id]

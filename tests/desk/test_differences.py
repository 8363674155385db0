"""Where a volunteer's answers differ from the settled ones: the list, its sound, what it must not spoil."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import consent
from datasets.models import Clip, Task
from tagger.desk import differences, differing
from tagger.lending import repeats
from tagger.models import Assignment, Control
from tests.conftest import NOW
from tests.support.differing import answer, answer_more, differ, keep_for_repeats, settle
from tests.support.mutants import mutant

PAGE = "/my-answers/differences/"
EARLIER = NOW - timedelta(days=2)


@pytest.fixture
def settled_otherwise(bea, juniper, share, add_tasks):
    """Bea's answer, which differs, and cannot be changed any more."""
    given = differ(bea, share(juniper), "yes", "no", EARLIER)
    answer_more(bea, add_tasks(juniper, 10), NOW)
    return given


@pytest.fixture
def written_otherwise(bea, juniper, sentences, share, add_tasks):
    given = differ(bea, share(sentences), "Burn all the kites", "burn all the lights", EARLIER)
    answer_more(bea, add_tasks(juniper, 10), NOW)
    return given


def listed(person):
    return [each.given.pk for each in differences.page(person)[0]]


def drawn(client, page=PAGE):
    return " ".join(client.get(page).content.decode().split())


def test_own_answer_and_settled_one_are_shown_with_the_sound(client, bea, settled_otherwise):
    client.force_login(bea)
    page = drawn(client)
    assert 'Is it “<bdi lang="en">hey juniper</bdi>”?' in page
    own, settled = page.split("Your answer</dt>")[1].split("Settled as</dt>")
    assert own.startswith(" <dd>Yes") and settled.startswith(" <dd>No")
    [one] = differences.page(bea)[0]
    sound = client.get(f"/api/v1/assignments/{one.assignment}/audio/")
    assert sound.status_code == 200 and f'src="/api/v1/assignments/{one.assignment}/audio/"' in page
    assert PAGE in drawn(client, "/my-answers/")


def test_words_that_differ_are_marked_and_read_out(client, bea, written_otherwise):
    client.force_login(bea)
    page = drawn(client)
    marks = [part.split("</mark>")[0].split("</span>")[1] for part in page.split("<mark>")[1:]]
    assert [each.strip() for each in marks] == ["kites", "lights"]
    assert page.count("differs:") == 2 and "Burn all the" in page


def test_transcripts_that_differ_only_in_their_writing_are_not_listed(bea, sentences, juniper, add_tasks):
    [task, silent] = add_tasks(sentences, 2)
    differ(bea, task, "Burn all the Lights!", "burn all the lights", EARLIER)
    nobody = differ(bea, silent, "someone", "", EARLIER)
    answer_more(bea, add_tasks(juniper, 10), NOW)
    assert listed(bea) == [nobody.pk]
    assert differences.page(bea)[0][0].runs[1] == []


def test_what_agrees_or_is_not_settled_is_not_listed(bea, juniper, add_tasks):
    agreed, waiting = add_tasks(juniper, 2)
    differ(bea, agreed, "yes", "yes", EARLIER)
    answer(bea, waiting, "yes", EARLIER)
    answer_more(bea, add_tasks(juniper, 10), NOW)
    assert listed(bea) == []


@mutant(
    "nobody sees what another person's answer differs from",
    "tagger/desk/differing.py",
    kept_by="    shown = annotator.annotations.filter(listed",
    broken="    shown = Annotation.objects.filter(listed",
)
def test_only_own_answers_are_listed_or_found(client, carl, settled_otherwise):
    assert listed(carl) == []
    with pytest.raises(differing.Annotation.DoesNotExist):
        differing.find(carl, settled_otherwise.pk)
    client.force_login(carl)
    assert "Settled as" not in drawn(client)


@mutant(
    "what may not be heard any more is not listed among the differences",
    "tagger/desk/differing.py",
    kept_by=", task__in=live)",
    broken=")",
)
@pytest.mark.parametrize("gone", ["withdrawn", "hidden"])
def test_a_clip_that_may_not_be_heard_is_not_listed(client, alice, bea, settled_otherwise, gone):
    [one] = differences.page(bea)[0]
    if gone == "withdrawn":
        consent.withdraw(alice, NOW)
    else:
        Clip.objects.filter(pk=settled_otherwise.task.clip_id).update(hidden_at=NOW)
    assert listed(bea) == []
    client.force_login(bea)
    assert client.get(f"/api/v1/assignments/{one.assignment}/audio/").status_code == 410


@mutant(
    "nobody is told the settled answer while they can change theirs to it",
    "tagger/desk/differing.py",
    kept_by=".exclude(pk__in=list(last))",
    broken="",
)
def test_an_answer_that_can_still_be_changed_is_not_listed(bea, juniper, add_tasks):
    differ(bea, add_tasks(juniper, 1)[0], "yes", "no", EARLIER)
    assert listed(bea) == []


@mutant(
    "the answer of a control is not shown while it is asked of others",
    "tagger/desk/differing.py",
    kept_by="shown.filter(~Exists(asked_of_others))",
    broken="shown",
)
def test_a_control_in_use_is_not_listed_until_it_is_retired(bea, juniper, settled_otherwise):
    task = Task.objects.get(pk=settled_otherwise.task_id)
    control = Control.objects.create(task=task, campaign=juniper, answer="no", since=NOW)
    assert listed(bea) == []
    Control.objects.filter(pk=control.pk).update(retired_at=NOW)
    assert listed(bea) == [settled_otherwise.pk]


@mutant(
    "who may be asked again is not shown the settled answer before",
    "tagger/desk/differing.py",
    kept_by="filter(listed, repeats.are_over(annotator), ",
    broken="filter(listed, ",
)
def test_what_may_be_asked_again_is_listed_only_afterwards(bea, juniper, settled_otherwise):
    task = settled_otherwise.task
    keep_for_repeats(task)
    assert listed(bea) == []
    assert repeats.pick(bea, juniper, 50, NOW) == [task]
    again = {"task": task, "annotator": bea, "role": "repeat", "lent_at": NOW, "expires_at": NOW}
    lent = Assignment.objects.create(**again, state="lent")
    assert listed(bea) == [] and repeats.pick(bea, juniper, 50, NOW) == []
    Assignment.objects.filter(pk=lent.pk).update(state="done")
    assert listed(bea) == [settled_otherwise.pk]


def test_what_is_listed_is_never_asked_again(bea, juniper, settled_otherwise):
    assert listed(bea) == [settled_otherwise.pk]
    assert repeats.pick(bea, juniper, 50, NOW) == []


@pytest.fixture
def many(bea, juniper, sentences, add_tasks):
    """Bea's answers: so many that differ, every second a transcript, one a minute."""

    def make(number):
        half = number // 2
        tasks = [*add_tasks(juniper, half), *add_tasks(sentences, number - half)]
        given = []
        for at, task in enumerate(tasks):
            words = ("yes", "no") if task.campaign_id == juniper.pk else ("a dog", "a cat")
            given.append(differ(bea, task, *words, EARLIER + timedelta(minutes=at)).pk)
        answer_more(bea, add_tasks(juniper, 10), timezone.now())
        return given[::-1]

    return make


@pytest.mark.parametrize("number", [10, 500])
def test_the_page_takes_the_same_number_of_statements(client, bea, many, number, django_assert_num_queries):
    given = many(number)
    client.force_login(bea)
    with django_assert_num_queries(6):
        page = drawn(client)
    assert page.count('<li class="card"') == min(number, differing.PAGE)
    assert (f"?after={given[min(number, differing.PAGE) - 1]}" in page) == (number == 500)


def test_pages_follow_each_other_and_leave_nothing_out(bea, many):
    given, found, after = many(45), [], None
    while True:
        some, following = differing.page(bea, after)
        found += [each.pk for each in some]
        if following is None:
            break
        after = bea.annotations.get(pk=following)
    assert found == given


def test_a_page_without_a_difference_still_leads_on(client, bea, juniper, add_tasks, monkeypatch):
    monkeypatch.setattr(differing, "LOOKED_AT", 12)
    old = differ(bea, add_tasks(juniper, 1)[0], "yes", "no", EARLIER - timedelta(days=9))
    for task in add_tasks(juniper, 5):
        answer(bea, task, "yes", EARLIER)
    answer_more(bea, add_tasks(juniper, 10), NOW)
    found, after = differing.page(bea)
    assert found == [] and after is not None
    client.force_login(bea)
    assert f"?after={after}" in drawn(client)
    assert [each.pk for each in differing.page(bea, bea.annotations.get(pk=after))[0]] == [old.pk]


@mutant(
    "settled answers are shown only after the listener's pledge",
    "tagger/desk/views_differences.py",
    kept_by="    if not pledge.is_made(request.user):\n",
    broken="    if False:\n",
)
def test_the_pledge_comes_first(client, bea, settled_otherwise):
    type(bea).objects.update(pledge="")
    client.force_login(type(bea).objects.get(pk=bea.pk))
    assert client.get(PAGE)["Location"].startswith("/first-minute/")
    assert client.get("/api/v1/differences/").status_code == 403


def test_a_program_gets_the_same_list(bea, settled_otherwise):
    caller = APIClient()
    caller.force_authenticate(bea)
    sent = caller.get("/api/v1/differences/").json()
    [one] = sent["differences"]
    assert (one["annotation"], one["answer"], one["settled"]) == (settled_otherwise.pk, "yes", "no")
    assert one["objection"] is None and one["may_object"] and sent["after"] is None
    assert caller.get(one["audio"]).status_code == 200
    following = caller.get("/api/v1/differences/", {"after": settled_otherwise.pk}).json()
    assert following == {"differences": [], "after": None}


def test_an_address_that_names_no_answer_begins_at_the_beginning(client, bea, settled_otherwise):
    client.force_login(bea)
    for sent in ("x", "²", "9" * 40, "-5", "999999"):
        assert "Settled as" in drawn(client, f"{PAGE}?after={sent}")


def test_settling_again_in_ones_favour_takes_it_off_the_list(bea, settled_otherwise):
    settle(settled_otherwise.task, "yes", NOW)
    assert listed(bea) == []

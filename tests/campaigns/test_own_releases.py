"""An owner makes releases and retracts them; nothing else that they do changes one."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse

from accounts import audit, consent
from accounts.models import AuditEvent, Material, Purpose
from datasets import campaigns
from datasets.models import Campaign, Release, Task
from datasets.releases import contents, formats, freezing, frozen, recalls
from datasets.releases.archive import Archive
from tagger.campaigns import recounts, release_orders
from tagger.models import ReleaseOrder
from tagger.privacy import withdrawal
from tests.campaigns.test_own_campaigns import as_olga, hers, olga, settings_of, typed  # noqa: F401
from tests.support.mutants import mutant
from tests.support.released import WITHOUT_SYNTHESIS, clear, release, settle

BOUNDS = {
    "slug": "spring",
    "min_confidence": "0.5",
    "min_contributors": "1",
    "audience": "researchers",
    "licence": "CC-BY-4.0",
}


@pytest.fixture
def settled(hers, share):  # noqa: F811
    return [settle(share(hers), answer) for answer in ("yes", "yes", "no")]


def page(slug="juniper"):
    return reverse("campaign_releases", args=[slug])


def previewed(client, **bounds):
    """What the page says that a release with these bounds would hold."""
    return client.get(page(), {"min_confidence": "0.5"} | bounds).context["preview"]


def made(now):
    return release_orders.make_all(lambda: now)


def test_the_page_says_what_a_release_would_hold(as_olga, hers, settled, share):  # noqa: F811
    share(hers)
    Task.objects.filter(pk=settled[0].pk).update(confidence=0.6)
    shown = previewed(as_olga)
    assert (shown.clips, shown.speakers, shown.balance) == (3, 1, [("Yes", 2), ("No", 1)])
    assert shown.doubt == pytest.approx(1 - (0.6 + 0.9 + 0.9) / 3)
    assert shown.selection.unsettled == 1
    stricter = previewed(as_olga, min_confidence="0.8", min_contributors="1", audience="public")
    assert (stricter.clips, stricter.selection.unsure, stricter.selection.without_consent) == (0, 1, 2)
    assert previewed(as_olga, min_confidence="seven") is None


def test_the_page_itself_counts_nothing_and_its_script_asks_for_it(as_olga, settled):  # noqa: F811
    opened = as_olga.get(page())
    assert opened.context["preview"] is None and "data-awaited" in opened.content.decode()
    assert "data-awaited" not in as_olga.get(page(), {"min_confidence": "0.5"}).content.decode()


def test_what_is_shown_is_what_is_made(as_olga, olga, settled, now):  # noqa: F811
    shown = previewed(as_olga)
    assert as_olga.post(page(), BOUNDS).status_code == 302
    assert not Release.objects.exists() and made(now) == 1
    done = Release.objects.get()
    clips = contents.of(done).whole.clips
    assert (done.slug, done.licence, clips) == (
        "spring",
        "CC-BY-4.0",
        shown.clips,
    )
    assert AuditEvent.objects.get(act=audit.Act.RELEASED).person == olga
    assert not ReleaseOrder.objects.exists() and made(now) == 0


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"slug": "taken"}, "already"),
        ({"slug": "not a slug"}, "valid"),
        ({"min_confidence": "2"}, "less than or equal to 1"),
        ({"min_contributors": "0"}, "greater than or equal to 1"),
        ({"audience": "nobody"}, "valid choice"),
    ],
)
def test_bad_bounds_are_named_and_nothing_is_asked_for(as_olga, hers, settled, changed, says):  # noqa: F811
    release("taken", hers)
    answer = as_olga.post(page(), BOUNDS | changed)
    assert says in str(answer.context["form"].errors)
    assert not ReleaseOrder.objects.exists()


def test_what_cannot_be_made_says_why_and_can_be_asked_again(as_olga, settled, now):  # noqa: F811
    as_olga.post(page(), BOUNDS | {"min_contributors": "5"})
    assert made(now) == 0
    assert "at least 5 are asked for" in as_olga.get(page()).content.decode()
    as_olga.post(page(), BOUNDS)
    assert made(now) == 1


def test_two_are_not_made_at_the_same_time(as_olga, settled):  # noqa: F811
    as_olga.post(page(), BOUNDS)
    answer = as_olga.post(page(), BOUNDS | {"slug": "another"})
    assert "is being made" in str(answer.context["form"].errors)
    assert ReleaseOrder.objects.get().slug == "spring"


@mutant(
    "a release is made once, also by a worker that is killed",
    "tagger/campaigns/release_orders.py",
    kept_by="    order.delete()\n    return True\n",
    broken="    return True\n",
)
def test_a_worker_that_is_killed_leaves_the_order(as_olga, settled, now, monkeypatch):  # noqa: F811
    as_olga.post(page(), BOUNDS)
    freeze = freezing.freeze

    def killed(*arguments, **named):
        freeze(*arguments, **named)
        raise KeyboardInterrupt

    monkeypatch.setattr(freezing, "freeze", killed)
    with pytest.raises(KeyboardInterrupt):
        made(now)
    assert not Release.objects.exists() and ReleaseOrder.objects.exists()
    monkeypatch.setattr(freezing, "freeze", freeze)
    assert (made(now), made(now)) == (1, 0)
    assert not ReleaseOrder.objects.exists()


@mutant(
    "who asked for a release is forgotten with them",
    "tagger/privacy/withdrawal.py",
    kept_by="        ReleaseOrder.objects.filter(asked_by=person).update(asked_by=None)\n",
    broken="",
)
def test_an_owner_who_leaves_is_not_in_their_order(as_olga, olga, settled, now):  # noqa: F811
    as_olga.post(page(), BOUNDS)
    withdrawal.forget_account(olga, True, now)
    withdrawal.scrub(withdrawal.Withdrawal.objects.get(), lambda: now)
    assert ReleaseOrder.objects.get().asked_by is None


def everything_of(released):
    """All bytes of it: archives, lists, and the day's feed."""
    found = {"rows": list(frozen.rows(released)), "feed": recalls.feed(released)}
    for name in WITHOUT_SYNTHESIS:
        with Archive(released, formats.find(name)) as archive:
            found[name] = b"".join(archive.stream(0, archive.size - 1))
    return found


def test_nothing_that_an_owner_does_changes_a_release(as_olga, olga, hers, settled, now):  # noqa: F811
    clear(hers)
    released = release("spring", hers)
    Task.objects.filter(campaign=hers).update(annotation_count=1)
    before, described = everything_of(released), as_olga.get("/api/v1/recalls/spring.json").content
    others = {
        "title": "Other",
        "purpose": "Other",
        "becomes": "Other",
        "run_by": "Other",
        "guidelines": "Other",
        "min_annotations": "3",
        "max_annotations": "9",
        "confidence": "0.99",
        "control_share": "0.2",
        "contributor_cap": "2",
        "must_hear": "0.5",
        "takes_part": "invited",
        "release_audience": "public",
        "release_licence": "CC-BY-4.0",
        "needs_clearing": "on",
        "wake_word": "hey june",
        "language": "de",
        "kind": "transcription",
        "title_es": "Otro",
    }
    for name, value in others.items():
        sent = typed(Campaign.objects.get(), **{name: value})
        shown = as_olga.post(settings_of(hers), sent)
        if shown.status_code == 200 and shown.context["then"]:
            as_olga.post(settings_of(hers), sent | {"seen": shown.context["then"].name})
        while recounts.run(lambda: now):
            pass
        assert everything_of(released) == before, name
    for stage in ("paused", "closed", "archived", "closed", "open"):
        campaigns.move_to(hers, stage, olga, now)
        assert everything_of(released) == before, stage
    as_olga.post(page(), BOUNDS | {"slug": "summer"})
    made(now)
    assert everything_of(released) == before
    assert as_olga.get("/api/v1/recalls/spring.json").content == described
    hers.refresh_from_db()
    assert (hers.title, hers.confidence, hers.wake_word) == ("Other", 0.99, "hey juniper")


def retract(client, because="Half of its labels were swapped.", slug="spring"):
    address = reverse("campaign_retract", args=["juniper", slug])
    return client.post(address, {"because": because}, follow=True)


@mutant(
    "a retracted release is recalled as a whole, and nothing of it comes back",
    "datasets/releases/recalls.py",
    kept_by="(is_retracted | ~is_live)",
    broken="(~is_live)",
)
@mutant(
    "of a retracted release nothing is handed out",
    "datasets/releases/api.py",
    kept_by="        if release.retracted_at:\n",
    broken="        if False:\n",
)
def test_a_retracted_release_is_recalled_as_a_whole_and_says_why(as_olga, olga, alice, hers, settled, now):  # noqa: F811
    consent.give(alice, Material.WAKE_WORD, [Purpose.PUBLIC], now, reference="on paper")
    released = release("spring", hers, audience="public")
    ids = sorted(released.rows.values_list("public_id", flat=True))
    assert as_olga.get("/api/v1/releases/spring/precise.tar").status_code == 200
    retract(as_olga, because=" ")
    released.refresh_from_db()
    assert released.retracted_at is None
    retract(as_olga)
    for what in ("precise.tar", "manifest.jsonl"):
        answer = as_olga.get(f"/api/v1/releases/spring/{what}")
        assert answer.status_code == 410 and "swapped" in answer.json()["detail"]
    assert "swapped" in as_olga.get("/api/v1/releases/spring/").json()["retracted_because"]
    assert AuditEvent.objects.get(act=audit.Act.RETRACTED).person == olga
    released.refresh_from_db()
    assert recalls.feed(released)["recalled"] == []
    recalls.publish(now + timedelta(days=1))
    recalls.publish(now + timedelta(days=2))
    released.refresh_from_db()
    feed = recalls.feed(released)
    assert (feed["recalled"], feed["returned"]) == (ids, [])


def test_a_release_with_others_clips_is_not_retracted_by_one_owner(as_olga, hers, sentences, settled):  # noqa: F811
    released = release("spring", hers, sentences)
    assert "ask an admin" in retract(as_olga).content.decode()
    released.refresh_from_db()
    assert released.retracted_at is None
    assert retract(as_olga, slug="nothing").status_code == 404


def test_a_retracted_release_is_not_exported_by_the_command(as_olga, hers, settled, tmp_path):  # noqa: F811
    release("spring", hers)
    retract(as_olga)
    with pytest.raises(CommandError, match="it was retracted: Half"):
        call_command("export", "spring", format="precise", to=tmp_path / "copy")


def test_the_next_version_is_asked_for_with_its_notes(as_olga, settled, now):  # noqa: F811
    as_olga.post(page(), BOUNDS)
    assert made(now) == 1
    choices = dict(as_olga.get(page()).context["form"].fields["after"].choices)
    assert choices.keys() == {"", "spring"}
    wish = {"slug": "summer", "after": "spring", "notes": "May and June", "disguised": "on"}
    assert as_olga.post(page(), BOUNDS | wish).status_code == 302
    assert made(now) == 1
    done = Release.objects.get(slug="summer")
    assert (done.previous.slug, done.version, done.notes) == ("spring", "1.1.0", "May and June")
    assert done.is_disguised and done.line == done.previous.line
    assert "after <bdi>spring</bdi>" in as_olga.get(page()).content.decode()
    assert dict(as_olga.get(page()).context["form"].fields["after"].choices).keys() == {"", "summer"}


def test_a_release_of_another_campaign_cannot_be_followed(as_olga, settled):  # noqa: F811
    answer = as_olga.post(page(), BOUNDS | {"after": "spring"})
    assert "after" in answer.context["form"].errors and not ReleaseOrder.objects.exists()

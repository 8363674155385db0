"""Webhooks are made and ended on the record, sealed, and gone with whoever made them."""

import json
from datetime import timedelta

import pytest

from accounts import audit, keys
from accounts.models import AuditEvent, User
from datasets import campaigns
from datasets.models import Campaign, Delivery, Webhook
from datasets.webhooks import keeping, sealing
from datasets.webhooks.refusals import WebhookRefused
from tagger.privacy import restore, withdrawal
from tests.conftest import NOW
from tests.imports.conftest import database_in_plain
from tests.support import takeout
from tests.support.mutants import mutant

from .conftest import ALL

SECRET_ADDRESS = "https://localhost/hooks/Quittengelb"
Event = Webhook.Event


def told_of():
    events = AuditEvent.objects.filter(act=audit.Act.CHANGED_WEBHOOK).order_by("number")
    return [event.details["did"] for event in events]


@mutant(
    "where messages are sent is on the record",
    "datasets/webhooks/keeping.py",
    kept_by='    _record("made", hook, by, now, events=wanted, address=_digest(url))\n',
    broken="",
)
def test_every_change_is_an_event_of_the_record_that_names_no_address(hers, olga, allowed):
    hook = keeping.make(hers, SECRET_ADDRESS, ALL, olga, NOW)
    keeping.change(hook, "https://localhost/hooks/Umbra", [Event.RELEASE_MADE], olga, NOW)
    keeping.change(hook, "https://localhost/hooks/Umbra", [Event.RELEASE_MADE], olga, NOW)
    keeping.renew_secret(hook, olga, NOW)
    keeping.switch_off(hook, Webhook.WhyOff.OWNER, olga, NOW)
    keeping.switch_on(hook, olga, NOW)
    keeping.end(hook, olga, NOW)
    assert told_of() == ["made", "changed", "new-secret", "off", "on", "ended"]
    told = str(list(AuditEvent.objects.values_list("details", "about", "person")))
    assert "Quittengelb" not in told and "Umbra" not in told and "whsec" not in told
    assert {each.person for each in AuditEvent.objects.filter(act=audit.Act.CHANGED_WEBHOOK)} == {olga}
    assert audit.broken_at() is None


@mutant(
    "address and secret of a webhook are not in the database in plain",
    "datasets/webhooks/sealing.py",
    kept_by="    hook.sealed = keys.seal(keys.existing_key(hook.maker), plain, _label(hook))\n",
    broken="    hook.sealed = plain\n",
)
@pytest.mark.django_db(transaction=True)
def test_address_and_secret_are_sealed(hers, olga, allowed):
    hook = Webhook.objects.get(pk=keeping.make(hers, SECRET_ADDRESS, ALL, olga, NOW).pk)
    hexed = [each.encode().hex() for each in ("Quittengelb", "whsec_")]
    for row in database_in_plain():
        assert "Quittengelb" not in row and "whsec_" not in row
        assert not any(each in row for each in hexed)
    assert sealing.unseal(hook).url == SECRET_ADDRESS


@mutant(
    "a webhook survives that its maker deletes a clip",
    "tagger/privacy/withdrawal.py",
    kept_by="        webhook_sealing.reseal(person, old, new)\n",
    broken="",
)
def test_a_webhook_survives_a_new_key(hers, alice, allowed):
    Campaign.objects.update(owner=alice)
    hook = keeping.make(hers, SECRET_ADDRESS, ALL, alice, NOW)
    before = keys.existing_key(alice)
    withdrawal._replace_key(alice)
    alice = User.objects.get(pk=alice.pk)
    assert keys.existing_key(alice) != before
    assert sealing.unseal(Webhook.objects.get(pk=hook.pk)).url == SECRET_ADDRESS


@mutant(
    "webhooks go with whoever made them",
    "tagger/privacy/withdrawal.py",
    kept_by='        gone["webhooks"] = webhooks.end_all_of(person)\n',
    broken="",
)
def test_webhooks_and_their_messages_go_with_whoever_made_them(hers, olga, allowed):
    keeping.make(hers, SECRET_ADDRESS, ALL, olga, NOW)
    campaigns.move_to(hers, "paused", None, NOW)
    assert Delivery.objects.exists()
    requested = withdrawal.forget_account(olga, False, NOW)
    request = withdrawal.Withdrawal.objects.get(pk=requested.withdrawal)
    withdrawal.scrub(request, lambda: NOW)
    assert not Webhook.objects.exists() and not Delivery.objects.exists()
    request.refresh_from_db()
    assert request.counts["webhooks"] == 1


def test_a_person_takes_their_webhooks_along_without_secrets(hers, olga, allowed):
    hook = keeping.make(hers, SECRET_ADDRESS, [Event.RELEASE_MADE], olga, NOW)
    profile = takeout.profile_of(olga)
    [told] = profile["webhooks"]
    assert (told["campaign"], told["address"], told["events"]) == (
        "juniper",
        SECRET_ADDRESS,
        ["release.made"],
    )
    assert sealing.unseal(hook).secret not in json.dumps(profile)


@mutant(
    "a restore sends nothing to a webhook that was ended",
    "tagger/privacy/restore.py",
    kept_by='            done.webhooks_ended_again += webhooks.end_again(entry["webhook"])\n',
    broken="            pass\n",
)
@pytest.mark.django_db(transaction=True)
def test_a_restored_backup_brings_back_no_webhook_that_was_ended(hers, olga, allowed):
    hooks = [keeping.make(hers, SECRET_ADDRESS, ALL, olga, NOW) for _ in range(2)]
    backup = list(Webhook.objects.values())
    keeping.end(hooks[0], olga, NOW)
    keeping.end(hooks[0], olga, NOW)
    Webhook.objects.all().delete()
    Webhook.objects.bulk_create(Webhook(**row) for row in backup)
    done = restore.Restored()
    restore._replay(NOW, done)
    assert done.webhooks_ended_again == 1 and Webhook.objects.get().pk == hooks[1].pk
    assert withdrawal.settle_journal(NOW + timedelta(days=1)) == 0


def test_only_its_maker_changes_a_webhook_and_any_owner_ends_it(hers, olga, admin_user, allowed):
    hook = keeping.make(hers, SECRET_ADDRESS, ALL, olga, NOW)
    for act in (
        lambda: keeping.change(hook, "https://localhost/mine", ALL, admin_user, NOW),
        lambda: keeping.renew_secret(hook, admin_user, NOW),
        lambda: keeping.switch_on(hook, admin_user, NOW),
    ):
        with pytest.raises(WebhookRefused) as refused:
            act()
        assert refused.value.code == "webhook-not-yours"
    keeping.end(hook, admin_user, NOW)
    assert not Webhook.objects.exists()


def test_what_cannot_be_made_is_refused_and_nothing_is_stored(hers, olga, allowed):
    for url, events, code in (
        ("https://elsewhere.example/", ALL, "webhook-host-not-allowed"),
        (SECRET_ADDRESS, [], "webhook-no-event"),
        (SECRET_ADDRESS, ["clip.heard"], "webhook-no-event"),
    ):
        with pytest.raises(WebhookRefused) as refused:
            keeping.make(hers, url, events, olga, NOW)
        assert refused.value.code == code
    for _ in range(keeping.MOST):
        keeping.make(hers, SECRET_ADDRESS, ALL, olga, NOW)
    with pytest.raises(WebhookRefused) as refused:
        keeping.make(hers, SECRET_ADDRESS, ALL, olga, NOW)
    assert refused.value.code == "webhook-too-many" and Webhook.objects.count() == keeping.MOST


def test_a_webhook_that_was_off_is_told_nothing_of_that_time(hers, olga, allowed):
    hook = keeping.make(hers, SECRET_ADDRESS, ALL, olga, NOW)
    campaigns.move_to(hers, "paused", None, NOW)
    keeping.switch_off(hook, Webhook.WhyOff.OWNER, olga, NOW)
    campaigns.move_to(hers, "open", None, NOW)
    keeping.switch_on(hook, olga, NOW + timedelta(hours=1))
    assert Delivery.objects.get().next_try_at is None
    hook.refresh_from_db()
    assert hook.counted_until == NOW + timedelta(hours=1) and not hook.why_off

"""What happens is sent, signed, until it arrived; also by a worker that is killed in the middle."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import standardwebhooks
from celery.contrib.testing.worker import start_worker
from django.db import connection
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEvent
from datasets import campaigns
from datasets.models import Campaign, Delivery, Webhook
from datasets.webhooks import delivery, keeping, messages, sealing, signing
from datasets.webhooks.refusals import WebhookRefused
from tagger.celery import app
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.receiver import receiving

from .conftest import ALL

ROOT = Path(__file__).resolve().parents[2]
Event, WhyOff = Webhook.Event, Webhook.WhyOff


@pytest.fixture(autouse=True)
def no_jitter(monkeypatch):
    monkeypatch.setattr(delivery.dice, "random", lambda: 0)


def deliver(after=timedelta(0)):
    return delivery.deliver(lambda: NOW + after)


def pause(campaign, now=NOW):
    campaigns.move_to(campaign, "paused", None, now)


def secret_of(hook):
    return sealing.unseal(Webhook.objects.select_related("maker").get(pk=hook.pk)).secret


@mutant(
    "a message is signed as the standard says",
    "datasets/webhooks/signing.py",
    kept_by='        "webhook-timestamp": str(int(at.timestamp())),\n',
    broken='        "webhook-timestamp": str(int(at.timestamp()) + 1),\n',
)
def test_a_message_arrives_signed_over_tls(hers, olga, allowed, tmp_path, monkeypatch):
    """The library of the standard verifies it, as a receiver does."""
    with receiving(tmp_path) as receiver:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "localhost.pem"))
        hook = keeping.make(hers, receiver.url, ALL, olga, NOW)
        pause(hers)
        assert delivery.deliver(timezone.now) == 1
        [(headers, body)] = receiver.got
    told = standardwebhooks.Webhook(secret_of(hook)).verify(body, headers)
    assert told == {
        "type": "campaign.changed",
        "timestamp": NOW.isoformat(),
        "data": {
            "campaign": "juniper",
            "stage": "paused",
            "changed": ["stage"],
            "links": {
                "page": "http://localhost:8000/campaigns/juniper/settings/",
                "api": "http://localhost:8000/api/v1/campaigns/juniper/",
            },
        },
    }
    assert (headers["path"], headers["Content-Type"]) == ("/hooks?for=us", "application/json")
    assert headers["Host"].startswith("localhost:") and "Cookie" not in headers
    owed = Delivery.objects.get()
    assert (owed.status, owed.attempts, owed.next_try_at, owed.fault) == (204, 1, None, "")
    assert owed.arrived_at and headers["webhook-id"] == f"msg_{owed.pk.hex}"


def test_the_published_example_of_the_standard_has_this_signature():
    """From the tests of its libraries."""
    signer = standardwebhooks.Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    signature = signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, '{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_is_random_and_as_long_as_the_standard_asks(hook, hers, olga, receiver):
    other = keeping.make(hers, receiver.url, ALL, olga, NOW)
    kept = [secret_of(each) for each in (hook, other)]
    assert kept[0] != kept[1] and all(len(key) == len("whsec_") + 44 for key in kept)


@mutant(
    "no third party is told anything by default",
    "tagger/settings.py",
    kept_by='comma_separated(name, "off")',
    broken='comma_separated(name, "any")',
)
def test_by_default_no_webhook_can_be_made_and_nothing_is_owed(hers, olga, settings):
    assert settings.WEBHOOKS == [] and settings.WEBHOOK_NETWORKS == []
    with pytest.raises(WebhookRefused) as refused:
        keeping.make(hers, "https://hooks.example.org/", ALL, olga, NOW)
    assert refused.value.code == "webhooks-off" and not Webhook.objects.exists()


def test_a_site_that_sends_nothing_any_more_owes_nothing(hook, hers, settings, receiver):
    settings.WEBHOOKS = []
    pause(hers)
    assert not Delivery.objects.exists()
    for act in (lambda: keeping.send_test(hook, NOW), lambda: keeping.switch_on(hook, hook.maker, NOW)):
        with pytest.raises(WebhookRefused):
            act()
    assert receiver.got == []


def test_only_the_campaigns_own_webhooks_that_want_it_are_told(hook, hers, olga, sentences, receiver):
    Campaign.objects.filter(pk=sentences.pk).update(owner=olga)
    keeping.make(sentences, receiver.url, ALL, olga, NOW)
    keeping.make(hers, receiver.url, [Event.RELEASE_MADE], olga, NOW)
    pause(hers)
    assert Delivery.objects.get().webhook == hook


@mutant(
    "a message is owed only of what happened",
    "datasets/webhooks/outbox.py",
    kept_by="        Delivery.objects.bulk_create(owed)\n",
    broken="        ask()\n",
)
def test_a_message_is_owed_in_the_transaction_of_what_happened(hook, hers, monkeypatch):
    pause(hers)
    assert Delivery.objects.count() == 1

    def fail(*_said, **_named):
        raise RuntimeError

    monkeypatch.setattr(audit, "record", fail)
    with pytest.raises(RuntimeError):
        campaigns.move_to(hers, "open", None, NOW)
    assert Delivery.objects.count() == 1


def test_what_failed_is_tried_again_as_the_standard_advises(hook, hers, receiver):
    receiver.answers = [(500, {}, f"attempt {number}") for number in range(20)]
    pause(hers)
    at = timedelta(0)
    waits = (*delivery.DELAYS, None)
    for number, wait in enumerate(waits, start=1):
        assert deliver(at) == 1, number
        owed = Delivery.objects.get()
        assert (owed.attempts, owed.status, owed.first_line) == (number, 500, f"attempt {number - 1}")
        if wait is None:
            break
        assert owed.next_try_at == NOW + at + wait
        assert deliver(at + wait - timedelta(seconds=1)) == 0
        at += wait
    assert owed.next_try_at is None and at == timedelta(hours=75, minutes=35, seconds=5)
    assert len(set(receiver.names)) == 1 and len(receiver.got) == 10
    off = Webhook.objects.get()
    assert (off.why_off, off.off_at) == (WhyOff.FAILING, NOW + at)
    event = AuditEvent.objects.filter(act=audit.Act.CHANGED_WEBHOOK).last()
    assert (event.person, event.details["did"], event.details["why"]) == (None, "off", "failing")


def test_each_attempt_is_signed_with_its_own_time(hook, hers, receiver):
    receiver.answers = [(503, {}, "")]
    pause(hers)
    deliver()
    deliver(timedelta(seconds=5))
    times = [int(headers["webhook-timestamp"]) for headers, _ in receiver.got]
    assert times == [int(NOW.timestamp()), int(NOW.timestamp()) + 5]
    assert len({body for _, body in receiver.got}) == 1
    assert Webhook.objects.get().failing_since is None


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        ("1", 5),
        ("99999999", 86_400),
        ("Mon, 04 May 2026 13:00:00 GMT", 3_600),
        ("Mon, 04 May 2020 13:00:00 GMT", 5),
        ("soon", 5),
        ("-3", 5),
        ("", 5),
    ],
)
def test_a_receiver_says_when_to_come_again(hook, hers, receiver, said, seconds):
    receiver.answers = [(429, {"Retry-After": said}, "")]
    pause(hers)
    deliver()
    assert Delivery.objects.get().next_try_at == NOW + timedelta(seconds=seconds)


@mutant(
    "who says that nothing is there any more is left alone",
    "datasets/webhooks/delivery.py",
    kept_by="    if answer.status == 410:\n",
    broken="    if False:\n",
)
def test_a_receiver_that_is_gone_gets_nothing_more(hook, hers, receiver):
    receiver.answers = [(410, {}, "")]
    pause(hers)
    campaigns.move_to(hers, "open", None, NOW + timedelta(seconds=1))
    deliver()
    assert Webhook.objects.get().why_off == WhyOff.GONE
    pause(hers, NOW + timedelta(seconds=2))
    assert deliver(timedelta(days=1)) == 0 and len(receiver.got) == 1
    assert not Delivery.objects.exclude(next_try_at=None).exists()


@mutant(
    "of a campaign that is another's by now nothing is sent for whoever had it",
    "datasets/webhooks/delivery.py",
    kept_by="    if not keeping.is_makers_still(hook):\n",
    broken="    if False:\n",
)
@pytest.mark.parametrize("change", ["owner", "role", "left"])
def test_who_does_not_run_the_campaign_any_more_is_told_nothing(hook, hers, olga, bea, receiver, change):
    if change == "owner":
        Campaign.objects.update(owner=bea)
    else:
        fields = {"roles": ["annotator"]} if change == "role" else {"is_active": False}
        type(olga).objects.filter(pk=olga.pk).update(**fields)
    pause(hers)
    deliver()
    assert receiver.got == [] and Webhook.objects.get().why_off == WhyOff.MAKER


def test_an_old_secret_signs_for_a_day_beside_the_new_one(hook, hers, olga, receiver):
    old = secret_of(hook)
    new = keeping.renew_secret(hook, olga, NOW)
    assert new != old and secret_of(hook) == new
    for after, signatures in ((timedelta(hours=23), 2), (timedelta(hours=25), 1)):
        keeping.send_test(hook, NOW + after)
        deliver(after)
        headers, body = receiver.got[-1]
        at, signed = NOW + after, headers["webhook-signature"].split()
        made = [
            standardwebhooks.Webhook(key).sign(headers["webhook-id"], at, body.decode()) for key in (new, old)
        ]
        assert signed == made[:signatures]


def test_the_test_message_is_also_sent_if_it_is_off_and_then_once(hook, olga, receiver):
    keeping.switch_off(hook, WhyOff.OWNER, olga, NOW)
    receiver.answers = [(500, {}, "")]
    keeping.send_test(hook, NOW)
    assert deliver() == 1 and Delivery.objects.get().next_try_at is None
    [(_, body)] = receiver.got
    assert json.loads(body)["data"]["webhook"] == str(hook.pk)


def test_what_was_given_up_is_sent_again_under_its_name(hook, hers, receiver):
    receiver.answers = [(404, {}, "")]
    pause(hers)
    deliver()
    Delivery.objects.update(next_try_at=None)
    keeping.send_again(Delivery.objects.get(), NOW)
    assert deliver() == 1 and len(set(receiver.names)) == 1 and len(receiver.got) == 2
    assert Delivery.objects.get().arrived_at == NOW


def test_messages_are_forgotten_after_thirty_days(hook, hers):
    pause(hers)
    assert delivery.forget_old(NOW + timedelta(days=30)) == 0
    assert delivery.forget_old(NOW + timedelta(days=30, seconds=1)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_sends_it_after_the_commit(hook, hers, receiver):
    with start_worker(app, pool="solo", perform_ping_check=False, loglevel="ERROR"):
        pause(hers, timezone.now())
        assert json.loads(receiver.arrived.get(timeout=30))["type"] == "campaign.changed"


DELIVER = """
import ipaddress, django
django.setup()
from django.conf import settings
from django.utils import timezone
settings.WEBHOOKS = ["localhost"]
settings.WEBHOOK_NETWORKS = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1")]
from datasets.webhooks import delivery
delivery.deliver(timezone.now)
"""


@pytest.mark.django_db(transaction=True)
@mutant(
    "a message is owed until it arrived",
    "datasets/webhooks/delivery.py",
    kept_by="        next_try_at=now + TAKEN_FOR, attempts",
    broken="        next_try_at=None, attempts",
)
def test_a_worker_that_is_killed_in_the_middle_leaves_it_to_the_next(hook, hers, receiver, site_environment):
    began = timezone.now()
    pause(hers, began)
    receiver.may_answer.clear()
    environment = site_environment | {"DJANGO_SETTINGS_MODULE": "tagger.settings"}
    worker = subprocess.Popen([sys.executable, "-c", DELIVER], cwd=ROOT, env=environment)
    try:
        receiver.arrived.get(timeout=60)
    finally:
        worker.kill()
        worker.wait()
    assert Delivery.objects.get().arrived_at is None
    receiver.may_answer.set()
    later = timezone.now()
    assert delivery.deliver(lambda: later) == 0  # as the killed one might still be at it
    assert delivery.deliver(lambda: later + delivery.TAKEN_FOR) == 1
    assert len(receiver.got) == 2 and len(set(receiver.names)) == 1
    owed = Delivery.objects.get()
    assert (owed.attempts, owed.status) == (2, 204) and owed.arrived_at


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_it_once(hook, hers, receiver, in_background):
    pause(hers)
    receiver.may_answer.clear()
    first = in_background(deliver)
    receiver.arrived.get(timeout=30)
    assert in_background(deliver).result(30) == 0
    receiver.may_answer.set()
    assert first.result(30) == 1 and len(receiver.got) == 1


@pytest.mark.django_db(transaction=True)
def test_a_webhook_that_is_ended_during_an_attempt_stays_ended(hook, hers, olga, receiver, in_background):
    pause(hers)
    receiver.may_answer.clear()
    sending = in_background(deliver)
    receiver.arrived.get(timeout=30)
    keeping.end(hook, olga, NOW)
    receiver.may_answer.set()
    assert sending.result(30) == 1
    assert not Webhook.objects.exists() and not Delivery.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_another_server_answers(hook, hers, receiver, in_background):
    """A slow server must not keep rows locked, nor the database from cleaning up."""
    pause(hers)
    receiver.may_answer.clear()
    sending = in_background(deliver)
    receiver.arrived.get(timeout=30)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
        )
        assert cursor.fetchone() == (0,)
    receiver.may_answer.set()
    assert sending.result(30) == 1


@mutant(
    "a message that says more than its kind does is not sent",
    "datasets/webhooks/messages.py",
    kept_by="    return isinstance(value, int) or (",
    broken="    return True or (",
)
def test_a_message_that_says_something_else_is_not_even_written(hook, hers):
    for said in ({"release": "Alice Smith"}, {"release": 1.5}, {"release": "spring", "why": "x"}, {}):
        with pytest.raises(messages.NotToBeSent):
            messages.body(Event.RELEASE_MADE, "juniper", NOW, said)


def test_a_name_in_headers_cannot_break_the_signature():
    assert signing.name_of(Delivery().pk).count(".") == 0

"""The owner's pages for webhooks: what is sent and where is said first, and the secret is shown once."""

from uuid import uuid4

import pytest
from django.urls import reverse

from datasets.models import Campaign, Delivery, Webhook
from datasets.webhooks import keeping, sealing
from tests.conftest import NOW
from tests.support import factors
from tests.support.mutants import mutant

from .conftest import ALL

URL = "https://localhost/hooks?key=Quittengelb"
Event = Webhook.Event


@pytest.fixture
def one(hers, olga, allowed):
    return keeping.make(hers, URL, ALL, olga, NOW)


def page_of(hook=None):
    args = ["juniper", hook.pk] if hook else ["juniper"]
    return reverse("campaign_webhook" if hook else "campaign_webhooks", args=args)


def do(client, hook, act):
    return client.post(reverse("campaign_webhook_act", args=["juniper", hook.pk]), {"do": act}, follow=True)


@mutant(
    "before a webhook is made, the page says to which host messages go",
    "tagger/webhooks/views.py",
    kept_by='form.is_valid() and request.POST.get("seen") == form.place.host',
    broken="form.is_valid()",
)
def test_what_is_sent_and_where_is_said_before_it_is_made(as_olga, hers, allowed):
    typed = {"url": URL, "events": [Event.CAMPAIGN_SETTLED]}
    for seen in ({}, {"seen": "elsewhere.example"}):
        shown = as_olga.post(page_of(), typed | seen).content.decode()
        assert "localhost" in shown and "clips were settled" in shown and not Webhook.objects.exists()
    made = as_olga.post(page_of(), typed | {"seen": "localhost"}).content.decode()
    hook = Webhook.objects.get()
    assert sealing.unseal(hook).secret in made and hook.events == [Event.CAMPAIGN_SETTLED]
    for page in (page_of(), page_of(hook)):
        assert "whsec_" not in as_olga.get(page).content.decode()


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"url": "http://hooks.example.org/", "events": ALL}, "must begin with https://"),
        ({"url": "https://hooks.example.org/", "events": ALL}, "does not send messages to hooks.example.org"),
        ({"url": "https://localhost/", "events": []}, "Choose at least one kind"),
        ({"url": "", "events": ALL}, "This field is required"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(as_olga, hers, allowed, typed, says):
    assert says in as_olga.post(page_of(), typed | {"seen": "localhost"}).content.decode()
    assert not Webhook.objects.exists()


def test_by_default_the_page_says_that_nothing_is_sent(as_olga, hers):
    shown = as_olga.get(page_of()).content.decode()
    assert "This site sends no messages to other servers" in shown and 'name="url"' not in shown
    as_olga.post(page_of(), {"url": URL, "events": ALL, "seen": "localhost"})
    assert not Webhook.objects.exists()


def test_each_button_does_what_it_says(as_olga, one):
    assert "A test message is on its way" in do(as_olga, one, "test").content.decode()
    assert Delivery.objects.get().event == "webhook.test"
    renewed = do(as_olga, one, "secret").content.decode()
    one.refresh_from_db()
    assert sealing.unseal(one).secret in renewed and "For 24 hours" in renewed
    assert "Off since" in do(as_olga, one, "off").content.decode()
    assert "Off since" not in do(as_olga, one, "on").content.decode()
    do(as_olga, one, "nonsense")
    do(as_olga, one, "end")
    assert not Webhook.objects.exists()


def test_the_log_says_what_became_of_each_and_sends_it_again(as_olga, one):
    message = keeping.send_test(one, NOW)
    Delivery.objects.update(next_try_at=None, attempts=10, status=500, first_line="<b>it broke</b>")
    shown = as_olga.get(page_of(one)).content.decode()
    assert "given up" in shown and "&lt;b&gt;it broke&lt;/b&gt;" in shown and "<b>it broke" not in shown
    again = reverse("campaign_webhook_again", args=["juniper", message.pk])
    assert "on its way again" in as_olga.post(again, follow=True).content.decode()
    message.refresh_from_db()
    assert (message.attempts, message.next_try_at is None) == (0, False)


def test_its_maker_changes_it(as_olga, one):
    as_olga.post(page_of(one), {"url": "https://localhost/other", "events": [Event.RELEASE_MADE]})
    one.refresh_from_db()
    assert (sealing.unseal(one).url, one.events) == ("https://localhost/other", [Event.RELEASE_MADE])


def test_another_who_runs_the_campaign_deletes_it_and_does_not_read_its_secrets(client, one, admin_user):
    factors.log_in(client, admin_user)
    shown = client.get(page_of(one)).content.decode()
    assert "Only whoever made this webhook" in shown and "Quittengelb" not in shown
    assert "Only whoever made this webhook" in do(client, one, "secret").content.decode()
    do(client, one, "end")
    assert not Webhook.objects.exists()


@mutant(
    "a webhook of another campaign is not there",
    "tagger/webhooks/views.py",
    kept_by="get_object_or_404(campaign.webhooks.select_related(",
    broken="get_object_or_404(Webhook.objects.select_related(",
)
def test_what_is_of_another_campaign_is_not_there(as_olga, one, sentences, olga, bea):
    Campaign.objects.filter(pk=sentences.pk).update(owner=olga)
    message = keeping.send_test(one, NOW)
    for name, pk in (("campaign_webhook", one.pk), ("campaign_webhook", uuid4())):
        assert as_olga.get(reverse(name, args=["sentences", pk])).status_code == 404
    again = reverse("campaign_webhook_again", args=["sentences", message.pk])
    assert as_olga.post(again).status_code == 404
    Campaign.objects.update(owner=bea)
    assert as_olga.get(page_of(one)).status_code == 404 and as_olga.get(page_of()).status_code == 404
    assert do(as_olga, one, "end").status_code == 404


def test_a_page_costs_the_same_whatever_was_sent(as_olga, one, django_assert_max_num_queries):
    for _ in range(60):
        keeping.send_test(one, NOW)
    with django_assert_max_num_queries(14):
        assert as_olga.get(page_of(one)).content.decode().count("<tr>") == 51
    with django_assert_max_num_queries(12):
        as_olga.get(page_of())

"""Programs make, test and end webhooks as the page does, and read what was sent."""

import json

import pytest

from accounts.models import ProgramToken, Scope
from datasets.models import Campaign, Webhook
from datasets.webhooks import delivery, keeping, sealing
from tests.conftest import NOW

ADDRESS = "/api/v1/campaigns/juniper/webhooks/"
ASKED = {"url": "https://localhost/hooks?key=Quittengelb", "events": ["release.made", "clips.recalled"]}


@pytest.fixture
def call(client, olga):
    def called(method, path, body=None, scope=Scope.MANAGE):
        _, key = ProgramToken.objects.create(olga, scopes=[scope])
        headers = {"Authorization": f"Token {key}"}
        if method == "get":
            return client.get(path, headers=headers)
        return client.post(path, json.dumps(body or {}), content_type="application/json", headers=headers)

    return called


def test_a_program_makes_tests_and_ends_a_webhook(call, hers, receiver):
    made = call("post", ADDRESS, ASKED | {"url": receiver.url})
    assert made.status_code == 201, made.json()
    hook = Webhook.objects.get()
    assert made.json()["secret"] == sealing.unseal(hook).secret
    assert (made.json()["host"], made.json()["events"]) == ("localhost", ASKED["events"])
    listed = call("get", ADDRESS)
    assert [each["id"] for each in listed.json()] == [
        str(hook.pk)
    ] and "whsec_" not in listed.content.decode()
    here = f"{ADDRESS}{hook.pk}/"
    tested = call("post", f"{here}test/")
    assert tested.status_code == 201 and tested.json()["event"] == "webhook.test"
    assert delivery.deliver(lambda: NOW.replace(year=2100)) == 1 and len(receiver.got) == 1
    [told] = call("get", f"{here}log/").json()
    assert (told["id"], told["status"], told["attempts"]) == (tested.json()["id"], 204, 1)
    assert call("post", f"{here}end/").status_code == 204 and not Webhook.objects.exists()
    assert call("get", f"{here}log/").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"url": "http://hooks.example.org/"}, "url"),
        ({"url": "https://hooks.example.org/"}, "url"),
        ({"events": []}, "events"),
        ({"events": ["clip.heard"]}, "events"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(call, hers, allowed, wrong, field):
    refused = call("post", ADDRESS, ASKED | wrong)
    assert refused.status_code == 400 and refused.json()[field] and not Webhook.objects.exists()


def test_by_default_none_is_made(call, hers):
    refused = call("post", ADDRESS, ASKED)
    assert refused.status_code == 409 and "no messages to other servers" in refused.json()["detail"]


def test_only_with_the_scope_and_only_of_ones_own_campaign(call, hers, olga, bea, allowed):
    hook = keeping.make(hers, ASKED["url"], ASKED["events"], olga, NOW)
    calls = [
        *(("get", ADDRESS), ("post", ADDRESS), ("get", f"{ADDRESS}{hook.pk}/log/")),
        *(("post", f"{ADDRESS}{hook.pk}/{act}/") for act in ("test", "end")),
    ]
    assert {call(*each, scope=Scope.TAG).status_code for each in calls} == {403}
    Campaign.objects.update(owner=bea)
    assert {call(*each).status_code for each in calls} == {404}
    assert Webhook.objects.exists()

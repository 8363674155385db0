"""In a browser, on a site as `make run` starts it: a webhook is made, messages arrive, and it is ended."""

import json

import standardwebhooks
from playwright.sync_api import expect

from tests.campaigns.test_browser_owner import APPOINT
from tests.support import access, desk
from tests.support.receiver import receiving
from tests.support.site import QuickSite

HERS = """
from accounts.models import User
from datasets.models import Campaign
Campaign.objects.update(owner=User.objects.get_by_natural_key("olga"))
"""
ALLOWED = {"WEBHOOKS": "localhost", "WEBHOOK_NETWORKS": "127.0.0.0/8,::1/128"}
CREATE = (
    "create_campaign",
    "juniper",
    "--kind",
    "wake-word",
    "--language",
    "en",
    "--wake-word",
    "hey juniper",
)


def test_an_owner_makes_a_webhook_and_its_messages_arrive(tmp_path, visit):
    with QuickSite(tmp_path / "home", DEBUG="0", **ALLOWED) as site, receiving() as receiver:
        site.manage(*CREATE)
        page = desk.people(site, visit)("olga")
        site.manage("shell", "-c", APPOINT.format(name="olga"))
        site.manage("shell", "-c", HERS)
        secret = make(page, receiver)
        page.get_by_role("button", name="Send a test message").click()
        body = receiver.arrived.get(timeout=30)
        [(headers, _)] = receiver.got
        told = standardwebhooks.Webhook(secret).verify(body, headers)
        assert told["type"] == "webhook.test" and told["data"]["links"]["page"].startswith("http")
        arrive(page)
        assert looked_at(page) == []
        pause(page)
        assert json.loads(receiver.arrived.get(timeout=30))["data"]["stage"] == "paused"
        page.goto("/campaigns/juniper/webhooks/")
        page.get_by_role("link", name="localhost").click()
        page.get_by_role("button", name="Delete the webhook").click()
        expect(page.locator("main")).to_contain_text("The webhook is deleted")
        assert page.locator("article").count() == 0


def make(page, receiver):
    """Returns its secret, which is shown this once."""
    page.goto("/campaigns/juniper/webhooks/")
    page.get_by_label("Address of your server").fill(receiver.url)
    for words in ("The campaign was changed", "Clips were settled"):
        page.get_by_label(words).check()
    page.get_by_role("button", name="What would be sent?").click()
    expect(page.locator("main")).to_contain_text("Messages go to localhost")
    assert looked_at(page) == [] and receiver.got == []
    page.get_by_role("button", name="Make it, and send to localhost").click()
    secret = page.locator("code-block code").inner_text()
    assert looked_at(page) == []
    page.get_by_role("link", name="Go on to the webhook").click()
    return secret


def arrive(page):
    """The page does not change by itself."""
    row = page.locator("tbody tr").filter(has_text="arrived")
    for _ in range(50):
        page.reload()
        if row.count():
            break
    expect(row).to_contain_text("204")


def pause(page):
    page.goto("/campaigns/juniper/settings/")
    page.get_by_role("button", name="Pause it").click()


def looked_at(page):
    """In light and dark, at 360 and 1280 pixels."""
    return access.Looker(page).faults_in_all()

"""The header that makes a browser forget: on every way out, and on nothing else."""

import pytest
from django.urls import reverse

from accounts.models import User
from tests.support.mutants import mutant

EVERYTHING, PAGES = '"cache", "storage"', '"cache"'


def cleared(response):
    return response.headers.get("Clear-Site-Data")


@pytest.fixture
def here(client, alice):
    client.force_login(alice)
    return client


@mutant(
    "logging out clears the browser",
    "tagger/urls.py",
    kept_by="logs_out(logout)",
    broken="logout",
)
@mutant(
    "logging out of the administration clears the browser",
    "tagger/urls.py",
    kept_by="logs_out(admin.site.logout)",
    broken="admin.site.logout",
)
@pytest.mark.parametrize("address", ["/accounts/logout/", "/admin/logout/"])
def test_logging_out_clears_what_the_browser_holds(here, address):
    assert cleared(here.get("/accounts/logout/")) is None
    assert cleared(here.post(address)) == EVERYTHING
    assert cleared(here.post(address)) == EVERYTHING  # also for someone whose session had ended


def test_a_script_is_told_where_to_go_on(here):
    answer = here.post("/accounts/logout/", headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["location"], cleared(answer)) == (200, "/", EVERYTHING)


@mutant(
    "leaving clears the browser",
    "tagger/privacy/views_leaving.py",
    kept_by='    response = forget_everything(_go_on(request, reverse("erasure_receipt", args=[token])))\n',
    broken='    response = _go_on(request, reverse("erasure_receipt", args=[token]))\n',
)
@pytest.mark.parametrize("by_script", [True, False])
def test_leaving_clears_what_the_browser_holds(here, alice, by_script):
    headers = {"accept": "application/json"} if by_script else {}
    refused = here.post(reverse("leave"), {"answers": "perhaps"}, headers=headers)
    assert (refused.status_code, cleared(refused)) == (400, None)
    left = here.post(reverse("leave"), {"answers": "keep"}, headers=headers)
    assert cleared(left) == EVERYTHING
    assert "/receipts/erasure/" in (left.json()["location"] if by_script else left["Location"])
    assert not User.objects.get(pk=alice.pk).is_active


def test_a_log_in_page_in_place_of_leaving_clears_nothing(client, db):
    assert cleared(client.post(reverse("leave"), {"answers": "keep"})) is None


@mutant(
    "taking clips back clears pages and sounds that the browser kept",
    "tagger/privacy/views_clips.py",
    kept_by='    return forget_pages(redirect("erasure_receipt", token))\n',
    broken='    return redirect("erasure_receipt", token)\n',
)
@mutant(
    "withdrawing consent clears pages and sounds that the browser kept",
    "tagger/privacy/views_leaving.py",
    kept_by='        return forget_pages(redirect("erasure_receipt", done.token))\n',
    broken='        return redirect("erasure_receipt", done.token)\n',
)
def test_taking_clips_back_clears_pages_and_sounds_but_not_what_was_typed(here, alice, juniper, share):
    one, other, _third, _fourth = (share(juniper).clip_id for _ in range(4))
    assert cleared(here.post(reverse("delete_clip", args=[one]))) == PAGES
    assert cleared(here.post(reverse("delete_ticked_clips"), {"clip": [other]})) == PAGES
    purpose = {"material": "wake-word", "purpose": "researchers"}
    assert cleared(here.post(reverse("withdraw_consent"), purpose)) is None
    assert cleared(here.post(reverse("withdraw_consent"))) == PAGES
    assert cleared(here.post(reverse("delete_all_clips"))) == PAGES

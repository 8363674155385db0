"""A second factor in a browser: a passkey in Chromium's virtual authenticator, and an app without scripts."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import PHONE, too_small, too_wide
from tests.support.factors import code
from tests.support.mutants import mutant
from tests.support.people import PASSWORD

CREATE = """
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from accounts.models import Role, User
person = User.objects.create_user({name!r}, roles=[Role.ANNOTATOR, Role.REVIEWER])
person.password = PBKDF2PasswordHasher().encode({password!r}, "salt", iterations=1)
person.save()
"""


@pytest.fixture
def reviewer(site, visit):
    """A page on which someone, who was just appointed a reviewer, logged in with their password."""

    def one_more(name, **options):
        site.manage("shell", "-v", "0", "-c", CREATE.format(name=name, password=PASSWORD))
        page = visit(base_url=site.url, **options)
        log_in(page, name)
        expect(page.get_by_role("heading", level=1)).to_have_text("Second factor")
        return page

    return one_more


def log_in(page, name):
    page.goto("/accounts/login/")
    page.get_by_label("Pseudonym").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in", exact=True).click()


def log_out(page):
    page.goto("/accounts/logout/")
    page.get_by_role("main").get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name="Log in").first).to_be_visible()


def confirm_if_asked(page):
    if page.get_by_role("heading", name="Confirm Access").count():
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Confirm").click()


def plug_in_a_key(page):
    """A key that also stores passkeys, and whose owner always touches it."""
    keys = page.context.new_cdp_session(page)
    keys.send("WebAuthn.enable")
    about = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    return keys, keys.send("WebAuthn.addVirtualAuthenticator", {"options": about})["authenticatorId"]


@mutant(
    "a passkey logs a reviewer in under the site's strict policy",
    "static/js/site/passkey.js",
    kept_by="    button.disabled = false;\n",
    broken="",
)
def test_a_passkey_is_added_used_renamed_and_removed(reviewer):
    page = reviewer("passkey-reviewer")
    keys, key = plug_in_a_key(page)
    page.goto("/review/")  # leads back here
    page.get_by_role("link", name="Add a key").click()
    confirm_if_asked(page)
    page.get_by_label("Its name, for you").fill("the blue one")
    page.get_by_label("Log in with this key alone").check()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert re.fullmatch(r"(\d{8}\n){9}\d{8}", page.locator("#recovery-codes").inner_text())
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    [stored] = keys.send("WebAuthn.getCredentials", {"authenticatorId": key})["credentials"]
    assert stored["isResidentCredential"] and stored["rpId"] == "localhost"
    page.goto("/review/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Review")

    log_out(page)
    log_in(page, "passkey-reviewer")
    page.get_by_role("button", name="Use a passkey or security key").click()
    expect(page.get_by_role("link", name="Profile")).to_be_visible()
    page.goto("/review/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Review")

    log_out(page)
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Log in with a passkey").click()
    expect(page.get_by_role("link", name="Profile")).to_be_visible()

    page.goto("/accounts/2fa/webauthn/")
    page.get_by_role("link", name="Rename").click()
    confirm_if_asked(page)
    page.get_by_label("Its name, for you").fill("the old one")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("the old one").first).to_be_visible()
    page.get_by_role("link", name="Remove").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("You have none.")).to_be_visible()
    page.goto("/review/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Second factor")


def test_a_key_that_does_not_answer_is_said_and_can_be_tried_again(reviewer):
    page = reviewer("unsure-reviewer")
    keys, key = plug_in_a_key(page)
    keys.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
    page.goto("/accounts/2fa/webauthn/add/")
    confirm_if_asked(page)
    page.get_by_label("Log in with this key alone").check()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("The key did not answer, or you cancelled.")).to_be_visible()
    keys.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": True})
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()


def test_where_keys_cannot_work_the_page_says_so(site, visit):
    page = visit(base_url=site.url.replace("localhost", "127.0.0.1"))
    page.goto("/accounts/login/")
    expect(page.get_by_text("This browser, or this address, cannot use keys.")).to_be_visible()
    expect(page.locator("#passkey")).to_be_hidden()


def test_an_app_is_set_up_and_used_without_scripts_on_a_phone(reviewer):
    page = reviewer("phone-reviewer", java_script_enabled=False, **PHONE)
    page.get_by_role("link", name="Set up an app").click()
    confirm_if_asked(page)
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    secret = page.locator("#secret").inner_text()
    page.get_by_label("Code").fill(code(secret))
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    log_out(page)
    log_in(page, "phone-reviewer")
    page.get_by_label("The code that your app shows").fill(code(secret, steps=1))
    page.get_by_role("button", name="Log in", exact=True).click()
    page.goto("/review/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Review")


def test_the_pages_fit_a_phone(reviewer):
    page = reviewer("narrow-reviewer", **PHONE)
    for address in ("/accounts/2fa/", "/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/add/"):
        page.goto(address)
        confirm_if_asked(page)
        assert too_wide(page) == [] and too_small(page) == []

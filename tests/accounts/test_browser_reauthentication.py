"""In the browser: someone who logged in long ago leaves, is asked who they are, and finds what they chose."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import PHONE, too_small, too_wide
from tests.support.people import PASSWORD, log_in

LONG_AGO = """
from accounts.models import User
from accounts.sessions import SessionStore
for row in User.objects.get_by_natural_key({name!r}).sessions.all():
    store = SessionStore(row.session_key)
    store["logged_in_at"] = 0
    store.save()
"""


@pytest.mark.parametrize("has_scripts", [True, False], ids=["with scripts", "without"])
def test_leaving_after_a_long_time_asks_once_and_keeps_the_choice(site, visit, has_scripts):
    name = f"long-ago-{has_scripts}".lower()
    expected = ["403"] if has_scripts else []  # the script asks first, and is told to let the form go
    page = visit(expected, base_url=site.url, java_script_enabled=has_scripts, **PHONE)
    log_in(site, page, name)
    site.manage("shell", "-v", "0", "-c", LONG_AGO.format(name=name))
    page.goto("/leave/")
    page.get_by_label("Remove them too").check()
    page.get_by_role("button", name="Leave permanently").click()

    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    assert too_wide(page) == [] and too_small(page) == []
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator(".errorlist")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()

    expect(page.get_by_text("Nothing has been done yet")).to_be_visible()
    expect(page.get_by_label("Remove them too")).to_be_checked()
    page.get_by_role("button", name="Leave permanently").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Erasure")

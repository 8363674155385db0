"""The choice of light or dark: in a cookie of the browser, and nowhere else."""

import re

import pytest
from django.urls import reverse

DARK = r'<link rel="stylesheet" href="[^"]*css/dark[^"]*"( media="\(prefers-color-scheme: dark\)")?>'


@pytest.mark.parametrize(
    ("theme", "data", "sheet"),
    [("light", ' data-theme="light"', False), ("dark", ' data-theme="dark"', True), ("plaid", "", True)],
)
def test_a_chosen_theme_holds_for_every_later_page(client, db, theme, data, sheet):
    answered = client.post(reverse("theme"), {"theme": theme, "next": "/ledger/?page=2"})
    assert answered["Location"] == "/ledger/?page=2"
    page = client.get("/accounts/login/").content.decode()
    assert re.search(r"<html[^>]*>", page)[0].endswith(f'"{data}>')
    found = re.search(DARK, page)
    assert bool(found) is sheet and bool(found and found[1]) is (theme == "plaid")


def test_another_word_takes_the_choice_back(client, db):
    client.post(reverse("theme"), {"theme": "dark"})
    client.post(reverse("theme"), {"theme": ""})
    assert "data-theme" not in client.get("/accounts/login/").content.decode()


def test_nothing_but_the_cookie_is_set_and_no_other_site_is_led_to(client, db):
    for elsewhere in ("https://elsewhere.example/", "//elsewhere.example", "\0"):
        answered = client.post(reverse("theme"), {"theme": "dark", "next": elsewhere})
        assert answered.status_code == 302 and "elsewhere" not in answered["Location"]
    [cookie] = answered.cookies.values()
    assert (cookie.key, cookie.value) == ("theme", "dark")
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")

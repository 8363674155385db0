"""The page that draws every component: who sees it, and that it shows what is there."""

import pytest
from django.urls import reverse

from tagger.styleguide import colours, samples
from tests.support.mutants import mutant


@mutant(
    "made-up numbers are shown to nobody who could take them for the site's own",
    "tagger/styleguide/views.py",
    kept_by="    if not (settings.DEBUG or request.user.is_staff):\n",
    broken="    if False:\n",
)
def test_the_page_is_for_staff_and_with_debug_for_everybody(client, admin_user, bea, settings):
    address = reverse("styleguide")
    assert client.get(address).status_code == 404
    client.force_login(bea)
    assert client.get(address).status_code == 404
    settings.DEBUG = True
    assert client.get(address).status_code == 200
    settings.DEBUG = False
    client.force_login(admin_user)
    assert client.get(address).status_code == 200


@pytest.fixture
def styleguide(client, settings, db):
    """The page's text, in whatever state the address asks for."""
    settings.DEBUG = True
    return lambda query="": client.get(reverse("styleguide") + query).content.decode()


def test_every_icon_drawing_and_pair_of_colours_is_shown(styleguide):
    page = styleguide()
    assert len(samples.icons()) > 40
    assert [name for name in samples.icons() if f"icons.svg#{name}" not in page] == []
    assert page.count('class="drawing"') >= len(samples.DRAWINGS)
    for theme in colours.themes().values():
        for pair in colours.pairs(theme):
            assert f">{pair.ratio}</span>" in page
            assert pair.is_enough, pair


@pytest.mark.parametrize(
    ("query", "found", "missing"),
    [
        ("?state=hidden", ">hidden</span>", ">settled</span>"),
        ("?sort=-answers&page=2", 'aria-sort="descending"', 'aria-sort="ascending"'),
        ("?sort=nonsense&page=none", 'aria-sort="ascending"', 'aria-sort="descending"'),
        ("?open=sample-dialog", 'aria-labelledby="sample-dialog-title" open>', "no such words"),
    ],
)
def test_filters_pages_and_the_dialog_work_without_scripts(styleguide, query, found, missing):
    page = styleguide(query)
    assert found in page and missing not in page


def test_pages_of_a_list_keep_its_filters(styleguide):
    page = styleguide("?state=settled&page=2")
    assert 'href="?state=settled&amp;page=1"' in page
    assert 'aria-current="page">2</a>' in page

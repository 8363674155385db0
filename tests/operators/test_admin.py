"""Django's admin: only what has no page of its own, and no page of it reads a whole table."""

import re

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import admin_pages, consent
from accounts.models import Consent, DataKey, Material, Purpose, Role, User
from datasets.models import Campaign, Prompt
from tests.conftest import NOW
from tests.support.factors import give_factor
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db
MOST_OPTIONS = 100


def add_rows(number):
    """So many more people, with a consent that was given and withdrawn, and campaigns."""
    for _ in range(number):
        place = User.objects.count()
        person = User.objects.create_user(f"person{place}", roles=[Role.CONTRIBUTOR, Role.REVIEWER])
        consent.give(person, Material.WAKE_WORD, [Purpose.VOLUNTEERS], NOW, reference=f"form {place}")
        given = Consent.objects.get(contributor=person)
        notice = {"reference_hash": "x", "withdraws": given}
        Consent.objects.create(
            contributor=person, material=given.material, purpose=given.purpose, at=NOW, **notice
        )
        campaign = Campaign.objects.create(
            slug=f"c{place}", kind="transcription", language="en", owner=person, title=f"C {place}"
        )
        Prompt.objects.create(campaign=campaign, text=f"sentence {place}")


def pages(model):
    """Its list, and the page of its newest row."""
    base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    return [base, f"{base}{model.objects.order_by('-pk')[0].pk}/change/"]


def statements(client, address):
    client.get(address)  # that she looked is recorded now
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(address)
    assert answer.status_code == 200, address
    return [query["sql"] for query in captured], answer.content.decode()


def test_only_these_are_in_it():
    """Answers, labels, certificates, events of the record and erasures are written by the site alone."""
    assert {model.__name__ for model in admin.site._registry} == {"User", "Consent", "Campaign"}


def test_no_page_of_it_asks_more_of_a_larger_table(admin_client):
    add_rows(3)
    few = {model: [len(statements(admin_client, page)[0]) for page in pages(model)] for model in registered()}
    add_rows(57)
    many = {
        model: [len(statements(admin_client, page)[0]) for page in pages(model)] for model in registered()
    }
    assert many == few
    assert max(max(each) for each in many.values()) < 20


def test_no_choice_is_longer_than_somebody_reads(admin_client):
    add_rows(MOST_OPTIONS + 1)
    for model in registered():
        for page in pages(model):
            shown = statements(admin_client, page)[1]
            choices = re.findall(r"<select.*?</select>", shown, re.S)
            assert all(choice.count("<option") <= MOST_OPTIONS for choice in choices), page
            assert shown.count('<tr><td class="action-checkbox">') <= 100


def registered():
    return list(admin.site._registry)


def test_no_page_of_people_is_counted_to_its_end(admin_client, monkeypatch):
    monkeypatch.setattr(admin_pages, "MOST_COUNTED", 2)
    add_rows(4)
    for page in ("/admin/accounts/user/", "/admin/accounts/consent/"):
        sent, shown = statements(admin_client, page)
        counts = [sql for sql in sent if "COUNT(" in sql]
        assert counts and all("LIMIT 2" in sql for sql in counts)
        assert shown.count("action-checkbox") <= 3


@pytest.mark.parametrize(
    "query", ["q=person3", "q={pk}", "role=reviewer", "role=admin", "q=person3&role=reviewer"]
)
@pytest.mark.parametrize("table", ["user", "consent"])
def test_what_is_searched_for_is_found_by_an_index(table, query, admin_client):
    if table == "consent" and "role" in query:
        return
    add_rows(5)
    person = User.objects.get_by_natural_key("person3")
    sent, shown = statements(admin_client, f"/admin/accounts/{table}/?{query.format(pk=person.pk)}")
    if "q=" in query:
        assert f"{person.pk}" in shown and "person2" not in shown
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in sent:
            if sql.startswith("SELECT") and '"accounts_' in sql:
                cursor.execute(f"EXPLAIN {sql}")
                plan = "\n".join(row[0] for row in cursor.fetchall())
                assert "Seq Scan on accounts_user" not in plan, sql
                assert "Seq Scan on accounts_consent" not in plan, sql


def test_part_of_a_pseudonym_finds_nobody(admin_client):
    add_rows(2)
    assert "person1</a>" in admin_client.get("/admin/accounts/user/?q=person1").content.decode()
    assert "person1</a>" not in admin_client.get("/admin/accounts/user/?q=person").content.decode()
    for odd in ("9" * 30, "-1", "٣"):
        assert admin_client.get(f"/admin/accounts/user/?q={odd}").status_code == 200


def test_the_consents_of_someone_who_was_erased_are_still_listed(admin_client):
    add_rows(1)
    given = Consent.objects.filter(withdraws=None).get()
    assert "form 1" in admin_client.get("/admin/accounts/consent/").content.decode()
    DataKey.objects.filter(person=given.contributor).delete()
    for page in pages(Consent):
        answer = admin_client.get(page)
        assert answer.status_code == 200 and "form 1" not in answer.content.decode()


@mutant(
    "no campaign is deleted with its clips and answers in the admin",
    "datasets/admin.py",
    kept_by="        return False\n",
    broken="        return True\n",
)
def test_a_campaign_is_not_deleted(admin_client, juniper):
    assert admin_client.get(f"/admin/datasets/campaign/{juniper.pk}/delete/").status_code == 403
    assert (
        admin_client.post(f"/admin/datasets/campaign/{juniper.pk}/delete/", {"post": "yes"}).status_code
        == 403
    )
    sent = {"action": "delete_selected", "_selected_action": [juniper.pk], "post": "yes"}
    admin_client.post("/admin/datasets/campaign/", sent)
    assert Campaign.objects.filter(pk=juniper.pk).exists()


@mutant(
    "consents are neither made nor changed nor deleted in the admin",
    "accounts/admin.py",
    kept_by="class ConsentAdmin(OnlyShown, ShowsPeople):",
    broken="class ConsentAdmin(ShowsPeople):",
)
def test_consents_are_only_shown(admin_client):
    add_rows(1)
    given = Consent.objects.first()
    for page in ("add/", f"{given.pk}/delete/"):
        assert admin_client.get(f"/admin/accounts/consent/{page}").status_code == 403
    assert (
        admin_client.post(f"/admin/accounts/consent/{given.pk}/change/", {"purpose": "public"}).status_code
        == 403
    )


@pytest.mark.parametrize("sentences", [3, 4])
def test_many_sentences_are_not_all_loaded_and_none_is_lost(sentences, admin_client, monkeypatch):
    monkeypatch.setattr("datasets.admin.MOST_PROMPTS", 3)
    add_rows(1)
    campaign = Campaign.objects.get()
    Prompt.objects.bulk_create(
        Prompt(campaign=campaign, text=f"more {number}") for number in range(sentences - 1)
    )
    address = pages(Campaign)[1]
    form = admin_client.get(address).context["adminform"].form
    fields = {name: value for name, value in form.initial.items() if value is not None}
    shown = form.fields["prompts"].initial.splitlines()
    assert len(shown) == 3 and form.fields["prompts"].disabled == (sentences > 3)
    answer = admin_client.post(address, fields | {"prompts": shown[0], "title": "Another"})
    assert answer.status_code == 302
    assert campaign.prompts.count() == (4 if sentences > 3 else 1)
    campaign.refresh_from_db()
    assert campaign.title == "Another"


def test_someone_with_a_powerful_role_alone_is_not_in_the_admin(client):
    rob = give_factor(User.objects.create_user("rob", roles=[Role.REVIEWER, Role.OWNER]))
    client.force_login(rob)
    assert client.get("/admin/").status_code == 302

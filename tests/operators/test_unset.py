"""What is not set up: each thing is said as long as it is missing, and no longer."""

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.core import checks as django_checks
from django.core.cache import cache
from django.test import override_settings
from django.utils import timezone

from accounts import audit, operators
from accounts.models import AuditEvent, Role, Site, User
from datasets.clips import vault
from tagger.operators import checks, seen, tasks, unset
from tests.conftest import NOW
from tests.operators.test_operators import SAID
from tests.support.factors import give_factor
from tests.support.mutants import mutant
from tests.support.reviewing import dispute_over

pytestmark = pytest.mark.django_db

SET_UP = {
    "HTTPS": True,
    "SITE_URL": "https://tag.example",
    "ALLOWED_HOSTS": ["tag.example"],
    "KEYS_COPIED_BY": "true",
    "CONTACT": "hello@tag.example",
    "EMAIL_HOST": "mail.tag.example",
}


QUEUES = [queue.name for queue in django_settings.CELERY_TASK_QUEUES]


@pytest.fixture(autouse=True)
def no_queue_was_seen():
    for queue in QUEUES:
        cache.delete(seen._key(queue))


def names(now=NOW):
    return {each.name for each in unset.of_setup(now)}


@pytest.fixture
def ready(settings, admin_user):
    """Everything is set up."""
    for name, value in SET_UP.items():
        setattr(settings, name, value)
    operators.describe(SAID, admin_user, NOW)
    audit.record(audit.Act.BACKED_UP, "backup", None, NOW)
    return settings


def test_on_a_bare_site_much_is_missing(db):
    missing = {"https", "site", "key copy", "no backup", "operator", "privacy page", "contact", "mail"}
    with override_settings(
        HTTPS=False, SITE_URL="http://localhost:8000", CONTACT=SAID["name"], EMAIL_HOST=""
    ):
        assert names() == missing - {"contact"}


def test_nothing_is_said_of_a_site_that_is_set_up(ready):
    assert names() == set()


@pytest.mark.parametrize(
    ("setting", "value", "name"),
    [
        ("HTTPS", False, "https"),
        ("SITE_URL", "http://localhost:8000", "site"),
        ("ALLOWED_HOSTS", ["*"], "hosts"),
        ("ALLOWED_HOSTS", ["other.example"], "hosts"),
        ("KEYS_COPIED_BY", "", "key copy"),
        ("EMAIL_HOST", "", "mail"),
    ],
)
def test_each_setting_is_missed(setting, value, name, ready):
    setattr(ready, setting, value)
    assert names() == {name}


def test_a_contact_that_nobody_chose_is_none(ready):
    ready.CONTACT = ready.NO_CONTACT
    assert names() == {"contact"}


def test_a_copy_of_keys_that_fails_is_said(ready):
    vault.establish()
    Site.objects.update(keys_not_copied_since=NOW)
    assert names() == {"key copy fails"}


def test_an_old_backup_is_said(ready):
    assert names(NOW + timedelta(days=3)) == {"old backup"}


def test_a_site_without_a_privacy_page_says_so(ready, admin_user):
    operators.describe(SAID | {"privacy_text": ""}, admin_user, NOW)
    assert names() == {"privacy page"}


def test_power_without_a_second_factor_is_said_by_number(ready):
    rob = User.objects.create_user("rob", roles=[Role.REVIEWER])
    [missing] = unset.of_setup(NOW)
    assert (missing.name, missing.detail) == ("factors", str(rob.pk))
    give_factor(rob)
    assert names() == set()


def test_disputes_that_nobody_can_decide_are_said(ready, juniper, share, admin_user):
    dispute_over(share(juniper), NOW)
    assert names() == {"reviewer"}
    admin_user.roles = [Role.REVIEWER]
    admin_user.save()
    assert names() == set()


# --- the work in the background -----------------------------------------------------------------


def test_queues_of_which_a_worker_takes_are_seen(monkeypatch):
    monkeypatch.setattr(seen, "_waits", lambda queue: False)
    for queue in QUEUES:
        tasks.note_queue(queue)
    assert seen.silences(timezone.now()) == {}
    later = timezone.now() + seen.SILENT_AFTER + timedelta(seconds=1)
    assert seen.silences(later) == {seen.Silence.NO_BEAT: QUEUES}
    monkeypatch.setattr(seen, "_waits", lambda queue: queue == "imports")
    assert seen.silences(later) == {seen.Silence.NO_WORKER: ["imports"]}
    [missing] = unset._of_work(later)
    assert missing.detail == "imports" and "worker" in missing.setting


def test_without_redis_that_is_said(settings):
    address = "unix:///nowhere/at.all?db=0"
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": address}}
    assert list(seen.silences(NOW)) == [seen.Silence.NO_REDIS]


def test_beat_asks_each_queue(settings):
    asked = {
        entry["options"]["queue"]
        for entry in settings.CELERY_BEAT_SCHEDULE.values()
        if entry["task"] == "tagger.operators.tasks.note_queue"
    }
    assert asked == {queue.name for queue in settings.CELERY_TASK_QUEUES}


# --- manage.py check --deploy -------------------------------------------------------------------


@mutant(
    "check --deploy says what the admin's pages say is not set up",
    "tagger/operators/checks.py",
    kept_by="            return [_warning(each) for each in unset.of_setup(timezone.now())]\n",
    broken="            return []\n",
)
def test_the_check_says_the_same(db):
    found = django_checks.run_checks(include_deployment_checks=True)
    said = {each.id for each in found if each.id.startswith("tagger.")}
    assert said == {f"tagger.W{unset.NUMBERS[name]:03}" for name in names()}
    assert said


def test_the_page_leaves_out_what_it_says_in_other_words(settings):
    settings.SECURE_HSTS_SECONDS = 0
    assert "security.W004" not in {each.id for each in checks.others()}
    settings.DEBUG = True
    assert "security.W018" in {each.id for each in checks.others()}


def test_every_sentence_names_where_it_is_set(db):
    assert all(bool(each.setting) != bool(each.page) for each in unset.everything(NOW))
    assert AuditEvent.objects.count() == 0  # looking changes nothing

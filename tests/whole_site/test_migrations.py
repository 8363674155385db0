"""Migrations carry over what earlier versions stored, and break no promise."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone
from psycopg2 import sql

from accounts import keyring
from accounts.models import Consent, PersonalSession, ProgramToken, User
from datasets.models import Campaign
from tagger.models import Assignment, Decision, Report, ReviewItem
from tagger.review import acts, undo
from tagger.review.refusals import ReviewRefusal
from tests.clips.test_imports import database_in_plain
from tests.conftest import NOW
from tests.support.reviewing import review_refused

WORDS = "signed by Wilhelmina, third drawer"


class Originals(MigrationLoader):
    """Each migration by itself, as older sites took them: without those that replace several."""

    def load_disk(self):
        super().load_disk()
        each = self.disk_migrations.items()
        self.disk_migrations = {key: migration for key, migration in each if not migration.replaces}


@pytest.fixture
def at(transactional_db):
    """Migrates the database to an older state of one app, or as a site does to the newest; at the end it is
    the newest again."""

    def to(*target):
        executor = MigrationExecutor(connection)
        if target:
            executor.loader = Originals(connection)
        targets = [target] if target else executor.loader.graph.leaf_nodes()
        executor.migrate(targets)
        return executor.loader.project_state(targets).apps

    yield to
    to()
    # As `migrate` does, in case the tables were removed: other tests know the types of content by number.
    emit_post_migrate_signal(verbosity=0, interactive=False, db=connection.alias)


def test_a_site_of_the_first_version_becomes_one_of_the_newest(at, own_home):
    """In one journey, as each takes long: from one place where something was stored otherwise to the next."""
    new = tables()
    wendy = User.objects.create_user("wendy")
    rosa = User.objects.create_user("rosa", roles=["researcher", "annotator"])
    keyring.make(keyring.OLD_HASHES)  # sites of that version had it
    people = taken_out("accounts_user", "accounts_datakey")
    remove_all_tables()
    old = at("accounts", "0003_device")
    put_in(people)
    refer_in_plain(old, wendy)
    at("accounts", "0010_journal_copied")
    digest = give_token_and_session(rosa)
    open_without_title(at("datasets", "0023_campaign_owner"))
    at()
    assert tables() == new
    references_are_encrypted_and_no_plain_copy_stays()
    tokens_keep_what_their_owners_may_and_end_in_ninety_days(rosa, digest)
    campaigns_have_a_title_from_what_they_ask()


def tables():
    """Every column, index and constraint. Names that PostgreSQL or Django gave by themselves are left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%s.%s %s %s %s', table_name, column_name, udt_name, is_nullable, column_default)"
            " FROM information_schema.columns WHERE table_schema = 'public'"
            " UNION ALL SELECT regexp_replace(indexdef, 'INDEX \\S+', 'INDEX') FROM pg_indexes"
            " WHERE schemaname = 'public'"
            " UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE connamespace = 'public'::regnamespace AND contype <> 'n'"
            " UNION ALL SELECT relname || array_to_string(reloptions, ',') FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND reloptions IS NOT NULL"
        )
        return sorted(row[0] for row in cursor.fetchall())


def taken_out(*names):
    """All rows of these tables, in JSON."""
    with connection.cursor() as cursor:
        read = sql.SQL("SELECT json_agg(row)::text FROM {} row")
        found = {}
        for name in names:
            cursor.execute(read.format(sql.Identifier(name)))
            found[name] = cursor.fetchone()[0]
        return found


def remove_all_tables():
    """Then a site migrates to an old version in a third of the time that the way back would take."""
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def put_in(rows):
    """Columns that the older tables lack are left out."""
    write = sql.SQL("INSERT INTO {0} SELECT * FROM json_populate_recordset(NULL::{0}, %s)")
    with connection.cursor() as cursor:
        for name, some in rows.items():
            cursor.execute(write.format(sql.Identifier(name)), [some])


def refer_in_plain(apps, person):
    apps.get_model("accounts", "Consent").objects.create(
        contributor_id=person.pk, material="wake-word", purpose="volunteers", at=NOW, reference=WORDS
    )


def references_are_encrypted_and_no_plain_copy_stays():
    stored = "\n".join(database_in_plain())
    assert WORDS not in stored and WORDS.encode().hex() not in stored
    assert Consent.objects.get().reference == WORDS


def give_token_and_session(person):
    """Tokens were in another table."""
    digest = ProgramToken.digest_of("a token of rosa")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE knox_authtoken (digest varchar(128) PRIMARY KEY, token_key varchar(25),"
            " user_id bigint REFERENCES accounts_user, created timestamptz, expiry timestamptz)"
        )
        values = [digest, "a token of rosa", person.pk, NOW]
        cursor.execute("INSERT INTO knox_authtoken VALUES (%s, %s, %s, %s, NULL)", values)
        cursor.execute(
            "INSERT INTO accounts_personalsession VALUES ('a key', 'data', %s, %s)",
            [NOW + timedelta(seconds=settings.SESSION_COOKIE_AGE), person.pk],
        )
    return digest


def tokens_keep_what_their_owners_may_and_end_in_ninety_days(person, digest):
    """Sessions get the day on which they were stored."""
    token = ProgramToken.objects.get()
    assert (token.user, token.digest, token.prefix, token.created) == (person, digest, "a token ", NOW)
    assert token.scopes == ["tag", "download"]
    assert abs(token.expires_at - timezone.now() - timedelta(days=90)) < timedelta(minutes=5)
    assert "knox_authtoken" not in connection.introspection.table_names()
    [session] = PersonalSession.objects.all()
    assert session.began_on == session.used_on == NOW.date()


def open_without_title(apps):
    old = apps.get_model("datasets", "Campaign")
    old.objects.create(slug="juniper", kind="wake-word", language="en", wake_word="hey juniper")
    old.objects.create(slug="sentences", kind="transcription", language="es-MX")


def campaigns_have_a_title_from_what_they_ask():
    assert list(Campaign.objects.values_list("title", "purpose")) == [
        ("“hey juniper” in English", ""),
        ("Speech in Mexican Spanish", ""),
    ]


@pytest.mark.in_full
def test_reports_move_from_assignments_to_rows_of_their_own(at, alice, bea, carl, juniper, add_tasks):
    hidden, shown_again, example = add_tasks(juniper, 3)
    old = at("tagger", "0010_recount_decided_tasks").get_model("tagger", "Assignment")
    connection.cursor().execute(
        "UPDATE datasets_clip SET hidden_at = %s WHERE id <> %s", [NOW, shown_again.clip_id]
    )
    lent = {"lent_at": NOW, "expires_at": NOW}
    common = {"state": "reported", **lent}
    old.objects.create(
        task_id=hidden.pk, annotator_id=bea.pk, reason="private", part_from=1, part_to=2, **common
    )
    old.objects.create(task_id=shown_again.pk, annotator_id=bea.pk, reason="audio", **common)
    old.objects.create(task_id=example.pk, annotator_id=carl.pk, reason="offensive", role="example", **common)
    old.objects.create(task_id=hidden.pk, annotator_id=carl.pk, state="done", **lent)
    at()
    found = {report.clip_id: report for report in Report.objects.all()}
    assert {clip: (report.reporter, report.reason) for clip, report in found.items()} == {
        hidden.clip_id: (bea, "private"),
        shown_again.clip_id: (bea, "audio"),
        example.clip_id: (carl, "offensive"),
    }
    assert (found[hidden.clip_id].part_from, found[hidden.clip_id].part_to) == (1, 2)
    assert (found[hidden.clip_id].at, found[hidden.clip_id].dismissed_at) == (NOW, None)
    assert found[shown_again.clip_id].dismissed_at is not None
    assert sorted(Assignment.objects.values_list("role", "state")) == [
        ("vote", "done"),
        ("vote", "reported"),
        ("vote", "reported"),
    ]


@pytest.mark.in_full
def test_disputes_and_reports_wait_in_the_review_queue(at, alice, bea, carl, rita, juniper, add_tasks):
    tasks = add_tasks(juniper, 6)
    disputed, decided, hidden, heard, dismissed, left = tasks
    old = at("tagger", "0017_challenges").get_model("tagger", "Dispute")
    old.objects.create(task_id=disputed.pk, opened_at=NOW)
    late = NOW + timedelta(hours=2)
    sent = {"decided_at": late, "reviewer_id": rita.pk, "plain_answer": "no"}
    old.objects.create(task_id=decided.pk, opened_at=NOW, **sent)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE datasets_clip SET hidden_at = %s WHERE id = ANY(%s)",
            [late, [hidden.clip_id, left.clip_id]],
        )
        add = (
            "INSERT INTO tagger_report (clip_id, campaign_id, reporter_id, reason, at, dismissed_at,"
            " plain_note, sealed_note) VALUES (%s, %s, %s, %s, %s, %s, '', '')"
        )
        for task, person, reason, over_at in (
            (hidden, bea, "audio", None),
            (hidden, carl, "private", None),
            (heard, bea, "language", None),
            (dismissed, bea, "private", late),
        ):
            cursor.execute(add, [task.clip_id, juniper.pk, person.pk, reason, NOW, over_at])
    at()
    items = ReviewItem.objects.order_by("pk")
    assert [
        (item.kind, item.reason, item.clip_id, item.task_id, item.rank, item.opened_at, item.closed_at)
        for item in items
    ] == [
        ("dispute", "no-agreement", disputed.clip_id, disputed.pk, 1, NOW, None),
        ("dispute", "no-agreement", decided.clip_id, decided.pk, 1, NOW, late),
        ("report", "private", hidden.clip_id, None, 0, NOW, None),
        ("report", "language", heard.clip_id, None, 1, NOW, None),
        ("report", "other-person", left.clip_id, None, 1, late, None),
    ]
    assert {(item.campaign, item.language) for item in items} == {(juniper, "en")}
    [decision] = Decision.objects.all()
    assert (decision.item, decision.act, decision.answer) == (items[1], "accept", "no")
    assert (decision.reviewer, decision.decided_at, decision.before) == (rita, late, {})
    with review_refused(ReviewRefusal.CHANGED_SINCE):
        undo.undo(decision, rita, late)
    acts.accept(items[0], rita, "yes", late)
    acts.dismiss(items[4], rita, late)
    assert not Report.objects.open().filter(clip=left.clip_id).exists()

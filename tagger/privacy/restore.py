"""Restore a backup without bringing back anyone who left since it was made.

Whoever holds a backup could bring back what people erased; so a restore needs today's key folder, with the
copy of the keys and the opt-out journal. It puts the keys of those who stayed into the old database, then
carries out again what the journal says. Until all of that is done the key folder's mark says so, and no
process of the site starts: one that is killed is run again from its beginning.
"""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from allauth.mfa.models import Authenticator
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Max
from django.db.models.functions import Now

from accounts import audit, consent, devices, journal, key_copy, keyring, site
from accounts.factors import authenticators
from accounts.models import Consent, DataKey, MasterKey, PersonalSession, ProgramToken, User
from datasets import reviewing
from datasets.access import asking as access
from datasets.access import recall_notices
from datasets.clips import fingerprints, vault
from datasets.models import Clip, Withdrawal
from datasets.releases import taking_back
from datasets.webhooks import keeping as webhooks
from tagger.progress import teams

from . import backup, withdrawal
from . import key_copy as clip_copy

# Numbers that were given out after the backup was made must never be given out again.
SPARE = 100_000


class RestoreRefused(Exception):
    """The text says what is wrong and what to do; nothing was changed."""


@dataclass
class Restored:
    """What a restore did, in numbers."""

    people: int = 0
    clips: int = 0
    files: int = 0
    missing_files: int = 0
    keys: int = 0
    unreadable_keys: int = 0
    consents_ended_again: int = 0
    devices_revoked_again: int = 0
    tokens_revoked_again: int = 0
    factors_removed_again: int = 0
    recovery_codes_used_again: int = 0
    webhooks_ended_again: int = 0
    rights_ended_again: int = 0
    erased_again: int = 0
    receipts_found_again: int = 0
    events_lost: int = 0


def run(source: Path, now: datetime, dump: str | None, say: Callable[[str], Any]) -> Restored:
    """Restore the newest backup in this folder, or `dump`. Raises RestoreRefused and backup.BackupFailed."""
    path, manifest = _manifest(source, dump)
    _check_keys(manifest)
    _check_target()
    with site.restoring():
        return _run(source, path, manifest, now, say)


def run_in_place(now: datetime, say: Callable[[str], Any]) -> Restored:
    """As `run`, for a database and a vault that someone restored by other means. Raises RestoreRefused."""
    mark = keyring.read_mark()
    if mark is None or not keyring.masters():
        raise RestoreRefused(f"the keys of this site are not in {keyring.folder()}")
    _check_alone()
    with site.restoring():
        keyring.write_mark(mark["site"], complete=False, restoring="a database in place")
        _adopt_masters()
        vault.mark_restored(mark["site"])
        return _open_and_replay(mark["site"], now, say, Restored())


def _run(
    source: Path, path: Path, manifest: dict[str, Any], now: datetime, say: Callable[[str], Any]
) -> Restored:
    keyring.write_mark(str(manifest["site"]), complete=False, restoring=path.name)
    done = Restored()
    say(f"database: restoring {path.name}")
    _restore_database(path)
    call_command("migrate", "--noinput", verbosity=0)
    _adopt_masters()
    done.files, done.missing_files = _restore_vault(source / "vault", manifest)
    return _open_and_replay(str(manifest["site"]), now, say, done)


def _open_and_replay(uuid: str, now: datetime, say: Callable[[str], Any], done: Restored) -> Restored:
    say("keys: opening everything for those who stayed")
    _put_keys_back(done)
    say("journal: carrying out again what people ended since")
    _replay(now, done)
    last = 0
    while last := fingerprints.rehash_restored(last):  # now that only clips are left that open
        pass
    done.people = User.objects.filter(data_key__isnull=False).count()
    done.clips = Clip.objects.count()
    keyring.write_mark(uuid, complete=True)
    return done


def _manifest(source: Path, dump: str | None) -> tuple[Path, dict[str, Any]]:
    found = sorted((source / "database").glob("*.json"))
    if dump:
        found = [path for path in found if path.stem == Path(dump).stem]
    if not found:
        raise RestoreRefused(f"{source} has no complete backup{f' {dump}' if dump else ''}")
    try:
        manifest = json.loads(found[-1].read_text())
        path = source / "database" / manifest["dump"]
        if manifest["schema"] != backup.SCHEMA:
            raise RestoreRefused(f"{found[-1]} is of another kind: {manifest['schema']}")
        if path.stat().st_size != manifest["bytes"] or backup.sha256(path) != manifest["sha256"]:
            raise RestoreRefused(f"{path} is not as it was written; choose another with --dump")
    except (ValueError, KeyError, TypeError) as error:
        raise RestoreRefused(f"{found[-1]} cannot be read: {error}") from None
    except FileNotFoundError as error:
        raise RestoreRefused(f"{error.filename} is missing; choose another with --dump") from None
    return path, manifest


def _check_keys(manifest: dict[str, Any]) -> None:
    mark = keyring.read_mark()
    if mark is None or not keyring.masters() or not keyring.exists(keyring.SIGNING):
        raise RestoreRefused(
            f"the keys of site {manifest['site']} are not in {keyring.folder()}: put the newest copy of its"
            " key folder there, with its journal, or set MASTER_KEYS to it"
        )
    if mark["site"] != manifest["site"]:
        raise RestoreRefused(
            f"the backup is of site {manifest['site']}, the keys in {keyring.folder()} are of {mark['site']}"
        )
    if manifest["newest_master_key"] not in keyring.masters() and not any(key_copy.read()):
        raise RestoreRefused(
            f"the master key of this backup was destroyed since, and {keyring.folder()} has no copy of the"
            " keys (copy.sqlite3): without it nothing in the backup opens"
        )
    journal.entries()  # raises if it cannot be read, before anything is changed


def _check_target() -> None:
    """The database has no people, unless an unfinished restore put them there; no one else uses it."""
    is_retried = bool((keyring.read_mark() or {}).get("restoring"))
    tables = connection.introspection.table_names()
    if not is_retried and User._meta.db_table in tables and User.objects.exists():
        raise RestoreRefused("the database has people in it: restore into an empty database")
    _check_alone()


def _check_alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        if others := cursor.fetchone()[0]:
            raise RestoreRefused(f"{others} other programs use the database: stop the site first")


def _restore_database(path: Path) -> None:
    """Replace everything in the database, in one transaction of pg_restore's."""
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS public CASCADE")
        cursor.execute("CREATE SCHEMA public")
    program = backup.program("pg_restore")
    connection.close()
    # Some dumps create the schema too.
    listed = backup.run([program, "--list", str(path)]).splitlines(keepends=True)
    with tempfile.NamedTemporaryFile("w", suffix=".list") as wanted:
        wanted.writelines(line for line in listed if " SCHEMA " not in line)
        wanted.flush()
        backup.run(
            [
                *(program, "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"),
                *("--use-list", wanted.name, "--dbname", str(connection.settings_dict["NAME"]), str(path)),
            ]
        )


@transaction.atomic
def _adopt_masters() -> None:
    """The table of master keys, as the key folder has them today."""
    for name in keyring.masters():
        MasterKey.objects.update_or_create(
            number=int(name),
            defaults={"used_since": Now(), "retired_at": None, "destroyed_at": None, "gone_at": None},
        )
    missing = [each.pk for each in MasterKey.objects.all() if not keyring.exists(each.name)]
    MasterKey.objects.filter(pk__in=missing).update(
        used_since=Now(), retired_at=Now(), destroyed_at=Now(), gone_at=Now()
    )


def _restore_vault(source: Path, manifest: dict[str, Any]) -> tuple[int, int]:
    """Put back every clip's file that is missing; returns how many were, and how many are nowhere."""
    storage, copied, missing = storages["vault"], 0, 0
    for name in Clip.objects.order_by("pk").values_list("stored_as", flat=True).iterator(chunk_size=2_000):
        if storage.exists(name):
            continue
        try:
            storage.save(name, ContentFile((source / name).read_bytes()))
            copied += 1
        except FileNotFoundError:  # erased since, or lost
            missing += 1
    vault.mark_restored(str(manifest["site"]))
    return copied, missing


def _put_keys_back(done: Restored) -> None:
    done.keys = clip_copy.restore()
    in_use = keyring.masters()
    lost = DataKey.objects.exclude(master__in=in_use).exclude(person__in=_leaving())
    done.unreadable_keys = lost.count()
    lost.update(unreadable_since=Now())


def _leaving() -> set[int]:
    """Everyone who left according to the journal; their keys are in no copy, as it should be."""
    return {
        entry["person_id"]
        for entry in journal.entries()
        if entry["kind"] == "withdrawal" and entry["scope"] == Withdrawal.Scope.ACCOUNT
    }


def _replay(now: datetime, done: Restored) -> None:
    entries = journal.entries()
    _skip_numbers(entries)
    PersonalSession.objects.all().delete()
    for entry in entries:
        if entry["kind"] == "consents":
            at = datetime.fromisoformat(entry["written_at"])
            done.consents_ended_again += consent.end_again(entry["ended"], at)
        elif entry["kind"] == "device":
            on = date.fromisoformat(entry["on"])
            done.devices_revoked_again += devices.revoke_again(entry["uuid"], on)
        elif entry["kind"] == "token":
            done.tokens_revoked_again += ProgramToken.objects.filter(digest=entry["digest"]).delete()[0]
        elif entry["kind"] == "factor":
            done.factors_removed_again += authenticators.remove_again(entry["factor"])
        elif entry["kind"] == "recovery-code":
            done.recovery_codes_used_again += authenticators.use_again(entry["factor"], entry["used"])
        elif entry["kind"] == "webhook":
            done.webhooks_ended_again += webhooks.end_again(entry["webhook"])
        elif entry["kind"] == "invitation":
            sha256 = entry["sha256"]
            done.rights_ended_again += sum(each.end_again(sha256) for each in withdrawal.INVITATIONS)
        elif entry["kind"] == access.ENDED:
            done.rights_ended_again += access.end_again(entry)
        elif entry["kind"] == recall_notices.ENDED:
            done.rights_ended_again += recall_notices.end_again(entry)
        elif entry["kind"] == taking_back.ENDED:
            done.rights_ended_again += taking_back.end_again(entry)
        elif entry["kind"] == reviewing.ENDED:
            done.rights_ended_again += reviewing.end_again(entry)
        elif entry["kind"] in teams.ENDINGS:
            done.rights_ended_again += teams.end_again(entry)
        elif entry["kind"] == "withdrawal":
            done.receipts_found_again += withdrawal.ask_again(entry)
    # The first of each: an earlier restore may have finished the same erasure again.
    endings = [entry for entry in entries if entry["kind"] == "erased"]
    erased = {entry["token_sha256"]: entry for entry in reversed(endings)}
    lost_to = max((entry["event"]["number"] for entry in endings), default=0)
    known = audit.head()
    done.events_lost = max(0, lost_to - (known.number if known else 0))
    audit.record_restore(lost_to, now)
    for pk in withdrawal.unfinished():
        request = Withdrawal.objects.get(pk=pk)
        if User.objects.filter(pk=request.person_id).exists():
            withdrawal.scrub(request, lambda: now)
            done.erased_again += 1
        else:
            withdrawal.finish(request, now)  # they signed up after the backup was made
        if request.token_sha256 in erased:
            withdrawal.finished_before(request, erased[request.token_sha256])


def _skip_numbers(entries: list[journal.Entry]) -> None:
    """Never again give out a number that someone had after the backup: the journal names them by it."""
    people = [entry["person_id"] for entry in entries if "person_id" in entry]
    people += [line["person"] for line in key_copy.read() if "person" in line]
    consents = [pk for entry in entries if entry["kind"] == "consents" for pk in entry["ended"]]
    factors = [entry["factor"] for entry in entries if "factor" in entry]
    skipped: list[tuple[Any, list[int]]] = [(User, people), (Consent, consents), (Authenticator, factors)]
    for model, numbers in (*skipped, (Withdrawal, [])):
        used = model._default_manager.aggregate(last=Max("pk"))["last"] or 0
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)",
                [model._meta.db_table, max([used, *numbers]) + SPARE],
            )

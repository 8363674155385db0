import hashlib
import hmac

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from accounts.ciphers import seal as sealed
from accounts.ciphers import unseal


def keyed_hash(text):
    """As this version of the site made it. Its key is there, or the master key that is read below is not."""
    key = (settings.MASTER_KEYS / "names.key").read_bytes()
    return hmac.new(key, text.encode(errors="replace"), hashlib.sha256).hexdigest()


def seal(apps, schema_editor):
    """What consents refer to, typed in plain so far, under each contributor's data key."""
    Consent, DataKey = apps.get_model("accounts", "Consent"), apps.get_model("accounts", "DataKey")
    for given in Consent.objects.exclude(reference=""):
        person = given.contributor_id
        held = DataKey.objects.filter(person_id=person).first()
        given.reference_hash = keyed_hash(f"consent reference of {person}: {given.reference}")
        if held is not None:  # else they left, and nobody may read it any more
            key = unseal((settings.MASTER_KEYS / f"{held.master}.key").read_bytes(), bytes(held.wrapped), f"data key of {person}")
            label = f"consent reference of {person}"
            given.sealed_reference = sealed(key, given.reference.encode(), label)
        given.save(update_fields=["reference_hash", "sealed_reference"])


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_device'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditEvent',
            fields=[
                ('number', models.BigIntegerField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('act', models.CharField(choices=[('heard', 'heard a clip outside of the queue'), ('decided', 'decided a dispute'), ('dismissed', 'dismissed a report'), ('released', 'published a release'), ('exported', 'exported a release'), ('took-along', 'took everything held about themselves along'), ('set-roles', 'changed what somebody may do'), ('erased', 'finished an erasure'), ('turned-over', 'turned the master key over')], max_length=20)),
                ('about', models.CharField(max_length=100)),
                ('who_sha256', models.CharField(blank=True, max_length=64)),
                ('sha256', models.CharField(max_length=64)),
                ('salt', models.BinaryField(default=bytes)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='consent',
            name='consent_says_what_was_agreed',
        ),
        migrations.AddField(
            model_name='consent',
            name='reference_hash',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='consent',
            name='sealed_reference',
            field=models.BinaryField(default=bytes),
        ),
        migrations.RunPython(seal, migrations.RunPython.noop),
        migrations.RemoveField(
            model_name='consent',
            name='reference',
        ),
        # A dropped column's text stays in the table's file until the table is written anew.
        migrations.RunSQL("CLUSTER accounts_consent USING accounts_consent_pkey", migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(('notice__isnull', False), models.Q(('reference_hash', ''), _negated=True), ('withdraws__isnull', False), _connector='OR'), name='consent_says_what_was_agreed'),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='person',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='audit_events', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['about'], name='audit_by_what'),
        ),
    ]

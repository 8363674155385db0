"""Tokens get scopes and an end, in a table of our own; sessions get the days on which they began and were used."""

from datetime import timedelta

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

DAYS = 90
SCOPES = (("tag", "annotator"), ("import", "contributor"), ("download", "researcher"))


def move_tokens(apps, schema_editor):
    """Each keeps all scopes that its owner's roles allow, and ends in 90 days."""
    connection = schema_editor.connection
    if "knox_authtoken" not in connection.introspection.table_names():
        return
    scopes = ", ".join(
        f"CASE WHEN person.is_superuser OR '{role}' = ANY(person.roles) THEN '{scope}' END" for scope, role in SCOPES
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO accounts_programtoken (user_id, digest, prefix, scopes, created, expires_at)
            SELECT token.user_id, token.digest, left(token.token_key, 8), array_remove(ARRAY[{scopes}], NULL),
                token.created, least(token.expiry, now() + %s)
            FROM knox_authtoken token JOIN accounts_user person ON person.id = token.user_id
            ORDER BY token.created
            """,
            [timedelta(days=DAYS)],
        )
        cursor.execute("DROP TABLE knox_authtoken")


def date_sessions(apps, schema_editor):
    """A session was last stored `SESSION_COOKIE_AGE` before it ends; on no later day did it begin."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_personalsession SET began_on = day, used_on = day FROM"
            " (SELECT session_key AS key, (expire_date - %s)::date AS day FROM accounts_personalsession) each"
            " WHERE session_key = key",
            [timedelta(seconds=settings.SESSION_COOKIE_AGE)],
        )


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0010_journal_copied'),
    ]

    operations = [
        migrations.AddField(
            model_name='personalsession',
            name='began_on',
            field=models.DateField(db_default=django.db.models.functions.comparison.Cast(django.db.models.functions.datetime.Now(), models.DateField())),
        ),
        migrations.AddField(
            model_name='personalsession',
            name='used_on',
            field=models.DateField(db_default=django.db.models.functions.comparison.Cast(django.db.models.functions.datetime.Now(), models.DateField())),
        ),
        migrations.CreateModel(
            name='ProgramToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=128, unique=True)),
                ('prefix', models.CharField(max_length=25)),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(choices=[('tag', 'borrow clips, hear them, answer and report'), ('import', 'add recordings of your own (for calls to come)'), ('download', 'download releases')]), size=None)),
                ('created', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField()),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tokens', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.RunPython(move_tokens, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(date_sessions, migrations.RunPython.noop, elidable=True),
    ]

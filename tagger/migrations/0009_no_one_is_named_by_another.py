from django.db import migrations

# Copiers named each other by number. The next refit, within an hour, stores words instead.
COPIES = """
    UPDATE tagger_reliability SET skill = jsonb_set(skill, '{copies}', '[]')
    WHERE jsonb_typeof(skill) = 'object'
"""
# Disputes named reviewers who had left.
REVIEWERS = """
    UPDATE tagger_dispute SET reviewer_id = NULL
    FROM accounts_user person WHERE person.id = reviewer_id AND person.username LIKE 'gone-%'
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_plain_words"),
        ("datasets", "0018_kept_answers_are_no_ones"),
        ("tagger", "0008_plain_words"),
    ]

    operations = [
        migrations.RunSQL(COPIES, migrations.RunSQL.noop),
        migrations.RunSQL(REVIEWERS, migrations.RunSQL.noop),
    ]

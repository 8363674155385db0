from django.db import migrations

from tagger.demo import load


def mark(apps, schema_editor):
    load.mark(apps.get_model("accounts", "User").objects)


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0013_second_factor"),
        ("tagger", "0013_reports_of_assignments"),
    ]

    operations = [migrations.RunPython(mark, migrations.RunPython.noop, elidable=True)]

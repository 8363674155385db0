from django.db import migrations


def mark(apps, schema_editor):
    from tagger.demo import load  # half of the engine comes with it

    load.mark(apps.get_model("accounts", "User").objects)


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0013_second_factor"),
        ("tagger", "0013_reports_of_assignments"),
    ]

    operations = [migrations.RunPython(mark, migrations.RunPython.noop, elidable=True)]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("datasets", "0044_licences_as_given")]

    operations = [
        migrations.AddField(
            model_name="release",
            name="contents",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
    ]

from django.db import migrations, models

# A release of such a campaign had the licence that its clips allow, and still has.
FORWARD = "UPDATE datasets_campaign SET release_licence = '' WHERE release_licence = 'CC0-1.0'"
BACK = "UPDATE datasets_campaign SET release_licence = 'CC0-1.0' WHERE release_licence = ''"


class Migration(migrations.Migration):
    dependencies = [("datasets", "0043_quality_in_releases")]

    operations = [
        migrations.AlterField(
            model_name="campaign",
            name="release_licence",
            field=models.CharField(blank=True, db_default="", default="", max_length=40),
        ),
        migrations.RunSQL(FORWARD, BACK),
    ]

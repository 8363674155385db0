from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("datasets", "0001_initial")]

    operations = [
        migrations.AddField(
            "clip",
            "held_until",
            models.DateTimeField(
                blank=True, help_text="until then nobody but the contributor hears it", null=True
            ),
        )
    ]

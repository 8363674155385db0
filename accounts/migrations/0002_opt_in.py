from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.AddField("consent", "disguised", models.BooleanField(default=False)),
        migrations.AddConstraint(
            "consent",
            models.CheckConstraint(
                condition=Q(disguised=False)
                | Q(material="wake-word", purpose="volunteers", withdraws=None),
                name="only_volunteers_hear_disguised_and_only_wake_words",
            ),
        ),
    ]

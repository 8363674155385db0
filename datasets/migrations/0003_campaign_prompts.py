import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import datasets.models


class Migration(migrations.Migration):
    dependencies = [("datasets", "0002_clip_held_until")]

    operations = [
        migrations.CreateModel(
            "Prompt",
            [
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "text",
                    models.CharField(
                        max_length=200,
                        validators=[
                            datasets.models.short_enough_to_read,
                            django.core.validators.ProhibitNullCharactersValidator(),
                        ],
                    ),
                ),
                ("times_read", models.PositiveIntegerField(default=0)),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="prompts",
                        to="datasets.campaign",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["campaign", "times_read", "id"], name="prompts_least_read_first")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("campaign", "text"), name="one_prompt_per_sentence")
                ],
            },
        ),
        migrations.CreateModel(
            "Reading",
            [
                (
                    "task",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="reading",
                        serialize=False,
                        to="datasets.task",
                    ),
                ),
                ("mark", models.CharField(max_length=64, unique=True)),
            ],
        ),
    ]

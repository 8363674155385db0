from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("datasets", "0008_task_spread")]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="must_hear",
            field=models.FloatField(
                default=1.0,
                help_text="the share of a clip, 0 to 1, that must have sounded before “Yes” or a transcript can be given; half of it is enough for the other answers. The page keeps this rule, for people; a program that calls the site hears as it likes",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=Q(must_hear__gte=0) & Q(must_hear__lte=1),
                name="campaign_must_hear_is_a_share",
                violation_error_message="What must be heard lies between 0 and 1.",
            ),
        ),
    ]

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0015_plainer_words'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='languages',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=8), blank=True, null=True, size=None),
        ),
        migrations.AddField(
            model_name='user',
            name='daily_goal',
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
    ]

"""Reword the label of a scope. Runs no SQL."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0014_pseudonyms_of_any_script'),
    ]

    operations = [
        migrations.AlterField(
            model_name='programtoken',
            name='scopes',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.TextField(choices=[('tag', 'borrow clips, hear them, answer and report'), ('import', 'add recordings of your own (not available yet)'), ('download', 'download releases')]), size=None),
        ),
    ]

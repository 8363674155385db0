from django.db import migrations, models

from datasets import titles


def fill(apps, schema_editor):
    """Each campaign was called by its question, which others of its kind have, too."""
    for campaign in apps.get_model("datasets", "Campaign").objects.filter(title=""):
        campaign.title = titles.default(campaign.language, campaign.wake_word)
        campaign.save(update_fields=["title"])


class Migration(migrations.Migration):

    dependencies = [
        ('datasets', '0023_campaign_owner'),
    ]

    operations = [
        migrations.AddField(
            model_name='campaign',
            name='title',
            field=models.CharField(blank=True, db_default='', default='', help_text='what people call it; empty: made from its kind and language', max_length=80),
        ),
        migrations.AddField(
            model_name='campaign',
            name='purpose',
            field=models.CharField(blank=True, db_default='', default='', help_text='one sentence: what it is for', max_length=240),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]

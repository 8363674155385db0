from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('tagger', '0019_disputes_and_reports_queue_up'),
    ]

    operations = [
        migrations.DeleteModel(
            name='Dispute',
        ),
    ]

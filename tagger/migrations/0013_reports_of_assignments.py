from django.db import migrations, models

# The time of a report was not stored. The moment in which its clip was hidden is the closest to it, and says
# that this report hid it. A reported clip that is shown was shown again by a reviewer.
COPY = """
    INSERT INTO tagger_report
        (clip_id, campaign_id, reporter_id, reason, part_from, part_to, at, dismissed_at)
    SELECT DISTINCT ON (task.clip_id, given.annotator_id)
        task.clip_id, task.campaign_id, given.annotator_id, given.reason, given.part_from, given.part_to,
        COALESCE(clip.hidden_at, given.lent_at), CASE WHEN clip.hidden_at IS NULL THEN now() END
    FROM tagger_assignment given
    JOIN datasets_task task ON task.id = given.task_id
    JOIN datasets_clip clip ON clip.id = task.clip_id
    WHERE given.reason <> ''
    ORDER BY task.clip_id, given.annotator_id, given.lent_at
"""
# Their only content was the report.
OF_EXAMPLES = "DELETE FROM tagger_assignment WHERE role = 'example'"


class Migration(migrations.Migration):
    dependencies = [("tagger", "0012_reports")]

    operations = [
        migrations.RunSQL(COPY, migrations.RunSQL.noop),
        migrations.RunSQL(OF_EXAMPLES, migrations.RunSQL.noop),
        migrations.RemoveField(
            model_name='assignment',
            name='part_from',
        ),
        migrations.RemoveField(
            model_name='assignment',
            name='part_to',
        ),
        migrations.RemoveField(
            model_name='assignment',
            name='reason',
        ),
        migrations.AlterField(
            model_name='assignment',
            name='role',
            field=models.CharField(choices=[('vote', 'an answer that is wanted'), ('control', 'a task whose answer is known'), ('repeat', "the volunteer's own earlier task, lent again")], default='vote', max_length=10),
        ),
    ]

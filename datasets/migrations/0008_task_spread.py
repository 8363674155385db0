

import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.math
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('datasets', '0007_certificate'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='task',
            name='tasks_to_lend',
        ),
        migrations.AddField(
            model_name='task',
            name='spread',
            field=models.IntegerField(db_default=django.db.models.functions.comparison.Cast(django.db.models.expressions.CombinedExpression(django.db.models.functions.math.Random(), '*', models.Value(2147483647)), models.IntegerField())),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(models.F('campaign'), models.OrderBy(models.F('annotation_count'), descending=True), models.F('priority'), models.F('spread'), condition=models.Q(('status', 'open')), name='tasks_to_lend'),
        ),
    ]

import django.db.models.deletion

import accounts.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0011_tokens_and_sessions'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('asked_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('events', models.BigIntegerField(default=0)),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('broken_at', models.BigIntegerField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='FailedLogIns',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateTimeField()),
                ('name_hash', models.CharField(max_length=64)),
                ('count', models.PositiveIntegerField()),
            ],
        ),
        migrations.RemoveIndex(
            model_name='auditevent',
            name='audit_by_what',
        ),
        migrations.AddField(
            model_name='auditevent',
            name='details',
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.AlterField(
            model_name='auditevent',
            name='act',
            field=models.CharField(choices=accounts.models.acts, max_length=20),
        ),
        migrations.AlterField(
            model_name='auditevent',
            name='person',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='audit_events', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['about', 'at'], name='audit_by_what'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['act', 'number'], name='audit_by_act'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['person', 'number'], name='audit_by_person'),
        ),
        migrations.AddConstraint(
            model_name='auditcheck',
            constraint=models.CheckConstraint(condition=models.Q(('id', 1)), name='one_audit_check'),
        ),
        migrations.AddConstraint(
            model_name='failedlogins',
            constraint=models.UniqueConstraint(fields=('since', 'name_hash'), name='one_count_per_name_and_window'),
        ),
    ]

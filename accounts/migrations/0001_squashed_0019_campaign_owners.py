"""What 0001 to 0019 make together, for databases that have none of them; an older one still takes those."""

import accounts.models
import accounts.pseudonyms
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models

from accounts.migrating import Together


class Migration(migrations.Migration):

    replaces = [
        ('accounts', '0001_initial'),
        ('accounts', '0002_opt_in'),
        ('accounts', '0003_device'),
        ('accounts', '0004_sealed_reference_and_audit'),
        ('accounts', '0005_pledge_and_belonging'),
        ('accounts', '0006_defaults_in_the_database'),
        ('accounts', '0007_plain_words'),
        ('accounts', '0008_site_and_master_keys'),
        ('accounts', '0009_restored_event'),
        ('accounts', '0010_journal_copied'),
        ('accounts', '0011_tokens_and_sessions'),
        ('accounts', '0012_audit_details'),
        ('accounts', '0013_second_factor'),
        ('accounts', '0014_pseudonyms_of_any_script'),
        ('accounts', '0015_plainer_words'),
        ('accounts', '0016_languages_and_daily_goal'),
        ('accounts', '0017_review_scope'),
        ('accounts', '0018_privacy_reviewers'),
        ('accounts', '0019_campaign_owners'),
    ]

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        Together(
            migrations.CreateModel(
                name='User',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('password', models.CharField(max_length=128, verbose_name='password')),
                    ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                    ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                    ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                    ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                    ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                    ('username', models.CharField(max_length=150, unique=True, validators=[accounts.pseudonyms.check], verbose_name='pseudonym')),
                    ('sealed_name', models.BinaryField(default=bytes)),
                    ('sealed_email', models.BinaryField(default=bytes)),
                    ('roles', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(choices=[('contributor', 'contributor'), ('annotator', 'volunteer'), ('reviewer', 'reviewer'), ('researcher', 'researcher'), ('privacy-reviewer', 'privacy reviewer'), ('owner', 'campaign owner')]), blank=True, default=accounts.models.newcomer_roles, size=None)),
                    ('cooling_off', models.PositiveSmallIntegerField(default=72)),
                    ('on_leaderboard', models.BooleanField(db_default=False, default=False)),
                    ('pledge', models.CharField(blank=True, db_default='', default='', max_length=8)),
                    ('shows_streak', models.BooleanField(db_default=False, default=False)),
                    ('is_demo', models.BooleanField(db_default=False, default=False, editable=False)),
                    ('languages', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=8), blank=True, null=True, size=None)),
                    ('daily_goal', models.PositiveSmallIntegerField(blank=True, null=True)),
                    ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                    ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
                ],
                options={
                    'verbose_name': 'user',
                    'verbose_name_plural': 'users',
                    'abstract': False,
                },
                managers=[
                    ('objects', accounts.models.People()),
                ],
            ),
            migrations.CreateModel(
                name='ConsentNotice',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('version', models.PositiveIntegerField()),
                    ('language', models.CharField(max_length=35)),
                    ('text', models.TextField()),
                    ('sha256', models.CharField(max_length=64)),
                    ('published_at', models.DateTimeField()),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('version', 'language'), name='one_notice_per_version')],
                },
            ),
            migrations.CreateModel(
                name='PersonalSession',
                fields=[
                    ('session_key', models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name='session key')),
                    ('session_data', models.TextField(verbose_name='session data')),
                    ('expire_date', models.DateTimeField(db_index=True, verbose_name='expire date')),
                    ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='sessions', to=settings.AUTH_USER_MODEL)),
                    ('began_on', models.DateField(db_default=django.db.models.functions.comparison.Cast(django.db.models.functions.datetime.Now(), models.DateField()))),
                    ('used_on', models.DateField(db_default=django.db.models.functions.comparison.Cast(django.db.models.functions.datetime.Now(), models.DateField()))),
                ],
                options={
                    'verbose_name': 'session',
                    'verbose_name_plural': 'sessions',
                    'abstract': False,
                },
            ),
            migrations.CreateModel(
                name='DataKey',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('wrapped', models.BinaryField()),
                    ('master', models.CharField(max_length=32)),
                    ('generation', models.PositiveIntegerField(default=1)),
                    ('person', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='data_key', to=settings.AUTH_USER_MODEL)),
                    ('unreadable_since', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'indexes': [models.Index(fields=['master', 'id'], name='data_keys_by_master')],
                },
            ),
            migrations.CreateModel(
                name='Consent',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('material', models.CharField(choices=[('wake-word', 'wake-word clips'), ('utterance', 'what was said after, or read aloud')], max_length=20)),
                    ('purpose', models.CharField(choices=[('volunteers', 'volunteers may hear'), ('researchers', 'named researchers may have'), ('public', 'public releases may hold')], max_length=20)),
                    ('at', models.DateTimeField()),
                    ('contributor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='consents', to=settings.AUTH_USER_MODEL)),
                    ('withdraws', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='withdrawal', to='accounts.consent')),
                    ('notice', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='accounts.consentnotice')),
                    ('disguised', models.BooleanField(default=False)),
                    ('reference_hash', models.CharField(blank=True, max_length=64)),
                    ('sealed_reference', models.BinaryField(default=bytes)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('withdraws', None)), fields=['contributor', 'material', 'purpose'], name='consents_given')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('withdraws', None), models.Q(('withdraws', models.F('id')), _negated=True), _connector='OR'), name='consent_does_not_end_itself'), models.CheckConstraint(condition=models.Q(('disguised', False), models.Q(('material', 'wake-word'), ('purpose', 'volunteers'), ('withdraws', None)), _connector='OR'), name='only_volunteers_hear_disguised_and_only_wake_words'), models.CheckConstraint(condition=models.Q(('notice__isnull', False), models.Q(('reference_hash', ''), _negated=True), ('withdraws__isnull', False), _connector='OR'), name='consent_says_what_was_agreed')],
                },
            ),
            migrations.CreateModel(
                name='Device',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('uuid', models.UUIDField(default=uuid.uuid4, unique=True)),
                    ('sealed_about', models.BinaryField(default=bytes)),
                    ('paired_in', models.CharField(max_length=7)),
                    ('revoked_on', models.DateField(blank=True, null=True)),
                    ('is_suspect', models.BooleanField(default=False, help_text='another device used one of its tokens')),
                    ('uploads_on', models.DateField(blank=True, null=True)),
                    ('uploads', models.PositiveIntegerField(default=0)),
                    ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='devices', to=settings.AUTH_USER_MODEL)),
                ],
            ),
            migrations.CreateModel(
                name='Pairing',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code_hash', models.CharField(max_length=64, unique=True)),
                    ('secret_sha256', models.CharField(max_length=64, unique=True)),
                    ('expires_at', models.DateTimeField()),
                    ('device', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to='accounts.device')),
                ],
            ),
            migrations.CreateModel(
                name='DeviceLogin',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('access_sha256', models.CharField(max_length=64, unique=True)),
                    ('refresh_sha256', models.CharField(max_length=64, unique=True)),
                    ('access_until', models.DateTimeField()),
                    ('refresh_until', models.DateTimeField()),
                    ('is_replaced', models.BooleanField(default=False)),
                    ('device', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='logins', to='accounts.device')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(condition=models.Q(('is_replaced', False)), fields=('device',), name='one_login_per_device')],
                },
            ),
            migrations.CreateModel(
                name='AuditEvent',
                fields=[
                    ('number', models.BigIntegerField(primary_key=True, serialize=False)),
                    ('at', models.DateTimeField()),
                    ('act', models.CharField(choices=accounts.models.acts, max_length=20)),
                    ('about', models.CharField(max_length=100)),
                    ('who_sha256', models.CharField(blank=True, max_length=64)),
                    ('sha256', models.CharField(max_length=64)),
                    ('salt', models.BinaryField(default=bytes)),
                    ('person', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='audit_events', to=settings.AUTH_USER_MODEL)),
                    ('details', models.JSONField(blank=True, db_default={}, default=dict)),
                ],
                options={
                    'indexes': [models.Index(fields=['about', 'at'], name='audit_by_what'), models.Index(fields=['act', 'number'], name='audit_by_act'), models.Index(fields=['person', 'number'], name='audit_by_person')],
                },
            ),
            migrations.CreateModel(
                name='MasterKey',
                fields=[
                    ('number', models.PositiveIntegerField(primary_key=True, serialize=False)),
                    ('made_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                    ('used_since', models.DateTimeField(blank=True, null=True)),
                    ('retired_at', models.DateTimeField(blank=True, null=True)),
                    ('destroyed_at', models.DateTimeField(blank=True, null=True)),
                    ('gone_at', models.DateTimeField(blank=True, null=True)),
                ],
            ),
            migrations.CreateModel(
                name='Site',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('uuid', models.UUIDField(unique=True)),
                    ('keys_not_copied_since', models.DateTimeField(blank=True, null=True)),
                    ('has_vault', models.BooleanField(default=False)),
                    ('journal_copied', models.BigIntegerField(default=0)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='one_site')],
                },
            ),
            migrations.CreateModel(
                name='ProgramToken',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('digest', models.CharField(max_length=128, unique=True)),
                    ('prefix', models.CharField(max_length=25)),
                    ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(choices=[('tag', 'borrow clips, hear them, answer and report'), ('import', 'add recordings of your own (not available yet)'), ('download', 'download releases'), ('review', 'hear and decide what waits for reviewers'), ('check', 'hear clips before they are published, and say whether anything is private'), ('manage', 'run your campaigns: settings, clips, figures and people by number')]), size=None)),
                    ('created', models.DateTimeField(auto_now_add=True)),
                    ('expires_at', models.DateTimeField()),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tokens', to=settings.AUTH_USER_MODEL)),
                ],
            ),
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
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='one_audit_check')],
                },
            ),
            migrations.CreateModel(
                name='FailedLogIns',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('since', models.DateTimeField()),
                    ('name_hash', models.CharField(max_length=64)),
                    ('count', models.PositiveIntegerField()),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('since', 'name_hash'), name='one_count_per_name_and_window')],
                },
            ),
        ),
    ]

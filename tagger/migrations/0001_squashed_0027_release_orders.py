"""What 0001 to 0027 make together, for databases that have none of them; an older one still takes those."""

import django.db.models.deletion
import django.db.models.functions.text
import uuid
from django.conf import settings
from django.db import migrations, models

from accounts.migrating import Together


class Migration(migrations.Migration):

    replaces = [
        ('tagger', '0001_initial'),
        ('tagger', '0002_reliability'),
        ('tagger', '0003_fewer_and_smaller_indexes'),
        ('tagger', '0004_marked_part'),
        ('tagger', '0005_community'),
        ('tagger', '0006_saw_draft'),
        ('tagger', '0007_reported_examples'),
        ('tagger', '0008_plain_words'),
        ('tagger', '0009_no_one_is_named_by_another'),
        ('tagger', '0010_recount_decided_tasks'),
        ('tagger', '0011_track_records'),
        ('tagger', '0012_reports'),
        ('tagger', '0013_reports_of_assignments'),
        ('tagger', '0014_mark_demo_accounts'),
        ('tagger', '0015_teams'),
        ('tagger', '0016_notes_and_flags'),
        ('tagger', '0017_challenges'),
        ('tagger', '0018_review_queue'),
        ('tagger', '0019_disputes_and_reports_queue_up'),
        ('tagger', '0020_no_table_of_disputes'),
        ('tagger', '0021_privacy_checks'),
        ('tagger', '0022_figures'),
        ('tagger', '0023_recounts'),
        ('tagger', '0024_explorer'),
        ('tagger', '0025_objections'),
        ('tagger', '0026_what_blocks_releases'),
        ('tagger', '0027_release_orders'),
    ]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0019_campaign_owners'),
        ('datasets', '0001_squashed_0034_retractions'),
    ]

    operations = [
        Together(
            migrations.CreateModel(
                name='Assignment',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('state', models.CharField(choices=[('lent', 'lent'), ('done', 'answered'), ('skipped', 'skipped'), ('reported', 'reported'), ('expired', 'expired')], default='lent', max_length=10)),
                    ('lent_at', models.DateTimeField()),
                    ('expires_at', models.DateTimeField()),
                    ('annotator', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='assignments', to=settings.AUTH_USER_MODEL)),
                    ('task', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='assignments', to='datasets.task')),
                    ('role', models.CharField(choices=[('vote', 'an answer that is wanted'), ('control', 'a task whose answer is known'), ('repeat', "the volunteer's own earlier task, lent again")], default='vote', max_length=10)),
                    ('saw_draft', models.BooleanField(db_default=False, default=False)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('state', 'lent')), fields=['expires_at'], name='assignments_to_reclaim'), models.Index(fields=['annotator', 'lent_at'], name='assignments_of_one'), models.Index(condition=models.Q(('state', 'lent')), fields=['annotator'], name='assignments_held'), models.Index(condition=models.Q(('role', 'control')), fields=['annotator'], name='assignments_of_controls')],
                    'constraints': [models.UniqueConstraint(fields=('task', 'annotator', 'role'), name='one_assignment_per_annotator_and_role')],
                },
            ),
            migrations.CreateModel(
                name='AgreementFigure',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('month', models.DateField(blank=True, null=True)),
                    ('measured_at', models.DateTimeField()),
                    ('tasks', models.PositiveIntegerField()),
                    ('alpha', models.FloatField(null=True)),
                    ('alpha_low', models.FloatField(null=True)),
                    ('alpha_high', models.FloatField(null=True)),
                    ('pairwise', models.FloatField(null=True)),
                    ('pairwise_low', models.FloatField(null=True)),
                    ('pairwise_high', models.FloatField(null=True)),
                    ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='agreement_figures', to='datasets.campaign')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('campaign', 'month'), name='one_agreement_figure_per_month', nulls_distinct=False)],
                },
            ),
            migrations.CreateModel(
                name='Control',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('plain_answer', models.TextField(blank=True)),
                    ('sealed_answer', models.BinaryField(default=bytes)),
                    ('since', models.DateTimeField()),
                    ('retired_at', models.DateTimeField(blank=True, null=True)),
                    ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='controls', to='datasets.campaign')),
                    ('task', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='control', to='datasets.task')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('retired_at', None)), fields=['campaign'], name='controls_in_use')],
                },
            ),
            migrations.CreateModel(
                name='Crowd',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('wake-word', 'wake word'), ('transcription', 'transcription')], max_length=20)),
                    ('language', models.CharField(max_length=35)),
                    ('shared', models.JSONField()),
                    ('annotations', models.PositiveBigIntegerField()),
                    ('fitted_at', models.DateTimeField()),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('kind', 'language'), name='one_crowd_per_language')],
                },
            ),
            migrations.CreateModel(
                name='Reliability',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('skill', models.JSONField()),
                    ('score', models.FloatField(help_text='the share of right answers to expect, 0 to 1')),
                    ('answers', models.PositiveIntegerField()),
                    ('hurried', models.FloatField(default=0, help_text='the share of answers given before the sound ended')),
                    ('annotator', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reliabilities', to=settings.AUTH_USER_MODEL)),
                    ('crowd', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reliabilities', to='tagger.crowd')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('crowd', 'annotator'), name='one_reliability_per_crowd')],
                },
            ),
            migrations.CreateModel(
                name='Repeat',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('plain_answer', models.TextField(blank=True)),
                    ('sealed_answer', models.BinaryField(default=bytes)),
                    ('created_at', models.DateTimeField()),
                    ('annotation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='repeats', to='datasets.annotation')),
                    ('several_speakers', models.BooleanField(db_default=False, default=False)),
                ],
            ),
            migrations.CreateModel(
                name='Counted',
                fields=[
                    ('campaign', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='counted', serialize=False, to='datasets.campaign')),
                    ('clips', models.PositiveBigIntegerField()),
                    ('settled', models.PositiveBigIntegerField()),
                    ('disputed', models.PositiveBigIntegerField()),
                ],
            ),
            migrations.CreateModel(
                name='Community',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('measured_at', models.DateTimeField(null=True)),
                    ('took', models.FloatField(default=0)),
                    ('answers', models.PositiveBigIntegerField(default=0)),
                    ('settled', models.PositiveBigIntegerField(default=0)),
                    ('settled_today', models.PositiveBigIntegerField(default=0)),
                    ('settled_this_week', models.PositiveBigIntegerField(default=0)),
                    ('seconds_settled', models.FloatField(default=0)),
                    ('volunteers_this_week', models.PositiveIntegerField(default=0)),
                    ('releases', models.PositiveIntegerField(default=0)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='one_community')],
                },
            ),
            migrations.CreateModel(
                name='TrackRecord',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('wake-word', 'wake word'), ('transcription', 'transcription')], max_length=20)),
                    ('language', models.CharField(max_length=35)),
                    ('is_new', models.BooleanField(default=True)),
                    ('annotator', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='track_records', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('is_new', True)), fields=['id'], name='new_track_records')],
                    'constraints': [models.UniqueConstraint(fields=('annotator', 'kind', 'language'), name='one_track_record_per_crowd')],
                },
            ),
            migrations.CreateModel(
                name='Report',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('reason', models.CharField(choices=[('private', 'private: a name, an address, a number'), ('other-person', 'someone who may not know about the recording'), ('offensive', 'offensive'), ('language', 'another language'), ('audio', 'cannot be heard')], max_length=20)),
                    ('part_from', models.FloatField(blank=True, null=True)),
                    ('part_to', models.FloatField(blank=True, null=True)),
                    ('at', models.DateTimeField()),
                    ('dismissed_at', models.DateTimeField(blank=True, null=True)),
                    ('campaign', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='reports', to='datasets.campaign')),
                    ('clip', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='reports', to='datasets.clip')),
                    ('reporter', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='reports', to=settings.AUTH_USER_MODEL)),
                    ('plain_note', models.TextField(blank=True, db_default='')),
                    ('sealed_note', models.BinaryField(db_default=b'', default=bytes)),
                    ('upheld_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'indexes': [models.Index(fields=['reporter', 'at'], name='reports_of_one'), models.Index(fields=['campaign', 'at'], name='reports_by_campaign'), models.Index(condition=models.Q(('dismissed_at', None), ('upheld_at', None)), fields=['clip'], name='reports_open')],
                    'constraints': [models.UniqueConstraint(fields=('clip', 'reporter'), name='one_report_per_clip_and_reporter')],
                },
            ),
            migrations.CreateModel(
                name='ReportRise',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('began_at', models.DateTimeField()),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                    ('reports', models.PositiveIntegerField(help_text='in the last hour, when it was last counted')),
                    ('seen_by_owner_at', models.DateTimeField(blank=True, null=True)),
                    ('seen_by_reviewers_at', models.DateTimeField(blank=True, null=True)),
                    ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='report_rises', to='datasets.campaign')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('campaign',), name='one_report_rise_at_a_time')],
                },
            ),
            migrations.CreateModel(
                name='Team',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('name', models.CharField(max_length=40)),
                    ('invitation_sha256', models.CharField(blank=True, max_length=64, null=True, unique=True)),
                    ('counted_on', models.DateField(blank=True, null=True)),
                    ('votes', models.PositiveIntegerField(db_default=0, default=0)),
                    ('seconds', models.FloatField(db_default=0, default=0)),
                    ('days', models.PositiveSmallIntegerField(db_default=0, default=0)),
                ],
                options={
                    'indexes': [models.Index(models.OrderBy(models.F('counted_on'), nulls_first=True), name='teams_to_count')],
                    'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('name'), name='one_team_per_name')],
                },
            ),
            migrations.CreateModel(
                name='Membership',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('is_named', models.BooleanField(db_default=False, default=False)),
                    ('person', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='tagger.team')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('person', 'team'), name='one_membership_per_team')],
                },
            ),
            migrations.CreateModel(
                name='GuidelinesFlag',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('version', models.CharField(help_text='made from the guidelines that it is about', max_length=16)),
                    ('sealed_note', models.BinaryField(default=bytes)),
                    ('at', models.DateTimeField()),
                    ('seen_by_owner_at', models.DateTimeField(blank=True, null=True)),
                    ('seen_by_reviewers_at', models.DateTimeField(blank=True, null=True)),
                    ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='guidelines_flags', to='datasets.campaign')),
                    ('person', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='guidelines_flags', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('person', 'campaign', 'version'), name='one_guidelines_flag_per_person_and_text')],
                },
            ),
            migrations.CreateModel(
                name='Challenge',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('month', models.DateField()),
                    ('days', models.PositiveSmallIntegerField()),
                    ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='challenges', to='datasets.campaign')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('campaign', 'month'), name='one_challenge_a_month'), models.CheckConstraint(condition=models.Q(('days__gte', 1), ('days__lte', 28)), name='challenge_fits_any_month')],
                },
            ),
            migrations.CreateModel(
                name='ChallengeEntry',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('challenge', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='entries', to='tagger.challenge')),
                    ('person', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='challenge_entries', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('person', 'challenge'), name='one_entry_per_challenge')],
                },
            ),
            migrations.CreateModel(
                name='ReviewItem',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('dispute', 'dispute'), ('report', 'report'), ('check', 'check before publication')], max_length=10)),
                    ('reason', models.CharField(choices=[('no-agreement', 'volunteers do not agree'), ('control-missed', 'a known answer that many miss'), ('confidence-fell', 'settled, and less certain since'), ('machine-differs', 'a machine hears something else'), ('second-look', 'a second look at a decision'), ('owner-asks', 'the campaign’s owner asks'), ('objection', 'a volunteer still thinks otherwise'), ('private', 'private: a name, an address, a number'), ('other-person', 'someone who may not know about the recording'), ('offensive', 'offensive'), ('language', 'another language'), ('audio', 'cannot be heard'), ('found', 'something private was heard'), ('unsure', 'a privacy reviewer is not sure')], max_length=20)),
                    ('language', models.CharField(max_length=35)),
                    ('rank', models.PositiveSmallIntegerField(default=1, help_text='lower comes first, then the oldest')),
                    ('opened_at', models.DateTimeField()),
                    ('lent_until', models.DateTimeField(blank=True, null=True)),
                    ('closed_at', models.DateTimeField(blank=True, null=True)),
                    ('campaign', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='review_items', to='datasets.campaign')),
                    ('clip', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='review_items', to='datasets.clip')),
                    ('reviewer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='review_items', to=settings.AUTH_USER_MODEL)),
                    ('task', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='review_items', to='datasets.task')),
                    ('blocks_public', models.BooleanField(db_default=False, default=False)),
                    ('blocks_researchers', models.BooleanField(db_default=False, default=False)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('closed_at', None)), fields=['rank', 'opened_at', 'id'], name='review_queue'), models.Index(condition=models.Q(('closed_at', None)), fields=['kind', 'rank', 'opened_at', 'id'], name='review_queue_of_a_kind'), models.Index(condition=models.Q(('closed_at', None)), fields=['campaign', 'rank', 'opened_at', 'id'], name='review_queue_of_a_campaign'), models.Index(condition=models.Q(('closed_at', None), ('blocks_public', True)), fields=['rank', 'opened_at', 'id'], name='review_blocks_public'), models.Index(condition=models.Q(('closed_at', None), ('blocks_researchers', True)), fields=['rank', 'opened_at', 'id'], name='review_blocks_researchers')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('closed_at', None), ('kind', 'dispute')), fields=('task',), name='one_open_dispute_per_task'), models.UniqueConstraint(condition=models.Q(('closed_at', None), ('kind', 'report')), fields=('clip',), name='one_open_report_item_per_clip'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'dispute'), _negated=True), ('task__isnull', False), _connector='OR'), name='a_dispute_is_about_a_task'), models.UniqueConstraint(condition=models.Q(('closed_at', None), ('kind', 'check')), fields=('clip',), name='one_open_check_item_per_clip')],
                },
            ),
            migrations.CreateModel(
                name='Decision',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('act', models.CharField(choices=[('accept', 'accepted an answer'), ('ask-more', 'asked for more answers'), ('unusable', 'called the clip unusable'), ('return', 'put the clip back in the queue'), ('dismiss', 'dismissed its reports'), ('silence', 'silenced private seconds'), ('destroy', 'destroyed the clip'), ('clear', 'cleared the clip for release')], max_length=20)),
                    ('reason', models.CharField(blank=True, choices=[('unintelligible', 'nobody can tell what is said'), ('cut-off', 'its beginning or its end is missing'), ('language', 'another language'), ('sound', 'too noisy, too quiet or distorted'), ('other', 'something else')], max_length=20)),
                    ('plain_answer', models.TextField(blank=True)),
                    ('sealed_answer', models.BinaryField(default=bytes)),
                    ('plain_note', models.TextField(blank=True)),
                    ('sealed_note', models.BinaryField(default=bytes)),
                    ('plain_before', models.JSONField(blank=True, default=dict)),
                    ('sealed_before', models.BinaryField(default=bytes)),
                    ('decided_at', models.DateTimeField()),
                    ('undone_at', models.DateTimeField(blank=True, null=True)),
                    ('campaign', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='datasets.campaign')),
                    ('clip', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='decisions', to='datasets.clip')),
                    ('reviewer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='decisions', to=settings.AUTH_USER_MODEL)),
                    ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='decisions', to='tagger.reviewitem')),
                ],
                options={
                    'indexes': [models.Index(fields=['reviewer', '-decided_at'], name='decisions_of_one')],
                },
            ),
            migrations.CreateModel(
                name='KnownPositive',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('language', models.CharField(max_length=35)),
                    ('seconds', models.FloatField()),
                    ('sound', models.BinaryField()),
                    ('made_at', models.DateTimeField()),
                ],
            ),
            migrations.CreateModel(
                name='PrivacyCheck',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('lent_until', models.DateTimeField()),
                    ('sound_at', models.DateTimeField(blank=True, null=True)),
                    ('answer', models.CharField(blank=True, choices=[('no', 'nothing private'), ('yes', 'something private'), ('unsure', 'not sure')], max_length=10)),
                    ('found', models.JSONField(blank=True, default=list)),
                    ('parts', models.JSONField(blank=True, default=list)),
                    ('heard', models.FloatField(blank=True, help_text='seconds of it that sounded', null=True)),
                    ('done_at', models.DateTimeField(blank=True, null=True)),
                    ('voided_at', models.DateTimeField(blank=True, null=True)),
                    ('checker', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='privacy_checks', to=settings.AUTH_USER_MODEL)),
                    ('clip', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='privacy_checks', to='datasets.clip')),
                    ('known', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='checks', to='tagger.knownpositive')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('clip__isnull', False), ('known', None)), models.Q(('clip', None), ('known__isnull', False)), _connector='OR'), name='a_check_is_of_one_sound'), models.UniqueConstraint(condition=models.Q(('voided_at', None)), fields=('clip', 'checker'), name='one_current_check_per_person_and_clip'), models.UniqueConstraint(fields=('known', 'checker'), name='one_check_per_person_and_known_positive')],
                },
            ),
            migrations.CreateModel(
                name='CampaignFigures',
                fields=[
                    ('campaign', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='figures', serialize=False, to='datasets.campaign')),
                    ('measured_at', models.DateTimeField(null=True)),
                    ('took', models.FloatField(default=0)),
                    ('claimed_at', models.DateTimeField(null=True)),
                    ('totals', models.JSONField(default=dict)),
                    ('tables', models.JSONField(default=dict)),
                ],
            ),
            migrations.CreateModel(
                name='CampaignDay',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('day', models.DateField()),
                    ('answers', models.PositiveIntegerField(default=0)),
                    ('volunteers', models.PositiveIntegerField(default=0)),
                    ('settled', models.PositiveIntegerField(default=0)),
                    ('disputed', models.PositiveIntegerField(default=0)),
                    ('campaign', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='counted_days', to='datasets.campaign')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('campaign', 'day'), name='one_row_per_campaign_day')],
                },
            ),
            migrations.CreateModel(
                name='LargestContributor',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('clips', models.PositiveIntegerField()),
                    ('seconds', models.FloatField()),
                    ('campaign', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='largest_contributors', to='datasets.campaign')),
                    ('contributor', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='largest_in', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('campaign', 'contributor'), name='one_row_per_largest_contributor')],
                },
            ),
            migrations.CreateModel(
                name='Recount',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('asked_at', models.DateTimeField()),
                    ('tasks', models.PositiveBigIntegerField(help_text='how many there are to look at')),
                    ('done', models.PositiveBigIntegerField(default=0)),
                    ('last_task', models.BigIntegerField(default=0)),
                    ('reopened', models.PositiveBigIntegerField(default=0)),
                    ('settled', models.PositiveBigIntegerField(default=0)),
                    ('disputed', models.PositiveBigIntegerField(default=0)),
                    ('finished_at', models.DateTimeField(blank=True, null=True)),
                    ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='recounts', to='datasets.campaign')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(condition=models.Q(('finished_at', None)), fields=('campaign',), name='one_recount_at_a_time')],
                },
            ),
            migrations.CreateModel(
                name='PeopleCount',
                fields=[
                    ('campaign', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='people_count', serialize=False, to='datasets.campaign')),
                    ('measured_at', models.DateTimeField(null=True)),
                    ('took', models.FloatField(default=0)),
                    ('claimed_at', models.DateTimeField(null=True)),
                    ('sampled', models.PositiveIntegerField(null=True)),
                ],
            ),
            migrations.CreateModel(
                name='PairFigures',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('both', models.PositiveIntegerField()),
                    ('same', models.PositiveIntegerField()),
                    ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pair_figures', to='datasets.campaign')),
                    ('one', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pairs_as_one', to=settings.AUTH_USER_MODEL)),
                    ('other', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pairs_as_other', to=settings.AUTH_USER_MODEL)),
                ],
            ),
            migrations.CreateModel(
                name='ClipJob',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('act', models.CharField(choices=[('priority', 'change the priority'), ('unusable', 'call unusable'), ('to-review', 'send to reviewers'), ('ask-more', 'ask for more answers'), ('example', 'show as an example')], max_length=20)),
                    ('options', models.JSONField(default=dict)),
                    ('query', models.CharField(blank=True, max_length=500)),
                    ('chosen', models.JSONField(default=list)),
                    ('below', models.BigIntegerField(blank=True, null=True)),
                    ('looked_at', models.PositiveBigIntegerField(default=0)),
                    ('done', models.PositiveBigIntegerField(default=0)),
                    ('refused', models.JSONField(default=dict)),
                    ('asked_at', models.DateTimeField()),
                    ('worked_at', models.DateTimeField(blank=True, null=True)),
                    ('finished_at', models.DateTimeField(blank=True, null=True)),
                    ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='clip_jobs', to='datasets.campaign')),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='clip_jobs', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('finished_at', None)), fields=['id'], name='clip_jobs_to_do')],
                },
            ),
            migrations.CreateModel(
                name='PersonFigures',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('answers', models.PositiveIntegerField()),
                    ('days', models.PositiveIntegerField()),
                    ('seconds_each', models.FloatField(null=True)),
                    ('compared', models.PositiveIntegerField()),
                    ('agreed', models.PositiveIntegerField()),
                    ('controls', models.PositiveIntegerField()),
                    ('controls_right', models.PositiveIntegerField()),
                    ('most_given', models.PositiveIntegerField(null=True)),
                    ('confusion', models.JSONField(default=dict)),
                    ('campaign', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='person_figures', to='datasets.campaign')),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='person_figures', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'indexes': [models.Index(fields=['campaign', '-answers', 'person'], name='people_by_answers')],
                    'constraints': [models.UniqueConstraint(fields=('campaign', 'person'), name='one_row_of_figures_per_person')],
                },
            ),
            migrations.CreateModel(
                name='PersonWeight',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('factor', models.FloatField()),
                    ('sealed_note', models.BinaryField(default=bytes)),
                    ('at', models.DateTimeField()),
                    ('is_new', models.BooleanField(default=True)),
                    ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='person_weights', to='datasets.campaign')),
                    ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('person', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='person_weights', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('is_new', True)), fields=['id'], name='new_person_weights')],
                    'constraints': [models.UniqueConstraint(fields=('person', 'campaign'), name='one_weight_per_person_and_campaign'), models.CheckConstraint(condition=models.Q(('factor__gte', 0), ('factor__lte', 2)), name='a_weight_is_between_0_and_2')],
                },
            ),
            migrations.CreateModel(
                name='SavedView',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=60)),
                    ('query', models.CharField(max_length=500)),
                    ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='saved_views', to='datasets.campaign')),
                    ('person', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='saved_views', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['name'],
                    'constraints': [models.UniqueConstraint(fields=('person', 'campaign', 'name'), name='one_saved_view_per_name')],
                },
            ),
            migrations.CreateModel(
                name='Objection',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('plain_answer', models.TextField(blank=True)),
                    ('sealed_answer', models.BinaryField(default=bytes)),
                    ('plain_note', models.TextField(blank=True)),
                    ('sealed_note', models.BinaryField(default=bytes)),
                    ('created_at', models.DateTimeField()),
                    ('annotation', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='objection', to='datasets.annotation')),
                ],
                options={
                    'indexes': [models.Index(fields=['created_at'], name='objections_lately')],
                },
            ),
            migrations.CreateModel(
                name='ReleaseOrder',
                fields=[
                    ('campaign', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='release_order', serialize=False, to='datasets.campaign')),
                    ('slug', models.SlugField(max_length=60)),
                    ('min_confidence', models.FloatField()),
                    ('min_contributors', models.PositiveIntegerField()),
                    ('audience', models.CharField(max_length=20)),
                    ('licence', models.CharField(max_length=40)),
                    ('asked_at', models.DateTimeField()),
                    ('refused', models.TextField(blank=True, default='')),
                    ('asked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('refused', '')), fields=['asked_at'], name='releases_to_make')],
                },
            ),
        ),
    ]

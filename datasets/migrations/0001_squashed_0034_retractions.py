"""What 0001 to 0034 make together, for databases that have none of them; an older one still takes those."""

import datasets.models
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.math
from django.conf import settings
from django.db import migrations, models

from accounts.migrating import Together


class Migration(migrations.Migration):

    replaces = [
        ('datasets', '0001_initial'),
        ('datasets', '0002_clip_held_until'),
        ('datasets', '0003_campaign_prompts'),
        ('datasets', '0004_withdrawal'),
        ('datasets', '0005_recalls_and_ledger'),
        ('datasets', '0006_audit_and_audience'),
        ('datasets', '0007_certificate'),
        ('datasets', '0008_task_spread'),
        ('datasets', '0009_must_hear'),
        ('datasets', '0010_fewer_indexes'),
        ('datasets', '0011_example'),
        ('datasets', '0012_machine_drafts'),
        ('datasets', '0013_defaults_in_the_database'),
        ('datasets', '0014_plain_words'),
        ('datasets', '0015_keyed_fingerprints'),
        ('datasets', '0016_recalls_that_return'),
        ('datasets', '0018_kept_answers_are_no_ones'),
        ('datasets', '0019_line_of_an_erased_row'),
        ('datasets', '0020_lost_event'),
        ('datasets', '0021_language_code_ends'),
        ('datasets', '0022_track_records'),
        ('datasets', '0023_campaign_owner'),
        ('datasets', '0024_campaign_title_and_purpose'),
        ('datasets', '0025_several_speakers'),
        ('datasets', '0026_clip_silenced_withdrawal_cause'),
        ('datasets', '0027_tasks_for_reviewers'),
        ('datasets', '0028_clearing'),
        ('datasets', '0029_stages_of_campaigns'),
        ('datasets', '0030_participations'),
        ('datasets', '0031_imports_in_the_browser'),
        ('datasets', '0032_clips_in_order'),
        ('datasets', '0033_destroyed_clips'),
        ('datasets', '0034_retractions'),
    ]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0019_campaign_owners'),
    ]

    operations = [
        Together(
            migrations.CreateModel(
                name='Campaign',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('slug', models.SlugField(max_length=60, unique=True)),
                    ('kind', models.CharField(choices=[('wake-word', 'wake word'), ('transcription', 'transcription')], max_length=20)),
                    ('language', models.CharField(max_length=35, validators=[django.core.validators.RegexValidator('^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\\Z', 'Write a language code such as en or pt-BR.', code='language')])),
                    ('wake_word', models.CharField(blank=True, max_length=80)),
                    ('guidelines', models.TextField(blank=True)),
                    ('min_annotations', models.PositiveSmallIntegerField(default=2, validators=[django.core.validators.MinValueValidator(1)])),
                    ('max_annotations', models.PositiveSmallIntegerField(default=7, validators=[django.core.validators.MaxValueValidator(99)])),
                    ('confidence', models.FloatField(default=0.75)),
                    ('contributor_cap', models.PositiveSmallIntegerField(blank=True, help_text='the most clips of one contributor that one volunteer hears in a day; empty for no cap', null=True, validators=[django.core.validators.MinValueValidator(1)])),
                    ('speech_first', models.BooleanField(default=True, help_text='clips in which no speech was heard by machine come last')),
                    ('must_hear', models.FloatField(default=1.0, help_text='the share of a clip, 0 to 1, that must have sounded before “Yes” or a transcript can be given; half of it is enough for the other answers. The page keeps this rule, for people; a program that calls the site hears as it likes')),
                    ('drafts_by', models.CharField(blank=True, db_default='', help_text='the machine whose drafts an import may bring along; empty: no drafts are kept or offered', max_length=80)),
                    ('needs_track_record', models.BooleanField(db_default=True, default=True, help_text='the answers of new people alone do not settle a clip: at least one of those who answered it must have a track record')),
                    ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('title', models.CharField(blank=True, db_default='', default='', help_text='what people call it; empty: made from its kind and language', max_length=80)),
                    ('purpose', models.CharField(blank=True, db_default='', default='', help_text='one sentence: what it is for', max_length=240)),
                    ('needs_clearing', models.BooleanField(db_default=False, default=False, help_text='releases for researchers, too, have only clips that two privacy reviewers cleared; public releases always do')),
                    ('becomes', models.CharField(blank=True, db_default='', default='', help_text='one sentence: what its answers become, such as a public data set', max_length=240)),
                    ('control_share', models.FloatField(db_default=0.07, default=0.07, help_text='the share of clips, 0 to 0.5, whose answer is known already. They show how reliable volunteers are; of a new volunteer’s first clips it is half')),
                    ('invitation_sha256', models.CharField(blank=True, editable=False, max_length=64, null=True, unique=True)),
                    ('release_audience', models.CharField(choices=[('researchers', 'named researchers may have'), ('public', 'public releases may hold')], db_default='researchers', default='researchers', max_length=20)),
                    ('release_licence', models.CharField(db_default='CC0-1.0', default='CC0-1.0', max_length=40)),
                    ('run_by', models.CharField(blank=True, db_default='', default='', help_text='who runs it, as volunteers read it', max_length=120)),
                    ('stage', models.CharField(choices=[('draft', 'being made'), ('open', 'open'), ('paused', 'paused'), ('closed', 'closed'), ('archived', 'archived')], db_default='open', default='open', max_length=10)),
                    ('takes_part', models.CharField(choices=[('everyone', 'everyone'), ('language', 'people who say that they understand its language'), ('invited', 'people who have its link')], db_default='everyone', default='everyone', max_length=10)),
                    ('translations', models.JSONField(blank=True, db_default={}, default=dict)),
                    ('destroyed', models.PositiveIntegerField(db_default=0, default=0, editable=False)),
                ],
                options={
                    'ordering': ['slug'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('min_annotations__gte', 1), ('max_annotations__gte', models.F('min_annotations'))), name='campaign_least_not_over_most', violation_error_message='The most annotations cannot be fewer than the least.'), models.CheckConstraint(condition=models.Q(('confidence__gt', 0), ('confidence__lte', 1)), name='campaign_confidence_is_a_share', violation_error_message='The confidence to reach must be above 0 and at most 1.'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'wake-word'), _negated=True), models.Q(('wake_word', ''), _negated=True), _connector='OR'), name='wake_word_campaign_has_its_word', violation_error_message='A wake-word campaign needs its wake word.'), models.CheckConstraint(condition=models.Q(('must_hear__gte', 0), ('must_hear__lte', 1)), name='campaign_must_hear_is_a_share', violation_error_message='The share that must be heard must be between 0 and 1.'), models.CheckConstraint(condition=models.Q(('kind', 'transcription'), ('drafts_by', ''), _connector='OR'), name='only_transcription_campaigns_have_drafts', violation_error_message='Only a transcription campaign has drafts.'), models.CheckConstraint(condition=models.Q(('control_share__gte', 0), ('control_share__lte', 0.5)), name='campaign_control_share_is_at_most_half', violation_error_message='The share of known clips must be between 0 and 0.5.')],
                },
            ),
            migrations.CreateModel(
                name='Release',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('slug', models.SlugField(max_length=60, unique=True)),
                    ('min_confidence', models.FloatField(default=0.0)),
                    ('min_contributors', models.PositiveIntegerField(default=1)),
                    ('licence', models.CharField(default='CC0-1.0', max_length=40)),
                    ('published_at', models.DateTimeField()),
                    ('recalls_published_on', models.DateField(blank=True, null=True)),
                    ('audience', models.CharField(choices=[('researchers', 'named researchers may have'), ('public', 'public releases may hold')], default='researchers', max_length=20)),
                    ('clearing', models.JSONField(blank=True, db_default={}, default=dict)),
                    ('retracted_at', models.DateTimeField(blank=True, null=True)),
                    ('retracted_because', models.CharField(blank=True, db_default='', default='', max_length=500)),
                    ('campaigns', models.ManyToManyField(related_name='releases', to='datasets.campaign')),
                ],
                options={
                    'ordering': ['-published_at'],
                },
            ),
            migrations.CreateModel(
                name='Prompt',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('text', models.CharField(max_length=200, validators=[datasets.models.short_enough_to_read, django.core.validators.ProhibitNullCharactersValidator()])),
                    ('times_read', models.PositiveIntegerField(default=0)),
                    ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='prompts', to='datasets.campaign')),
                ],
                options={
                    'indexes': [models.Index(fields=['campaign', 'times_read', 'id'], name='prompts_least_read_first')],
                    'constraints': [models.UniqueConstraint(fields=('campaign', 'text'), name='one_prompt_per_sentence')],
                },
            ),
            migrations.CreateModel(
                name='Withdrawal',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('person_id', models.BigIntegerField()),
                    ('scope', models.CharField(choices=[('clips', 'some clips'), ('contributor', 'all clips'), ('account', 'the account')], max_length=20)),
                    ('keep_answers', models.BooleanField(blank=True, null=True)),
                    ('token_sha256', models.CharField(max_length=64, unique=True)),
                    ('requested_at', models.DateTimeField()),
                    ('finished_at', models.DateTimeField(blank=True, null=True)),
                    ('counts', models.JSONField(blank=True, default=dict)),
                    ('event', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.auditevent')),
                    ('backups_closed_at', models.DateTimeField(blank=True, null=True)),
                    ('last_master', models.PositiveIntegerField(blank=True, null=True)),
                    ('answers_unnamed_at', models.DateTimeField(blank=True, null=True)),
                    ('lost_event', models.JSONField(blank=True, null=True)),
                    ('cause', models.CharField(choices=[('asked', 'asked for by its person'), ('silenced', 'seconds silenced by a reviewer'), ('destroyed', 'destroyed by a reviewer')], db_default='asked', default='asked', max_length=10)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('finished_at', None)), fields=['id'], name='withdrawals_to_do'), models.Index(condition=models.Q(('backups_closed_at', None)), fields=['last_master'], name='withdrawals_owed'), models.Index(condition=models.Q(('answers_unnamed_at', None), ('keep_answers', True)), fields=['id'], name='answers_to_unname')],
                },
            ),
            migrations.CreateModel(
                name='Recall',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(max_length=32)),
                    ('release', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='recalls', to='datasets.release')),
                    ('published_on', models.DateField(blank=True, null=True)),
                    ('is_final', models.BooleanField(db_default=True)),
                    ('returned_on', models.DateField(blank=True, null=True)),
                    ('line', models.JSONField(blank=True, null=True)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('release', 'public_id'), name='one_recall_per_release_id'), models.CheckConstraint(condition=models.Q(('returned_on', None), ('is_final', False), _connector='OR'), name='a_final_recall_does_not_return')],
                },
            ),
            migrations.CreateModel(
                name='Reconciliation',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('looked_at', models.DateTimeField()),
                    ('held', models.JSONField()),
                    ('orphans', models.JSONField()),
                    ('erasures', models.JSONField()),
                ],
                options={
                    'ordering': ['-looked_at', '-id'],
                },
            ),
            migrations.CreateModel(
                name='Participation',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='participations', to='datasets.campaign')),
                    ('person', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('person', 'campaign'), name='one_participation_per_person')],
                },
            ),
            migrations.CreateModel(
                name='Import',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('state', models.CharField(choices=[('gathering', 'files are being sent'), ('running', 'clips are being added'), ('done', 'finished'), ('cancelled', 'cancelled'), ('undoing', 'being undone'), ('undone', 'undone')], default='gathering', max_length=10)),
                    ('is_public', models.BooleanField()),
                    ('licence', models.CharField(blank=True, max_length=40)),
                    ('wrapped_key', models.BinaryField()),
                    ('sealed_about', models.BinaryField(default=bytes)),
                    ('is_planned', models.BooleanField(default=False)),
                    ('counts', models.JSONField(blank=True, default=dict)),
                    ('is_clear', models.BooleanField(default=False)),
                    ('size', models.BigIntegerField(default=0)),
                    ('used_at', models.DateTimeField()),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                    ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='imports', to='datasets.campaign')),
                    ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='imports', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'indexes': [models.Index(fields=['campaign', '-id'], name='imports_of_campaign'), models.Index(condition=models.Q(('state__in', ['gathering', 'running', 'undoing'])), fields=['used_at'], name='imports_at_work')],
                },
            ),
            migrations.CreateModel(
                name='Clip',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('material', models.CharField(choices=[('wake-word', 'wake-word clips'), ('utterance', 'what was said after, or read aloud')], max_length=20)),
                    ('language', models.CharField(max_length=35, validators=[django.core.validators.RegexValidator('^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\\Z', 'Write a language code such as en or pt-BR.', code='language')])),
                    ('source', models.CharField(choices=[('import', 'imported'), ('browser', 'recorded in the browser'), ('device', 'sent by a device')], max_length=10)),
                    ('seconds', models.FloatField()),
                    ('speech_share', models.FloatField(help_text='share of the clip in which a machine heard speech, 0 to 1')),
                    ('samples_hash', models.CharField(max_length=64, unique=True)),
                    ('stored_as', models.CharField(max_length=80, unique=True)),
                    ('wrapped_key', models.BinaryField()),
                    ('created_at', models.DateTimeField()),
                    ('hidden_at', models.DateTimeField(blank=True, null=True)),
                    ('consent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='clips', to='accounts.consent')),
                    ('contributor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='clips', to=settings.AUTH_USER_MODEL)),
                    ('held_until', models.DateTimeField(blank=True, help_text='until then only the contributor hears it', null=True)),
                    ('withdrawal', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='clips', to='datasets.withdrawal')),
                    ('hashed_under', models.PositiveIntegerField(db_default=0, default=0)),
                    ('sealed_samples', models.BinaryField(db_default=b'', default=bytes)),
                    ('silenced', models.JSONField(blank=True, db_default=[], default=list)),
                    ('cleared_at', models.DateTimeField(blank=True, null=True)),
                    ('private_signs', models.PositiveSmallIntegerField(blank=True, null=True)),
                    ('licence', models.CharField(blank=True, db_default='', default='', max_length=40)),
                    ('brought_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='clips', to='datasets.import')),
                ],
                options={
                    'indexes': [models.Index(fields=['hashed_under', 'id'], name='clips_by_master'), models.Index(models.OrderBy(models.F('private_signs'), descending=True, nulls_last=True), models.F('id'), condition=models.Q(('cleared_at', None), ('withdrawal', None)), name='clips_to_clear'), models.Index(condition=models.Q(('brought_by__isnull', False)), fields=['brought_by', 'contributor'], name='clips_by_import'), models.Index(condition=models.Q(('hidden_at__isnull', False)), fields=['id'], name='clips_hidden')],
                },
            ),
            migrations.CreateModel(
                name='Task',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('plain_reference', models.TextField(blank=True)),
                    ('sealed_reference', models.BinaryField(default=bytes)),
                    ('priority', models.SmallIntegerField(default=0, help_text='lower comes first')),
                    ('annotation_count', models.PositiveSmallIntegerField(default=0)),
                    ('lent_count', models.PositiveSmallIntegerField(default=0)),
                    ('dirty_since', models.DateTimeField(blank=True, null=True)),
                    ('status', models.CharField(choices=[('open', 'open'), ('settled', 'settled'), ('disputed', 'disputed'), ('unusable', 'unusable')], default='open', max_length=10)),
                    ('wanted', models.PositiveSmallIntegerField(help_text='how many annotations are wanted at present')),
                    ('plain_answer', models.TextField(blank=True, null=True)),
                    ('sealed_answer', models.BinaryField(default=bytes)),
                    ('plain_soft', models.JSONField(blank=True, default=dict)),
                    ('sealed_soft', models.BinaryField(default=bytes)),
                    ('confidence', models.FloatField(blank=True, null=True)),
                    ('adjudicated', models.BooleanField(default=False)),
                    ('settled_at', models.DateTimeField(blank=True, null=True)),
                    ('campaign', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='tasks', to='datasets.campaign')),
                    ('clip', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='tasks', to='datasets.clip')),
                    ('plain_certificate', models.JSONField(blank=True, default=dict)),
                    ('sealed_certificate', models.BinaryField(default=bytes)),
                    ('spread', models.IntegerField(db_default=django.db.models.functions.comparison.Cast(django.db.models.expressions.CombinedExpression(django.db.models.functions.math.Random(), '*', models.Value(2147483647)), models.IntegerField()))),
                    ('plain_draft', models.TextField(blank=True, db_default='')),
                    ('sealed_draft', models.BinaryField(db_default=b'', default=bytes)),
                    ('awaits_record', models.BooleanField(db_default=False, default=False)),
                    ('kept_record', models.BooleanField(db_default=False, default=False)),
                    ('wanted_by_reviewer', models.PositiveSmallIntegerField(db_default=0, default=0)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('dirty_since__isnull', False)), fields=['dirty_since'], name='tasks_to_settle'), models.Index(condition=models.Q(('status', 'settled')), fields=['campaign', '-settled_at'], name='tasks_settled_lately'), models.Index(models.F('campaign'), models.OrderBy(models.F('annotation_count'), descending=True), models.F('priority'), models.F('spread'), condition=models.Q(('awaits_record', False), ('status', 'open')), name='tasks_to_lend'), models.Index(models.F('campaign'), models.OrderBy(models.F('annotation_count'), descending=True), models.F('priority'), models.F('spread'), condition=models.Q(('awaits_record', True), ('status', 'open')), name='tasks_awaiting_a_record'), models.Index(condition=models.Q(('status', 'open'), ('wanted_by_reviewer__gt', 0)), fields=['campaign', 'wanted_by_reviewer'], name='tasks_wanted_by_reviewers'), models.Index(fields=['campaign', 'status', 'id'], name='tasks_by_status')],
                    'constraints': [models.UniqueConstraint(fields=('clip', 'campaign'), name='one_task_per_clip_and_campaign'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'settled'), _negated=True), ('plain_answer__isnull', False), models.Q(('sealed_answer', b''), _negated=True), _connector='OR'), name='settled_task_has_an_answer')],
                },
            ),
            migrations.CreateModel(
                name='ReleaseRow',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(max_length=32)),
                    ('speaker', models.CharField(max_length=32)),
                    ('split', models.CharField(max_length=10)),
                    ('plain_answer', models.TextField(blank=True)),
                    ('sealed_answer', models.BinaryField(default=bytes)),
                    ('plain_soft', models.JSONField(default=dict)),
                    ('sealed_soft', models.BinaryField(default=bytes)),
                    ('confidence', models.FloatField()),
                    ('release', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rows', to='datasets.release')),
                    ('task', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='release_rows', to='datasets.task')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('release', 'public_id'), name='one_row_per_release_id'), models.UniqueConstraint(fields=('release', 'task'), name='one_row_per_released_task')],
                },
            ),
            migrations.CreateModel(
                name='Annotation',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('plain_answer', models.TextField(blank=True)),
                    ('sealed_answer', models.BinaryField(default=bytes)),
                    ('created_at', models.DateTimeField()),
                    ('changed_at', models.DateTimeField(blank=True, null=True)),
                    ('annotator', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='annotations', to=settings.AUTH_USER_MODEL)),
                    ('task', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='annotations', to='datasets.task')),
                    ('kept_weight', models.PositiveSmallIntegerField(blank=True, choices=[(1, 'little'), (2, "as much as a stranger's"), (3, 'much')], null=True)),
                    ('several_speakers', models.BooleanField(db_default=False, default=False)),
                ],
                options={
                    'indexes': [models.Index(fields=['annotator', '-created_at'], name='annotations_of_one')],
                    'constraints': [models.UniqueConstraint(fields=('task', 'annotator'), name='one_annotation_per_annotator'), models.CheckConstraint(condition=models.Q(models.Q(('annotator__isnull', False), ('kept_weight', None)), models.Q(('annotator', None), ('id__lt', 0), ('kept_weight__isnull', False)), _connector='OR'), name='only_kept_answers_are_no_ones')],
                },
            ),
            migrations.CreateModel(
                name='Reading',
                fields=[
                    ('task', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='reading', serialize=False, to='datasets.task')),
                    ('mark', models.CharField(max_length=64, unique=True)),
                ],
            ),
            migrations.CreateModel(
                name='Example',
                fields=[
                    ('task', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='example', serialize=False, to='datasets.task')),
                    ('plain_note', models.TextField(blank=True)),
                    ('sealed_note', models.BinaryField(default=bytes)),
                    ('is_shown', models.BooleanField(default=True)),
                ],
            ),
            migrations.CreateModel(
                name='ImportFile',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('mark', models.CharField(max_length=64)),
                    ('kind', models.CharField(choices=[('sound', 'Sound'), ('table', 'Table')], max_length=5)),
                    ('state', models.CharField(choices=[('waiting', 'waiting'), ('added', 'added'), ('held', 'held already'), ('refused', 'refused')], default='waiting', max_length=10)),
                    ('size', models.BigIntegerField()),
                    ('received', models.BigIntegerField(default=0)),
                    ('sealed_about', models.BinaryField()),
                    ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='files', to='datasets.import')),
                ],
                options={
                    'indexes': [models.Index(fields=['run', 'state', 'kind', 'id'], name='files_of_import')],
                    'constraints': [models.UniqueConstraint(fields=('run', 'mark'), name='one_file_per_mark'), models.CheckConstraint(condition=models.Q(('received__gte', 0), ('received__lte', models.F('size'))), name='no_more_than_the_file')],
                },
            ),
            migrations.CreateModel(
                name='ImportPart',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('offset', models.BigIntegerField()),
                    ('size', models.PositiveIntegerField()),
                    ('stored_as', models.CharField(max_length=80, unique=True)),
                    ('file', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='parts', to='datasets.importfile')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('file', 'offset'), name='one_part_per_offset')],
                },
            ),
        ),
        # Lending writes a column that no index holds: with room on the page the row moves and no index does.
        migrations.RunSQL(
            'ALTER TABLE datasets_task SET (fillfactor = 80)', 'ALTER TABLE datasets_task RESET (fillfactor)'
        ),
    ]

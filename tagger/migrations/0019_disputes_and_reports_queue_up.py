from django.db import migrations

# The gravest first.
REASONS = "ARRAY['private', 'other-person', 'offensive', 'language', 'audio']::varchar[]"

DISPUTES = """
    INSERT INTO tagger_reviewitem
        (kind, reason, clip_id, task_id, campaign_id, language, rank, opened_at, closed_at)
    SELECT 'dispute', 'no-agreement', task.clip_id, task.id, task.campaign_id, campaign.language, 1,
        dispute.opened_at, dispute.decided_at
    FROM tagger_dispute dispute
    JOIN datasets_task task ON task.id = dispute.task_id
    JOIN datasets_campaign campaign ON campaign.id = task.campaign_id
    ORDER BY dispute.opened_at, dispute.id
"""

DECISIONS = """
    INSERT INTO tagger_decision
        (item_id, clip_id, campaign_id, reviewer_id, act, reason, plain_answer, sealed_answer,
            plain_note, sealed_note, plain_before, sealed_before, decided_at)
    SELECT item.id, item.clip_id, item.campaign_id, dispute.reviewer_id, 'accept', '', dispute.plain_answer,
        dispute.sealed_answer, '', '', '{}', '', dispute.decided_at
    FROM tagger_dispute dispute JOIN tagger_reviewitem item ON item.task_id = dispute.task_id
    WHERE dispute.decided_at IS NOT NULL
    ORDER BY dispute.decided_at, dispute.id
"""

# A clip may be hidden although whoever reported it has left.
REPORTS = f"""
    INSERT INTO tagger_reviewitem (kind, reason, clip_id, campaign_id, language, rank, opened_at)
    SELECT 'report', waiting.reason, clip.id, waiting.campaign_id, clip.language,
        CASE waiting.reason WHEN 'private' THEN 0 ELSE 1 END, COALESCE(waiting.at, clip.hidden_at)
    FROM datasets_clip clip CROSS JOIN LATERAL (
        SELECT
            COALESCE(({REASONS})[min(array_position({REASONS}, report.reason))], 'other-person') AS reason,
            COALESCE(
                min(report.campaign_id),
                (SELECT min(task.campaign_id) FROM datasets_task task WHERE task.clip_id = clip.id)
            ) AS campaign_id,
            min(report.at) AS at
        FROM tagger_report report WHERE report.clip_id = clip.id AND report.dismissed_at IS NULL
    ) waiting
    WHERE (waiting.at IS NOT NULL OR clip.hidden_at IS NOT NULL) AND waiting.campaign_id IS NOT NULL
    ORDER BY waiting.at, clip.id
"""

EMPTIED = "DELETE FROM tagger_decision; DELETE FROM tagger_reviewitem"


class Migration(migrations.Migration):

    dependencies = [
        ('tagger', '0018_review_queue'),
    ]

    operations = [
        migrations.RunSQL([DISPUTES, DECISIONS, REPORTS], EMPTIED),
    ]

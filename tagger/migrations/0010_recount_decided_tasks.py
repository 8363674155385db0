from django.db import migrations

# The certificate of a task that a reviewer decided was not made again when someone changed or removed their
# answer to it. Settling now does so, once for each of them.
RECOUNT = "UPDATE datasets_task SET dirty_since = now() WHERE adjudicated AND dirty_since IS NULL"


class Migration(migrations.Migration):
    dependencies = [("tagger", "0009_no_one_is_named_by_another")]

    operations = [migrations.RunSQL(RECOUNT, migrations.RunSQL.noop)]

"""Prepared statements are planned once per connection, and again when a plan turns out to be slow."""

from django.contrib.contenttypes.models import ContentType
from django.db import connection

from accounts import prepared

WAIT = "SELECT pg_sleep(%s::float)"


def planned_at():
    with connection.cursor() as cursor:
        cursor.execute("SELECT prepare_time FROM pg_prepared_statements WHERE name = 'waiting'")
        [[when]] = cursor.fetchall()
    return when


def test_a_statement_is_planned_once(db):
    for _ in range(3):
        prepared.rows("waiting", WAIT, [0])
    first = planned_at()
    prepared.rows("waiting", WAIT, [0])
    assert planned_at() == first


def test_a_slow_statement_is_planned_again_once(db):
    """As after an import into tables that were empty when the plan was made."""
    prepared.rows("waiting", WAIT, [0])
    first = planned_at()
    prepared.rows("waiting", WAIT, [2 * prepared.SLOW_SECONDS])
    assert planned_at() == first
    prepared.rows("waiting", WAIT, [0])
    again = planned_at()
    assert again > first
    prepared.rows("waiting", WAIT, [0])
    assert planned_at() == again


def test_a_queryset_is_compiled_once_for_values_of_each_use(db):
    one, other = (ContentType.objects.create(app_label="prepared", model=each) for each in ["one", "100%s"])
    among = ContentType.objects.filter(model__in=["<model>", "100%s"], pk__gte=31_001)
    found = prepared.Prepared("some_types", among.order_by("pk").values_list("model"), ["<model>", 31_001])
    assert found.rows({"<model>": "one", 31_001: one.pk}) == [("one",), ("100%s",)]
    assert found.rows({"<model>": "one", 31_001: other.pk}) == [("100%s",)]
    assert found.rows({"<model>": "' OR TRUE --", 31_001: one.pk}) == [("100%s",)]

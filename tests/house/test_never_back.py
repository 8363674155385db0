"""tagger → datasets → accounts, never back: not by an import, a reverse name, a string or a table."""

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parents[2]
ABOVE = {"accounts": ("datasets", "tagger"), "datasets": ("tagger",)}


def reverse_names(app):
    """What the tables of the apps above add to models below them: accessors and names in queries."""
    own = {field.name for model in apps.get_app_config(app).get_models() for field in own_fields(model)}
    added = set()
    for above in ABOVE[app]:
        for model in apps.get_app_config(above).get_models():
            for field in own_fields(model):
                if field.is_relation and field.related_model and app_of(field.related_model) != above:
                    added |= {field.remote_field.get_accessor_name(), field.related_query_name()}
    return {name for name in added if name and not name.endswith("+")} - own


def own_fields(model):
    return [*model._meta.fields, *model._meta.many_to_many]


def app_of(model):
    return model._meta.app_label


def tables_above(app):
    return {model._meta.db_table for above in ABOVE[app] for model in apps.get_app_config(above).get_models()}


def sources(app):
    return [path for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts]


def breaches(text, app, names, tables):
    """Each place of a source file where the app reaches above itself, as (line, what)."""
    above = re.compile(rf"\b({'|'.join(ABOVE[app])})[./]\w")
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in names:
            yield node.lineno, node.attr
        elif isinstance(node, ast.keyword) and node.arg and names.intersection(node.arg.split("__")):
            yield node.value.lineno, node.arg
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = set(re.findall(r"\w+", node.value))
            if above.search(node.value) or tables & words or names & query_words(node.value):
                yield node.lineno, node.value[:60]
    for number, line in enumerate(text.splitlines(), 1):
        if "#" in line and above.search(line.partition("#")[2]):
            yield number, line.strip()


def query_words(text):
    """The parts of a string that can name a relation in a query, such as "task__clip"; of prose, none."""
    return set(text.lstrip("-").split("__")) if re.fullmatch(r"-?\w+", text) else set()


@pytest.mark.parametrize("app", ABOVE)
def test_a_lower_app_knows_nothing_of_the_apps_above_it(app):
    names, tables = reverse_names(app), tables_above(app)
    assert names and tables
    found = [
        f"{path.relative_to(ROOT)}:{line} {what}"
        for path in sources(app)
        for line, what in breaches(path.read_text(), app, names, tables)
    ]
    assert found == []


@pytest.mark.parametrize("app", ABOVE)
def test_no_model_of_a_lower_app_points_at_a_model_above_it(app):
    pointed_at = {
        app_of(field.related_model)
        for model in apps.get_app_config(app).get_models()
        for field in own_fields(model)
        if field.is_relation and field.related_model
    }
    assert pointed_at.isdisjoint(ABOVE[app])


@pytest.mark.parametrize(
    "line",
    [
        "person.clips.all()",
        "User.objects.filter(clips__seconds=1)",
        'User.objects.values("annotations__task")',
        'models.ForeignKey("datasets.Clip")',
        "# written by datasets.clips.intake",
        'cursor.execute("SELECT * FROM datasets_clip")',
    ],
)
def test_each_way_back_is_found(line):
    names, tables = reverse_names("accounts"), tables_above("accounts")
    assert list(breaches(line, "accounts", names, tables))

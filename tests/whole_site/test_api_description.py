"""The API answers as its description says, whatever it is sent."""

import pytest
from schemathesis import GenerationMode

from datasets.clips import vault
from datasets.models import Label
from tagger.models import Report
from tests.support import api_fuzz
from tests.support.mutants import mutant

EXAMPLES = 3


@pytest.fixture(scope="module")
def description():
    return api_fuzz.described()


@mutant(
    "no call answers with a status that is not described",
    "accounts/api_schema.py",
    kept_by='            **(NOT_OPEN if operation["security"] else {}),\n',
    broken="",
)
def test_every_call_answers_as_it_is_described(db, description, is_thorough):
    """Without a token nearly every call answers the same, so one example of each is enough; otherwise two, or
    three with --thorough."""
    vault.establish()
    things, headers = api_fuzz.everyone()
    many, few = (EXAMPLES, EXAMPLES) if is_thorough else (2, 1)
    for sent, modes, examples in (
        (headers, tuple(GenerationMode), many),
        ({}, [GenerationMode.POSITIVE], few),
    ):
        found = api_fuzz.fuzz(description, sent, things, examples, modes)
        assert not found["broken"], "\n\n".join(found["broken"].values())
        assert found["statuses"].total() > 30


def operation(description, path, method):
    return description.raw_schema["paths"][path][method]


def test_the_description_names_the_answers_and_the_reasons(description):
    schemas = description.raw_schema["components"]["schemas"]
    assert schemas["AnswerEnum"]["enum"] == list(Label.values)
    assert schemas["ReasonEnum"]["enum"] == list(Report.Reason.values)


def test_what_is_public_is_described_as_open(description):
    assert operation(description, "/api/v1/recalls/{release}.json", "get")["security"] == []
    for rest in ("", "manifest.jsonl", "{form}.tar"):
        assert {} in operation(description, f"/api/v1/releases/{{slug}}/{rest}", "get")["security"]
    assert {} in operation(description, "/api/v1/releases/", "get")["security"]
    assert {} not in operation(description, "/api/v1/releases/{slug}/request/", "get")["security"]


@mutant(
    "every refusal of a call is described",
    "tagger/settings.py",
    kept_by='"DEFAULT_SCHEMA_CLASS": "accounts.api_schema.Schema"',
    broken='"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"',
)
def test_every_call_describes_what_every_call_may_answer(description):
    for path, methods in description.raw_schema["paths"].items():
        for method, call in methods.items():
            assert {"400", "405", "411", "413", "429"} <= set(call["responses"]), (path, method)

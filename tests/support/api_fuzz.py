"""Calls of the API made up from its own description, in this process: does it answer as it says?"""

import json
from collections import Counter

import schemathesis
from django.core.wsgi import get_wsgi_application
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import CHECKS

from accounts.models import ProgramToken, Role, Scope, User
from tagger.welcome import pledge
from tests.support import every_page
from tests.support.factors import give_factor
from tests.support.undone import undone

NAMED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "ignored_auth",
)


def described():
    """The API's description, with the application that answers."""
    schema = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(public=True))
    schema.app = get_wsgi_application()
    return schema


def fuzz(schema, headers, things, examples, modes=tuple(schemathesis.GenerationMode)):
    """How many calls were answered with which status, and what was not as described.

    Of each operation: made-up addresses and existing ones, with bodies that fit the description and others.
    """
    found, statuses = {}, Counter()
    for result in schema.get_all_operations():
        operation = result.ok()
        for parameters in (None, named_by(operation.path, things)):
            for mode in modes:
                call = answered(operation, mode, parameters, headers, statuses, examples)
                try:
                    call()
                except Unsatisfiable:  # a call without any parameter has nothing that could be wrong
                    continue
                except Exception as broken:  # noqa: BLE001  (each operation may break in its own way)
                    found[f"{operation.label}, {mode.value}"] = str(broken)
    return {"operations": schema.statistic.operations.total, "statuses": statuses, "broken": found}


def answered(operation, mode, parameters, headers, statuses, examples):
    """A test by Hypothesis that makes these calls. What a call does is undone."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode, path_parameters=parameters))
    def call(case):
        with undone():
            response = case.call(base_url="http://localhost", headers=headers)
            statuses[response.status_code] += 1
            case.validate_response(response, checks=CHECKS.get_by_names(NAMED), headers=headers)

    return call


def named_by(path, things):
    """The parameters of an address, so that it names something that exists."""
    return next((each for start, each in things.items() if path.startswith(start)), None)


def everyone():
    """Objects for the addresses, and the headers of a person who may make every call."""
    things = every_page.one_of_each()
    person = User.objects.get_by_natural_key("bea")
    person.roles = list(Role)
    person.pledge = pledge.VERSION
    person.save()
    give_factor(person)
    _, token = ProgramToken.objects.create(person, list(Scope))
    return things, {"Authorization": f"Token {token}"}


def tell(examples):
    """Prints all of it as JSON, for another process."""
    things, headers = everyone()
    print(json.dumps(fuzz(described(), headers, things, examples)))  # noqa: T201

"""The API's description: every call also lists the refusals that any call can answer with.

With `extend_schema(responses=…)` a view says what it gives; refusals come from here.
"""

from typing import Any

from drf_spectacular.openapi import AutoSchema

# The bodies of refusals: one sentence, or sentences for each field that was sent.
ONE_SENTENCE = {
    "type": "object",
    "properties": {"detail": {"type": "string"}},
    "required": ["detail"],
}
BY_FIELD = {"type": "object", "additionalProperties": {}}

ANY_CALL = {
    "400": "the address, a header or the body cannot be read, or a value in it is not allowed",
    "405": "this address has no such method",
    "411": "the body's length is not said",
    "413": "the body is too large; it was not read",
    "429": "too many calls; the header Retry-After says when to come again",
}
NOT_OPEN = {
    "401": "no token, or one that is not valid",
    "403": "not for this person, or not with this token",
}
WITH_PARAMETERS = {"404": "no such thing, or not yours"}
WITH_BODY = {"415": "the body is not JSON"}


class Schema(AutoSchema):
    """A view may add `refusals` of its own, a description by status, and say `open_to_some`.

    `open_to_some`: it gives some things to anyone, and others only with a token.
    """

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation = super().get_operation(*args, **kwargs)
        if operation:
            operation.setdefault("security", [])
            own = operation["responses"]
            general = {status: _refusal(status, what) for status, what in self._refusals(operation).items()}
            operation["responses"] = dict(sorted((general | own).items()))
        return operation

    def get_auth(self) -> list[dict[str, Any]]:
        needed = [each for each in super().get_auth() if each]
        return [{}, *needed] if getattr(self.view, "open_to_some", False) else needed

    def _refusals(self, operation: dict[str, Any]) -> dict[str, str]:
        return {
            **ANY_CALL,
            **(NOT_OPEN if operation["security"] else {}),
            **(WITH_PARAMETERS if operation.get("parameters") else {}),
            **(WITH_BODY if "requestBody" in operation else {}),
            **getattr(self.view, "refusals", {}),
        }


def _refusal(status: str, description: str) -> dict[str, Any]:
    body = BY_FIELD if status == "400" else ONE_SENTENCE
    return {"description": description, "content": {"application/json": {"schema": body}}}

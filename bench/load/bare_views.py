"""The least that Django can do for a request: identify the user, then execute one statement."""

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone

from accounts.models import User
from datasets.models import Annotation, Task


def select(request: HttpRequest, task: int) -> HttpResponse:
    _user(request)
    return _plain(Task.objects.values_list("clip_id", flat=True).get(pk=task))


def insert(request: HttpRequest, task: int) -> HttpResponse:
    stored = Annotation.objects.create(
        task_id=task, annotator=_user(request), plain_answer="yes", created_at=timezone.now()
    )
    return _plain(stored.pk)


def _user(request: HttpRequest) -> User:
    """Reads the session and the user, as every page of a site with accounts must."""
    if isinstance(request.user, AnonymousUser):
        raise PermissionError("the load test forgot to log in")
    return request.user


def _plain(number: int) -> HttpResponse:
    # With a length, so that the server need not send it in chunks.
    body = str(number).encode()
    return HttpResponse(body, content_type="text/plain", headers={"Content-Length": str(len(body))})


urlpatterns = [path("select/<int:task>/", select), path("insert/<int:task>/", insert)]

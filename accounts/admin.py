from importlib import import_module
from typing import Any

from allauth.account.decorators import secure_admin_login
from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from . import appointing, audit, keyring, names
from .models import Consent, Role, User

# The admin uses the site's log-in page, so the same rate limits apply.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


def _may_use_admin(request: HttpRequest) -> bool:
    person = request.user
    return bool(person.is_authenticated and person.may_log_in and person.is_staff and not person.lacks_factor)


admin.site.has_permission = _may_use_admin  # type: ignore[method-assign]

# Rights come from roles, addresses are sealed, and factors belong to their owners: none is edited here.
for app in ("allauth.account", "allauth.mfa", "django.contrib.auth"):
    import_module(f"{app}.admin")
    admin.site.unregister([model for model in admin.site._registry if model.__module__ == f"{app}.models"])


class PersonForm(forms.ModelForm):
    roles = forms.MultipleChoiceField(
        choices=Role.choices, widget=forms.CheckboxSelectMultiple, required=False
    )

    class Meta:
        model = User
        fields = ("roles", "is_active", "is_staff", "is_superuser")


class ShowsPeople(admin.ModelAdmin):
    """Whoever looks at its pages is recorded, with the numbers of the people who were shown."""

    def person_of(self, row: Any) -> int:
        raise NotImplementedError

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        self._record(request, response, lambda context: context["cl"].result_list)
        return response

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        response = super().changeform_view(request, object_id, form_url, extra_context)
        self._record(request, response, lambda context: [context["original"]])
        return response

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        response = super().history_view(request, object_id, extra_context)
        self._record(request, response, lambda context: [context["object"]])
        return response

    def _record(self, request: HttpRequest, response: HttpResponse, shown: Any) -> None:
        if not isinstance(response, TemplateResponse):
            return  # a redirect shows no one
        people = sorted({self.person_of(row) for row in shown(response.context_data)})
        if people:
            about = f"admin page of {self.opts.verbose_name_plural}"
            looking: User = request.user  # type: ignore[assignment]
            audit.record_once(audit.Act.LOOKED, about, looking, timezone.now(), {"people": people})


@admin.register(User)
class PersonAdmin(ShowsPeople):
    """Roles and rights. People sign up and leave by themselves; no one else can do it for them."""

    form = PersonForm
    list_display = ("pseudonym", "roles", "is_active", "is_staff")
    list_select_related = ("data_key",)
    readonly_fields = ("pseudonym",)
    search_fields = ("username",)
    search_help_text = "the whole pseudonym"

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[User], search_term: str
    ) -> tuple[models.QuerySet[User], bool]:
        # Only hashes are stored, so part of a name finds no one.
        if not search_term:
            return queryset, False
        found = queryset.filter(username__in=keyring.hashes(names.looked_up(search_term)))
        return found, False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        before = appointing.rights(User.objects.get(pk=obj.pk))
        super().save_model(request, obj, form, change)
        by: User = request.user  # type: ignore[assignment]
        appointing.record_change(before, obj, by, timezone.now())

    def person_of(self, row: User) -> int:
        return row.pk

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


@admin.register(Consent)
class ConsentAdmin(ShowsPeople):
    """Read-only: only the person gives and withdraws consent."""

    list_display = ("contributor", "material", "purpose", "at", "withdraws", "reference")
    list_select_related = ("contributor__data_key",)

    def person_of(self, row: Consent) -> int:
        return row.contributor_id

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

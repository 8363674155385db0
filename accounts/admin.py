from importlib import import_module
from typing import Any

from allauth.account.decorators import secure_admin_login
from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils import timezone

from . import audit, keyring, names
from .models import Consent, Role, User

# The admin uses the site's log-in page, so the same rate limits apply.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

# Rights come from roles and addresses are sealed: neither is edited here.
for app in ("allauth.account", "django.contrib.auth"):
    import_module(f"{app}.admin")
    admin.site.unregister([model for model in admin.site._registry if model.__module__ == f"{app}.models"])


class PersonForm(forms.ModelForm):
    roles = forms.MultipleChoiceField(
        choices=Role.choices, widget=forms.CheckboxSelectMultiple, required=False
    )

    class Meta:
        model = User
        fields = ("roles", "is_active", "is_staff", "is_superuser")


@admin.register(User)
class PersonAdmin(admin.ModelAdmin):
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
        super().save_model(request, obj, form, change)
        if form.changed_data:
            audit.record(audit.Act.SET_ROLES, f"person {obj.pk}", request.user, timezone.now())  # type: ignore[arg-type]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


@admin.register(Consent)
class ConsentAdmin(admin.ModelAdmin):
    """Read-only: only the person gives and withdraws consent."""

    list_display = ("contributor", "material", "purpose", "at", "withdraws", "reference")
    list_select_related = ("contributor__data_key",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

from allauth.account.decorators import secure_admin_login
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import models
from django.http import HttpRequest

from .models import Consent, Role, User

# The admin's log-in goes through the same page, and so under the same rate limits, as everybody's.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


class UserForm(forms.ModelForm):
    roles = forms.MultipleChoiceField(
        choices=Role.choices, widget=forms.CheckboxSelectMultiple, required=False
    )

    class Meta:
        model = User
        fields = "__all__"


@admin.register(User)
class PersonAdmin(UserAdmin):
    form = UserForm
    list_display = ("username", "roles", "is_active", "is_staff")
    search_fields = ("username",)
    fieldsets = (
        (None, {"fields": ("username", "password", "roles")}),
        ("Site", {"fields": ("is_active", "is_staff", "is_superuser")}),
    )


@admin.register(Consent)
class ConsentAdmin(admin.ModelAdmin):
    """To look at: consent is given and withdrawn by the person, never typed in here."""

    list_display = ("contributor", "material", "purpose", "at", "withdraws", "reference")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

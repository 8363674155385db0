from importlib import import_module
from typing import Any

from allauth.account.decorators import secure_admin_login
from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import appointing, audit, keyring, names
from .admin_pages import ForLargeTables, OnlyShown
from .ciphers import KeyLost
from .models import HAS_POWER, POWERFUL, Consent, DataKey, Role, User

admin.site.site_header = admin.site.site_title = "Tagger"
admin.site.index_title = _("What has no page of its own")

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
        help_texts = {
            "is_active": _("May log in. People who left cannot, and cannot be brought back."),
            "is_staff": _("May open the admin, which counts once they have a second factor."),
            "is_superuser": _("May do everything, also give roles. Counts once they have a second factor."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "roles" in self.fields:
            self.fields["roles"].help_text = _(
                "Reviewers, researchers and owners need a second factor before these count."
            )


class PowerFilter(admin.SimpleListFilter):
    """Only what few people have, as an index finds these."""

    title = _("role")
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*((role.value, role.label) for role in Role if role in POWERFUL), ("admin", _("admin"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "admin":
            return queryset.filter(HAS_POWER, is_superuser=True)
        if self.value() in POWERFUL:
            return queryset.filter(HAS_POWER, roles__contains=[self.value()])
        return queryset


def people_found(term: str) -> models.QuerySet[User]:
    """By their whole pseudonym, as only its hash is stored, or by their number."""
    found = models.Q(username__in=keyring.hashes(names.looked_up(term)))
    if term.isascii() and term.isdecimal() and len(term) < 19:
        found |= models.Q(pk=int(term))
    return User.objects.filter(found)


class ShowsPeople(ForLargeTables):
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
    list_filter = (PowerFilter,)
    search_fields = ("username",)
    search_help_text = _("the whole pseudonym, or the person’s number")

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[User], search_term: str
    ) -> tuple[models.QuerySet[User], bool]:
        if not search_term:
            return queryset, False
        return queryset.filter(pk__in=list(people_found(search_term).values_list("pk", flat=True))), False

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
class ConsentAdmin(OnlyShown, ShowsPeople):
    """Only the person gives and withdraws consent."""

    list_display = ("contributor", "material", "purpose", "at", "withdraws", "reference_found")
    list_select_related = ("contributor__data_key", "withdraws")
    fields = (
        "contributor",
        "material",
        "purpose",
        "at",
        "notice",
        "disguised",
        "withdraws",
        "reference_found",
    )
    search_fields = ("contributor",)
    search_help_text = _("the person’s whole pseudonym or number")

    @admin.display(description=_("where the consent is kept"))
    def reference_found(self, row: Consent) -> str:
        try:
            return row.reference
        except (KeyLost, DataKey.DoesNotExist):
            return ""  # it was erased with the person

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Consent], search_term: str
    ) -> tuple[models.QuerySet[Consent], bool]:
        if not search_term:
            return queryset, False
        people = people_found(search_term).values_list("pk", flat=True)
        return queryset.filter(contributor_id__in=list(people)), False

    def person_of(self, row: Consent) -> int:
        return row.contributor_id

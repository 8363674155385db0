import os
from typing import Any

from django.conf import settings
from django.contrib.auth.management.commands import createsuperuser
from django.utils import timezone

from accounts import appointing, names
from accounts.models import User


class Command(createsuperuser.Command):
    """Django's, and the audit record has it; then it says how to go on."""

    help = "Creates an account for someone who runs this site, such as its first admin."

    def handle(self, *args: Any, **options: Any) -> None:
        newest = User.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        self.name = options["username"] or os.environ.get("DJANGO_SUPERUSER_USERNAME", "")
        super().handle(*args, **options)
        # Without a terminal Django creates no one, and says so.
        for person in User.objects.found_by(names.looked_up(self.name)).filter(pk__gt=newest):
            nobody = appointing.rights(person) | {"is_staff": False, "is_superuser": False}
            appointing.record_change(nobody, person, None, timezone.now())
            if options["verbosity"] >= 1:
                self.stdout.write(
                    f"Log in at {settings.SITE_URL}/accounts/login/ and set up a second factor: without one,"
                    f" an admin can do nothing. Then {settings.SITE_URL}/first-steps/ leads on."
                )

    def get_input_data(self, field: Any, message: str, default: Any = None) -> Any:
        value = super().get_input_data(field, message, default)
        if field is self.username_field and value:
            self.name = value
        return value

from allauth.account.forms import SignupForm as AllauthSignupForm
from django.utils.translation import gettext_lazy as _


class SignupForm(AllauthSignupForm):
    """A pseudonym and a password; an address only for people who want to be able to reset it."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("Pseudonym")
        self.fields["username"].widget.attrs.pop("placeholder", None)
        self.fields["username"].help_text = _("Any name but your real one. It is what you log in with.")
        if "email" in self.fields:
            self.fields["email"].label = _("E-mail (optional)")
            self.fields["email"].help_text = _("Only to set a new password if you forget yours.")

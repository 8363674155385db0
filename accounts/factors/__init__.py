"""The second factor: an authenticator app, passkeys and recovery codes, by django-allauth."""

"""A second factor for the cast: tests of reviewers, researchers and admins are not about setting one up.

Django's test client logs in without a page. `install` makes its `force_login` do what the pages do: whoever
has a second factor logs in with it.
"""

import hashlib
import json
import secrets
import time

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

from accounts.sessions import SessionStore

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def give_factor(person):
    """An authenticator app with SECRET; returns the person."""
    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={"secret": SECRET})
    person.__dict__.pop("_factors", None)  # it may have been asked before
    return person


def give_passkey(person, name="the blue key"):
    """A passkey, as a browser would have registered it; nobody has its private key."""
    public = ES256.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()).public_key())
    made = AttestedCredentialData.create(bytes(16), secrets.token_bytes(32), public)
    flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.AT
    about = AuthenticatorData.create(hashlib.sha256(b"localhost").digest(), flags, 0, made)
    told = {"type": "webauthn.create", "challenge": "", "origin": "http://localhost"}
    credential = {
        "id": websafe_encode(made.credential_id),
        "rawId": websafe_encode(made.credential_id),
        "type": "public-key",
        "response": {
            "clientDataJSON": websafe_encode(json.dumps(told).encode()),
            "attestationObject": websafe_encode(AttestationObject.create("none", about, {})),
        },
        "clientExtensionResults": {"credProps": {"rk": True}},
    }
    data = {"name": name, "credential": credential}
    return Authenticator.objects.create(user=person, type=Authenticator.Type.WEBAUTHN, data=data)


def code(secret=SECRET, steps=0):
    """What the app shows now, or `steps` half minutes from now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


log_in_by_password_alone = Client.force_login


def install():
    Client.force_login = log_in


def log_in(client, person, backend=None):
    """With everything that the person has."""
    log_in_by_password_alone(client, person, backend)
    if factor := Authenticator.objects.filter(user=person).first():
        record(client, person, factor)


def confirm(client, person, at=None):
    """They confirmed that it is they, so they may change their factors; now, or `at` a time to come."""
    factor = Authenticator.objects.filter(user=person).first()
    record(client, person, factor, at=at or time.time(), reauthenticated=True)


def appoint(person, *roles):
    """Give these roles to someone who is logged in, with a factor that their sessions were opened with."""
    person.roles = [*person.roles, *roles]
    person.save()
    factor = give_factor(person).authenticator_set.get()
    for row in person.sessions.all():
        session = SessionStore(row.session_key)
        session.update(_records(person, factor))
        session.save()


def record(client, person, factor, **details):
    """As allauth notes in the session how it was opened."""
    session = client.session
    session.update(_records(person, factor, **details))
    session.save()


def _records(person, factor, **details):
    how = {"method": "mfa", "id": factor.pk, "type": factor.type} if factor else {"method": "password"}
    return {
        "account_authentication_methods": [how | {"at": time.time()} | details],
        "account_authentication_methods_user": str(person.pk),
    }

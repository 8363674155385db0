"""The people of the tests are stored as the site stores people."""

from accounts import consent
from accounts.ciphers import unseal
from accounts.models import Consent, DataKey, Material, Purpose, User
from tests.conftest import NOW
from tests.support import cast

# Random, or made from what is: each is opened below instead. The site chooses the time when someone joined.
OWN = {"id", "username", "password", "date_joined", "sealed_name", "person", "wrapped", "contributor"}
SEALED = {"reference_hash", "sealed_reference"}


def stored(row):
    left_out = OWN | SEALED
    return {
        field.name: getattr(row, field.attname) for field in row._meta.fields if field.name not in left_out
    }


def opened(row):
    return unseal(
        row.contributor.data_key.open(), row.sealed_reference, Consent.reference_label(row.contributor_id)
    )


def test_the_cast_is_stored_as_create_user_stores_people(db):
    by_the_site = User.objects.create_user("zoe", pledge="2", roles=["reviewer"])
    ann, ben = cast.create("ann", "ben", pledge="2", roles=["reviewer"])
    assert stored(User.objects.get(pk=ann.pk)) == stored(User.objects.get(pk=by_the_site.pk))
    assert stored(DataKey.objects.get(person=ann)) == stored(DataKey.objects.get(person=by_the_site))
    for person, name in ((ann, "ann"), (ben, "ben"), (by_the_site, "zoe")):
        found = User.objects.get_by_natural_key(name)
        assert (found, found.pseudonym, found.has_usable_password()) == (person, name, False)
        assert person.data_key.open() == DataKey.objects.get(person=person).open()


def test_the_cast_agrees_as_people_do_on_paper(db):
    by_the_site, ann = cast.create("zoe", "ann")
    both = [Purpose.VOLUNTEERS, Purpose.RESEARCHERS]
    given = [
        row
        for material in Material
        for row in consent.give(by_the_site, material, both, NOW, reference="on paper")
    ]
    agreed = cast.agree(ann, NOW, "on paper")
    assert [stored(row) for row in agreed] == [stored(row) for row in given]
    assert {opened(row) for row in (*agreed, *given)} == {b"on paper"}
    for material in Material:  # the same consents, under hashes of the person's own: none is added
        assert consent.give(ann, material, both, NOW, reference="on paper")
    assert ann.consents.count() == len(agreed)

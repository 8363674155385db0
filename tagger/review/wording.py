"""The sentence for each refusal of a reviewer's decision."""

from django.utils.translation import gettext_lazy as _

from tagger.desk.examples import ExampleRefusal

from .disputes import DisputeRefusal

WORDS = {
    DisputeRefusal.ALREADY_DECIDED: _("This dispute was decided in the meantime."),
    ExampleRefusal.SPEAKER_NOT_ASKED: _(
        "Its speaker agreed to an earlier notice, which does not mention examples."
    ),
}

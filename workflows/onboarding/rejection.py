"""What a rejected applicant is told, and how long they may appeal."""

from collections.abc import Mapping

from workflows.onboarding.rules import AdverseAction
from workflows.policy import Duration
from workflows.request_key import Message

ADVERSE_ACTIONS: Mapping[AdverseAction, str] = {
    "identity_not_verified": "We could not verify your identity.",
    "country_not_served": "We do not offer our services in your country.",
    "currency_not_served": "We do not keep accounts in the currency that you asked for.",
    "details_not_confirmed": "We could not confirm what you told us.",
    "known_already": "You have an account or an application with us already: that one goes on.",
    # Said of sanctions hits, too, of which nobody may be told. So it says no more.
    "not_accepted": "We cannot accept your application.",
}
"""The one place where codes become words. Why we decided so stays in `decisions`."""


class RejectionPolicy(Message):
    """Rejected applicants hear of it by letter, and may appeal once within this time."""

    appeal_within: Duration

"""The one list of search attributes: what runs can be filtered by in the Temporal Web UI.

No personal data goes in here: search attributes are stored in plain text.
"""

from typing import Any

from temporalio.common import SearchAttributeKey

TENANT = SearchAttributeKey.for_keyword("Tenant")
STAGE = SearchAttributeKey.for_keyword("Stage")
ATTENTION = SearchAttributeKey.for_keyword_list("Attention")
"""The steps that wait for somebody; unset while nothing does."""
OWNER = SearchAttributeKey.for_keyword("Owner")
"""The role that must act."""
ATTENTION_SINCE = SearchAttributeKey.for_datetime("AttentionSince")
PROBLEMS = SearchAttributeKey.for_keyword_list("TemporalReportedProblems")
"""Set by the server itself on a run whose workflow task keeps failing: not one to register."""

# Any: each key says itself of which type its values are.
ALL: list[SearchAttributeKey[Any]] = [TENANT, STAGE, ATTENTION, OWNER, ATTENTION_SINCE]

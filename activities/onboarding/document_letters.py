"""What applicants are written about documents: every kind and every fault in words."""

from collections.abc import Mapping

from workflows.onboarding.documents import WriteAboutDocuments
from workflows.onboarding.messages import RefusalCode
from workflows.onboarding.rules import DocumentKind

KINDS: Mapping[DocumentKind, str] = {
    "proof_of_address": "proof of your address, such as a bill of the last three months",
    "register_extract": "an extract from the register that your company is in",
    "ownership_statement": "a statement of who owns your company, signed",
    "source_of_funds": "a statement of where your funds come from",
    "identity_document": "your passport or identity card",
}
FAULTS: Mapping[RefusalCode, str] = {
    "unreadable": "it cannot be read",
    "incomplete": "pages are missing",
    "out_of_date": "it is too old, or no longer valid",
    "not_what_was_asked": "it is another document",
    "other_name": "it is about somebody else",
}


def subject(request: WriteAboutDocuments) -> str:
    """The letter's subject."""
    if request.occasion == "reminder":
        return "A reminder: documents that we need from you"
    if request.occasion == "expiring" and not request.refused:
        return "Documents of yours that expire"
    if request.refused:
        return "A document that we need from you once more"
    return "Documents that we need from you"


def text(request: WriteAboutDocuments, *, name: str, onboarding: str) -> str:
    """The letter: what is missing, what was wrong with what came, until when there is time."""
    faults = [
        f"  - {KINDS[one.kind]}: {FAULTS[one.code] if one.code else 'it cannot be used'}\n"
        for one in request.refused
        if one.kind in request.kinds
    ]
    needed = "to go on we need"
    if request.occasion == "expiring":
        needed = "what we have of you is valid for a short time only. We need anew"
    why = f"We cannot use what we got:\n\n{''.join(faults)}\n" if faults else ""
    missing = "".join(f"  - {KINDS[kind]}\n" for kind in request.kinds)
    return (
        f"Hello {name},\n\n"
        f"{why}"
        f"{needed}, as PDF, PNG or JPEG:\n\n{missing}\n"
        f"There is time until {request.until:%d %B %Y, %H:%M} UTC.\n\n"
        f"Your onboarding: {onboarding}\n"
    )

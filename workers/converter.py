"""How messages travel: as the JSON that pydantic makes of them.

Temporal's SDK asks for a new converter twice in each activation of a workflow, and Temporal's own
one for pydantic begins from nothing each time. Ours knows its types as long as the process lives.
"""

from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import CompositePayloadConverter, DataConverter

_ENCODINGS = tuple(PydanticPayloadConverter().converters.values())


class Messages(CompositePayloadConverter):
    """Pydantic models and whatever JSON knows, both ways."""

    def __init__(self) -> None:
        super().__init__(*_ENCODINGS)


CONVERTER = DataConverter(payload_converter_class=Messages)

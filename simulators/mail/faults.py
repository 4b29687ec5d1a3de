"""How a mail server can fail."""

from typing import Literal

MailFaultKind = Literal[
    "refuse_temporarily",  # 450 at DATA; nothing is kept
    "refuse_permanently",  # 550 at DATA; nothing is kept
    "drop_after_accept",  # the message is kept; the connection ends before the reply
    "slow",  # waits `seconds` (default 1), then accepts
    "down",  # the connection ends before the greeting
]

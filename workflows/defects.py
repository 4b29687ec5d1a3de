"""What may be said of an exception in a log line: its type and its places, never its text.

Texts repeat what was given: a database quotes the row, a model the value that it refused.
"""

import traceback

from temporalio.exceptions import ApplicationError

_PLACES = 12


def without_texts(error: BaseException) -> list[str]:
    """The types of an exception and of what it came from, each with the places it went through.

    The last ones come first: the exception itself, and of its places the innermost.
    """
    told: list[str] = []
    seen: set[int] = set()
    _tell(error, told, seen)
    return told


def _tell(error: BaseException, told: list[str], seen: set[int]) -> None:
    if id(error) in seen:
        return
    seen.add(id(error))
    told.append(_name(error))
    frames = traceback.extract_tb(error.__traceback__, limit=-_PLACES)
    told.extend(f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    from_it = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    for source in (*from_it, error.__cause__, error.__context__):
        if source is not None:
            _tell(source, told, seen)


def _name(error: BaseException) -> str:
    name = type(error).__name__
    return f"{name} {error.type}" if isinstance(error, ApplicationError) and error.type else name

"""What a component may raise, so that the row of the board says whose fault it is."""

from __future__ import annotations


class ConfigError(ValueError):
    """A value of the configuration cannot be used."""


class DataError(ValueError):
    """The molecules, labels or profiles cannot be used."""


class Unsupported(NotImplementedError):
    """The component does not do this."""


class Cancelled(RuntimeError):
    """The arena asked the call to end (:meth:`molarena.Call.check` raises it)."""


def status_of(error: BaseException) -> str:
    """The status of ``molarena.process/1`` for an exception."""
    for kind, status in (
        (ConfigError, "invalid-config"),
        (DataError, "data"),
        (Cancelled, "cancelled"),
        (NotImplementedError, "unsupported"),
        (MemoryError, "out-of-memory"),
        (OSError, "io"),
    ):
        if isinstance(error, kind):
            return status
    return "internal"

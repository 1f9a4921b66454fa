"""What failures of PostgreSQL mean, and Orthanc's words for them."""

from __future__ import annotations

import psycopg

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["away", "database_error", "is_collision", "is_lost"]

_COLLISIONS = frozenset({"40001", "40P01", "55P03"})  # serialization, deadlock, lock not available
_LOST = frozenset(
    {
        "57P01",  # the backend was ended by an administrator
        "57P02",  # or by a crash of another one
        "57P03",  # the database is starting or stopping
        "57P05",  # it was idle for too long
        "25P03",  # so was a transaction
        "25006",  # the database has become a standby
        "53300",  # too many connections
    }
)
_CONNECTION = "08"  # class of states
_DISK_FULL = "53100"
_GIVEN_UP = "OL001"  # of the function take_over_files: other servers have taken this one for dead
_CANCELED = "57014"  # here: the statement took too long


def is_collision(error: BaseException) -> bool:
    """Tell whether a transaction that is repeated may succeed."""
    return isinstance(error, psycopg.Error) and error.sqlstate in _COLLISIONS


def is_lost(error: BaseException) -> bool:
    """Tell whether a connection is lost, or was never made: the outcome of what was sent last is unknown."""
    if not isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError)):
        return False
    state = error.sqlstate
    if state is None:
        return not isinstance(error, psycopg.errors.PipelineAborted)
    return state in _LOST or state.startswith(_CONNECTION)


def away(error: BaseException | None = None) -> OrthancError:
    """Return the error for a database that cannot be reached."""
    details = f"PostgreSQL: {_one_line(error)}" if error is not None else ""
    return OrthancError(ErrorCode.DATABASE_UNAVAILABLE, details)


def database_error(error: psycopg.Error) -> OrthancError:
    """Return the error of Orthanc for a failure of PostgreSQL."""
    if is_lost(error) or error.sqlstate == _CANCELED:
        return away(error)
    if is_collision(error):
        return OrthancError(ErrorCode.DATABASE_CANNOT_SERIALIZE)
    if error.sqlstate == _GIVEN_UP:
        return OrthancError(ErrorCode.DATABASE_UNAVAILABLE, "This server was not heard of for too long: try again")
    if error.sqlstate == _DISK_FULL:
        return OrthancError(ErrorCode.FULL_STORAGE)
    return OrthancError(ErrorCode.DATABASE, f"PostgreSQL: {_one_line(error)}")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())

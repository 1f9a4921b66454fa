"""The option ``Transfers``: the section of the transfers accelerator, with its limits."""

from __future__ import annotations

from typing import Any

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.server.options.option import out_of_range

__all__ = ["TRANSFERS_NAMES", "check_transfers"]

_LARGEST = 2**31 - 1
_POSITIVE = ("BucketSize", "CacheSize", "CommitThreadsCount", "MaxPushTransactions")
_UNSIGNED = ("MaxHttpRetries", "PeerCommitTimeout", "PeerConnectivityTimeout", "Threads")
TRANSFERS_NAMES = (*_POSITIVE, *_UNSIGNED)
"""The names in the section."""


def check_transfers(name: str, value: Any) -> None:
    """Refuse a number that no transfer can have; unknown names are ignored."""
    for field in TRANSFERS_NAMES:
        if field in value:
            _check_number(f"{name}.{field}", value[field], smallest=1 if field in _POSITIVE else 0)


def _check_number(name: str, value: Any, smallest: int) -> None:
    if type(value) is not int:
        raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE, f'The configuration option "{name}" must be an integer')
    if value < smallest:
        kind = "strictly positive" if smallest else "positive"
        raise out_of_range(f'The configuration option "{name}" must be a {kind} integer')
    if value > _LARGEST:
        raise out_of_range(f'The configuration option "{name}" must be at most {_LARGEST}')

"""Connection strings of Azure."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["AzureAccount", "read_connection_string"]

_EMULATOR = "usedevelopmentstorage"


@dataclass(frozen=True, slots=True)
class AzureAccount:
    """A storage account, and what proves the right to use it."""

    name: str
    endpoint: str | None = None  # of the blobs
    key: str | None = field(default=None, repr=False)
    signature: str | None = field(default=None, repr=False)  # shared access signature
    is_emulator: bool = False


def read_connection_string(text: str) -> AzureAccount:
    """Return the account that a connection string names.

    Raises
    ------
    ValueError
        If it cannot be read; the message contains nothing of it.

    Examples
    --------
    >>> account = read_connection_string("AccountName=lab;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net")
    >>> account.name, account.endpoint
    ('lab', 'https://lab.blob.core.windows.net')
    """
    parts = (part.partition("=") for part in text.strip().split(";") if part.strip())
    values = {name.strip().lower(): value.strip() for name, _, value in parts}
    if values.get(_EMULATOR, "").lower() == "true":
        return AzureAccount("devstoreaccount1", is_emulator=True)
    name, endpoint = values.get("accountname", ""), values.get("blobendpoint")
    key, signature = values.get("accountkey"), values.get("sharedaccesssignature")
    if endpoint is None and name:
        protocol = values.get("defaultendpointsprotocol", "https")
        endpoint = f"{protocol}://{name}.blob.{values.get('endpointsuffix', 'core.windows.net')}"
    if endpoint is None:
        raise ValueError("it names neither an account nor an end point of blobs")
    if not key and not signature:
        raise ValueError("it has neither a key nor a shared access signature")
    name = name or endpoint.partition("://")[2].partition(".")[0]
    return AzureAccount(name, endpoint.rstrip("/"), key, signature.lstrip("?") if signature else None)

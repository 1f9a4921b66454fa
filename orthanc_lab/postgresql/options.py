"""The section ``PostgreSQL`` of the configuration, with the names and defaults of Orthanc's plug-in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["FIELDS", "PostgresqlOptions"]

_CONNECT_SECONDS = 5
_PATIENCE_MS = 10_000  # for an acknowledgement of what was sent


@dataclass(frozen=True, slots=True)
class PostgresqlOptions:
    """How the database is reached; the names in the configuration stand beside the fields."""

    enable_index: bool = False  # EnableIndex
    enable_storage: bool = False  # EnableStorage
    connection_uri: str = ""  # ConnectionUri; if it is given, the next six are not read
    host: str = "localhost"  # Host
    port: int = 5432  # Port
    database: str = ""  # Database
    username: str = ""  # Username
    password: str = field(default="", repr=False)  # Password
    enable_ssl: bool = False  # EnableSsl
    lock: bool = True  # Lock: no other server may use the database
    connections: int = 4  # IndexConnectionsCount
    retries: int = 10  # MaximumConnectionRetries, for a database that is away and transactions that collide
    retry_interval: float = 5  # ConnectionRetryInterval, seconds

    @classmethod
    def of_section(cls, section: Mapping[str, Any]) -> PostgresqlOptions:
        """Read the section.

        Raises
        ------
        OrthancError
            5 for a value of the wrong type, 3 for a number out of range.

        Examples
        --------
        >>> PostgresqlOptions.of_section({"EnableIndex": True, "Port": 5433}).port
        5433
        """
        values: dict[str, Any] = {}
        for name, value in section.items():
            attribute = FIELDS.get(name)
            if attribute is not None:
                values[attribute] = _checked(name, value, type(getattr(_DEFAULTS, attribute)))
        return cls(**values)

    def require_library(self) -> None:
        """Check that what reaches a database is installed, if the index is to be in one.

        Raises
        ------
        OrthancError
            11 if it is not.
        """
        if self.enable_index:
            try:
                import psycopg  # noqa: F401, PLC0415 - not installed without the extra ``cluster``
            except ImportError as error:
                text = "An index in PostgreSQL needs a further package: pip install 'orthanc-lab[cluster]'"
                raise OrthancError(ErrorCode.DATABASE, text) from error

    def connection_string(self, application: str) -> str:
        """Return what libpq connects with.

        Parameters
        ----------
        application
            Shown in ``pg_stat_activity``.

        Raises
        ------
        OrthancError
            3 if ``ConnectionUri`` cannot be read.
        """
        from psycopg import ProgrammingError  # noqa: PLC0415 - as above

        try:
            return self._connection_string(application)
        except ProgrammingError:  # which would show a part of it, perhaps of the password
            text = 'The configuration option "PostgreSQL.ConnectionUri" is not a connection string of PostgreSQL'
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, text) from None

    def _connection_string(self, application: str) -> str:
        from psycopg.conninfo import make_conninfo  # noqa: PLC0415 - as above

        settings: dict[str, Any] = {
            "connect_timeout": _CONNECT_SECONDS,
            "application_name": application,
            "client_encoding": "UTF8",
            "tcp_user_timeout": _PATIENCE_MS,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
        }
        if self.connection_uri:
            return make_conninfo(self.connection_uri, **settings)
        return make_conninfo(
            **settings,
            host=self.host,
            port=self.port,
            dbname=self.database or None,
            user=self.username or None,
            password=self.password or None,
            sslmode="require" if self.enable_ssl else "disable",
        )


FIELDS = {
    "EnableIndex": "enable_index",
    "EnableStorage": "enable_storage",
    "ConnectionUri": "connection_uri",
    "Host": "host",
    "Port": "port",
    "Database": "database",
    "Username": "username",
    "Password": "password",
    "EnableSsl": "enable_ssl",
    "Lock": "lock",
    "IndexConnectionsCount": "connections",
    "MaximumConnectionRetries": "retries",
    "ConnectionRetryInterval": "retry_interval",
}
"""The options of the section that have an effect, each with its field."""

_DEFAULTS = PostgresqlOptions()
_AT_LEAST_ONE = ("Port", "IndexConnectionsCount")
_LARGEST = 2**31 - 1


def _checked(name: str, value: Any, kind: type) -> Any:
    full = f"PostgreSQL.{name}"
    if kind is bool or kind is str:
        if not isinstance(value, kind):
            what = "a Boolean (true or false)" if kind is bool else "a string"
            raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE, f'The configuration option "{full}" must be {what}')
        return value
    if type(value) is not int:
        raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE, f'The configuration option "{full}" must be an integer')
    smallest = 1 if name in _AT_LEAST_ONE else 0
    largest = 65535 if name == "Port" else _LARGEST
    if not smallest <= value <= largest:
        text = f'The configuration option "{full}" must be between {smallest} and {largest}'
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, text)
    return value

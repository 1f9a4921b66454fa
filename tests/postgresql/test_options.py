"""The section ``PostgreSQL``: read as Orthanc's plug-in reads it."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

import orthanc_lab
from orthanc_lab.postgresql.options import PostgresqlOptions
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.server.options.names import check_names, warnings_of_names
from orthanc_lab.server.options.settings import CheckedSettings
from orthanc_lab.testing.postgresql_server import execute


@pytest.mark.parametrize(
    ("section", "code", "words"),
    [
        ({"EnableIndex": 1}, 5, '"PostgreSQL.EnableIndex" must be a Boolean'),
        ({"Host": 5}, 5, '"PostgreSQL.Host" must be a string'),
        ({"Port": "5432"}, 5, '"PostgreSQL.Port" must be an integer'),
        ({"Port": True}, 5, '"PostgreSQL.Port" must be an integer'),
        ({"Port": 65536}, 3, '"PostgreSQL.Port" must be between 1 and 65535'),
        ({"IndexConnectionsCount": 0}, 3, '"PostgreSQL.IndexConnectionsCount" must be between 1'),
        ({"MaximumConnectionRetries": -1}, 3, '"PostgreSQL.MaximumConnectionRetries" must be between 0'),
    ],
)
def test_what_is_refused(section: dict[str, Any], code: int, words: str) -> None:
    with pytest.raises(OrthancError, match=words) as refused:
        CheckedSettings({"PostgreSQL": section})
    assert refused.value.code == code


@pytest.mark.parametrize("start", [orthanc_lab.serve, partial(orthanc_lab.serve, process=True), orthanc_lab.in_process])
def test_without_psycopg_it_says_what_to_install(start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(OrthancError, match=r"pip install 'orthanc-lab\[cluster\]'") as refused:
        start(PostgreSQL={"EnableIndex": True})
    assert refused.value.code == 11
    with pytest.raises(ImportError, match=r"pip install 'orthanc-lab\[cluster\]'"):
        execute("postgresql://127.0.0.1/postgres", "SELECT 1")
    CheckedSettings({"PostgreSQL": {"EnableIndex": False}})


def test_names_that_mean_nothing_are_told() -> None:
    """Options of later versions of the plug-in among them."""
    options = {"PostgreSQL": {"EnableIndex": False, "TransactionMode": "Serializable"}}
    text = 'The configuration option "PostgreSQL.TransactionMode" is unknown, and has no effect'
    assert warnings_of_names(options) == [text]
    check_names(options)


def test_how_the_database_is_reached() -> None:
    section = {"Host": "db", "Port": 5433, "Database": "d", "Username": "u", "Password": "it's secret"}
    options = PostgresqlOptions.of_section(section)
    assert "secret" not in repr(options)
    reached = conninfo_to_dict(options.connection_string("the name"))
    wanted = {"host": "db", "port": "5433", "dbname": "d", "user": "u", "password": "it's secret", "sslmode": "disable"}
    assert wanted.items() <= {name: str(value) for name, value in reached.items()}.items()
    assert reached["application_name"] == "the name"
    secure = PostgresqlOptions.of_section({**section, "EnableSsl": True})
    assert conninfo_to_dict(secure.connection_string("x"))["sslmode"] == "require"


def test_a_uri_takes_the_place_of_the_rest() -> None:
    uri = "postgresql://u@one,two/d?target_session_attrs=read-write"
    options = PostgresqlOptions.of_section({"ConnectionUri": uri, "Host": "other", "EnableSsl": True})
    reached = conninfo_to_dict(options.connection_string("x"))
    assert (reached["host"], reached["user"], reached.get("sslmode")) == ("one,two", "u", None)
    assert reached["target_session_attrs"] == "read-write"


@pytest.mark.parametrize(
    "uri", ["host=db password=my secret", "postgresql://u:secret%ss@db/d", "postgresql://u:my secret@db"]
)
def test_a_uri_that_cannot_be_read_is_not_shown(uri: str) -> None:
    """It contains a password."""
    with pytest.raises(OrthancError, match="ConnectionUri") as refused:
        PostgresqlOptions.of_section({"ConnectionUri": uri}).connection_string("x")
    assert refused.value.code == 3
    assert "secret" not in "".join(traceback.format_exception(refused.value))

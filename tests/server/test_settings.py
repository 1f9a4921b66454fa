"""The table of settings: complete, documented, and checked in Orthanc's words."""

import re
from pathlib import Path

import pytest

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.server.options.configuration_files import sample_configuration
from orthanc_lab.server.options.option_table import OPTIONS
from orthanc_lab.server.options.settings import CheckedSettings

PACKAGE = Path(__file__).parents[2] / "orthanc_lab"


def test_every_option_is_documented():
    sample = sample_configuration()
    for name, option in OPTIONS.items():
        assert option.meaning.endswith("."), name
        assert option.meaning in sample
        assert f'"{name}" : ' in sample


def test_defaults_pass_their_own_checks():
    for option in OPTIONS.values():
        if option.default is not None:
            option.checked(option.default)


def test_an_option_that_is_honoured_is_read_somewhere():
    code = "\n".join(
        path.read_text("utf-8")
        for path in PACKAGE.rglob("*.py")
        if path.name not in ("option_table.py", "demo.py", "test_settings.py") and "testing" not in path.parts
    )
    read = set(re.findall(r'"([A-Z]\w+)"', code))
    copied = {name: f"options.{option.storage_field}" for name, option in OPTIONS.items() if option.storage_field}
    read |= {name for name, place in copied.items() if place in code}
    honoured = {name for name, option in OPTIONS.items() if option.honoured}
    assert honoured - read == set()


def test_unknown_options_of_a_file_are_ignored():
    settings = CheckedSettings({"NoSuchOption": 1, "Name": "x"})
    assert settings["Name"] == "x"
    assert settings.warnings == []
    with pytest.raises(KeyError):
        settings["NoSuchOption"]


def test_known_options_without_effect_are_warned_about_once():
    settings = CheckedSettings({"LuaScripts": ["a.lua"], "Plugins": []})
    assert settings.warnings == ['The configuration option "LuaScripts" is known, but has no effect yet']


def test_values_that_stand_for_others():
    given = {"UserMetadata": None, "UserContentType": None, "AcceptedTransferSyntaxes": "1.2.840.10008.1.2.4.*"}
    settings = CheckedSettings(given)
    assert [settings[name] for name in given] == [{}, {}, ["1.2.840.10008.1.2.4.*"]]
    assert settings.warnings == []


def test_defaults_are_not_shared_between_servers():
    CheckedSettings()["RegisteredUsers"]["eve"] = "x"
    assert CheckedSettings()["RegisteredUsers"] == {}


@pytest.mark.parametrize(
    ("given", "authentication", "users", "warning"),
    [
        ({}, False, {}, ""),
        ({"RemoteAccessAllowed": True}, True, {"orthanc": "orthanc"}, "INSECURE"),
        ({"RemoteAccessAllowed": True, "RegisteredUsers": {"a": "b"}}, True, {"a": "b"}, "authentication is enabled"),
        ({"RemoteAccessAllowed": True, "AuthenticationEnabled": False}, False, {}, "INSECURE"),
        ({"AuthenticationEnabled": True}, True, {}, "no one can log in"),
        ({"AuthenticationEnabled": True, "RegisteredUsers": {"a": "b"}}, True, {"a": "b"}, ""),
        ({"RegisteredUsers": {"a": 5, "b": True}}, False, {"a": "5", "b": "true"}, ""),
        ({"RegisteredUsers": {"a": None, "b": "x"}}, False, {"b": "x"}, '"a" of RegisteredUsers has no password'),
        (
            {"RegisteredUsers": {"a": ""}, "RemoteAccessAllowed": True},
            True,
            {},
            '"a" of RegisteredUsers has no password',
        ),
    ],
)
def test_who_is_let_in(given, authentication, users, warning):
    settings = CheckedSettings(given)
    assert settings["AuthenticationEnabled"] is authentication
    assert settings["RegisteredUsers"] == users
    assert warning in " ".join(settings.warnings)
    assert bool(settings.warnings) == bool(warning)


def test_relative_paths_start_at_the_folder_of_the_file(tmp_path):
    settings = CheckedSettings({"StorageDirectory": "files", "IndexDirectory": "/index"}, tmp_path)
    assert settings["StorageDirectory"] == str(tmp_path / "files")
    assert settings["IndexDirectory"] == "/index"
    assert settings["SslCertificate"] == str(tmp_path / "certificate.pem")


def test_the_index_is_beside_the_files_unless_said_otherwise(tmp_path):
    settings = CheckedSettings({"StorageDirectory": "files"}, tmp_path)
    assert settings["IndexDirectory"] == str(tmp_path / "files")


def test_the_largest_integer():
    assert CheckedSettings({"JobsHistorySize": 2**31 - 1})["JobsHistorySize"] == 2**31 - 1
    with pytest.raises(OrthancError) as refused:
        CheckedSettings({"JobsHistorySize": 2**31})
    assert refused.value.code == 3


@pytest.mark.parametrize("name", ["HttpPort", "DicomPort"])
def test_the_largest_port(name):
    assert CheckedSettings({name: 65535})[name] == 65535
    with pytest.raises(OrthancError, match=f'"{name}" must be a port, at most 65535') as refused:
        CheckedSettings({name: 65536})
    assert refused.value.code == 3

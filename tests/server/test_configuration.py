"""How configuration files are read; what is refused, by our server and by the real one."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from orthanc_lab.protocol.errors import ERROR_TEXTS, OrthancError
from orthanc_lab.server.loopback import free_port
from orthanc_lab.server.options.configuration_files import read_configuration, sample_configuration
from orthanc_lab.server.options.option_table import OPTIONS
from orthanc_lab.server.options.settings import CheckedSettings


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


# -- what is accepted -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"Name" : "plain"}', "plain"),
        ('// a comment\n{ /* another */ "Name" : "a//b", }', "a//b"),
        ('\ufeff{"Name" : "\u00e9\u5b57"}', "\u00e9\u5b57"),
        ('{"Name" : "first"} and some more text', "first"),
        (b'{"Name" : "\xe9"}', "\ufffd"),
        ('{"Name" : "${SET}-${UNSET}-${UNSET:-other}-${SET:-other}-$SET-${A-B}"}', "value--other-value-$SET-"),
        (
            '{"Name" : "${U:-"a}b"}-${U:-\'c d\'}-${U:-\'\'}-${ SET }-${É}-${U:-it\'s}-${}"}',
            "a}b-c d----${U:-it's}-${}",
        ),
        ('{"Name" : "a"}', "a"),
    ],
)
def test_a_file(tmp_path, text, name):
    write(tmp_path, {"c.json": text})
    configuration = read_configuration(tmp_path / "c.json", {"SET": "value"})
    assert configuration.values["Name"] == name
    assert configuration.folder == tmp_path
    assert configuration.read == [tmp_path / "c.json"]


def test_variables_without_value_are_told(tmp_path):
    write(tmp_path, {"c.json": '{"Name" : "${A}${B:-}${C:-x}"}'})
    assert read_configuration(tmp_path / "c.json", {}).undefined == ["A"]


def test_variables_may_stand_outside_of_texts(tmp_path):
    write(tmp_path, {"c.json": '{"HttpPort" : ${PORT}}'})
    assert read_configuration(tmp_path / "c.json", {"PORT": "8099"}).values == {"HttpPort": 8099}


def test_a_folder(tmp_path):
    write(
        tmp_path,
        {
            "b.json": '{"Name" : "b"}',
            "a.JSON": '{"HttpPort" : 1}',
            "c.txt": "{",
            "sub/d.json": "{",
            ".json": '{"StableAge" : 1}',
        },
    )
    configuration = read_configuration(tmp_path)
    assert configuration.values == {"HttpPort": 1, "Name": "b", "StableAge": 1}
    assert configuration.folder == tmp_path


def test_an_empty_folder_and_nothing_at_all(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_configuration(tmp_path).values == {}
    assert read_configuration(None).folder == tmp_path


def test_the_sample_is_a_configuration_of_defaults(tmp_path):
    write(tmp_path, {"sample.json": sample_configuration()})
    values = read_configuration(tmp_path / "sample.json").values
    settings = CheckedSettings(values, tmp_path)
    assert settings.warnings == []
    assert values == {
        name: option.default for name, option in OPTIONS.items() if option.honoured and option.default is not None
    }


# -- what is refused, with its code and words ------------------------------------------

NOT_JSON = "The configuration file does not follow the JSON syntax: {path}"
BAD_FILES = [
    ({}, 13, "Inexistent path to configuration: {path}"),
    ({"c.json": "{"}, 28, NOT_JSON),
    ({"c.json": ""}, 28, NOT_JSON),
    ({"c.json": "[]"}, 28, NOT_JSON),
    ({"c.json": '"text"'}, 28, NOT_JSON),
    ({"c.json": "null"}, 28, NOT_JSON),
    ({"c.json/a.json": "{", "c.json/b.json": "{}"}, 28, NOT_JSON.replace("{path}", "{path}/a.json")),
    ({"c.json/a.json": "[1]"}, 28, NOT_JSON.replace("{path}", "{path}/a.json")),
    (
        {"c.json/a.json": '{"HttpPort" : 1}', "c.json/b.json": '{"HttpPort" : 1}'},
        15,
        'The configuration section "HttpPort" is defined in 2 different configuration files',
    ),
]

BOOLEAN = 'The configuration option "{}" must be a Boolean (true or false)'
INTEGER = 'The configuration option "{}" must be an integer'
POSITIVE = 'The configuration option "{}" must be a positive integer'
STRING = 'The configuration option "{}" must be a string'
STRINGS = "Badly formatted list of strings: {}"

NODE = {"AET": "A", "Host": "h", "Port": 1}

BAD_VALUES = [
    *[("HttpPort", value, 5, INTEGER) for value in ("8042", 1.5, 8042.0, True, None, [], {})],
    *[(name, "x", 5, INTEGER) for name in ("StableAge", "ConcurrentJobs", "JobsHistorySize", "MediaArchiveSize")],
    *[(name, "x", 5, INTEGER) for name in ("HttpThreadsCount", "HttpRequestTimeout", "KeepAliveTimeout")],
    *[(name, "x", 5, INTEGER) for name in ("HttpTimeout", "DicomLossyTranscodingQuality")],
    *[(name, -1, 3, POSITIVE) for name in ("HttpPort", "StableAge", "ConcurrentJobs", "JobsHistorySize")],
    *[(name, -1, 3, POSITIVE) for name in ("MediaArchiveSize", "HttpRequestTimeout", "HttpTimeout")],
    *[("SaveJobs", value, 5, BOOLEAN) for value in ("true", 1, 0, None, [], {})],
    *[(name, "x", 5, BOOLEAN) for name in ("StorageCompression", "OverwriteInstances", "StoreDicom")],
    *[(name, "x", 5, BOOLEAN) for name in ("MetricsEnabled", "HttpServerEnabled", "HttpDescribeErrors")],
    *[(name, "x", 5, BOOLEAN) for name in ("RemoteAccessAllowed", "AuthenticationEnabled", "SslEnabled")],
    *[(name, "x", 5, BOOLEAN) for name in ("SslVerifyPeers", "HttpsVerifyPeers", "CheckRevisions", "KeepAlive")],
    *[(name, "x", 5, BOOLEAN) for name in ("StoreMD5ForAttachments", "SyncStorageArea", "HttpCompressionEnabled")],
    *[("StorageDirectory", value, 5, STRING) for value in (1, True, None, [], {})],
    *[(name, 1, 5, STRING) for name in ("IndexDirectory", "DefaultEncoding", "HttpProxy", "HttpsCACertificates")],
    *[(name, value, 15, STRINGS) for name in ("Plugins", "LuaScripts") for value in ("x", 1, {})],
    *[("RegisteredUsers", value, 15, "Badly formatted list of users") for value in ("x", 1, [])],
    ("JobsEngineThreadsCount", [], 15, 'Bad format of the "JobsEngineThreadsCount" configuration section'),
    ("DicomLossyTranscodingQuality", 0, 3, "must be an integer between 1 and 100, received: 0"),
    ("DicomLossyTranscodingQuality", 101, 3, "must be an integer between 1 and 100, received: 101"),
    ("MediaArchiveSize", 0, 3, ""),
    ("HttpThreadsCount", 0, 3, ""),
    ("HttpRequestTimeout", 0, 3, ""),
    ("DefaultEncoding", "Klingon", 3, ""),
    ("StorageAccessOnFind", "x", 3, 'Configuration option "StorageAccessOnFind" should be "Always", "Never" or'),
    ("UserMetadata", {"a": 5}, 3, 'must have index between 1024 and 65535, but "a" has index 5'),
    ("UserMetadata", {"a": 1024, "b": 1024}, 3, 'Cannot associate user content type "b" with index 1024'),
    ("UserMetadata", {"a": "x"}, 5, "Not a number in this user-defined metadata: a"),
    ("UserContentType", {"a": 5}, 3, 'must have index between 1024 and 65535, but "a" has index 5'),
    *[("DicomAet", value, 2009, "") for value in ("", "A" * 17)],
    ("DatabaseServerIdentifier", "", 3, 'Global configuration option "DatabaseServerIdentifier" cannot be empty'),
    ("UserContentType", {"a": "x"}, 5, "Not a number in this user-defined attachment type: a"),
    ("UserMetadata", {"a": [1024, "x"]}, 5, "Not a number in this user-defined metadata: a"),
    ("UserMetadata", {" 7": 1024}, 8, "Cannot register this user-defined metadata:  7"),
    ("UserContentType", {"-1025": 1024}, 8, ""),
    ("UserContentType", {"a": [1024]}, 5, "Not a number in this user-defined attachment type: a"),
    ("UserContentType", {"dicom": 1024}, 8, ""),
    ("UserMetadata", {"LastUpdate": 1024}, 8, "Cannot register this user-defined metadata: LastUpdate"),
    ("DicomDefaultRetrieveMethod", "c-get", 3, 'RetrieveMethod can be "C-MOVE", "C-GET" or "SystemDefault": c-get'),
    ("DicomScuPreferredTransferSyntax", "x", 3, "Unknown preferred transfer syntax: x"),
    ("MaximumPduLength", 5, 3, "Maximum PDU length must be greater than 4096"),
    ("BuiltinDecoderTranscoderOrder", "x", 3, 'should be "After", "Before" or "Disabled": x'),
    ("DeidentifyLogsDicomVersion", "x", 3, "Unknown specific version of the DICOM standard: x"),
    ("Warnings", 5, 15, "Warnings configuration entry is not a Json object"),
    ("Warnings", {"W9": True}, 15, "W9 is not recognized as a valid warning name"),
    ("ExternalDictionaries", "x", 15, "List of strings expected in field: ExternalDictionaries"),
    *[("DicomModalities", {"a": node}, 15, "") for node in (1, [], ["A", "h"], ["A", "h", "x"], ["A", 5, 1], {})],
    *[("DicomModalities", {"a": ["A", "h", port]}, 3, f"but found: {port}") for port in (0, -1, 65535)],
    ("DicomModalities", {"a": ["A", "h", 1, "x"]}, 3, 'Unknown modality manufacturer: "x"'),
    ("DicomModalities", {"a": {**NODE, "AllowEcho": 5}}, 15, "Boolean value expected in field: AllowEcho"),
    ("DicomModalities", {"a": {**NODE, "Timeout": -1}}, 15, "Unsigned integer value expected in field: Timeout"),
    ("DicomModalities", {"a b": ["A", "h", 1]}, 15, "but found: a b"),
    ("Dictionary", {"0405,1001": 1}, 15, "The definition of the '0405,1001' dictionary entry is invalid."),
    ("ExtraMainDicomTags", {"Patient": 1}, 15, "The definition of the 'Patient' ExtraMainDicomTags entry is invalid"),
]


def outcome(command, folder, path):
    """Run a server that must refuse to start; return its exit code and log."""
    run = subprocess.run(
        [*command, str(path)], cwd=folder, env={**os.environ}, capture_output=True, timeout=30, check=False
    )
    return run.returncode, run.stderr.decode("utf-8", "replace")


def check_refusal(refusal, code, words):
    status, log = refusal
    assert status == 255, log
    assert words in log
    assert f"[{ERROR_TEXTS[code]}] (code {code})" in log


OURS = [sys.executable, "-m", "orthanc_lab"]


@pytest.mark.parametrize(("files", "code", "words"), BAD_FILES)
def test_bad_files(tmp_path, files, code, words):
    write(tmp_path, files)
    path = tmp_path / "c.json"
    with pytest.raises(OrthancError) as refused:
        read_configuration(path)
    assert refused.value.code == code
    assert refused.value.details == words.format(path=path)


@pytest.mark.parametrize(("name", "value", "code", "words"), BAD_VALUES)
def test_bad_values(tmp_path, name, value, code, words):
    import orthanc_lab

    options = {"DicomServerEnabled": True, name: value}
    with pytest.raises(OrthancError) as refused, orthanc_lab.in_process(options, folder=tmp_path):
        pass
    assert refused.value.code == code
    assert words.format(name) in refused.value.details
    told = "".join([refused.value.details, *getattr(refused.value, "__notes__", ())])
    assert name.lower() in told.lower()


@pytest.mark.parametrize("text", ["[1]", '"text"', "null"])
def test_a_file_without_an_object(tmp_path, text):
    write(tmp_path, {"c.json": text})
    with pytest.raises(OrthancError) as refused:
        read_configuration(tmp_path / "c.json")
    assert refused.value.__notes__ == [
        f'{tmp_path / "c.json"} must contain a JSON object, such as {{"HttpPort": 8042}}'
    ]


def test_bad_users_are_shown_the_form():
    with pytest.raises(OrthancError, match=r'"RegisteredUsers" must be an object, \{"name": "password"\}'):
        CheckedSettings({"RegisteredUsers": ["a"]})
    with pytest.raises(OrthancError, match='the user "a" in RegisteredUsers'):
        CheckedSettings({"RegisteredUsers": {"a": []}})


@pytest.mark.parametrize(("files", "code", "words"), BAD_FILES[:3])
def test_the_program_says_it(tmp_path, files, code, words):
    write(tmp_path, files)
    path = tmp_path / "c.json"
    check_refusal(outcome(OURS, tmp_path, path), code, words.format(path=path))


@pytest.mark.real
@pytest.mark.parametrize(("files", "code", "words"), BAD_FILES)
def test_bad_files_real(tmp_path, real_program, files, code, words):
    write(tmp_path, files)
    path = tmp_path / "c.json"
    check_refusal(outcome([real_program], tmp_path, path), code, words.format(path=path))


@pytest.fixture(scope="module")
def step(pytestconfig):
    """Of `BAD_VALUES`, the real program is started with each third one in the usual run."""
    return 1 if pytestconfig.option.long else 3


@pytest.fixture(scope="module")
def real_refusals(real_program, tmp_path_factory, step):
    """Exit code and log of the real program; many at once, since each waits half a second."""

    place = tmp_path_factory.mktemp("real")  # not in the threads, of which several would make its parents

    def refuse(number):
        name, value, _, _ = BAD_VALUES[number]
        folder = place / str(number)
        folder.mkdir()
        base = {"HttpPort": free_port(), "StorageDirectory": "s", "DicomPort": free_port()}
        write(folder, {"c.json": json.dumps({**base, name: value})})
        return outcome([real_program], folder, folder / "c.json")

    with ThreadPoolExecutor(8) as workers:
        return list(workers.map(refuse, range(0, len(BAD_VALUES), step)))


@pytest.mark.real
@pytest.mark.parametrize("number", range(len(BAD_VALUES)))
def test_bad_values_real(real_refusals, number, step):
    if number % step:
        pytest.skip("with --long")
    name, _, code, words = BAD_VALUES[number]
    if name == "StableAge":
        pytest.skip("the real program crashes over it instead of refusing it")
    check_refusal(real_refusals[number // step], code, words.format(name))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{\n  "Name": "x"\n  "HttpPort": 1\n}', "line 3, column 3"),
        ('{ /* a\n comment */\n // another\n  "Name": "x",; }', "line 4, column 15"),
        ("\n\n{ nothing }", "line 3, column 3"),
    ],
)
def test_a_note_says_where_the_syntax_is_wrong(tmp_path, text, place):
    path = tmp_path / "c.json"
    path.write_text(text)
    with pytest.raises(OrthancError) as caught:
        read_configuration(path)
    assert caught.value.__notes__[0].startswith(f"{path}, {place}: ")


@pytest.mark.parametrize("path", ["\0", "a\0b", "\ud800", "a" * 300, "a/" * 3000])
@pytest.mark.parametrize("option", [name for name, option in OPTIONS.items() if option.is_path and not option.needs])
def test_what_can_be_no_path_is_refused_in_words(option, path):
    with pytest.raises(OrthancError, match=option) as caught:
        CheckedSettings({option: path})
    assert caught.value.code == 3


def test_a_text_that_cannot_be_encoded_is_refused_in_words():
    with pytest.raises(OrthancError, match="half of a surrogate pair"):
        CheckedSettings({"DicomAet": "\ud800"})

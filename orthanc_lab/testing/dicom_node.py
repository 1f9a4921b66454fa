"""A DICOM node for tests and lessons: it stores, finds and sends, and fails in the ways it is told to."""

from __future__ import annotations

import ssl
import threading
from socketserver import BaseServer
from types import TracebackType
from typing import Any, Self

from pydicom import Dataset

from orthanc_lab.protocol.optional import needs_extra
from orthanc_lab.testing.dicom_answers import Source, data_sets
from orthanc_lab.testing.dicom_faults import Fault, Faults, Moment
from orthanc_lab.testing.dicom_records import AssociationRecord, MessageLog, ReceivedInstance
from orthanc_lab.testing.gate import Gate

with needs_extra("DicomNode", "network", "pynetdicom"):
    from pynetdicom import AE, evt
    from pynetdicom.events import Event
    from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]
    from pynetdicom.transport import ThreadedAssociationServer

    from orthanc_lab.testing.dicom_contexts import agreed
    from orthanc_lab.testing.dicom_recorder import Recorder
    from orthanc_lab.testing.dicom_services import Services

__all__ = ["DicomNode"]

_LONGEST_WAIT = 60.0


class _Server(ThreadedAssociationServer):
    daemon_threads = True

    def service_actions(self) -> None:
        """Do nothing between two connections: pynetdicom collects garbage here."""

    def shutdown(self) -> None:
        """Stop accepting connections."""
        BaseServer.shutdown(self)
        self.server_close()


class DicomNode(Gate):
    """A DICOM node on a free port of the loopback interface, at work for the duration of a ``with`` block.

    It accepts C-ECHO, C-STORE, C-FIND, C-MOVE, C-GET and storage commitment, in every transfer syntax. It answers from
    `datasets`, keeps what it receives in memory, and records every message. Methods make it fail; each counts messages
    from the call on, spares `after` of them, and then hits `times` (None: all further ones).

    `hold` and its counterparts hold back responses, and the sub-operations of C-MOVE and C-GET.

    Parameters
    ----------
    *sources
        What it answers from: DICOM files, folders, bytes, data sets.
    aet
        Its AE title.
    tls
        A context for TLS, as `ssl.create_default_context` makes it.

    Attributes
    ----------
    port
        Its port.
    datasets
        What it answers from; append to it as you like.
    destinations
        Address of each AE title that C-MOVE may send to; see `know`.

    Raises
    ------
    ModuleNotFoundError
        On import, if pynetdicom (extra ``network``) is not installed.

    Examples
    --------
    >>> from orthanc_lab import samples
    >>> from orthanc_lab.testing.dicom_peer import DicomPeer
    >>> with DicomNode(aet="ARCHIVE") as node:
    ...     peer = DicomPeer(node.port, called_aet="ARCHIVE")
    ...     node.refuse("C-STORE", 0xA700, after=1, times=1)
    ...     [f"{status:04X}" for status in peer.store(samples.path("mr"))[:3]]
    ...     len(node.instances), node.associations[0].end
    ['0000', 'A700', '0000']
    (11, 'released')
    """

    def __init__(self, *sources: Source, aet: str = "NODE", tls: ssl.SSLContext | None = None) -> None:
        super().__init__()
        self.aet = aet
        self.datasets: list[Dataset] = list(data_sets(sources))
        self.destinations: dict[str, tuple[str, int]] = {}
        self._faults = Faults()
        self._recorder = Recorder(self._faults)
        self._rejections = (1, 1, 7)
        self._rejections_left: int | None = 0  # None: all associations
        self._refused_contexts: frozenset[str] | None = frozenset()  # None: all
        self._ae = AE(ae_title=aet)
        self._ae.maximum_associations = 1000
        self._ae.add_supported_context(Verification)
        self._services = Services(self._ae, self.datasets, self.destinations, self, self._recorder)
        handlers = [*self._recorder.handlers, *self._services.handlers, (evt.EVT_REQUESTED, self._negotiate)]
        self._server = self._ae.make_server(
            ("127.0.0.1", 0), evt_handlers=handlers, ssl_context=tls, server_class=_Server
        )
        self.port: int = self._server.server_address[1]

    def start(self) -> Self:
        """Serve in a thread until `stop`."""
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Answer what is held, abort the associations that are open, and stop."""
        self._services.hurry()
        self.let_go()
        self._server.shutdown()
        for association in self._server.active_associations:
            association.abort()
        self._services.finish()

    def __repr__(self) -> str:
        noun = "instance" if len(self.instances) == 1 else "instances"
        return f"<DicomNode {self.aet} at 127.0.0.1:{self.port}: {len(self.instances)} {noun}>"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # -- what it knows and what it has seen -----------------------------------------------------------

    def modality(self, **options: Any) -> dict[str, Any]:
        """Return its entry for the option `DicomModalities`, or for ``PUT /modalities/{name}``.

        Examples
        --------
        >>> with DicomNode(aet="ARCHIVE") as node:
        ...     node.modality(AllowMove=False)
        {'AET': 'ARCHIVE', 'Host': '127.0.0.1', 'Port': ..., 'AllowMove': False}
        """
        return {"AET": self.aet, "Host": "127.0.0.1", "Port": self.port, **options}

    def know(self, aet: str, port: int, host: str = "127.0.0.1") -> None:
        """Name the address of an AE title, for C-MOVE and for reports of storage commitment."""
        self.destinations[aet] = (host, port)

    @property
    def instances(self) -> list[ReceivedInstance]:
        """What C-STORE has brought, in order of arrival; lost instances are missing."""
        return list(self._services.instances)

    @property
    def associations(self) -> list[AssociationRecord]:
        """All associations and attempts so far, in order of arrival."""
        return self._recorder.associations

    @property
    def messages(self) -> MessageLog:
        """All messages so far, in order; a notebook shows them as a sequence diagram."""
        callers = {association.calling_aet for association in self.associations}
        return MessageLog(self._recorder.messages, " / ".join(sorted(callers)) or "caller", self.aet)

    def wait_until_idle(self) -> None:
        """Wait until all associations have ended, so that the records are complete.

        Raises
        ------
        TimeoutError
            If one is still open after a minute.
        """
        if not self._recorder.wait_until_idle(_LONGEST_WAIT):
            raise TimeoutError(f"An association is still open after {_LONGEST_WAIT:g} s")

    def clear(self) -> None:
        """Forget what was received and recorded, for the next part of a test; faults stay."""
        self._services.instances.clear()
        self._recorder.clear()

    # -- faults ---------------------------------------------------------------------------------------

    def refuse_association(
        self, *, permanent: bool = True, source: int = 1, reason: int = 7, times: int | None = None
    ) -> None:
        """Reject associations.

        Parameters
        ----------
        permanent
            Whether the rejection is permanent, or transient.
        source, reason
            As in PS3.8, table 9-21: by default "called AE title not recognized" of the service user; 3 is "calling AE
            title not recognized", and with source 3, reason 2 is "local limit exceeded".
        times
            Number of associations; None rejects all.
        """
        self._rejections = (1 if permanent else 2, source, reason)
        self._rejections_left = times

    def refuse_contexts(self, *sop_classes: str) -> None:
        """Accept no presentation context for these SOP classes (UIDs); without any, for none at all."""
        self._refused_contexts = frozenset(sop_classes) or None

    def refuse(
        self, service: str, status: int, *, after: int = 0, times: int | None = None, when: Moment = "before"
    ) -> None:
        """Respond with a status: ``node.refuse("C-STORE", 0xA700)``.

        Parameters
        ----------
        service
            ``C-ECHO``, ``C-STORE``, ``C-FIND``, ``C-MOVE``, ``C-GET`` or ``N-ACTION``.
        status
            The status, of a failure or of a warning. With a warning, an instance is stored.
        after, times
            Which messages: see `DicomNode`.
        when
            ``"during"`` sends the first answer, or has the first sub-operation done, before it.
        """
        self._faults.add(Fault("status", service, after, times, when, status=status))

    def abort(self, service: str, *, when: Moment = "before", after: int = 0, times: int | None = 1) -> None:
        """Abort the association.

        Parameters
        ----------
        service
            ``C-ECHO``, ``C-STORE``, ``C-FIND``, ``C-MOVE``, ``C-GET`` or ``N-ACTION``.
        when
            ``"before"`` or ``"after"`` the response; or ``"during"``: as soon as the data set begins to arrive, or
            after the first answer or sub-operation.
        after, times
            Which messages: see `DicomNode`.
        """
        self._faults.add(Fault("abort", service, after, times, when))

    def disconnect(self, service: str, *, when: Moment = "before", after: int = 0, times: int | None = 1) -> None:
        """Close the connection without a word, as a crash or a pulled cable does; see `abort`."""
        self._faults.add(Fault("disconnect", service, after, times, when))

    def delay(self, service: str, seconds: float, *, after: int = 0, times: int | None = None) -> None:
        """Respond late."""
        self._faults.add(Fault("delay", service, after, times, seconds=seconds))

    def lose(self, *, after: int = 0, times: int | None = None) -> None:
        """Accept instances with success, and drop them; storage commitment reports them as missing."""
        self._faults.add(Fault("lose", "C-STORE", after, times))

    def recover(self) -> None:
        """Withdraw all faults, and answer what is held."""
        self._faults.clear()
        self._rejections_left = 0
        self._refused_contexts = frozenset()
        self.let_go()

    def _negotiate(self, event: Event) -> None:
        association = event.assoc
        if self._rejections_left is None or self._rejections_left > 0:
            self._rejections_left = self._rejections_left and self._rejections_left - 1
            association.acse.send_reject(*self._rejections)
            association.kill()
            return
        request: Any = association.requestor.primitive
        association.acceptor.supported_contexts = agreed(request, self._refused_contexts)

"""A node that takes reports of storage commitment."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from pydicom import Dataset
from pynetdicom import AE, evt
from pynetdicom.events import Event

__all__ = ["ReportTaker"]

_PUSH_MODEL = "1.2.840.10008.1.20.1"


class ReportTaker:
    """Keeps what the reports say, and by whom they are sent; it runs for the duration of a ``with`` block."""

    def __init__(self, aet: str = "TAKER") -> None:
        self.aet = aet
        self.reports: list[list[Any]] = []
        ae = AE(ae_title=aet)
        ae.add_supported_context(_PUSH_MODEL, scu_role=True, scp_role=True)
        self._server = ae.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, self._take)]
        )
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> ReportTaker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _take(self, event: Event) -> tuple[int, Dataset | None]:
        requestor = event.assoc.requestor
        proposed = [(context.abstract_syntax, context.transfer_syntax) for context in requestor.requested_contexts]
        roles = [(role.scu_role, role.scp_role) for role in requestor.role_selection.values()]
        request: Any = event.request
        said = [event.event_type, request.AffectedSOPInstanceUID, event.event_information]
        self.reports.append([requestor.ae_title, proposed, roles, *said])
        return 0, None

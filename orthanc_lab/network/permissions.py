"""Who may request an association, and what may be asked over it."""

from __future__ import annotations

import logging

from orthanc_lab.dimse.directory import ModalityDirectory
from orthanc_lab.dimse.modality import ALLOWED, Modality
from orthanc_lab.network.request import Peer
from orthanc_lab.protocol.ports import Settings

__all__ = ["Permissions"]

_log = logging.getLogger("orthanc_lab.dicom")
_FOR_ANYBODY = ("Echo", "Find", "FindWorklist", "Get", "Move", "Store")


class Permissions:
    """What is allowed to anybody by the options, and to known modalities by their definitions."""

    def __init__(self, settings: Settings, modalities: ModalityDirectory) -> None:
        self._settings = settings
        self._modalities = modalities

    def is_called(self, title: str) -> bool:
        """Whether an association that calls this title is for us."""
        if not self._settings["DicomCheckCalledAet"]:
            return True
        own: str = self._settings["DicomAet"]
        return title == own if self._settings["StrictAetComparison"] else title.upper() == own.upper()

    def may_connect(self, peer: Peer) -> bool:
        """Whether an association is accepted at all."""
        if any(self._is_for_anybody(what) for what in _FOR_ANYBODY):
            return True
        named = self._modalities.by_aet(peer.aet)
        return bool(named) and self._is_at(named[0][1], peer.host)  # the first one speaks for all, as in Orthanc

    def may(self, peer: Peer, what: str) -> bool:
        """Whether a request is answered.

        Parameters
        ----------
        what
            The end of ``DicomAlwaysAllow…`` and of ``Allow…`` of a modality. Where several modalities have the
            title, it has to be allowed to each of them.
        """
        if self._is_for_anybody(what):
            return True
        known = self._known(peer)
        allowed = bool(known) and all(getattr(modality, ALLOWED[f"Allow{what}"]) for modality in known)
        if not allowed:
            why = (
                'the option "DicomModalities" does not allow it to this modality'
                if known
                else 'there is no such modality in the option "DicomModalities"'
            )
            _log.warning("%s is refused to AET %s on IP %s: %s", what, peer.aet, peer.host, why)
        return allowed

    def _is_for_anybody(self, what: str) -> bool:
        return what in _FOR_ANYBODY and bool(self._settings[f"DicomAlwaysAllow{what}"])

    def _known(self, peer: Peer) -> list[Modality]:
        """Return the modalities that the peer can be."""
        named = self._modalities.by_aet(peer.aet)
        return [modality for _, modality in named if self._is_at(modality, peer.host)]

    def _is_at(self, modality: Modality, host: str) -> bool:
        return not self._settings["DicomCheckModalityHost"] or modality.host == host

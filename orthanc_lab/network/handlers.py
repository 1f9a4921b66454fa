"""The operations that the DICOM server performs."""

from __future__ import annotations

from collections.abc import Sequence

from orthanc_lab.network.commitment import Commitment, CommitmentReported
from orthanc_lab.network.echo import Echo
from orthanc_lab.network.find import Find
from orthanc_lab.network.get import Get
from orthanc_lab.network.move import Move
from orthanc_lab.network.request import Handler
from orthanc_lab.network.store import Store

__all__ = ["HANDLERS"]

HANDLERS: Sequence[type[Handler]] = (Echo, Store, Find, Get, Move, Commitment, CommitmentReported)

"""What to do next when the DICOM network fails: advice for the details in an error of Orthanc."""

from __future__ import annotations

import re

__all__ = ["network_advice"]

_ADDRESS = "check Host and Port of the modality"
_ADVICE: tuple[tuple[str, str], ...] = (  # the first that occurs in the details counts
    ("No modality with symbolic name", "Add it first: client.modalities.add(name, AET=…, Host=…, Port=…)."),
    ("Unknown DICOM modality", "Its names are in list(client.modalities)."),
    ("Connection refused", f"No program listens at that address: is the node running? Otherwise {_ADDRESS}."),
    ("unknown host", "There is no host of that name: check Host of the modality."),
    ("No route", f"That host cannot be reached: {_ADDRESS}, and the network between."),
    ("unreachable", f"That host cannot be reached: {_ADDRESS}, and the network between."),
    (
        "Association Rejected",
        "The node refuses this caller: is AET of the modality the node's own AE title, and does the node know the AE "
        "title of this server (DicomAet, or LocalAet of the modality)?",
    ),
    ("Unrecognized PDU", f"What answers there is no DICOM server, or expects TLS: {_ADDRESS}, and UseDicomTls."),
    ("TLS", "Check UseDicomTls of the modality, and the server's options DicomTlsCertificate and DicomTlsPrivateKey."),
    ("presentation context", "The node accepts none of the kinds of objects, or of the transfer syntaxes, offered."),
    (
        "never connected",
        "The node has ended the connection. It may not know this caller or not allow this service, may expect TLS, or "
        "have crashed: its log says more.",
    ),
    ("timeout", "The node is silent: is it a DICOM server, and busy? Raise Timeout of the modality, in seconds."),
    ("timed out", f"That host does not answer: {_ADDRESS}, and firewalls between."),
    ("status 0xA801", "The node does not know the target: enter the target's AE title and address there."),
    ("status 0xA7", "The node is out of resources, such as disk space."),
    ("status 0x0122", "The node does not support this kind of object."),
    ("status 0xA9", "The node finds that the data do not fit the kind of object."),
    ("DIMSE status", "The node refuses the operation: its log says why."),
)
_STATUS = re.compile(r"status 0x", re.IGNORECASE)


def network_advice(details: str) -> str:
    """Return what to do about an error of the DICOM network, "" if its details are of something else."""
    text = _STATUS.sub("status 0x", details)
    return next((advice for fragment, advice in _ADVICE if fragment in text), "")

"""Panels that control a server from a notebook: thin views of client and frames.

They need the extra ``notebook``: ``pip install 'orthanc-lab[notebook]'``.
"""

from orthanc_lab.protocol.optional import needs_extra

with needs_extra(
    "orthanc_lab.widgets", "notebook", "ipywidgets", "anywidget", "pandas", "prometheus_client", "matplotlib"
):
    from orthanc_lab.widgets.archives.panel import ArchivePanel
    from orthanc_lab.widgets.browser.panel import BrowserPanel
    from orthanc_lab.widgets.cluster.panel import ClusterPanel
    from orthanc_lab.widgets.dashboard import Dashboard, dashboard
    from orthanc_lab.widgets.dicomize.panel import DicomizePanel
    from orthanc_lab.widgets.elements.download import Download
    from orthanc_lab.widgets.elements.status import Status
    from orthanc_lab.widgets.elements.table import Column, Table
    from orthanc_lab.widgets.faults.panel import FaultsPanel
    from orthanc_lab.widgets.jobs.panel import JobsPanel
    from orthanc_lab.widgets.metrics.panel import MetricsPanel
    from orthanc_lab.widgets.modify.panel import ModifyPanel
    from orthanc_lab.widgets.network.panel import NetworkPanel
    from orthanc_lab.widgets.panel import Panel
    from orthanc_lab.widgets.server.panel import ServerPanel
    from orthanc_lab.widgets.timeline.panel import TimelinePanel
    from orthanc_lab.widgets.upload.panel import UploadPanel

__all__ = [
    "ArchivePanel",
    "BrowserPanel",
    "ClusterPanel",
    "Column",
    "Dashboard",
    "DicomizePanel",
    "Download",
    "FaultsPanel",
    "JobsPanel",
    "MetricsPanel",
    "ModifyPanel",
    "NetworkPanel",
    "Panel",
    "ServerPanel",
    "Status",
    "Table",
    "TimelinePanel",
    "UploadPanel",
    "dashboard",
]


def __dir__() -> list[str]:
    return sorted(__all__)

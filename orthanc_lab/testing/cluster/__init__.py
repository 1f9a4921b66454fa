"""Several servers on one database, each a process that can be killed or frozen, and lines between them that fail."""

from orthanc_lab.testing.cluster.cluster import OrthancCluster
from orthanc_lab.testing.cluster.database_proxy import DatabaseProxy
from orthanc_lab.testing.cluster.tcp_proxy import TcpProxy

__all__ = ["DatabaseProxy", "OrthancCluster", "TcpProxy"]

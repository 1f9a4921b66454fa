"""The XML of WebDAV (RFC 4918), in the words of Orthanc."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from html import escape
from urllib.parse import quote

from orthanc_lab.protocol.xml_text import xml_text
from orthanc_lab.rest.webdav.nodes import File, Node

__all__ = ["address", "http_date", "lock", "multistatus", "nothing_changed"]

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def address(path: str) -> str:
    """Return a path as it stands in an address."""
    return quote(path, safe="/")


def multistatus(nodes: Iterable[tuple[str, Node]], now: datetime) -> str:
    """Return the answer to PROPFIND: paths with what is there."""
    responses = [_response(path, node, now) for path, node in nodes]
    return f'{_HEAD}<D:multistatus xmlns:D="DAV:">\n{"".join(responses)}</D:multistatus>\n'


def _response(path: str, node: Node, now: datetime) -> str:
    modified = f"{(_moment(node.modified) or now):%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(node, File):
        kind = f"""        <D:resourcetype />
        <D:getcontentlength>{node.size}</D:getcontentlength>
        <D:getcontenttype>{node.media_type}</D:getcontenttype>
"""
    else:
        kind = """        <D:resourcetype>
          <D:collection />
        </D:resourcetype>
"""
    return f"""  <D:response>
    <D:href>{escape(address(path), quote=False)}</D:href>
    <D:propstat>
      <D:status>HTTP/1.1 200 OK</D:status>
      <D:prop>
        <D:displayname>{escape(xml_text(node.name), quote=False)}</D:displayname>
        <D:creationdate>{modified}</D:creationdate>
        <D:getlastmodified>{modified}</D:getlastmodified>
{kind}      </D:prop>
    </D:propstat>
  </D:response>
"""


def nothing_changed(path: str) -> str:
    """Return the answer to PROPPATCH: no property was changed."""
    return f"""{_HEAD}<D:multistatus xmlns:D="DAV:">
  <D:response>
    <D:href>{escape(address(path), quote=False)}</D:href>
    <D:propstat />
  </D:response>
</D:multistatus>
"""


def lock(path: str, token: str) -> str:
    """Return the answer to LOCK; as in Orthanc, locks hinder nobody, but file managers insist on them."""
    return f"""{_HEAD}<D:prop xmlns:D="DAV:">
  <D:lockdiscovery>
    <D:activelock>
      <D:locktype>
        <D:write />
      </D:locktype>
      <D:lockscope>
        <D:exclusive />
      </D:lockscope>
      <D:depth>0</D:depth>
      <D:timeout>Second-3599</D:timeout>
      <D:lockroot>
        <D:href>{escape(address(path), quote=False)}</D:href>
      </D:lockroot>
      <D:owner />
      <D:locktoken>
        <D:href>{token}</D:href>
      </D:locktoken>
    </D:activelock>
  </D:lockdiscovery>
</D:prop>
"""


def http_date(text: str, now: datetime) -> str:
    """Return a time of Orthanc's as a header of HTTP has it (RFC 9110)."""
    return f"{(_moment(text) or now):%a, %d %b %Y %H:%M:%S GMT}"


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%S")
    except ValueError:
        return None

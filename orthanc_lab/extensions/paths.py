"""Templates of paths: ``/studies/{id}/report``, ``/files/{name:path}``."""

from __future__ import annotations

import re

from orthanc_lab.extensions.failures import extension_error

__all__ = ["check_template", "fields_of", "shape_of"]

_FIELD = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(:path)?\}")
_LITERAL = re.compile(r"[A-Za-z0-9._~@$+=-]+")
_LONGEST = 500  # letters


def check_template(template: object) -> None:
    """Refuse what is no template.

    Raises
    ------
    OrthancError
        1 with the reason.
    """
    if not isinstance(template, str) or template[:1] != "/" or len(template) > _LONGEST:
        raise extension_error(f'The path {template!r:.80} must begin with "/"')
    *segments, last = template[1:].split("/")
    for segment in (*segments, last):
        field = _FIELD.fullmatch(segment)
        if field is None and (_LITERAL.fullmatch(segment) is None or segment.endswith(".")):
            raise extension_error(
                f"In the path {template}, {segment!r} is neither a name nor a field such as {{id}} or, at the end, "
                "{rest:path}"
            )
        if field is not None and field[2] and segment is not last:
            raise extension_error(f"In the path {template}, {segment} must be the last part")
    if template[1] == "{":
        raise extension_error(f"The path {template} must begin with a name: it would answer what the server refuses")
    names = fields_of(template)
    if len(set(names)) < len(names):
        raise extension_error(f"The path {template} has a field twice")


def fields_of(template: str) -> tuple[str, ...]:
    """Return the names of the fields.

    >>> fields_of("/studies/{id}/files/{name:path}")
    ('id', 'name')
    """
    return tuple(match[1] for match in _FIELD.finditer(template))


def shape_of(template: str) -> str:
    """Return a template without the names of its fields: two of the same shape match the same paths.

    >>> shape_of("/studies/{id}/files/{name:path}")
    '/studies/{}/files/{:path}'
    """
    return _FIELD.sub(lambda match: f"{{{match[2] or ''}}}", template)

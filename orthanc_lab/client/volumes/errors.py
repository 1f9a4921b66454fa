"""Why a series is no volume."""

from __future__ import annotations

from orthanc_lab.client.errors import ClientError

__all__ = ["VolumeError"]


class VolumeError(ClientError):
    """A series that is no volume, or a volume that cannot be had in another form.

    Attributes
    ----------
    problems
        Why, a sentence each.

    Examples
    --------
    >>> raise VolumeError("At the same place: instance 1 and instance 2")
    Traceback (most recent call last):
    orthanc_lab.client.volumes.errors.VolumeError: At the same place: instance 1 and instance 2
    """

    def __init__(self, *problems: str, advice: str = "") -> None:
        super().__init__("\n".join([*problems, advice] if advice else problems))
        self.problems = problems

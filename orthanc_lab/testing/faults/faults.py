"""The faults of one server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orthanc_lab.testing.faults.switches import FaultSwitches

if TYPE_CHECKING:
    from orthanc_lab.server.environment import Environment

__all__ = ["Faults"]


class Faults(FaultSwitches):
    """The faults of a server that is made with them: ``orthanc_lab.serve(faults=Faults())``.

    Only who holds this object can switch them: no route, no option and no file does.

    Parameters
    ----------
    seed
        What probabilities are drawn from: the same faults happen on the same occasions in every run.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import samples
    >>> faults = Faults()
    >>> with orthanc_lab.serve(faults=faults) as server:
    ...     client = orthanc_lab.Client.from_server(server)
    ...     with faults.on("answer lost after the commit") as fault:
    ...         client.upload(samples.path("ct/localizer"))
    <Upload: 0 stored, 1 already there, 0 refused>
    >>> fault
    <Fault 'answer lost after the commit': happened once, off>
    """

    def around(self, environment: Environment) -> Environment:
        """Return an environment in which the faults happen; `orthanc_lab.serve` calls this."""
        from orthanc_lab.testing.faults.faulty_environment import (  # noqa: PLC0415 - it loads the whole server
            faulty_environment,
        )

        return faulty_environment(environment, self)

"""A port of the server with faults around it, which is not in the way while none is switched on."""

from __future__ import annotations

from typing import Any, ClassVar

from orthanc_lab.testing.faults.switches import FaultSwitches

__all__ = ["FaultyPort", "FaultyPortWithState"]


class FaultyPort:
    """A port with the faults that are in force; while there are none, it hands out the methods of the port itself.

    A subclass has the methods in which faults happen; all others are those of the port. Who keeps a method keeps what
    was in force at that time, so it has to be looked up for each call.

    Parameters
    ----------
    always
        Of a subclass: those of its methods that are never the port's.
    """

    _faulty: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, always: tuple[str, ...] = ()) -> None:
        cls._faulty = tuple(name for name in vars(cls) if not name.startswith("_") and name not in always)

    def __init__(self, port: Any, faults: FaultSwitches) -> None:
        self._port = port
        self._faults = faults
        own = {*vars(FaultyPort), *vars(type(self))}
        for name in dir(port):  # no __getattr__: it would make each look-up slower
            if not name.startswith("_") and name not in own and callable(method := getattr(port, name, None)):
                self.__dict__[name] = method
        faults.tell(self)

    def switch(self, *, on: bool) -> None:
        """Let faults happen, or be out of the way; called by the switches."""
        for name in self._faulty:
            if on:
                self.__dict__.pop(name, None)
            else:
                self.__dict__[name] = getattr(self._port, name)


class FaultyPortWithState(FaultyPort):
    """One that shows more than methods, or methods that are made when they are asked for."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

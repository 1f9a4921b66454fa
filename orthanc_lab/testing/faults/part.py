"""A part of the server in which faults happen, put into it while any is switched on."""

from __future__ import annotations

import weakref
from types import FunctionType
from typing import Any, ClassVar

from orthanc_lab.testing.faults.switches import FaultSwitches

__all__ = ["FaultyPart"]


class FaultyPart:
    """What a part does otherwise while a fault is in force.

    A subclass has the methods in which faults happen. They stand in the part itself, in place of its own ones, while
    any fault is switched on, so that nothing is in the way while none is. Who keeps a method keeps what was in force
    at that time, so it has to be looked up for each call.

    Parameters
    ----------
    part
        An object that takes attributes. It is not kept alive.
    """

    _methods: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        own = {name for name, value in vars(cls).items() if isinstance(value, FunctionType) and name[0] != "_"}
        cls._methods = tuple(own.difference(vars(FaultyPart)))

    def __init__(self, part: Any, faults: FaultSwitches) -> None:
        self._faults = faults
        self._part = weakref.ref(part)
        self._own: dict[str, Any] = {}  # what the part itself had in place of methods of its class
        self._is_in = False

    def switch(self, *, on: bool) -> None:
        """Let faults happen, or be out of the way; called by the switches."""
        part = self._part()
        if part is None or on is self._is_in:
            return
        attributes = vars(part)
        if on:
            self._own = {name: attributes[name] for name in self._methods if name in attributes}
            attributes.update((name, getattr(self, name)) for name in self._methods)
        elif any(attributes.get(name) != getattr(self, name) for name in self._methods):
            return  # below the faults of somebody else: to be found again, and harmless meanwhile
        else:
            for name in self._methods:
                if name in self._own:
                    attributes[name] = self._own[name]
                else:
                    del attributes[name]
        self._is_in = on

    @property
    def _plain(self) -> _WithoutFaults:
        """The part, with its own methods."""
        return _WithoutFaults(self._part(), self._methods, self._own)


class _WithoutFaults:
    def __init__(self, part: Any, methods: tuple[str, ...], own: dict[str, Any]) -> None:
        self._part = part
        self._methods = methods
        self._own = own

    def __getattr__(self, name: str) -> Any:
        if name not in self._methods:
            return getattr(self._part, name)
        if name in self._own:
            return self._own[name]
        return getattr(type(self._part), name).__get__(self._part)

"""Faults that are switched on and off by name."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Protocol
from weakref import WeakKeyDictionary

from orthanc_lab.testing.faults.fault import Fault, Trigger
from orthanc_lab.testing.faults.kind import ALWAYS, FaultKind
from orthanc_lab.testing.faults.kinds import KINDS

__all__ = ["FaultSwitches", "Switchable"]


class Switchable(Protocol):
    """What wants to know whether any fault is switched on."""

    def switch(self, *, on: bool) -> None:
        """Take note of it; called at once, and whenever it changes."""
        ...


class FaultSwitches:
    """All faults by name, and those that are in force; threads share it.

    Parameters
    ----------
    seed
        What probabilities are drawn from: the same faults happen on the same occasions in every run.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._lock = threading.RLock()  # who is told may tell others
        self._told: WeakKeyDictionary[object, Switchable] = WeakKeyDictionary()
        self.in_force: tuple[Fault, ...] = ()
        """Those that are switched on, in the order in which they were."""
        self.switched: tuple[Fault, ...] = ()
        """All that were ever switched on, until `renew`."""

    @property
    def kinds(self) -> Mapping[str, FaultKind]:
        """All faults by name, with what happens and what a good client does about it.

        Examples
        --------
        >>> from orthanc_lab.testing.faults import Faults
        >>> print(Faults().kinds["truncated ZIP"].what)
        An archive ends early (or at a byte), and the answer looks complete.
        """
        return KINDS

    def on(
        self,
        name: str,
        *,
        nth: int = 1,
        times: float | None = None,
        probability: float = 1.0,
        at_byte: int | None = None,
        at_step: int | None = None,
        seconds: float | None = None,
        where: str | Sequence[str] | None = None,
        optional: bool = False,
    ) -> Fault:
        """Switch a fault on, until it has happened often enough, or is switched `off`.

        As a context manager it is switched off at the end of the block, which fails with `FaultNeverHappened` if it
        has not happened at all.

        Parameters
        ----------
        nth
            The first occasion on which it happens, counted from 1.
        times
            How often it happens; ``math.inf`` for no limit. None for what is usual: once for most, three times for 503,
            always for what lasts, such as a full disk, and for what has a probability.
        probability
            With which it happens on each occasion from the nth on, drawn from the seed.
        at_byte
            Where it happens: a byte of the body, or the number of bytes that the disk still takes.
        at_step
            The number of steps that the job does before; 0 for the beginning.
        seconds
            For what is late, or jumps.
        where
            The occasions that count, one pattern or several: ``"POST /instances"``, ``"GET /jobs/*"``, ``"C-STORE"``.
        optional
            Whether the end of the block accepts that it has not happened.

        Raises
        ------
        TypeError, ValueError
            For a name that no fault has (the nearest names are told), what is no number, a number out of range, or
            `at_byte`, `at_step` or `seconds` where the fault has none.
        """
        kind = kind_of(name)
        for word, given in (("at_byte", at_byte), ("at_step", at_step), ("seconds", seconds)):
            if given is not None and word not in kind.when:
                takes = f"; it takes {' and '.join(kind.when)}" if kind.when else ""
                raise ValueError(f"The fault {name!r} does not take {word}{takes}")
        usual = ALWAYS if probability != 1 else kind.times
        trigger = Trigger(
            nth=nth,
            times=usual if times is None else times,
            probability=probability,
            at_byte=at_byte,
            at_step=at_step or 0,
            seconds=kind.seconds if seconds is None else seconds,
            where=kind.where if where is None else (where,) if isinstance(where, str) else tuple(where),
        )
        with self._lock:
            draw = random.Random(f"{self._seed}/{len(self.switched)}/{name}")
            fault = Fault(kind, trigger, draw, self._remove, optional=optional)
            self._put_in_force((*self.in_force, fault))
            self.switched = (*self.switched, fault)
        return fault

    def off(self, name: str | None = None) -> None:
        """Switch a fault off, or all of them.

        Raises
        ------
        ValueError
            For a name that no fault has.
        """
        if name is not None:
            kind_of(name)
        for fault in self.in_force:
            if name in (None, fault.name):
                fault.off()

    def renew(self) -> None:
        """Switch all off, and draw from the seed anew."""
        self.off()
        self.switched = ()

    def named(self, name: str) -> tuple[Fault, ...]:
        """Return those in force that have this name."""
        return tuple(fault for fault in self.in_force if fault.name == name)

    def happens(self, name: str, occasion: str = "") -> Fault | None:
        """Count an occasion; return the fault of this name that happens on it, None if none does."""
        return next((fault for fault in self.in_force if fault.name == name and fault.happens(occasion)), None)

    def tell(self, part: object, switchable: Switchable) -> None:
        """Say whether any fault is switched on, now and later, for as long as there is the part that it is for.

        Only the first one for a part is told: several servers may share a clock.
        """
        with self._lock:
            if part not in self._told:
                self._told[part] = switchable
                switchable.switch(on=bool(self.in_force))

    def _remove(self, fault: Fault) -> None:
        with self._lock:
            self._put_in_force(tuple(other for other in self.in_force if other is not fault))

    def _put_in_force(self, faults: tuple[Fault, ...]) -> None:
        changes = bool(faults) != bool(self.in_force)
        self.in_force = faults
        if changes:
            for switchable in tuple(self._told.values()):
                switchable.switch(on=bool(faults))

    def __repr__(self) -> str:
        return f"<Faults: {', '.join(fault.name for fault in self.in_force) or 'none switched on'}>"


def kind_of(name: str) -> FaultKind:
    """Return the fault of a name.

    Raises
    ------
    ValueError
        If no fault has it; the message has the nearest names.
    """
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        near = get_close_matches(str(name).lower(), KINDS, n=3, cutoff=0.4)
        words = f"did you mean {' or '.join(map(repr, near))}?" if near else f"there are: {', '.join(KINDS)}"
        raise ValueError(f"There is no fault {name!r}; {words}")
    return kind

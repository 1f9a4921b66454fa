"""The form for when a fault happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets

from orthanc_lab.widgets.faults.switchable import KindOfFault

__all__ = ["TriggerForm"]

_LABELS = {"at_byte": "at byte", "at_step": "after steps", "seconds": "seconds"}
_MOST = 1 << 40


class TriggerForm(ipywidgets.HBox):
    """On which occasion a fault happens, and how often; empty fields leave it to the fault.

    Attributes
    ----------
    nth, times, probability, where
        Fields of every fault.
    at_byte, at_step, seconds
        Fields that are enabled for the faults which take them.

    Examples
    --------
    >>> form = TriggerForm()
    >>> form.times.value, form.where.value = "2", "POST /instances"
    >>> form.options
    {'nth': 1, 'times': 2.0, 'where': 'POST /instances'}
    """

    def __init__(self) -> None:
        free = {"description_width": "initial"}

        def number(label: str, hint: str) -> ipywidgets.Text:
            return ipywidgets.Text(description=label, placeholder=hint, style=free, layout={"width": "11em"})

        self.nth = ipywidgets.BoundedIntText(
            1, min=1, max=_MOST, description="from number", style=free, layout={"width": "11em"}
        )
        self.times = number("times", "as usual")
        self.probability = ipywidgets.BoundedFloatText(
            1, min=0.01, max=1, step=0.05, description="probability", style=free, layout={"width": "11em"}
        )
        self.at_byte = number(_LABELS["at_byte"], "as usual")
        self.at_step = number(_LABELS["at_step"], "0")
        self.seconds = number(_LABELS["seconds"], "as usual")
        self.where = ipywidgets.Text(
            description="where", placeholder="GET /jobs/*", style=free, layout={"width": "16em"}
        )
        controls = [
            self.nth, self.times, self.probability, self.at_byte, self.at_step, self.seconds, self.where
        ]  # fmt: skip
        super().__init__(controls, layout={"flex_flow": "row wrap", "align_items": "center"})

    def fit(self, kinds: Sequence[KindOfFault]) -> None:
        """Enable the fields that all of these faults take."""
        for name in _LABELS:
            field = getattr(self, name)
            field.disabled = not kinds or any(name not in kind.when for kind in kinds)
            if field.disabled:
                field.value = ""
        self.seconds.placeholder = f"{kinds[0].seconds:g}" if len(kinds) == 1 and kinds[0].seconds else "as usual"

    @property
    def options(self) -> dict[str, Any]:
        """The arguments with which a fault is switched on.

        Raises
        ------
        ValueError
            If a field is no number.
        """
        options: dict[str, Any] = {"nth": self.nth.value}
        if self.probability.value < 1:
            options["probability"] = self.probability.value
        for name, convert in (("times", float), ("at_byte", int), ("at_step", int), ("seconds", float)):
            text = getattr(self, name).value.strip()
            if text:
                try:
                    options[name] = convert(text)
                except ValueError:
                    raise ValueError(f"{_LABELS.get(name, name)} must be a number, not {text!r}") from None
        if self.where.value.strip():
            options["where"] = self.where.value.strip()
        return options

"""The form of the panel Modify: what to do, with which tags, and what that means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import ipywidgets

from orthanc_lab.client import Study
from orthanc_lab.widgets.dicomize.field import Problem, row
from orthanc_lab.widgets.dicomize.tag_fields import TagFields
from orthanc_lab.widgets.dicomize.values import problem
from orthanc_lab.widgets.modify.change_request import Action, ChangeRequest, tag_names

__all__ = ["ChangeForm"]

_ACTIONS: dict[Action, str] = {
    "anonymize": "Makes copies without the tags that identify the patient (PS3.15), with new identifiers.",
    "modify": "Makes copies with other values of tags, with new identifiers for all that is below them.",
    "split": "Makes a new study of the checked series. Tags replaced or removed are those of the new study.",
    "merge": "Puts the checked studies or series into one study, with the patient and study tags of that study.",
}
_FORCE = (
    "Allow PatientID, StudyInstanceUID, SeriesInstanceUID and SOPInstanceUID to be set or kept. Then a copy can be "
    "taken for its original, or overwrite it."
)
_PRIVATE = {
    "anonymize": ("Keep private tags", "Without it they are removed, since they may name the patient."),
    "modify": ("Remove private tags", "Without it they stay as they are."),
}
_SOURCE = "Uncheck it to delete what was checked once the new instances are stored."


class ChangeForm(ipywidgets.VBox):
    """Fields for a `ChangeRequest`; those that an action does not use are hidden.

    Parameters
    ----------
    changed
        Called after each change.

    Examples
    --------
    >>> form = ChangeForm(lambda: None)
    >>> form.action.value, form.remove.value = "modify", "PatientBirthDate"
    >>> form.request().fields
    {'Remove': ['PatientBirthDate'], 'KeepSource': True}
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self.action = ipywidgets.ToggleButtons(
            options=[(name.capitalize(), name) for name in _ACTIONS],
            tooltips=list(_ACTIONS.values()),
            style={"button_width": "auto"},
        )
        self.meaning = ipywidgets.HTML()
        self.replace = TagFields([], changed)
        self.keep = _list_of_tags("Keep", "StudyDescription, PatientSex")
        self.remove = _list_of_tags("Remove", "PatientBirthDate, 0019-1001")
        self.problem = Problem()
        self.target = ipywidgets.Dropdown(
            description="Into",
            style={"description_width": "150px"},
            layout={"flex": "1 1 300px", "max_width": "min(500px, 100% - 4px)"},
        )
        self.private = ipywidgets.Checkbox(indent=False, layout={"width": "170px"})
        self.keep_source = ipywidgets.Checkbox(
            True, description="Keep the source", indent=False, layout={"width": "170px"}
        )
        self.force = ipywidgets.Checkbox(description="Force", indent=False, layout={"width": "170px"})
        self._private_help = _help("")
        self._tags = ipywidgets.VBox([ipywidgets.HTML("<b>Replace</b>"), self.replace])
        self._private_line = row(self.private, self._private_help)
        self._force_line = row(self.force, _help(_FORCE))
        super().__init__(
            [
                self.action, self.meaning, self._tags, self.keep, self.remove, self.target, self.problem,
                self._private_line, row(self.keep_source, _help(_SOURCE)), self._force_line,
            ]
        )  # fmt: skip
        self.action.observe(lambda change: self._follow_action(), "value")
        for control in (self.keep, self.remove, self.target, self.private, self.keep_source, self.force):
            control.observe(lambda change: self._follow(), "value")
        self._draw()

    def _draw(self) -> None:
        action = self.action.value
        copies = action in _PRIVATE
        self.meaning.value = f'<div style="line-height:1.4">{escape(_ACTIONS[action])}</div>'
        _show(action != "merge", self._tags, self.remove)
        _show(copies, self.keep, self._private_line, self._force_line)
        _show(action == "merge", self.target)
        if copies:
            self.private.value = False
            self.private.description, words = _PRIVATE[action]
            self._private_help.value = _small(words)

    def _follow_action(self) -> None:
        self._draw()
        self._follow()

    def _follow(self) -> None:
        try:
            self.request()
        except ValueError as error:
            self.problem.say(str(error))
        else:
            self.problem.say("")
        self._changed()

    def offer_targets(self, studies: Sequence[tuple[str, Study]]) -> None:
        """Offer studies, with their names, to merge into."""
        options = [(name, study.id) for name, study in studies]
        if list(self.target.options) != options:
            chosen = self.target.value
            self.target.options = options
            ids = [id for _, id in options]
            self.target.value = chosen if chosen in ids else next(iter(ids), None)

    def request(self) -> ChangeRequest:
        """Return the change as entered.

        Raises
        ------
        ValueError
            If a field is not right.
        """
        action: Action = self.action.value
        if action == "merge":
            return ChangeRequest(action, keep_source=self.keep_source.value, target=self.target.value or "")
        for attribute, value in self.replace.values():
            if value and (words := problem(attribute.vr, value, attribute.vm)):
                raise ValueError(f"{attribute.key}: {words}")
        copies = action in _PRIVATE
        return ChangeRequest(
            action,
            replace={attribute.key: value for attribute, value in self.replace.values()},
            keep=tag_names(self.keep.value) if copies else (),
            remove=tag_names(self.remove.value),
            private=copies and self.private.value,
            keep_source=self.keep_source.value,
            force=copies and self.force.value,
        )


def _list_of_tags(name: str, example: str) -> ipywidgets.Text:
    return ipywidgets.Text(
        description=name,
        placeholder=example,
        tooltip=f"Tags to {name.lower()}: keywords or numbers, with commas between them",
        continuous_update=False,
        style={"description_width": "150px"},
        layout={"width": "auto", "max_width": "min(500px, 100% - 4px)"},
    )


def _help(words: str) -> ipywidgets.HTML:
    return ipywidgets.HTML(_small(words), layout={"flex": "1 1 240px"})


def _small(words: str) -> str:
    return f'<div style="line-height:1.4;font-size:12px">{escape(words)}</div>'


def _show(visible: bool, *widgets: ipywidgets.DOMWidget) -> None:
    for widget in widgets:
        widget.layout.display = None if visible else "none"

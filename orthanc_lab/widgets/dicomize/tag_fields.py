"""The tags of the form: a field for each, and keyword completion for adding others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import ipywidgets

from orthanc_lab.widgets.closing import close_whole
from orthanc_lab.widgets.dicomize.field import Field, Problem, row
from orthanc_lab.widgets.dicomize.keywords import Attribute, find, options
from orthanc_lab.widgets.dicomize.values import example, problem

__all__ = ["TagField", "TagFields"]

_LONG = frozenset({"LT", "ST", "UT"})


class TagField(Field):
    """One tag: its value is checked as soon as it is entered; a value inherited from the parent cannot be changed."""

    def __init__(self, attribute: Attribute, value: str, changed: Callable[[], None]) -> None:
        self.attribute = attribute
        self._changed = changed
        self._own = value  # what the user entered, while an inherited value is shown
        kind = ipywidgets.Textarea if attribute.vr in _LONG else ipywidgets.Text
        self.entry = kind(
            value=value,
            description=attribute.key,
            tooltip=attribute.words,
            placeholder=example(attribute.vr),
            continuous_update=False,
            style={"description_width": "150px"},
            layout={
                "flex": "1 1 220px",
                "min_width": "min(220px, 100% - 44px)",
                "max_width": "min(500px, 100% - 4px)",
            },  # the button stays beside it on a narrow page
        )
        self.remove = ipywidgets.Button(
            icon="times", tooltip=f"Remove {attribute.key} from the form", layout={"width": "36px"}
        )
        meaning = ipywidgets.Label(f"{attribute.name} · {attribute.vr}", layout={"flex": "0 1 220px"})
        super().__init__([self.entry, self.remove, meaning])
        self.entry.observe(lambda change: self.check(), "value")

    @property
    def value(self) -> str:
        """The value as entered; "" where it is inherited."""
        return "" if self.entry.disabled else str(self.entry.value)

    def check(self) -> None:
        """Show any problem with the value."""
        self.problem.say(problem(self.attribute.vr, self.value, self.attribute.vm) if self.value else "")
        self._changed()

    def inherit(self, value: str) -> None:
        """Show the value that the parent gives, or what the user entered for ""."""
        if value and not self.entry.disabled:
            self._own = str(self.entry.value)
        shown, is_inherited = (value, True) if value else (self._own, False)
        if self.entry.disabled or is_inherited:
            self.entry.disabled = is_inherited
            self.entry.value = shown
            self.entry.tooltip = (
                "Inherited from the parent; check Force to change it" if value else self.attribute.words
            )
            self.check()


class TagFields(ipywidgets.VBox):
    """Fields for tags, and one for adding others.

    Parameters
    ----------
    keywords
        The tags at first.
    changed
        Called after each change.

    Examples
    --------
    >>> tags = TagFields(["PatientID", "PatientName"])
    >>> tags.rows["PatientID"].entry.value = "7"
    >>> tags.entry.value = "StudyDate"
    >>> tags.rows["StudyDate"].entry.value = "today"
    >>> tags.rows["StudyDate"].problem.text
    "'today' is not a date in the form YYYYMMDD, such as 20260131"
    >>> [(attribute.keyword, value) for attribute, value in tags.values()]
    [('PatientID', '7'), ('PatientName', ''), ('StudyDate', 'today')]
    """

    def __init__(self, keywords: Sequence[str], changed: Callable[[], None] = lambda: None) -> None:
        self.rows: dict[str, TagField] = {}
        self._changed = changed
        self._inherited: Mapping[str, str] = {}
        self.box = ipywidgets.VBox()
        self.entry = ipywidgets.Combobox(
            options=options(),
            description="Add a tag",
            placeholder="keyword, name, or gggg,eeee",
            tooltip="Type part of a DICOM keyword, then choose",
            continuous_update=False,
            style={"description_width": "150px"},
            layout={"flex": "1 1 300px", "max_width": "min(500px, 100% - 4px)"},
        )
        self.problem = Problem()
        self.entry.observe(lambda change: self._add_typed(), "value")
        super().__init__([self.box, row(self.entry), self.problem])
        for keyword in keywords:
            self.add(find(keyword))

    def _add_typed(self) -> None:
        text = self.entry.value
        if not text:
            return
        try:
            self.add(find(text))
        except ValueError as error:
            self.problem.say(str(error))
        else:
            self.problem.say("")
            self.entry.value = ""

    def add(self, attribute: Attribute, value: str = "") -> TagField:
        """Add a tag, unless it is there already, and return its field."""
        if attribute.key not in self.rows:
            made = TagField(attribute, value, self._changed)
            made.inherit(self._inherited.get(attribute.keyword, ""))
            made.remove.on_click(lambda _: self.remove(attribute.key))
            self.rows[attribute.key] = made
            self._draw()
        return self.rows[attribute.key]

    def remove(self, key: str) -> None:
        """Remove a tag from the form."""
        gone = self.rows.pop(key)
        self._draw()
        close_whole(gone)
        self._changed()

    def _draw(self) -> None:
        self.box.children = list(self.rows.values())

    def values(self) -> tuple[tuple[Attribute, str], ...]:
        """Return the tags with their values as entered."""
        return tuple((made.attribute, made.value) for made in self.rows.values())

    def inherit(self, values: Mapping[str, str]) -> None:
        """Show values that the parent gives, by keyword; they cannot be changed."""
        self._inherited = values
        for made in self.rows.values():
            made.inherit(values.get(made.attribute.keyword, ""))

    def say(self, problems: Mapping[str, str]) -> None:
        """Show problems, by key of the tag."""
        for key, made in self.rows.items():
            made.problem.say(problems.get(key, ""))

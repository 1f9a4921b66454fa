"""The result: its image or document, its identifiers, and notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets

from orthanc_lab.client import Instance, Series, display
from orthanc_lab.widgets.dicomize.field import row
from orthanc_lab.widgets.elements.download import Download

__all__ = ["result_view"]


def result_view(
    made: Instance | Series, notes: Sequence[str], delete: Callable[[], object], count: int
) -> ipywidgets.VBox:
    """Return a view of an instance or series.

    Parameters
    ----------
    made
        What was made.
    notes
        HTML, each note on its own line.
    delete
        Called when the user wants to delete it.
    count
        Number of its instances.
    """
    first = made if isinstance(made, Instance) else made.instances[0]
    series = first.series
    rows = {
        made.level.value: made.id,
        "Instances": count,
        "Series": series.id,
        "Study": series.study.id,
        "Patient": series.study.patient.id,
        **{name: series.study.tags.get(name, "") for name in ("PatientName", "PatientID", "StudyDescription")},
    }
    picture = display.picture(first.thumbnail(), "Thumbnail of the new instance")
    lines = "".join(f"<div>{note}</div>" for note in notes)
    card = display.card("Created", rows, beside=picture, below=lines)
    buttons = [_download(made, first)]
    if pdf := _pdf(first):
        buttons.insert(0, pdf)
    away = ipywidgets.Button(description="Delete it", icon="trash", tooltip="Delete the result from the server")
    away.on_click(lambda _: delete())
    return ipywidgets.VBox([ipywidgets.HTML(f'<div style="line-height:1.4">{card}</div>'), row(*buttons, away)])


def _download(made: Instance | Series, first: Instance) -> Download:
    if isinstance(made, Series):
        return Download("ZIP", lambda folder, progress: made.archive(folder, progress=progress))
    return Download("DICOM file", lambda folder, progress: first.save(folder))


def _pdf(instance: Instance) -> Download | None:
    if instance.all_tags.get("MIMETypeOfEncapsulatedDocument") != "application/pdf":
        return None
    return Download("PDF", lambda folder, progress: instance.save_pdf(folder / f"{instance.id[:8]}.pdf"))

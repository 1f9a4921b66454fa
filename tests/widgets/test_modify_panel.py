"""The panel Modify, without a browser."""

from __future__ import annotations

import pytest

from orthanc_lab import samples
from orthanc_lab.client import Patient, Series, Study, UnreachableError
from orthanc_lab.rest.making import study_changes
from orthanc_lab.widgets import ModifyPanel
from orthanc_lab.widgets.dicomize.keywords import find
from orthanc_lab.widgets.elements.tag_row import TagRow
from orthanc_lab.widgets.modify import panel as panel_module
from orthanc_lab.widgets.modify.change_request import MOST, ChangeRequest, tag_names
from orthanc_lab.widgets.modify.module_tags import MODULE_TAGS
from orthanc_lab.widgets.tag_differences import dataset_rows, differences


@pytest.fixture
def panel(client, study):
    made = ModifyPanel(client)
    yield made
    made.close()


def finish(panel):
    for job in panel.started:
        panel.client.jobs[job.id].wait(progress=False)
    panel.refresh()


def check_series(panel, study, count):
    patient = panel.tree.level()[0].id
    panel.tree.opened = [patient]
    panel.tree.opened = [patient, study.id]
    for node in panel.tree.level(study.id)[:count]:
        panel.tree.toggle(node.id)


def changes(panel):
    return {row["name"]: (row["change"], row["before"], row["after"]) for row in panel.differences.rows}


def test_anonymized_after_a_preview(client, panel, study):
    assert panel.make_button.disabled
    panel.tree.toggle(panel.tree.level()[0].id)
    panel.form.keep.value = "StudyDescription"
    panel.preview().result()
    found = changes(panel)
    kind, before, after = found["PatientName"]  # the server numbers those that it anonymizes
    assert (kind, before, after.rstrip("0123456789")) == ("Replaced", "Phantom^CT", "Anonymized")
    assert found["InstitutionName"] == ("Removed", "orthanc-lab", "")
    assert found["StudyInstanceUID"] == ("Replaced", study.StudyInstanceUID, "(a new UID)")
    assert "StudyDescription" not in found
    assert panel.status.text.endswith(" tags of this instance would change. Nothing was stored.")
    assert len(client.studies) == 1
    panel.make().result()
    finish(panel)
    assert panel.status.text.startswith("Result: Anonymized")
    assert [row["state"] for row in panel.jobs.rows] == ["Success"]
    made = next(one for one in client.studies.find() if one.id != study.id)
    assert made.StudyDescription == study.StudyDescription


def test_what_was_made_is_said_even_if_the_server_did_not_answer_at_first(client, panel, study, monkeypatch):
    panel.tree.toggle(panel.tree.level()[0].id)
    with monkeypatch.context() as patch:
        patch.setattr(panel_module, "made_by", unreachable)
        panel.make().result()
        finish(panel)
        assert panel.status.text.startswith("No Orthanc answers")
    panel.refresh()
    assert panel.status.text.startswith("Result: Anonymized")


def unreachable(*_):
    raise UnreachableError("http://127.0.0.1", "no time")


def test_a_preview_tells_which_uids_a_level_gets(panel, study):
    panel.form.action.value = "modify"
    panel.form.replace.add(find("SeriesDescription"), "Checked")
    check_series(panel, study, 1)
    panel.preview().result()
    assert set(changes(panel)) == {"SeriesDescription", "SeriesInstanceUID", "SOPInstanceUID"}
    panel.form.force.value = True
    assert panel.differences.rows == []
    panel.form.keep.value = "SOPInstanceUID"
    panel.preview().result()
    assert set(changes(panel)) == {"SeriesDescription", "SeriesInstanceUID"}


def test_modified_and_the_source_deleted(client, panel, study):
    panel.form.action.value = "modify"
    panel.form.replace.add(find("StudyDescription"), "Checked")
    panel.form.remove.value = "InstitutionName"
    panel.form.keep_source.value = False
    check_series(panel, study, 3)  # that is all of them: the study, and with it the patient
    panel.make().result()
    finish(panel)
    assert [one.StudyDescription for one in client.studies.find()] == ["Checked"]
    assert client.instances.find()[0].all_tags.get("InstitutionName") is None


def of_job(before, made):
    """Return what a job has changed, as a preview tells it."""
    found = [one.row() for one in differences(*(list(dataset_rows(each.dataset())) for each in (before, made)))]
    return {row["name"]: (row["change"], row["before"], row["after"]) for row in found}


def known(found):
    """Leave out values that are made up anew each time."""
    return {
        name: ("made up" if "UID" in name and name != "StudyInstanceUID" else change) for name, change in found.items()
    }


def test_the_preview_of_a_split_is_what_it_does(client, panel, study):
    panel.form.action.value = "split"
    panel.form.replace.add(find("StudyDescription"), "Apart")
    panel.form.replace.add(find("PatientID"), "OTHER")
    panel.form.remove.value = "AccessionNumber"
    check_series(panel, study, 1)
    panel.preview().result()
    found = changes(panel)
    assert found["StudyInstanceUID"] == ("Replaced", study.StudyInstanceUID, "(a new UID)")
    assert found["StudyDescription"] == ("Replaced", "CT quality phantom", "Apart")
    assert len(client.studies) == 1
    (series,) = (client.series[id] for id in panel.tree.checked)
    panel.make().result()
    finish(panel)
    (apart,) = client.studies.find(PatientID="OTHER")
    done = of_job(series.instances[0], apart.series[0].instances[0])
    new = done.pop("StudyInstanceUID"), found.pop("StudyInstanceUID")
    assert new[0][1] == new[1][1] != new[0][2] == apart.StudyInstanceUID
    assert known(done) == known(found)


def test_the_preview_of_a_merge_is_what_it_does(client, panel, study):
    client.upload(samples.path("mr"), progress=False)
    (target,) = client.studies.find(PatientID="PHANTOM-MR")
    panel.refresh()
    panel.form.action.value = "merge"
    for node in panel.tree.level():
        panel.tree.toggle(node.id)
    panel.form.target.value = target.id
    panel.preview().result()
    found = changes(panel)
    assert found["StudyInstanceUID"] == ("Replaced", study.StudyInstanceUID, target.StudyInstanceUID)
    assert found["PatientName"] == ("Replaced", "Phantom^CT", "Phantom^MR")
    before = study.series[0].instances[0]
    panel.make().result()
    finish(panel)
    (merged,) = (one for one in target.series if one.SeriesDescription == before.series.SeriesDescription)
    assert known(of_job(before, merged.instances[0])) == known(found)


def test_the_modules_are_those_of_the_server():
    assert {int(tag.replace(",", ""), 16) for tag in MODULE_TAGS} == set(study_changes._MODULE_TAGS)


def test_split_and_merge(client, panel, study):
    panel.form.action.value = "split"
    panel.form.replace.add(find("StudyDescription"), "Apart")
    check_series(panel, study, 1)
    panel.form.keep_source.value = False
    panel.make().result()
    finish(panel)
    assert panel.status.text == "Result: Phantom CT · Apart · 2026-01-05"
    apart = client.studies.find(StudyDescription="Apart")[0]
    assert (len(apart.series), len(study.series)) == (1, 2)
    panel.tree.clear()
    panel.form.action.value = "merge"
    patient = panel.tree.level()[0].id
    panel.tree.opened = [patient]
    panel.tree.toggle(panel.tree.level(patient)[0].id)
    panel.make().result()
    assert panel.status.text == "Merge: Check at least two studies."
    panel.tree.clear()
    for node in panel.tree.level(patient):
        panel.tree.toggle(node.id)
    assert panel.tree.checked == [patient]
    panel.form.target.value = study.id
    panel.make().result()
    finish(panel)
    assert panel.status.text == "Result: Phantom CT · CT quality phantom · 2026-01-05"
    assert [len(one.series) for one in client.studies.find()] == [3]


def test_words_before_anything_is_sent(panel, client, study):
    patient, series = study.patient, study.series
    assert ChangeRequest("anonymize").problem([]) == "Check something in the tree first."
    assert ChangeRequest("anonymize").problem([study] * (MOST + 1)).endswith("Check fewer.")
    assert "check Force" in ChangeRequest("modify", replace={"PatientID": "7"}).problem([study])
    assert "check Force" in ChangeRequest("anonymize", keep=("SOPInstanceUID",)).problem([study])
    assert ChangeRequest("modify", replace={"PatientID": "7"}, force=True).problem([patient]) == ""
    assert ChangeRequest("modify").problem([study]).startswith("Nothing would change")
    assert ChangeRequest("split").problem([study]).startswith("Check the series")
    assert ChangeRequest("split").problem(series) == ""
    assert "SeriesDescription: a split" in ChangeRequest("split", remove=("SeriesDescription",)).problem(series)
    assert "StudyInstanceUID: a split" in ChangeRequest("split", replace={"StudyInstanceUID": "1"}).problem(series)
    assert ChangeRequest("merge").spread([patient, *series]) == [study, *series]
    assert ChangeRequest("anonymize").spread([patient]) == [patient]
    assert ChangeRequest("modify", replace={"PatientSex": "F"}).spread([patient]) == [study]
    assert ChangeRequest("merge").problem([study]).startswith("Choose the study")
    other = Series(client.transport, "other", {"ParentStudy": "another"})
    assert ChangeRequest("split").problem([*series, other]) == "Check series of one study only."
    assert isinstance(patient, Patient)
    assert isinstance(study, Study)


def test_a_field_that_is_not_right(panel):
    panel.form.remove.value = "PatientBirthDat"
    assert panel.form.problem.text.startswith("'PatientBirthDat' is not a DICOM keyword; did you mean PatientBirthDate")
    panel.tree.toggle(panel.tree.level()[0].id)
    panel.make().result()
    assert panel.status.is_warning
    assert panel.started == []


def test_what_the_server_refuses_is_said(panel, study):
    panel.form.action.value = "modify"
    panel.form.replace.add(find("StudyInstanceUID"), "1.2.3")
    panel.form.force.value = True
    check_series(panel, study, 1)
    panel.client.studies[study.id].delete()
    panel.make().result()
    assert panel.status.text.startswith("Modify: what is checked has since been deleted on the server.")


def test_numbers_and_sequences_are_tags_too():
    assert tag_names("(0010,0010);0019,10AB ReferencedStudySequence") == (
        "0010,0010",
        "0019,10ab",
        "ReferencedStudySequence",
    )
    assert tag_names("") == ()
    with pytest.raises(ValueError, match="is not a DICOM keyword"):
        tag_names("0010,001")


def test_of_a_sequence_that_is_gone_only_the_sequence_is_said():
    rows = [
        TagRow("0008,1110", "ReferencedStudySequence", "0008,1110", "SQ", "1 item"),
        TagRow("0008,1110/0", "Item 1", "", "", ""),
        TagRow("0008,1110/0/0008,1155", "ReferencedSOPInstanceUID", "0008,1155", "UI", "1.2"),
    ]
    assert [one.name for one in differences(rows, [])] == ["ReferencedStudySequence"]
    assert [one.change for one in differences([], rows)] == ["Added"]
    assert differences(rows, rows) == []


def test_several_studies_are_a_job_each(client, panel, study):
    client.upload(samples.path("mr"), progress=False)
    panel.refresh()
    for node in panel.tree.level():
        panel.tree.toggle(node.id)
    assert panel.hint.value == "2 resources checked"
    panel.make().result()
    finish(panel)
    assert len(client.patients) == 4
    assert panel.status.text.startswith("Result: ")

"""Notebooks as students hand them in, and answers that are not right."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orthanc_lab.lab.grading.notebook import Exercise

FOLDER = Path(__file__).parents[2] / "notebooks"

WRONG = {
    "nothing": "",
    "left as it was": "{name} = ...",
    "printed": "{name} = ...\nprint('{number} is right')",
    "an error that is swallowed": "try:\n    {name} = 1 / 0\nexcept Exception:\n    {name} = ...",
    "the flag of the solution": "shown = False\n{name} = ...",
    "None": "{name} = None",
    "the words of the check": "{name} = '{number} is right'",
    "equal to everything": "{name} = type('Yes', (), {{'__eq__': lambda self, other: True, '__hash__': id}})()",
    "like anything": "from unittest.mock import MagicMock\n{name} = MagicMock()",
    "an error": "{name} = 1 / 0",
}
"""Wrong answers to any exercise."""

_CT = 'client.studies.find(ModalitiesInStudy="CT")[0]'
_MR = 'client.studies.find(ModalitiesInStudy="MR")[0]'

WRONG_HERE: Mapping[str, Mapping[int, tuple[str, ...]]] = {
    "01": {
        1: (
            "mr_instances = 20",
            "real, samples.dicom_files = samples.dicom_files, lambda *names: [1]\nmr_instances = 1",
            "samples.dicom_files = real\nmr_instances = 1",
        ),
        2: ("loop_frames = 1", 'loop_frames = client.series.find(Modality="MR")[0].instances[0].frames'),
        3: ("rod = 93000", "rod = series.instances[0].array()[0:4, 0:4].mean()", "rod = [93]"),
    },
    "02": {
        1: (
            f"mine = {_MR}.archive_job(priority=3).wait()",
            f"mine = {_CT}.archive_job(priority=7).wait()",
            f"mine = {_MR}.media_job(priority=7).wait()",
            'mine = client.jobs.list("Success", type="Archive")[0]',
            "import types\nmine = types.SimpleNamespace(id='0', type='Archive', priority=7,\n"
            "    content={'InstancesCount': len(mr.instances)}, state=types.SimpleNamespace(value='Success'))",
        ),
        2: ("failed = -1", "failed = len(client.jobs)"),
        3: ('longest = "0"', "longest = mine", 'longest = client.jobs.list("Success")[0].id'),
    },
    "03": {
        1: ('us_name = "US000001.dcm"', "us_name = names(mr.archive(folder / 'mr.zip'))[0]"),
        2: (
            'extended = client.media(ct, folder / "plain.zip")',
            'extended = "/etc/passwd"',
            'extended = folder / "nothing.zip"',
            'extended = client.archive([ct], folder / "ct.zip")',
        ),
        3: (
            "both = client.archive_job([ct.series[2], mr]).wait()",
            'both = client.archive_job([mr], transcode=SYNTAXES["JPEG lossless"]).wait()',
        ),
    },
    "04": {
        1: (
            'photo = client.create_dicom(samples.path("chart.jpg"), {**secondary, "PatientID": "EXERCISE"})',
            'photo = client.create_dicom(samples.path("chart.jpg"), {**secondary, "PatientID": "X"}, Encapsulate=True)',
            "photo = next(iter(client.instances))",
        ),
        2: (
            "steps = next(iter(client.series))",
            "steps = client.create_dicom([np.full((64, 64), 50, np.uint8)] * 3, secondary)",
        ),
        3: (
            'mr_report = client.create_dicom(samples.path("report.pdf"), {"SeriesDescription": "Quality report"})',
            'mr_report = client.studies.find(PatientID="PHANTOM-MR")[0].series[0].instances[0]',
        ),
    },
    "05": {
        1: (
            'entry = ["LO", "MyRepeats", 1, 1, "My Company"]',
            'entry = ["US", "MyRepeats", 1, 0, "My Company"]',
            'entry = ["US", "MyRepeats"]',
            'entry = ["XX", "MyRepeats", 1, 1, "My Company"]',
        ),
        2: (
            'answer = client.create_dicom(samples.path("chart.png"), {"PatientID": "1"})',
            "answer = result",
        ),
        3: ("greatest = 0.0", "greatest = '12'"),
    },
    "06": {
        1: ("without_answer = 0", "without_answer = len(watch.scrapes)"),
        2: ("greatest_rate = 21", "greatest_rate = 5"),
        3: ("jobs_chart = charts.metrics_over_time(recorded)", "jobs_chart = 'Jobs'"),
    },
    "07": {
        1: (
            'two_tabs = Dashboard([board["Upload"], ReadingList(client)])',
            "two_tabs = board",
            "import types\ntwo_tabs = types.SimpleNamespace(panels=[])",
        ),
        2: (
            "class Modalities(Panel):\n    title = 'Modalities'\n\n    def __init__(self, client, **options):\n"
            "        super().__init__(client, **options)\n"
            "        self.table = Table([Column('modality', 'Modality')])\n"
            "        self.table.rows = [{'id': 'CT', 'modality': 'CT', 'series': 3}, "
            "{'id': 'MR', 'modality': 'MR', 'series': 1}]\n    def poll(self):\n        pass",
        ),
    },
    "08": {
        1: (
            'mine = pseudonymize(mr, "X-9", "Face")',
            'mine = pseudonymize(ct, "X-9", "Head")',
            'mine = pseudonymize(mr, "R-001", "Head")',
            "mine = mr_of_r1",
        ),
        2: ("split = client.jobs.list('Success', type='MergeStudy')[0]", "split = ct_of_r1"),
        3: ("merge = client.jobs.list('Success', type='MergeStudy')[0]", "merge = ct_of_r1"),
    },
    "11": {
        1: (
            'patient_get = lambda path: careless("GET", path).json()',
            "patient_get = client.transport.get",
            'def patient_get(path):\n    return {"ApiVersion": 27}',
            'def patient_get(path):\n    for number in range(3):\n        answer = careless("GET", path)\n'
            "    return answer.json()",
            # The check of the lesson would believe this one:
            "import types\nreal, faults = faults, types.SimpleNamespace(on=lambda *names, **times: real.on("
            "'slow peer', optional=True))\n"
            "def patient_get(path):\n    import inspect\n    frame = inspect.currentframe().f_back\n"
            '    frame.f_globals["busy"] = types.SimpleNamespace(happened=2, occasions=3)\n'
            '    return {"ApiVersion": 27}',
            "faults = real\npatient_get = 27",
        ),
        2: ("ended = waiting", "ended = client.archive_job(study).wait()"),
        3: ("noticed = client.upload(samples.dicom_files('us'))", "import types\nnoticed = types.SimpleNamespace()"),
    },
    "12": {
        1: (
            'lines = "orthanc-lab schedule 1"',
            'lines = "orthanc-lab schedule 1\\nAda\\nBob"',
            'lines = "Ada, Bob, Cem"',
            'lines = "orthanc-lab schedule 1\\nAda\\nDan\\nBob"',
            # The check of the lesson would believe this one:
            "import types\ndef replay(*others):\n    raise AssertionError('opened 3 times, counted 1')\n"
            "real, testing = testing, types.SimpleNamespace(replay=replay)\nlines = 'orthanc-lab schedule 1'",
            "testing = real\nlines = 3",
        ),
        2: (
            "close = open_study",
            "def close(server, address, name):\n    pass",
            "def close(server, address, name):\n    server.session.put(address, data='4')",
            "def close(server, address, name):\n    answer = server.session.get(address)\n"
            "    server.session.put(address, data=str(int(answer.text) - 1), "
            "headers={'If-Match': answer.headers['ETag']})",
            # The check of the lesson would believe this one:
            "testing = types.SimpleNamespace(explore=lambda *others, **more: None, ScheduleError=real.ScheduleError)\n"
            "def close(server, address, name):\n    pass",
            "testing = real\nclose = 4",
        ),
        3: (
            "seed = 1",
            "seed = True",
            "real, story = story, lambda seed: [[0, 0, 1]]\nseed = 1",
            "story = real\nseed = 2",
        ),
    },
    "10": {
        1: ("ended = waiting", "ended = job", "open_gate()\nended = clients[0].jobs.list()[0]"),
        2: ("six = []", "six = [study.archive_job().wait()] * 6", "six = [job] * 6"),
    },
    "13": {
        1: (
            "labeling = Densities",
            'class Labeling(Job):\n    route = "/series/{id}/label"\n\n    def step(self):\n        return False\n\n'
            "labeling = Labeling",
        ),
        2: ("paused = client.jobs.list()[0]", "paused = job"),
        3: ("count = 99", "count = str(job)"),
    },
    "09": {
        1: ("count = 99", "count = len(hospital.series)"),
        2: (
            'sharp = hospital.series.find(SeriesDescription="Sharp")[0].send("clinic").wait()',
            "sharp = None",
        ),
        3: ("caller = 'CLINIC'", "caller = archive"),
    },
}
"""Wrong answers to single exercises."""


def solved(exercise: Exercise) -> str:
    """Return the source of an exercise with its solution as the answer."""
    body = textwrap.dedent(exercise.solution.source.partition(":\n")[2])
    return exercise.place.source.replace(f"{exercise.variable} = ...", body)


def handed_in(lesson: Path, changes: Mapping[str, str], **others: Any) -> dict[str, Any]:
    """Return a notebook as a document, with other sources for some cells; `others` changes the whole."""
    document: dict[str, Any] = json.loads(lesson.read_text("utf-8"))
    for cell in document["cells"]:
        cell["source"] = changes.get(cell["id"], "".join(cell["source"]))
    return document | others


def small_lesson(folder: Path) -> Path:
    """Write a lesson without a server, and return its path."""
    cells = [_cell("title", "# 99 · A small lesson"), _cell("setup", "three = 3", "code"), _cell("e", "## Exercises")]
    for number, answer in enumerate(("three", "4", "5"), 1):
        name = f"answer_{number}"
        shown = f'print("{number}: the solution is shown above" if shown else "{number} is right")'
        cells += [
            _cell(f"exercise-{number}", f"{name} = ...", "code", "exercise"),
            _cell(f"solution-{number}", f"if shown := ({name} is ...):\n    {name} = {answer}", "code", "solution"),
            _cell(f"check-{number}", f"assert {name} == {answer}, 'It is {answer}'\n{shown}", "code", "check"),
        ]
    path = folder / "99_small.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), "utf-8")
    return path


def _cell(id: str, source: str, kind: str = "markdown", *tags: str) -> dict[str, Any]:
    return {"id": id, "cell_type": kind, "source": source.splitlines(True), "metadata": {"tags": list(tags)}}

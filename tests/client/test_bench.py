"""The figures of client and frames: they measure what they say; speed itself is no matter of a test."""

from __future__ import annotations

import importlib.util
import sys
import threading
from pathlib import Path

import pytest

import orthanc_lab
from orthanc_lab.bench import client_figures, command, fault_figures, material, report
from orthanc_lab.bench.client_figures import overhead, upload_gain
from orthanc_lab.bench.fault_figures import measure_faults
from orthanc_lab.bench.figure import Figure
from orthanc_lab.bench.frame_figures import frame_of_jobs, frame_of_scrape
from orthanc_lab.bench.instructions import counted_instructions
from orthanc_lab.bench.job_runs import changes, job_archive, streamed_archive, to_success
from orthanc_lab.bench.pairing import measure
from orthanc_lab.bench.servers import ServerProcess
from orthanc_lab.bench.uploading import creations, posts, zip_upload
from orthanc_lab.bench.volume_figures import volume_gain
from orthanc_lab.bench.workload import Cost, Workload


def test_figures_are_measured() -> None:
    with orthanc_lab.serve() as server, orthanc_lab.Client.from_server(server) as client:
        figures = [
            overhead(server.url, pairs=2, calls=3),
            upload_gain(server.url, pairs=2, files=5),
            frame_of_jobs(client, rounds=2, count=30),
            frame_of_scrape(client, rounds=2),
        ]
    assert [len(figure.values) for figure in figures] == [2, 2, 2, 2]
    assert all(value > 0 for figure in figures for value in figure.values)
    assert [figure.name for figure in figures[2:]] == [
        "frames: frame of 30 jobs",
        "frames: scrape of 60 samples to frame",
    ]


def test_a_frame_of_another_size_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orthanc_lab.frames.metric_table.read_text", lambda text, time: text.splitlines()[1:])
    with (
        orthanc_lab.serve() as server,
        orthanc_lab.Client.from_server(server) as client,
        pytest.raises(RuntimeError, match="59 rows instead of 60"),
    ):
        frame_of_scrape(client, rounds=1)


def test_faults_that_are_off_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault_figures, "_BATCHES", 4)
    monkeypatch.setattr(fault_figures, "_COUNTED", 10)
    monkeypatch.setattr(fault_figures, "_ASKED", 40)
    figures = measure_faults(f"{sys.executable} -m orthanc_lab serve {{config}}", starts=1)
    assert [figure.goal for figure in figures] == [1] * 6
    assert all(len(figure.values) == 1 and figure.unit == "%" for figure in figures)
    counted = [figure.value for figure in figures if "instructions" in figure.name]
    assert len(counted) == 4
    # On a busy machine, a thread may not have gone on with its turn when it is looked at.
    assert all(-20 < value < 20 for value in counted), counted


def test_instructions_are_counted() -> None:
    def work(times: int) -> int:
        with counted_instructions() as so_far:
            thread = threading.Thread(target=lambda: [None for _ in range(times)])
            thread.start()
            thread.join()
            return so_far()

    work(1)
    assert work(100) == work(100) > work(10) > 10
    assert threading.gettrace() is None


def test_a_volume_is_compared() -> None:
    with orthanc_lab.serve() as server, orthanc_lab.Client.from_server(server) as client:
        figure = volume_gain(client, pairs=2, slices=2)
    assert len(figure.values) == 2
    assert min(figure.values) > 0


def test_nothing_is_made_for_a_workload_that_does_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("small_instances", "ct_instances", "jpeg_instances"):
        monkeypatch.setattr(material, name, None)
    spec = importlib.util.find_spec("orthanc_lab.bench.workloads")
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))  # a call of None would raise


@pytest.mark.parametrize("cost", Cost)
def test_two_servers_are_compared(cost: Cost) -> None:
    one, other = (ServerProcess(name, f"{sys.executable} -m orthanc_lab serve {{config}}", {}) for name in "ab")
    try:
        one.start()
        other.start()
        workload = Workload("lists", 1, lambda: posts("/tools/lookup", [b"x"] * 3), cost=cost)
        result = measure(workload, one, other, rounds=1)
    finally:
        one.remove()
        other.remove()
    costs = [run.cost for run in (*result.ours, *result.theirs)]
    assert len(costs) == 4
    assert all(10 < figure < 200 if cost is Cost.MEMORY else 0 < figure < 60 for figure in costs)
    assert result.ratios == [theirs / ours for ours, theirs in zip(costs[:2], costs[2:], strict=True)]
    assert report.row(result).count(" MiB") == (2 if cost is Cost.MEMORY else 0)


@pytest.mark.parametrize(
    ("at_most", "unit", "goal", "reached"), [(True, "", "≤ 1.5", "NO"), (False, "ms", "≥ 1.5 ms", "yes")]
)
def test_a_goal_is_judged(at_most: bool, unit: str, goal: str, reached: str) -> None:
    figure = Figure("x", [1.0, 4.0, 2.0], 1.5, at_most, unit)
    assert figure.row() == f"| x | 2.00{f' {unit}' if unit else ''} (1.00 to 4.00) | {goal} | {reached} |"


def test_without_pandas_the_other_figures_are_there(monkeypatch, capsys) -> None:
    def missing(*arguments: object) -> Figure:
        raise ModuleNotFoundError("No module named 'pandas'")

    monkeypatch.setattr(client_figures, "overhead", lambda url, pairs: Figure("calls", [1.0], 1.15, True))
    monkeypatch.setattr(client_figures, "upload_gain", lambda url, pairs: Figure("upload", [2.0], 3, False))
    monkeypatch.setattr(client_figures, "volume_gain", lambda client, pairs: Figure("volume", [6.0], 5, False))
    monkeypatch.setattr(client_figures, "frame_of_jobs", missing)
    assert command.main(["--client", "--rounds", "1"]) == 1  # a goal is missed
    printed = capsys.readouterr()
    assert printed.out.splitlines()[2:] == [
        "| calls | 1.00 (1.00 to 1.00) | ≤ 1.15 | yes |",
        "| upload | 2.00 (2.00 to 2.00) | ≥ 3 | NO |",
        "| volume | 6.00 (6.00 to 6.00) | ≥ 5 | yes |",
    ]
    assert "Skipping the frames: No module named 'pandas'" in printed.err


def test_without_pyorthanc_it_is_said_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyorthanc", None)
    with pytest.raises(ModuleNotFoundError, match=r"^it is compared with pyorthanc: pip install pyorthanc$"):
        client_figures.upload_gain("http://127.0.0.1:1", 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--against", "no-such-program {config}"],
            "the server 'theirs' cannot be started: no-such-program: No such file",
        ),
        (["--against", "sh -c 'exit 3'"], "the server 'theirs' exited at once with code 3 and logged nothing"),
        (["--against", "'"], "the command line of 'theirs' cannot be read: No closing quotation"),
        (["--against", ""], "the command line of 'theirs' is empty"),
    ],
)
def test_a_server_that_cannot_be_measured_is_said_in_a_line(
    words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "_disk", lambda: "not measured")
    assert command.main([*words, "--only", "GET /system"]) == 255
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"orthanc-lab bench: {said}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--against", "x", "--chart", "chart.xyz"], "The name of a chart must end in .png or .svg, not 'chart.xyz'"),
        (["--client", "--json", "x.json"], "--json and --chart are of a comparison of two servers"),
    ],
)
def test_what_cannot_be_saved_is_said_before_anything_is_measured(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        command.main(words)
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rounds", ["0", "-1", "x"])
def test_at_least_one_round(rounds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--against", "x", "--rounds", rounds])
    assert f"argument --rounds: at least one round is needed, not '{rounds}'" in capsys.readouterr().err


def test_workloads_are_chosen_by_any_of_some_texts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Ran(Exception):
        pass

    ran: list[str] = []

    def run(workload: Workload, sides: object, rounds: int) -> None:
        ran.append(workload.name)
        if len(ran) == 2:
            raise Ran

    monkeypatch.setattr(command, "_disk", lambda: "not measured")
    monkeypatch.setattr(command, "_run", run)
    monkeypatch.setattr(report, "row", lambda result: "")
    with pytest.raises(Ran):
        command.main(["--against", "x", "--only", "upload zip of 500", "--only", "200 CT, job"])
    assert ran == ["upload ZIP of 500 x 4 kB", "archive of 200 CT, job"]
    with pytest.raises(SystemExit):
        command.main(["--against", "x", "--only", "200 CT, job", "--only", "nothing like it"])
    said = capsys.readouterr().err
    assert "no workload's name contains 'nothing like it'; choose from:\n" in said
    assert "\n  archive of 200 CT, job\n" in said


@pytest.mark.parametrize("sqlite", ["0", "1"])
def test_a_bare_server_does_what_it_is_measured_by(sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLITE", sqlite)
    server = ServerProcess("bare", f"{sys.executable} -m orthanc_lab.bench.bare_server {{config}}", {})
    server.start()
    try:
        for run in (
            posts("/instances", [*material.small_instances(2), *material.ct_instances(3)], clients=2),
            zip_upload(material.ct_instances, 2)(),
            creations("image/png", lambda: material.png(256, 1), 1)(),
            streamed_archive(),
            job_archive("archive")(),
            changes("modify", {}, 6)(),
            to_success(2)(),
        ):
            assert run(server.port) > 0
        kept = server.folder / "storage"
        assert (kept / "records.db").exists() is (sqlite == "1")
        sizes = [file.stat().st_size for file in kept.iterdir() if file.name.isdigit()]
        assert len(sizes) == 12, "six files, and what they became"
        assert sizes.count(256 * 256) == 2
    finally:
        server.remove()

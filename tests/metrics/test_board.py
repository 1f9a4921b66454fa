"""The policies of updates and the text format, with a clock moved by hand."""

import threading
from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from orthanc_lab.protocol.metrics import POLICIES, MetricPolicy
from orthanc_lab.protocol.ports import ManualClock
from orthanc_lab.protocol.published_metrics import PublishedMetrics

DIRECT = "orthanc_last_change"
LARGEST = "orthanc_rest_api_duration_ms"
COUNTER = "orthanc_storage_written_bytes"
START = 1_700_000_000_000  # ms since the epoch


@pytest.fixture
def clock():
    return ManualClock(datetime.fromtimestamp(START / 1000, UTC))


@pytest.fixture
def board(clock):
    return PublishedMetrics(clock)


def lines(board):
    return board.exposition().splitlines()


def test_nothing_recorded_nothing_listed(board):
    assert board.exposition() == ""


def test_lines_are_sorted_and_ended(board):
    board.record(DIRECT, 1)
    board.record(COUNTER, 2)
    assert board.exposition() == f"{DIRECT} 1 {START}\n{COUNTER} 2 {START}\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0, "0"),
        (12345678901234567890, "12345678901234567890"),
        (-3, "-3"),
        (0.00061416625976562, "0.00061416626"),
        (16855.9628906, "16855.9629"),
        (1 / 3, "0.333333333"),
        (1e-7, "1e-07"),
        (123456789.5, "123456790"),
        (1e20, "1e+20"),
    ],
)
def test_numbers(board, value, text):
    board.record(DIRECT, value)
    assert lines(board) == [f"{DIRECT} {text} {START}"]


def test_directly(board, clock):
    board.record(DIRECT, 5)
    clock.advance(1.2345)
    board.record(DIRECT, 3)
    assert lines(board) == [f"{DIRECT} 3 {START + 1234}"]


def test_increment(board, clock):
    board.record(COUNTER, 5)
    clock.advance(1)
    board.record(COUNTER, 3)
    assert lines(board) == [f"{COUNTER} 8 {START + 1000}"]


@pytest.mark.parametrize(
    ("seconds", "value", "shown"),
    [
        (0, 5, (5, 0)),  # the same value is dropped
        (1, 4, (5, 0)),
        (1, 6, (6, 1)),  # a larger one replaces
        (10.0, 4, (5, 0)),
        (10.9, 4, (5, 0)),  # 10 whole seconds are not more than 10
        (11.0, 4, (4, 11)),
        (11.0, 5, (5, 11)),
        (500, 0, (0, 500)),
    ],
)
def test_max_over_10_seconds(board, clock, seconds, value, shown):
    board.record(LARGEST, 5)
    clock.advance(seconds)
    board.record(LARGEST, value)
    assert lines(board) == [f"{LARGEST} {shown[0]} {START + shown[1] * 1000}"]


def test_nothing_expires_by_itself(board, clock):
    board.record(LARGEST, 5)
    clock.advance(86400)
    assert lines(board) == [f"{LARGEST} 5 {START}"]


def test_off_and_on_again(board, clock):
    board.record(COUNTER, 5)
    board.record(LARGEST, 7)
    before = board.exposition()
    board.enabled = False
    clock.advance(60)
    board.record(COUNTER, 5)
    board.record(LARGEST, 9)
    assert board.exposition() == ""
    board.enabled = True
    assert board.exposition() == before
    board.record(COUNTER, 1)
    assert f"{COUNTER} 6 {START + 60000}" in lines(board)


def test_gauges_are_read_at_each_scrape(board, clock):
    values = iter([1, 2])
    board.add_gauge(lambda: [(DIRECT, next(values))])
    assert lines(board) == [f"{DIRECT} 1 {START}"]
    clock.advance(1)
    assert lines(board) == [f"{DIRECT} 2 {START + 1000}"]


def test_only_gauges_have_the_time_of_the_scrape(board, clock):
    board.add_gauge(lambda: [(DIRECT, 7)])
    board.record(COUNTER, 1)
    assert lines(board) == [f"{DIRECT} 7 {START}", f"{COUNTER} 1 {START}"]
    clock.advance(2)
    assert lines(board) == [f"{DIRECT} 7 {START + 2000}", f"{COUNTER} 1 {START}"]
    board.record(COUNTER, 1)
    clock.advance(1)
    assert lines(board) == [f"{DIRECT} 7 {START + 3000}", f"{COUNTER} 2 {START + 2000}"]


def test_gauges_are_not_read_while_off(board):
    board.add_gauge(lambda: pytest.fail("read"))
    board.enabled = False
    assert board.exposition() == ""


def test_further_metrics(board):
    board.add("my_metric", MetricPolicy.INCREMENT)
    board.record("my_metric", 1)
    board.record("my_metric", 1)
    assert lines(board) == [f"my_metric 2 {START}"]
    with pytest.raises(KeyError):
        board.record("nobody_knows_it", 1)


def test_no_increment_is_lost_among_threads(board):
    def count():
        for _ in range(2000):
            board.record(COUNTER, 1)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert board.value(COUNTER) == 8000


def test_the_parser_of_prometheus_reads_it(board):
    for number, name in enumerate(POLICIES):
        board.record(name, number / 7)
    families = {family.name: family for family in text_string_to_metric_families(board.exposition())}
    assert set(families) == set(POLICIES)
    for number, name in enumerate(POLICIES):
        (sample,) = families[name].samples
        assert families[name].type == "unknown"
        assert sample.value == pytest.approx(number / 7, rel=1e-8)
        assert sample.timestamp == START / 1000

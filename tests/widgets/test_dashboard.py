"""All panels in tabs, without a browser."""

from __future__ import annotations

from orthanc_lab.widgets import JobsPanel, dashboard
from orthanc_lab.widgets.closing import all_below
from orthanc_lab.widgets.dashboard import Dashboard
from orthanc_lab.widgets.elements.element import Element
from tests.widgets.browser import hide, show


def test_only_the_tab_in_view_looks(client):
    board = Dashboard([JobsPanel(client), JobsPanel(client)])
    first, second = board.panels
    assert not first.is_live
    show(first), show(second)  # a browser makes all tabs, and hides those in the background
    assert (first.is_live, second.is_live) == (True, False)
    board.tabs.selected_index = 1
    assert (first.is_live, second.is_live) == (False, True)
    hide(first), hide(second)
    assert (first.is_live, second.is_live) == (False, False)


def test_it_closes_its_panels(client):
    board = dashboard(client)
    show(board.panels[0])
    board.close()
    assert not any(panel.is_live for panel in board.panels)
    assert all(panel.comm is None for panel in board.panels)


def test_where_no_widget_is_drawn_there_is_html(client):
    bundle = dashboard(client)._repr_mimebundle_()
    assert "Jobs" in bundle["text/html"]
    assert bundle["text/plain"].startswith("<Dashboard: Jobs")


def test_the_views_of_ipywidgets_meet_no_tooltip_without_a_description(client):
    board = dashboard(client)
    elements = [widget for widget in all_below(board) if isinstance(widget, Element)]
    assert len(elements) > len(board.panels)
    assert [element for element in elements if element.tooltip is not None] == []
    board.close()

"""The scenarios, by area."""

from tests.twin.scenarios import (
    archives,
    attachments,
    browse,
    changes,
    configurations,
    create,
    frames,
    jobs,
    jobs_kept,
    labels,
    lookup,
    media,
    metadata,
    metrics,
    modification,
    peers,
    protocol,
    restart,
    revisions,
    security,
    split_merge,
    system,
    tags,
    upload,
)

SCENARIOS = [
    scenario
    for area in (
        protocol,
        system,
        upload,
        browse,
        tags,
        frames,
        metadata,
        attachments,
        revisions,
        labels,
        lookup,
        changes,
        security,
        configurations,
        jobs,
        jobs_kept,
        peers,
        restart,
        archives,
        media,
        create,
        modification,
        split_merge,
        metrics,
    )
    for scenario in area.SCENARIOS
]

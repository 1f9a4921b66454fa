"""The scenarios, by area, and the ledger of accepted differences from Orthanc 1.12.7."""

from pathlib import Path

from orthanc_lab.testing.scenarios import (
    archives,
    attachments,
    browse,
    changes,
    commitment,
    configurations,
    create,
    create_more,
    everything,
    find,
    frames,
    http,
    jobs,
    jobs_kept,
    labels,
    limits,
    lookup,
    media,
    metadata,
    metrics,
    modalities,
    modification,
    peers,
    pictures,
    protocol,
    queries,
    restart,
    revisions,
    security,
    split_merge,
    system,
    tags,
    transcoding,
    upload,
)

__all__ = ["LEDGER", "SCENARIOS"]

LEDGER = Path(__file__).parent / "ledger.toml"

SCENARIOS = [
    scenario
    for area in (
        protocol,
        http,
        system,
        upload,
        browse,
        tags,
        frames,
        pictures,
        transcoding,
        metadata,
        attachments,
        revisions,
        labels,
        limits,
        lookup,
        find,
        changes,
        security,
        configurations,
        jobs,
        jobs_kept,
        peers,
        commitment,
        modalities,
        queries,
        restart,
        archives,
        media,
        create,
        create_more,
        modification,
        split_merge,
        metrics,
        everything,
    )
    for scenario in area.SCENARIOS
]

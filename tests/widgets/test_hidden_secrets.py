"""What a notebook shows of the options of a server."""

from __future__ import annotations

from typing import Any

import pytest

from orthanc_lab.widgets.server.hidden_secrets import hide_secrets, restore_secrets


@pytest.mark.parametrize(
    ("section", "options"),
    [
        ("PostgreSQL", {"Password": "wonderland"}),
        ("PostgreSQL", {"ConnectionUri": "host=db user=alice password=wonderland"}),
        ("PostgreSQL", {"ConnectionUri": "postgresql://db/d?user=alice&password=wonderland"}),
        ("AwsS3Storage", {"AccessKey": "wonderland", "SecretKey": "wonderland"}),
        ("AzureBlobStorage", {"ConnectionString": "AccountName=alice;AccountKey=wonderland"}),
    ],
)
def test_what_opens_a_database_or_a_bucket_is_hidden(section: str, options: dict[str, Any]) -> None:
    whole = {section: {**options, "EnableIndex": True}}
    shown = hide_secrets(whole)
    assert "wonderland" not in repr(shown)
    assert shown[section]["EnableIndex"] is True
    assert restore_secrets(shown, whole) == whole

"""What every implementation of a port must do, as tests to subclass: a back end from elsewhere is held against them.

They need pytest and hypothesis (the extra ``test``).
"""

import pytest

for _name in ("file_area", "job_store", "output_store", "storage"):
    pytest.register_assert_rewrite(f"{__name__}.{_name}")

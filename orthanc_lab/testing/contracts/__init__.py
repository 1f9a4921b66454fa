"""What every implementation of a port must do, as tests to subclass: a back end from elsewhere is held against them.

They need pytest and hypothesis (the extra ``test``).
"""

import pytest

pytest.register_assert_rewrite("orthanc_lab.testing.contracts.storage")

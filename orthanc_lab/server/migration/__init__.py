"""``orthanc-lab migrate``: what one server has is moved to another back end."""

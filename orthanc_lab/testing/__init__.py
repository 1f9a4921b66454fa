"""Tools for test suites: the pytest plug-in and the twin runner."""

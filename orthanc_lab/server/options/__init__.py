"""The options of Orthanc's configuration.

``option`` is what one option is, ``option_table`` lists all of them, ``configuration_files`` reads what somebody wrote,
and ``settings`` are the values in force: what was written, checked, and the defaults for the rest.
"""

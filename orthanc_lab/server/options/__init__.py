"""The options of Orthanc's configuration.

``option`` is what one option is, ``option_table`` lists all of them, ``configuration_files`` reads them from files,
and ``settings`` holds the values in force: those that were given, checked, and the defaults of all others.
"""

"""The parts put together: settings, assembly, embedding, command line."""

"""The words that both towers speak. Standard library only."""

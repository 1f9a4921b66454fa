"""The vocabulary that server and client share. Standard library only."""

"""Tests of the SSH server, in one process."""

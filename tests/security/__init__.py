"""Attacks, each with the figure its bar asks for."""

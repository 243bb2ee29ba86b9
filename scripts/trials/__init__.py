"""Trials of reliability: see reliability.py."""

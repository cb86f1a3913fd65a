"""Extractors: items in, evidence out. They claim; they never decide."""

"""The learned policy: which of six strategies decides an attribute of an item, and what it may cost."""

"""The reader of plain English, in the order of its work: words, units, then sentences with their owners, and claims."""

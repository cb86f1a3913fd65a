"""Character pictures and messy tags in, clean and trustworthy attributes out."""

__version__ = "0.1.0"

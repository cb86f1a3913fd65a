"""CLIP-like models: loading them, and turning pictures and sentences into vectors that can be compared."""

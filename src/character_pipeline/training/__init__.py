"""Training of models: the small dual encoder that comes with the package."""

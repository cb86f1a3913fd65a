"""Ways of deciding against each other, on the same labelled items."""

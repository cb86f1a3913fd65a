"""Which pictures are copies of each other, and what the pictures of one character have in common."""

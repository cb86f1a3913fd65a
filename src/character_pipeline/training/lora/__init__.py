"""Fine-tunes the vision tower of a CLIP model on the tags of a database, through the prompts."""

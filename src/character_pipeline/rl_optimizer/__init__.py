"""Learns which steps are worth their cost: the learner, the policy as a file, and what a policy would have earned."""

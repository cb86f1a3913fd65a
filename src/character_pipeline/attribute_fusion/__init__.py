"""Evidence in, decisions out: the gates, the strategies, the rules of consistency."""

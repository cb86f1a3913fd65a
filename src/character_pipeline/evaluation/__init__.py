"""How good the records are: against known truth, with intervals."""

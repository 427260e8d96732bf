"""How distances are asked: ranking, its records, and the command line."""

"""What an attacker tries, with the figure each bar asks for."""

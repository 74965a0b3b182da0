"""The dispatch rules as a model: a few leads, agents and attempts in memory, and everything that may befall them."""

"""The outside of the house, held to the letter of its contract, by a hostile stranger."""

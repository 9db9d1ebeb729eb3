"""The trade's rows in Amazon's formats, letter for letter."""

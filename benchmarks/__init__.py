"""Measurements on input of a large seller's size. Each prints its figures; none decides whether a change passes."""

"""Ratings in and out: packed pages, sheets, other tools."""

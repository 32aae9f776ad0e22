"""A model that rates as raters do: asked, kept, and calibrated against them."""

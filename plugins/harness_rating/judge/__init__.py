"""A model that rates as people do: asked, kept, and calibrated against them."""

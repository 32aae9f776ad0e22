"""Rows of train whose answers may be wrong, found by models that have not learned them."""

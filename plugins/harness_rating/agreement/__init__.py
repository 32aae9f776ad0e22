"""How far raters agree: coefficients, intervals, and what is said of them."""

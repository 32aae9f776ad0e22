"""The report as one HTML file: offline, readable without a script, safe with any text."""

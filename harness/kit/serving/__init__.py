"""What pages that a command serves have in common: address, gate, limits on connections."""

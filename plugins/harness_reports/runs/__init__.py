"""All runs of a folder side by side: the document that a terminal and the page are made from."""

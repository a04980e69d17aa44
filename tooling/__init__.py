"""Small programs that the Makefile calls; the book's Sphinx extension is among them."""

"""Documents of many pages: which pages, every one of them through a model, and what the answers add up to."""

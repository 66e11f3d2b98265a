"""The best matching of two trees, and of two groups: what metrics need that no small library does fast enough."""

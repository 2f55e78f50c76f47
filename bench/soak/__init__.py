"""A broker filled with a hundred million messages: what grows with them, and what must not."""

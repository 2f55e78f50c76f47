"""The broker's background loops, a file each: they wait, ask the pure engine what is due, and do it."""

"""Images: the built-in critters, a folder of the user's own, and the batches that training draws from them."""

"""What a ladder will take: measured on a few real steps, and forecast from them."""

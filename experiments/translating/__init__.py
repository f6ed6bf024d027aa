"""Pictures from a trained run: finding it, reading images, sheets, strips and loops."""

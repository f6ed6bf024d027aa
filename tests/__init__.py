"""A package, so that `tests` is this folder even where an installed package brings a `tests` of its own."""

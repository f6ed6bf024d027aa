"""A study with people: a page of blind forced choices between arms, and what the answers come to."""

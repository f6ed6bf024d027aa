"""What `status` says: what runs are doing, how long that will take, and how it is shown."""

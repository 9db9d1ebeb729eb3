"""Work in the background: the queue, its worker, the clock that makes work due, and the Redis they meet at."""

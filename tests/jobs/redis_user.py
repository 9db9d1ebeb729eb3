"""A process that uses the embedded Redis: counts up, says so, and stays until it is told to end or is killed."""

import sys
from pathlib import Path

from redis import Redis

from jobs import redis_server

url = redis_server.ensure(Path(sys.argv[1]))
sys.stdout.write(f"{Redis.from_url(url).incr('started')} {url}\n")
sys.stdout.flush()
sys.stdin.readline()

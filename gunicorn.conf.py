"""How gunicorn serves `wsgi:app`. More processes: WEB_CONCURRENCY, with PostgreSQL."""

worker_class = "gthread"
threads = 8
graceful_timeout = 10

"""How gunicorn serves `wsgi:app`. More processes at once: WEB_CONCURRENCY, with PostgreSQL."""

worker_class = "gthread"
threads = 8
graceful_timeout = 10
control_socket_disable = True  # it would be one for all programs of this user

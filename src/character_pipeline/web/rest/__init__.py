"""The REST service: FastAPI routers over `Service`."""

"""Headers of requests and responses: one frozen dataclass each, a file per family."""

"""What tells Airflow that a product's files landed: the names that infra/pubsub.tf gives to it, too."""


def subscription_of(product: str) -> str:
    """The Pub/Sub subscription that hears of a product's files, and of nobody else's."""
    return f"arrivals-{product}"

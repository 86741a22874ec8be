"""The model's inputs by name and order: the only source for SQL, training and scoring."""

FEATURES: tuple[str, ...] = (
    "recency_days",
    "first_age_91",
    "active_days_7",
    "active_days_14",
    "active_days_30",
    "active_days_90",
    "active_days_31_60",
    "active_days_61_90",
    "active_weeks_13",
    "avg_gap_90",
    "sd_gap_90",
    "max_gap_90",
    "orders_90",
    "items_90",
    "sales_30",
    "sales_31_60",
    "sales_90",
    "aov_90",
    "discount_rate_90",
    "weekend_share_90",
)

# Shares are bounded; everything else counts, measures or sums and has a long right tail.
BOUNDED: tuple[str, ...] = ("discount_rate_90", "weekend_share_90")

# The rule that a model has to beat: the fewer active weeks, the likelier inactive.
BASELINE = "active_weeks_13"

# Recency, frequency and monetary value: what a logistic regression has to be beaten with.
RFM: tuple[str, ...] = ("recency_days", "orders_90", "sales_90")

# The customers that a version is also looked at by, and where their slices begin.
SLICES: dict[str, tuple[int, ...]] = {
    "recency_days": (7, 30),
    "active_weeks_13": (4, 8, 12),
    "sales_90": (100, 400, 1000),
}

LABEL = "inactive_30d"
SCORE = "p_inactive_30d"

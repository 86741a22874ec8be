# The development environment. Replace what belongs to an account: docs/deploying.md says where each is found.
environment        = "dev"
alert_emails       = ["data-platform@example.com"]
analysts_group     = "analysts@example.com"
billing_account    = "000000-000000-000000"
budget_amount      = 900
project_number     = "100000000001"
repository         = "example/customer-data-platform"
state_bucket       = "customer-data-dev-terraform"
web_allowed_ranges = { "203.0.113.0/24" = "office" }

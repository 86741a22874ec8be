# The production environment. Replace what belongs to an account: docs/deploying.md says where each is found.
environment        = "prod"
alert_emails       = ["data-platform-oncall@example.com"]
analysts_group     = "analysts@example.com"
billing_account    = "000000-000000-000000"
budget_amount      = 2500
composer_size      = "ENVIRONMENT_SIZE_MEDIUM"
project_number     = "100000000002"
repository         = "example/customer-data-platform"
state_bucket       = "customer-data-prod-terraform"
web_allowed_ranges = { "203.0.113.0/24" = "office" }

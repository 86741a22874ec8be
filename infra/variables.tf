# What conf/ doesn't know: the account, the people, and how much it may cost.

variable "access_policy" {
  description = "Number of the organisation's Access Context Manager policy; null makes no service perimeter."
  type        = string
  default     = null
}

variable "alert_emails" {
  description = "Addresses that alerts are sent to."
  type        = set(string)

  validation {
    condition     = length(var.alert_emails) > 0 && length(var.alert_emails) <= 5
    error_message = "alert_emails: expected one to five addresses: an alert that nobody gets is none, and a budget tells five at most."
  }
}

variable "analysts_group" {
  description = "Google group of those who read gold, with personal columns masked."
  type        = string
}

variable "audit_log_days" {
  description = "Days for which audit logs are kept."
  type        = number
  default     = 400
}

variable "billing_account" {
  description = "Billing account of the project, for its budget."
  type        = string
}

variable "budget_amount" {
  description = "Monthly budget, in units of budget_currency."
  type        = number
}

variable "budget_currency" {
  description = "Currency of the billing account."
  type        = string
  default     = "USD"
}

variable "composer_image" {
  description = "Image of the Composer environment; its Airflow is the one that requirements/pipeline.in pins."
  type        = string
  default     = "composer-3-airflow-3.1.7"

  validation {
    condition     = can(regex("^composer-3-airflow-3\\.1\\.[0-9]+(-build\\.[0-9]+)?$", var.composer_image))
    error_message = "composer_image: expected composer-3-airflow-3.1.x, with or without -build.N."
  }
}

variable "composer_size" {
  description = "Size of the Composer environment: ENVIRONMENT_SIZE_SMALL, _MEDIUM or _LARGE."
  type        = string
  default     = "ENVIRONMENT_SIZE_SMALL"
}

variable "environment" {
  description = "The environment: the name of a file in conf/environments."
  type        = string

  validation {
    condition     = contains(["dev", "prod"], var.environment)
    error_message = "environment: expected dev or prod, the environments that conf/environments has besides local."
  }
}

variable "lock_audit_logs" {
  description = "Whether the days for which audit logs are kept can never be changed again, by nobody."
  type        = bool
  default     = false
}

variable "max_rejected_ratio" {
  description = "Share of rejected rows in a run from which somebody is told, below what the audit lets pass."
  type        = number
  default     = 0.01
}

variable "project_number" {
  description = "Number of the project, which Google's own service agents are named after."
  type        = string
}

variable "repository" {
  description = "The GitHub repository, owner/name, whose workflows may deploy."
  type        = string

  validation {
    condition     = can(regex("^[^/]+/[^/]+$", var.repository))
    error_message = "repository: expected owner/name."
  }
}

variable "stale_hours" {
  description = "Hours without a published run after which somebody is told; Monitoring looks back 25 at most."
  type        = number
  default     = 25

  validation {
    condition     = var.stale_hours >= 1 && var.stale_hours <= 25
    error_message = "stale_hours: expected 1 to 25."
  }
}

variable "state_bucket" {
  description = "The bucket that Terraform's state is kept in, which plans of pull requests read."
  type        = string
}

variable "subnet_range" {
  description = "Addresses of the subnetwork that Spark and Composer run in."
  type        = string
  default     = "10.10.0.0/20"
}

variable "uploaders" {
  description = "Who may act as the uploader, the identity that lands files: IAM members."
  type        = set(string)
  default     = []
}

variable "web_allowed_ranges" {
  description = "Address ranges that may reach Airflow's page, with whose they are."
  type        = map(string)

  validation {
    condition     = length(var.web_allowed_ranges) > 0 && !contains(keys(var.web_allowed_ranges), "0.0.0.0/0")
    error_message = "web_allowed_ranges: expected at least one range, and not the whole internet."
  }
}

# What conf/ says, read once: every other file takes its names and values from these locals.

locals {
  conf = "${path.module}/../conf"

  environment = yamldecode(file("${local.conf}/environments/${var.environment}.yaml"))
  products = {
    for file in fileset("${local.conf}/products", "*.yaml") :
    trimsuffix(file, ".yaml") => yamldecode(file("${local.conf}/products/${file}"))
  }
  models = {
    for file in fileset("${local.conf}/models", "*.yaml") :
    trimsuffix(file, ".yaml") => yamldecode(file("${local.conf}/models/${file}"))
  }
  contracts = {
    for file in fileset("${local.conf}/contracts", "*.yaml") :
    trimsuffix(file, ".yaml") => yamldecode(file("${local.conf}/contracts/${file}"))
  }

  project   = local.environment.project
  region    = local.environment.region
  execution = local.environment.spark.execution
  composer  = local.environment.composer
  labels    = { environment = var.environment, platform = "medallion" }

  # BigQuery's multi-regions have key rings and taxonomies of their own.
  locations = toset([local.region, lower(local.environment.bigquery_location)])

  # Products that run by themselves are missed when they don't.
  scheduled = { for name, product in local.products : name => product if can(product.schedule) }

  # Products of which a file that lands starts a run.
  on_arrival = { for name, product in local.products : name => product if try(product.schedule.on_arrival, false) }

  day = 86400
}

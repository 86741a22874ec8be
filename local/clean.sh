#!/usr/bin/env bash
# Removes the data of the local cloud and of the benchmarks, unless a command is at work on it.
set -euo pipefail

clouds=(.local .local/bench/*)
for cloud in "${clouds[@]}"; do
  [ ! -e "$cloud/services.json" ] || MEDALLION_LOCAL="$PWD/$cloud" make --no-print-directory down
done
for cloud in "${clouds[@]}"; do
  [ -e "$cloud/lock" ] || continue
  exec {lock}<"$cloud/lock"  # held until this script ends
  flock -n "$lock" || { echo "Another command is at work on $cloud. Next: wait for its end." >&2; exit 1; }
done
rm -rf .local/{airflow,bench,bigquery,cache,database,dataproc,gcs,logs,mail,ports.json,run,sample*,secrets}

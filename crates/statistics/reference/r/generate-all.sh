#!/bin/sh
# Runs every generator of fresh reference cases.
cd "$(dirname "$0")/.." || exit 1
for script in */generate.R; do
  echo "$script"
  (cd "$(dirname "$script")" && Rscript --vanilla generate.R) || exit 1
done

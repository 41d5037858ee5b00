# Standard normal quantiles: R's distribution function inverted by bisection to the last bit,
# so that the reference does not rest on the algorithm under test (R's own qnorm is AS 241 too).
# Run: Rscript normal_quantile.R > normal_quantile.csv
p <- c(1.1e-16, 1e-12, 1e-8, 1e-5, 0.001, 0.01, 0.024, 0.0749, 0.075, 0.0751, 0.1, 0.2, 0.25, 0.3, 0.4, 0.45, 0.499,
       0.5, 0.501, 0.55, 0.6, 0.7, 0.75, 0.8, 0.9, 0.9249, 0.925, 0.9251, 0.97, 0.99, 0.999)
invert <- function(p) {
  lower <- p <= 0.5
  beyond <- if (lower) p else 1 - p
  low <- 0; high <- 40
  for (i in 1:200) {
    mid <- (low + high) / 2
    if (pnorm(mid, lower.tail = FALSE) > beyond) low <- mid else high <- mid
  }
  z <- (low + high) / 2
  if (beyond == 0.5) 0 else if (lower) -z else z
}
cat("p,z\n")
for (one in p) cat(sprintf("%.17g,%.17g\n", one, invert(one)))

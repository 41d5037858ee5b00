# The exact two-sided rank sum test with ties, by enumeration through a shift algorithm, alone: trials a second of processor time in R.
# Run: Rscript reference.R
exact_p <- function(x, y) {
  r <- as.integer(2 * rank(c(x, y))); m <- length(x); n <- length(r)
  counts <- matrix(0, m + 1, sum(r) + 1); counts[1, 1] <- 1
  for (one in r) for (k in m:1) {
    s <- (one + 1):ncol(counts)
    counts[k + 1, s] <- counts[k + 1, s] + counts[k, s - one]
  }
  null <- counts[m + 1, ]; sums <- seq_along(null) - 1
  mean <- m * sum(r) / n
  sum(null[abs(sums - mean) >= abs(sum(r[1:m]) - mean) - 1e-9]) / sum(null)
}
set.seed(1)
trials <- 300
took <- system.time(for (i in 1:trials) {
  baseline <- sample(20:40, 28, TRUE)
  change <- round(rnorm(28, -3, 5)) / baseline
  exact_p(change[1:14], change[15:28])
})["user.self"]
cat(sprintf("exact rank sum test of 2 x 14 in R: %.0f a second\n", trials / took))

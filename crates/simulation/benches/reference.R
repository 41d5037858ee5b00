# The methods of the simulation's bench alone, on numbers that are at hand or drawn in one call: how many R does in a second of
# processor time. Base R; the mixed model needs nlme, which comes with R, and is left out where it does not.
# Run: Rscript reference.R
set.seed(1)

# Runs `one` for at least a second and prints how many there were in a second.
a_second <- function(name, one) {
  one(); n <- 0; began <- proc.time()[["user.self"]]
  repeat {
    one(); n <- n + 1
    if (n %% 4 == 0 && proc.time()[["user.self"]] - began > 1) break
  }
  cat(sprintf("%s: %.1f\n", name, n / (proc.time()[["user.self"]] - began)))
}

# The exact two-sided rank sum test with ties, by a shift algorithm.
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
a_second("randomised: rank sum, exact with ties", function() {
  baseline <- sample(20:40, 28, TRUE)
  change <- round(rnorm(28, -3, 5)) / baseline
  exact_p(change[1:14], change[15:28])
})

a_second("one arm: paired t", function() t.test(rnorm(30, -3, 6))$p.value)

arm <- rep(0:1, each = 100)
a_second("2 x 100: covariance", function() {
  baseline <- rnorm(200, 25, 7)
  outcome <- baseline - 3 + rnorm(200, 0, 5)
  summary(lm(outcome ~ arm + baseline))$coefficients[2, 4]
})

# Three looks at the means of two groups, with the boundary of O'Brien and Fleming.
levels <- 2 * pnorm(-c(2.863, 2.337, 2.024))
a_second("2 x 100: two-sample t, three looks", function() {
  x <- rnorm(100, -3, 6); y <- rnorm(100, -3, 6)
  for (look in 1:3) {
    n <- c(50, 75, 100)[look]
    if (t.test(x[1:n], y[1:n])$p.value <= levels[look]) break
  }
})

if (requireNamespace("nlme", quietly = TRUE)) {
  mixed <- function(name, each, visits) {
    n <- 2 * each
    a_second(name, function() {
      person <- rnorm(n, 0, 4); baseline <- rnorm(n, 25, 7)
      data <- data.frame(
        id = rep(seq_len(n), each = visits), visit = factor(rep(seq_len(visits), n)), place = rep(seq_len(visits), n),
        arm = rep(0:1, each = each * visits), baseline = rep(baseline, each = visits),
        outcome = rep(person, each = visits) + rnorm(n * visits, -3, 3)
      )
      try(nlme::gls(
        outcome ~ visit * arm + baseline, data,
        correlation = nlme::corSymm(form = ~ place | id), weights = nlme::varIdent(form = ~ 1 | visit)
      ), silent = TRUE)
    })
  }
  mixed("2 x 100 at four visits: mixed model", 100, 4)
  mixed("2 x 14 at three visits: mixed model", 14, 3)
}

# Random series of several sizes against several means.
source("../r/json.R")
set.seed(102)
of <- function(id, x, mu) {
  t <- t.test(x, mu = mu)
  p <- function(side) one(t.test(x, mu = mu, alternative = side)$p.value)
  case(id, list(x = x, mu = one(mu)), list(estimate = mean(x[!is.na(x)]), stderr = one(t$stderr), t = one(t$statistic),
    df = one(t$parameter), p_two_sided = one(t$p.value), p_less = p("less"), p_greater = p("greater"),
    ci95 = as.vector(t$conf.int)))
}
cases <- list(of("pair", c(1, 2), 0), of("missing", c(1.5, NA, 2.5, 2.75), 2), of("far", rnorm(40, 30), 0),
  of("at_null", c(-2, 2, -1, 1), 0), of("offset", 1e7 + round(rnorm(12), 4), 1e7))
for (n in c(3, 4, 7, 15, 30, 200, 1000)) for (mu in c(0, -1.5, 80))
  cases <- c(cases, list(of(paste0("n", n, "mu", mu), round(rnorm(n, mu + 0.4, 1.5), 3), mu)))
write_cases("t_one_sample", "t.test(x, mu=)", cases)

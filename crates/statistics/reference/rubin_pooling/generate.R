# Pooling over imputed data sets by the formulas of Rubin 1987 and of Barnard and Rubin 1999, written out.
source("../r/json.R")
set.seed(121)
of <- function(id, est, se, complete) {
  m <- length(est); q <- mean(est); u <- mean(se^2); b <- var(est); t <- u + (1 + 1 / m) * b
  riv <- (1 + 1 / m) * b / u; lambda <- (1 + 1 / m) * b / t; old <- (m - 1) / lambda^2
  observed <- if (is.infinite(complete)) Inf else (complete + 1) / (complete + 3) * complete * (1 - lambda)
  part <- function(df) list(df = one(df), t = one(q / sqrt(t)), p = one(2 * pt(-abs(q / sqrt(t)), df)),
    ci95 = q + c(-1, 1) * qt(0.975, df) * sqrt(t), fmi = one((riv + 2 / (df + 3)) / (1 + riv)))
  case(id, list(est = est, se = se, df_complete = one(complete)), list(m = one(m), qbar = one(q), ubar = one(u), b = one(b), t = one(t),
    se = one(sqrt(t)), riv = one(riv), lambda = one(lambda), rubin1987 = part(old), barnard_rubin1999 = part(1 / (1 / old + 1 / observed))))
}
cases <- list(of("two_draws", c(1.2, 1.9), c(0.7, 0.6), 14), of("one_complete_degree", c(-3, 2, 5, 1), c(1, 2, 1.5, 0.3), 1),
  of("large_between", c(-8, 4.5, 12, -3.3, 0.9), c(2, 3, 1, 4, 2), 97), of("far_from_zero", 1e6 + c(1, 2, 3, 2.5), c(0.5, 0.6, 0.4, 0.5), 200),
  of("small_scale", c(3e-7, 4e-7, 2e-7), c(1e-7, 2e-7, 1.5e-7), 31), of("infinite_complete", c(0.4, 0.5, 0.1, 0.9, 0.3), c(0.3, 0.2, 0.25, 0.3, 0.3), Inf))
for (m in c(3, 10, 20, 50, 200, 1000)) cases <- c(cases, list(of(paste0("draws", m), rnorm(m, -2, 0.4), runif(m, 0.6, 1.1), sample(10:400, 1))))
write_cases("rubin_pooling", "formulas; see generate.R", cases, abs = 1e-14)
